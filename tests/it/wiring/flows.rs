//! The providers' flows against the service: each step must pass.

use super::{Host, MOUNT};
use crate::flows::{COUNTED, all, run};

async fn passes(name: &str) {
    let flows = all();
    let flow = flows.iter().find(|flow| flow.flow == name).unwrap();
    let (_, counted) = COUNTED.iter().find(|(flow, _)| *flow == name).unwrap();
    run(flow, &Host::new(), MOUNT).await.assert_passed(*counted);
}

#[tokio::test]
async fn entra_users() {
    passes("entra-users").await;
}

#[tokio::test]
async fn entra_groups() {
    passes("entra-groups").await;
}

#[tokio::test]
async fn entra_reference_attributes() {
    passes("entra-reference-attributes").await;
}

#[tokio::test]
async fn okta_users() {
    passes("okta-users").await;
}

#[tokio::test]
async fn okta_groups() {
    passes("okta-groups").await;
}

#[tokio::test]
async fn keycloak() {
    passes("keycloak").await;
}

/// The flows do not disturb each other, nor a second round of themselves.
#[tokio::test]
async fn all_flows_twice_on_one_host() {
    let host = Host::new();
    for _ in 0..2 {
        for (flow, (_, counted)) in all().iter().zip(COUNTED) {
            run(flow, &host, MOUNT).await.assert_passed(counted);
        }
    }
}
