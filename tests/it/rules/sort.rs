//! `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{ENTERPRISE, Scim};

/// The serial numbers of devices, which are numbered in the order of creation, in the order of the query.
fn order(devices: &[Value], query: &str) -> String {
    let scim = Scim::strict();
    for (number, device) in devices.iter().enumerate() {
        scim.create("/Devices", crate::scim::merged(body(device.clone()), json!({"serial": number.to_string()})));
    }
    scim.get(&format!("/Devices?{query}")).is(200).each("serial").concat()
}

fn labels(labels: &[&str]) -> Vec<Value> {
    labels.iter().map(|label| json!({"label": label})).collect()
}

/// R-7644-3.4.2.3-01 R-7644-3.4.2.3-02 R-7644-3.4.2.3-07
#[test]
fn results_are_ascending_by_the_attribute() {
    assert_eq!(order(&labels(&["c", "a", "b"]), "sortBy=label"), "120");
    assert_eq!(order(&labels(&["c", "a", "b"]), "sortBy=LABEL&sortOrder=ascending"), "120");
    assert_eq!(order(&labels(&["c", "a", "b"]), "sortBy=label&sortOrder=descending"), "021");
}

/// R-7644-3.4.2.3-06 R-7644-3.4.2.3-12
#[test]
fn an_unknown_order_or_attribute_is_refused() {
    let scim = Scim::strict();
    for query in ["sortBy=label&sortOrder=up", "sortBy=nope", "sortBy=place.nope", "sortBy=place", "sortBy=urn:x:y"] {
        scim.get(&format!("/Devices?{query}")).refused(400, "invalidValue");
    }
}

/// R-7644-3.4.2.3-11
#[test]
fn an_order_without_an_attribute_means_nothing() {
    assert_eq!(order(&labels(&["b", "a"]), "sortOrder=descending"), "01");
}

/// R-7644-3.4.2.3-05
#[test]
fn what_has_no_value_is_last_and_first_when_descending() {
    let devices = [json!({}), json!({"label": "b"}), json!({"label": "a"})];
    assert_eq!(order(&devices, "sortBy=label"), "210");
    assert_eq!(order(&devices, "sortBy=label&sortOrder=descending"), "012");
}

/// R-7644-3.4.2.3-08
#[test]
fn letter_case_counts_where_the_schema_says_so() {
    assert_eq!(order(&labels(&["b", "A", "C", "É", "e"]), "sortBy=label"), "10243");
    let codes: Vec<Value> = ["b", "A", "C"].iter().map(|code| json!({"codes": [code]})).collect();
    assert_eq!(order(&codes, "sortBy=codes"), "120");
}

/// R-7644-3.4.2.3-09
#[test]
fn numbers_and_times_are_ordered_by_what_they_mean() {
    let slots = [json!({"slots": 10}), json!({"slots": 9}), json!({"slots": -1})];
    assert_eq!(order(&slots, "sortBy=slots"), "210");
    let weights = [json!({"weight": 1.5}), json!({"weight": 1}), json!({"weight": 0.25})];
    assert_eq!(order(&weights, "sortBy=weight"), "210");
    let times = ["2026-01-31T10:00:00+02:00", "2026-01-31T08:30:00Z", "2026-01-31T01:00:00-05:00"];
    let bought: Vec<Value> = times.iter().map(|at| json!({"bought": at})).collect();
    assert_eq!(order(&bought, "sortBy=bought"), "201");
}

/// R-7644-3.4.2.3-03
#[test]
fn the_primary_value_counts_else_the_first() {
    let devices = [
        json!({"ports": [{"value": "a"}, {"value": "z", "primary": true}]}),
        json!({"ports": [{"value": "m"}, {"value": "a"}]}),
    ];
    assert_eq!(order(&devices, "sortBy=ports.value"), "10");
    assert_eq!(order(&devices, "sortBy=ports"), "10");
}

/// R-7644-3.4.2.3-04
#[test]
fn a_complex_attribute_is_ordered_by_a_part() {
    let devices = [json!({"place": {"room": "2"}}), json!({"place": {"room": "1"}})];
    assert_eq!(order(&devices, "sortBy=place.room"), "10");
}

/// R-7644-3.4.2.3-10
#[test]
fn equals_keep_one_order_over_all_pages() {
    let scim = Scim::strict();
    for n in 0..20 {
        scim.create("/Devices", body(json!({"serial": n.to_string(), "label": "same"})));
    }
    let page = |start: usize| scim.get(&format!("/Devices?sortBy=label&count=7&startIndex={start}")).each("serial");
    let mut seen = [page(1), page(8), page(15)].concat();
    assert_eq!(seen, scim.get("/Devices?sortBy=label").each("serial"));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20);
}

/// R-7644-3.4.2.3-03 R-7644-3.4.2.3-05
#[test]
fn a_primary_value_without_the_part_counts_as_none() {
    let devices = [
        json!({"ports": [{"value": "a", "type": "usb"}, {"value": "b", "primary": true}]}),
        json!({"ports": [{"value": "c", "type": "vga"}]}),
        json!({}),
    ];
    assert_eq!(order(&devices[..2], "sortBy=ports.type"), "10");
    assert_eq!(order(&devices[..2], "sortBy=ports.type&sortOrder=descending"), "01");
    assert_eq!(order(&devices[1..], "sortBy=ports.primary").len(), 2);
}

/// R-7644-3.4.2.3-02 R-7644-3.4.2.3-04
#[test]
fn orders_reach_extensions_and_references() {
    let scim = Scim::new();
    let [a, b, _] = [("a", "9"), ("b", "1"), ("c", "5")].map(|(name, number)| {
        let body = json!({"userName": name, ENTERPRISE: {"employeeNumber": number, "manager": {"value": number}}});
        scim.user(body)
    });
    scim.group("x", &[&b]);
    scim.group("y", &[&a]);
    let names = |endpoint: &str, sort: &str, name: &str| {
        scim.get(&format!("{endpoint}?sortBy={sort}")).is(200).each(name).concat()
    };
    for sort in ["employeeNumber", "manager", "manager.value"] {
        assert_eq!(names("/Users", &format!("{ENTERPRISE}:{sort}"), "userName"), "bca", "{sort}");
    }
    assert_eq!(names("/Users", "groups.display", "userName"), "bac", "who is in no group comes last");
    assert_eq!(names("/Groups", "members.display", "displayName"), "yx");
    assert!(scim.get("/Users?sortBy=id").each("id").is_sorted());
    for refused in ["password", "groups.$ref", "name", ENTERPRISE, "userName.x"] {
        scim.get(&format!("/Users?sortBy={refused}")).refused(400, "invalidValue");
    }
}

/// R-7644-3.4.2.3-10
#[test]
fn an_order_does_not_depend_on_the_size_of_pages() {
    let scim = Scim::new();
    for n in 0..12 {
        let title = if n % 4 == 0 { json!(null) } else { json!(["x", "X", "y"][n % 3]) };
        scim.user(json!({"userName": format!("u{n}"), "title": title}));
    }
    for order in ["ascending", "descending"] {
        let url = format!("/Users?sortBy=title&sortOrder={order}");
        let whole = scim.get(&url).is(200).each("id");
        for count in [1, 5, 7] {
            let pages =
                (1..=12).step_by(count).map(|start| scim.get(&format!("{url}&startIndex={start}&count={count}")));
            let ids: Vec<String> = pages.flat_map(|page| page.each("id")).collect();
            assert_eq!(ids, whole, "{order} by {count}");
        }
    }
}
