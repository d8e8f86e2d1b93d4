//! Sorting. A store that does not sort leaves it to the service by what its page declares, and passes.

use std::cmp::Ordering;

use serde_json::json;

use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, Listed};
use crate::conformance::{Fixture, Tenant, Verdict};
use crate::fold;

const SORT: &str = "RFC 7644 §3.4.2.3 (sorting)";

/// Ascending is the default.
pub async fn ascending_is_the_default<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["bea", "ada", "cyd"], "", &["ada", "bea", "cyd"]).await
}

/// Descending is the other way round.
pub async fn descending_is_the_other_way_round<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["ada", "cyd", "bea"], "&sortOrder=descending", &["cyd", "bea", "ada"]).await
}

/// Letter case does not count where the attribute is not case exact.
pub async fn order_ignores_letter_case<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["bea", "Cyd", "ada", "Dan"], "", &["ada", "bea", "Cyd", "Dan"]).await
}

/// Nor does it beyond ASCII: keys are folded character by character, as [`fold`] does it.
pub async fn order_is_that_of_folded_texts<F: Fixture>(fixture: &F) -> Verdict {
    let made = ["σγ", "ςβ", "σα", "tz", "\u{17F}b", "sa", "ßa", "ssz", "\u{212A}c", "kb", "kd", "Äa", "äb"];
    let mut expected = made;
    expected.sort_by_key(|name| fold(name).into_owned());
    sorted(fixture, &made, "", &expected).await
}

/// Of equal values none is lost or met twice between two pages.
pub async fn equal_values_keep_their_places<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::list` (the order is stable)");
    let users = case.users(Tenant::A)?;
    for number in 0..6 {
        users.create(json!({"userName": format!("user-{number}"), "displayName": "Ada", "active": true})).await?;
    }
    for order in ["ascending", "descending"] {
        let mut met = Vec::new();
        for start in [1, 3, 5] {
            let url = format!("sortBy=displayName&sortOrder={order}&startIndex={start}&count=2");
            met.extend(names(&users.list(&url).await?, "userName"));
        }
        let mut once = met.clone();
        once.sort_unstable();
        once.dedup();
        let right = met.len() == 6 && once.len() == 6;
        case.log.expect(right, format!("{order}: six users on three pages, each once"), format!("{met:?}"))?;
    }
    Ok(())
}

/// The parts of a complex attribute order, too, whether a column holds them or not.
pub async fn a_part_of_a_name_orders<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, SORT);
    case.needs("name")?;
    let users = case.users(Tenant::A)?;
    for (name, family) in [("ada", "Lovelace"), ("bea", "arthur"), ("cyd", "Charisse")] {
        users.create(json!({"userName": name, "name": {"familyName": family}})).await?;
    }
    let found = names(&users.list("sortBy=name.familyName").await?, "userName");
    case.log.expect(found == ["bea", "cyd", "ada"], r#"["bea", "cyd", "ada"]"#, format!("{found:?}"))
}

/// Times order as moments do.
pub async fn times_order<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, SORT);
    let users = case.users(Tenant::A)?;
    for name in ["cyd", "ada", "bea"] {
        users.create_named(name).await?;
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    for url in ["sortBy=meta.created&sortOrder=descending", "sortBy=meta.lastModified"] {
        let query = users.query(url)?;
        let listed = users.list(url).await?;
        let mut expected = listed.resources.clone();
        expected.sort_by(|a, b| query.sort.as_ref().map_or(Ordering::Equal, |sort| sort.compare(a, b)));
        let (found, expected) = (names(&listed, users.name()), expected);
        let expected: Vec<String> = expected.iter().map(|r| r.text(users.name()).unwrap_or_default().into()).collect();
        case.log.expect(found == expected, format!("`{url}`: {expected:?}"), format!("{found:?}"))?;
    }
    Ok(())
}

/// The order is made before the page is cut.
pub async fn the_order_is_made_before_the_cut<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["dan", "ada", "cyd", "bea"], "&startIndex=2&count=2", &["bea", "cyd"]).await
}

/// Whoever has no value comes last in ascending order, and first in descending.
pub async fn a_missing_value_comes_last<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, SORT);
    let users = case.users(Tenant::A)?;
    users.create_named("nameless").await?;
    users.create(json!({"userName": "bea", "displayName": "Bea"})).await?;
    users.create(json!({"userName": "ada", "displayName": "Ada"})).await?;
    for (url, expected) in [
        ("sortBy=displayName", ["ada", "bea", "nameless"]),
        ("sortBy=displayName&sortOrder=descending", ["nameless", "bea", "ada"]),
    ] {
        let found = names(&users.list(url).await?, "userName");
        case.log.expect(found == expected, format!("{expected:?}"), format!("{found:?}"))?;
    }
    Ok(())
}

at_groups! {
    groups_ascending_is_the_default: ascending_is_the_default,
    groups_descending_is_the_other_way_round: descending_is_the_other_way_round,
    groups_order_ignores_letter_case: order_ignores_letter_case,
    groups_order_is_that_of_folded_texts: order_is_that_of_folded_texts,
    groups_times_order: times_order,
    groups_the_order_is_made_before_the_cut: the_order_is_made_before_the_cut,
}

/// Names in the order of a page: `more` is the query behind `sortBy`.
async fn sorted<F: Fixture>(fixture: &F, made: &[&str], more: &str, expected: &[&str]) -> Verdict {
    let case = Case::new(fixture, SORT);
    let users = case.users(Tenant::A)?;
    for name in made {
        users.create_named(name).await?;
    }
    let found = names(&users.list(&format!("sortBy={}{more}", users.name())).await?, users.name());
    case.log.expect(found == expected, format!("{expected:?}"), format!("{found:?}"))
}

fn names(listed: &Listed, path: &str) -> Vec<String> {
    listed.resources.iter().map(|resource| resource.text(path).unwrap_or_default().into_owned()).collect()
}
