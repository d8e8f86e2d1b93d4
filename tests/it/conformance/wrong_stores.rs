//! Each case is failed by a store that is wrong in one way, and passed by those that are not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_provider::conformance::{ConformanceCase, Stop, store_cases};

use super::faults::{ALL, Fault};
use super::model::{Honesty, Models, Side};
use super::reach::Call;
use crate::server::catch_panic;

/// The faults that each case catches: what was found when this was last written down.
const CAUGHT: &str = include_str!("caught.txt");

#[tokio::test]
async fn stores_without_a_fault_pass_whatever_they_declare() {
    for honesty in [Honesty::Exact, Honesty::Matches, Honesty::Candidates] {
        for case in store_cases::<Models>() {
            if let Err(Stop::Failed(failure)) = run(&case, &Models::right(honesty)).await {
                panic!("{honesty:?}, {}: {failure}", case.name());
            }
        }
    }
}

#[test]
fn each_case_is_failed_by_a_wrong_store() {
    let faults: Vec<Fault> = ALL.iter().copied().filter(|fault| *fault != Fault::Nothing).collect();
    let next = AtomicUsize::new(0);
    let cases = cases();
    let worker = || {
        let mut found = Vec::new();
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend([Side::Users, Side::Groups].map(|side| (*fault, side, failed_by(&cases, *fault, side))));
        }
        found
    };
    let mut found: Vec<(Fault, Side, BTreeSet<&str>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    found.sort_by_key(|(fault, side, _)| (*fault as usize, *side as usize));

    let mut caught: BTreeMap<&str, Vec<String>> = store_cases::<Models>().iter().map(|c| (c.name(), vec![])).collect();
    let mut harmless: [Vec<Fault>; 2] = [vec![], vec![]];
    for (fault, side, failed) in found {
        let alone = if failed.len() == 1 { "*" } else { "" };
        let of = if side == Side::Groups { "groups " } else { "" };
        for case in &failed {
            caught.entry(case).or_default().push(format!("{of}{fault:?}{alone}"));
        }
        harmless[side as usize].extend(failed.is_empty().then_some(fault));
    }
    let table: String = caught.iter().map(|(case, faults)| format!("{case}: {}\n", faults.join(", "))).collect();
    let [users, groups] = &harmless;
    let told = |faults: &[Fault]| faults.iter().map(|fault| format!("{fault:?}")).collect::<Vec<_>>().join(", ");
    let table = format!("{table}\nnot of users: {}\n\nnot of groups: {}\n", told(users), told(groups));
    let blind: Vec<&&str> = caught.iter().filter(|(_, faults)| faults.is_empty()).map(|(case, _)| case).collect();
    let nowhere: Vec<&Fault> = users.iter().filter(|fault| groups.contains(fault)).collect();
    assert!(blind.is_empty(), "no wrong store fails {blind:#?}\n{table}");
    assert!(nowhere.is_empty(), "no case fails {nowhere:?}\n{table}");
    assert_eq!(table, CAUGHT.split_once("\n\n").unwrap().1, "caught.txt says otherwise; the table is now\n{table}");
}

/// A case with what it asks of the store of users and of that of groups.
type Asking = (ConformanceCase<Models>, [BTreeSet<Call>; 2]);

/// All cases.
fn cases() -> Vec<Asking> {
    let asking = |case: ConformanceCase<Models>| {
        let models = Models::right(Honesty::Exact);
        let _ = runtime().block_on(run(&case, &models));
        let asked = models.asked();
        (case, asked)
    };
    store_cases::<Models>().into_iter().map(asking).collect()
}

/// The cases that a store with the fault fails.
fn failed_by(cases: &[Asking], fault: Fault, side: Side) -> BTreeSet<&'static str> {
    let runtime = runtime();
    let failed = |case: &ConformanceCase<Models>| {
        matches!(runtime.block_on(run(case, &Models::wrong(fault, side))), Err(Stop::Failed(_)))
    };
    let reaches = |asked: &[BTreeSet<Call>; 2]| asked[side as usize].contains(&fault.call());
    cases.iter().filter(|(case, asked)| reaches(asked) && failed(case)).map(|(case, _)| case.name()).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// A panic of a wrong store is no merit of the case.
async fn run(case: &ConformanceCase<Models>, models: &Models) -> Result<(), Stop> {
    match catch_panic(case.run(models)).await {
        Ok(verdict) => verdict,
        Err(_) => Ok(()),
    }
}
