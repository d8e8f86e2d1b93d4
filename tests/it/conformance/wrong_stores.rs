//! Each case is failed by a store that is wrong in one way, and passed by those that are not.

use std::collections::{BTreeMap, BTreeSet};

use scim_provider::conformance::{ConformanceCase, Fixture, Stop, store_cases};

use super::faults::{ALL, Fault};
use super::model::{Honesty, Model, Models};
use crate::server::catch_panic;

/// The faults that each case catches: what was found when this was last written down.
const CAUGHT: &str = include_str!("caught.txt");

#[tokio::test]
async fn stores_without_a_fault_pass_whatever_they_declare() {
    for honesty in [Honesty::Exact, Honesty::Matches, Honesty::Candidates] {
        for case in store_cases::<Models>() {
            if let Err(Stop::Failed(failure)) = run(&case, None, honesty).await {
                panic!("{honesty:?}, {}: {failure}", case.name());
            }
        }
    }
}

#[test]
fn each_case_is_failed_by_a_wrong_store() {
    let mut caught: BTreeMap<&str, Vec<String>> = store_cases::<Models>().iter().map(|c| (c.name(), vec![])).collect();
    let mut harmless: Vec<Fault> = Vec::new();
    let faults: Vec<Fault> = ALL.iter().copied().filter(|fault| *fault != Fault::Nothing).collect();
    let parts = faults.chunks(faults.len().div_ceil(4));
    let found: Vec<(Fault, BTreeSet<&str>)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().map(|f| (*f, failed_by(*f))).collect())).collect();
        threads.into_iter().flat_map(|thread| -> Vec<_> { thread.join().unwrap() }).collect()
    });
    for (fault, failed) in found {
        let alone = if failed.len() == 1 { "*" } else { "" };
        for case in &failed {
            caught.entry(case).or_default().push(format!("{fault:?}{alone}"));
        }
        harmless.extend(failed.is_empty().then_some(fault));
    }
    let table: String = caught.iter().map(|(case, faults)| format!("{case}: {}\n", faults.join(", "))).collect();
    let blind: Vec<&&str> = caught.iter().filter(|(_, faults)| faults.is_empty()).map(|(case, _)| case).collect();
    assert!(blind.is_empty(), "no wrong store fails {blind:#?}\n{table}");
    assert!(harmless.is_empty(), "no case fails {harmless:?}\n{table}");
    assert_eq!(table, CAUGHT.split_once("\n\n").unwrap().1, "caught.txt says otherwise; the table is now\n{table}");
}

/// The cases that a store with the fault fails.
fn failed_by(fault: Fault) -> BTreeSet<&'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let failed = |case: &ConformanceCase<Models>| {
        matches!(runtime.block_on(run(case, Some(fault), Honesty::Exact)), Err(Stop::Failed(_)))
    };
    store_cases::<Models>().iter().filter(|case| failed(case)).map(ConformanceCase::name).collect()
}

/// A panic of a wrong store is no merit of the case.
async fn run(case: &ConformanceCase<Models>, fault: Option<Fault>, honesty: Honesty) -> Result<(), Stop> {
    let _fresh = Models::new().await;
    let fixture = Models(Model::new(fault, honesty));
    match catch_panic(case.run(&fixture)).await {
        Ok(verdict) => verdict,
        Err(_) => Ok(()),
    }
}
