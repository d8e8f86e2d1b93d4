//! What each operator does to each type (RFC 7644 §3.4.2.2, table 3).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::Scim;

/// Filters devices with these attributes.
struct Device(Scim);

impl Device {
    fn of(more: Value) -> Self {
        let scim = Scim::strict();
        scim.create("/Devices", body(more));
        Self(scim)
    }

    #[track_caller]
    fn yes(&self, filters: &[&str]) -> &Self {
        filters.iter().for_each(|filter| assert!(self.0.finds("/Devices", filter), "{filter}"));
        self
    }

    #[track_caller]
    fn no(&self, filters: &[&str]) -> &Self {
        filters.iter().for_each(|filter| assert!(!self.0.finds("/Devices", filter), "{filter}"));
        self
    }

    #[track_caller]
    fn refused(&self, filters: &[&str]) {
        for filter in filters {
            self.0.filter("/Devices", filter).refused(400, "invalidFilter");
        }
    }
}

/// R-7644-3.4.2.2-23 R-7644-3.4.2.2-47 R-7643-7-16 R-7643-7-18
#[test]
fn eq_heeds_letter_case_where_the_schema_does() {
    Device::of(json!({"label": "Lab One", "codes": ["Ab"]}))
        .yes(&[r#"label eq "LAB ONE""#, r#"codes eq "Ab""#, r#"serial eq "Sn-1""#])
        .no(&[r#"label eq "Lab""#, r#"codes eq "AB""#, r#"serial eq "sn-1""#, r#"label eq "Lab One ""#]);
}

/// R-7644-3.4.2.2-24 A-04 A-05 R-7644-3.4.2.2-12
#[test]
fn ne_is_not_eq_and_holds_for_what_is_unassigned() {
    Device::of(json!({"label": "a", "tags": ["x", "y"]}))
        .yes(&[r#"label ne "b""#, r#"notes ne "b""#, r#"tags ne "x""#, "slots ne 1", "on ne true"])
        .no(&[r#"label ne "A""#, r#"not (tags ne "z")"#]);
    Device::of(json!({"tags": ["x"]})).no(&[r#"tags ne "x""#]).yes(&[r#"not (tags eq "y")"#]);
}

/// R-7644-3.4.2.2-25 R-7644-3.4.2.2-26 R-7644-3.4.2.2-27 R-7644-3.4.2.2-12 R-7643-7-16 R-7644-3.4.2.2-47
#[test]
fn co_sw_and_ew_look_for_a_part() {
    Device::of(json!({"label": "Abcabd", "codes": ["Xy"], "manual": "https://x/Y"}))
        .yes(&[
            r#"label co "CABD""#,
            r#"label sw "ABC""#,
            r#"label ew "abd""#,
            r#"codes co "y""#,
            r#"manual sw "https:""#,
        ])
        .yes(&[r#"label sw "abcabd""#, r#"label ew "abcabd""#, r#"label co "abcabd""#, r#"label co "bc""#])
        .no(&[r#"label co "abe""#, r#"label sw "bc""#, r#"label ew "ab""#, r#"codes sw "x""#, r#"manual ew "y""#]);
}

/// R-7644-3.4.2.2-28 R-7643-2.5-01
#[test]
fn pr_asks_for_a_value_that_is_not_empty() {
    Device::of(json!({"label": "x", "on": false, "slots": 0, "place": {"room": "1"}, "tags": ["a"]}))
        .yes(&["label pr", "on pr", "slots pr", "place pr", "place.room pr", "tags pr"])
        .no(&["weight pr", "place.site pr", "ports pr", "ports.value pr", "ports[value pr]"]);
    Device::of(json!({"label": ""})).no(&["label pr"]);
}

/// R-7644-3.4.2.2-29 R-7644-3.4.2.2-12 R-7643-7-16 R-7644-3.4.2.2-47
#[test]
fn text_is_ordered_by_its_characters() {
    Device::of(json!({"label": "Mm", "codes": ["Mm"]}))
        .yes(&[r#"label gt "ma""#, r#"label ge "MM""#, r#"label lt "mz""#, r#"label le "mm""#, r#"codes lt "ma""#])
        .no(&[r#"label gt "mm""#, r#"label lt "mm""#, r#"codes gt "ma""#, r#"notes gt "a""#, r#"notes le "a""#]);
}

/// R-7644-3.4.2.2-29 R-7644-3.4.2.2-13 R-7644-3.4.2.2-23
#[test]
fn numbers_are_compared_as_numbers() {
    Device::of(json!({"slots": 10, "weight": 1.5, "readings": [1, 20]}))
        .yes(&[
            "slots gt 9",
            "slots ge 10",
            "slots lt 10.5",
            "slots eq 10.0",
            "slots eq 1e1",
            "weight eq 1.50",
            "weight gt 1",
        ])
        .yes(&["readings gt 15", "readings eq 1"])
        .no(&["slots gt 10", "slots lt 9", "weight ge 2", "readings gt 20"]);
}

/// R-7644-3.4.2.2-31 R-7644-3.4.2.2-29 R-7644-3.4.2.2-23
#[test]
fn times_are_compared_as_instants() {
    Device::of(json!({"bought": "2026-01-31T10:00:00.50+01:00"}))
        .yes(&[r#"bought eq "2026-01-31T09:00:00.5Z""#, r#"bought lt "2026-01-31T09:30:00Z""#])
        .yes(&[r#"bought ge "2026-01-31T04:00:00.500-05:00""#, r#"bought ne "2026-01-31T10:00:00.5Z""#])
        .no(&[r#"bought gt "2026-01-31T09:59:59Z""#, r#"bought ne "2026-01-31T09:00:00.500Z""#]);
}

/// R-7644-3.4.2.2-33
#[test]
fn a_time_is_compared_with_a_time() {
    Device::of(json!({"bought": "2026-01-31T10:00:00Z"})).refused(&[
        r#"bought gt "yesterday""#,
        r#"bought eq "2026-01-31""#,
        r#"bought gt "2026-02-31T00:00:00Z""#,
        "bought gt 2026",
        "bought eq true",
    ]);
}

/// R-7644-3.4.2.2-30 R-7644-3.12-15 R-7644-3.4.2.2-13 R-7644-3.4.2.2-23
#[test]
fn booleans_and_binary_values_have_no_order() {
    for op in ["gt", "ge", "lt", "le"] {
        let device = Device::of(json!({"on": true, "firmware": "QUJD"}));
        device.refused(&[&format!("on {op} true"), &format!(r#"firmware {op} "QUJD""#)]);
    }
    Device::of(json!({"on": true, "firmware": "QUJD"})).yes(&["on eq true", "on ne false", r#"firmware eq "QUJD""#]);
}

/// R-7644-3.4.2.2-32
#[test]
fn what_is_no_text_has_no_part() {
    for op in ["co", "sw", "ew"] {
        let device = Device::of(json!({}));
        device.refused(&[&format!("on {op} true"), &format!("slots {op} 1"), &format!("weight {op} 1.5")]);
        device.refused(&[&format!(r#"bought {op} "2026""#), &format!(r#"firmware {op} "QU""#)]);
    }
}

/// R-7644-3.4.2.2-34
#[test]
fn a_value_of_another_type_is_refused() {
    Device::of(json!({})).refused(&[
        r#"on eq "true""#,
        "on eq 1",
        "label eq 3",
        "label eq true",
        r#"slots eq "1""#,
        "weight eq false",
        r#"manual eq 1"#,
        "firmware eq 1",
    ]);
}

/// R-7644-3.4.2.2-35 R-7643-2.5-01 A-04
#[test]
fn null_is_what_is_unassigned() {
    Device::of(json!({"label": "x", "tags": ["a"], "ports": [{"value": "1"}]}))
        .yes(&["label ne null", "slots eq null", "ports.type eq null", "place.room eq null", "tags ne null"])
        .no(&["label eq null", "slots ne null", "ports[type ne null]"])
        .refused(&["label gt null", "label co null"]);
}

/// R-7644-3.4.2.2-38 R-7644-3.5.2-14
#[test]
fn brackets_of_a_simple_list_look_at_its_values() {
    Device::of(json!({"readings": [1, 5, 9]}))
        .yes(&["readings[value gt 4 and value lt 6]", "readings[value eq 9]"])
        .no(&["readings[value gt 5 and value lt 9]"]);
}
