//! The hostile inputs against the service.

use super::{Host, MOUNT};
use crate::cases::attack::{CASES, ON_THE_WIRE, items, run};

#[tokio::test]
async fn no_hostile_input_has_an_effect() {
    let report = run(&items(), &Host::new(), MOUNT).await;
    report.assert_clean(CASES, ON_THE_WIRE);
}
