//! Sorting. A store that does not sort leaves it to the service by what its page declares, and passes.

use serde_json::json;

use crate::conformance::desk::{Case, Listed};
use crate::conformance::{Fixture, Tenant, Verdict};

const SORT: &str = "RFC 7644 §3.4.2.3 (sorting)";

/// Ascending is the default.
pub async fn ascending_is_the_default<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["bea", "ada", "cyd"], "sortBy=userName", &["ada", "bea", "cyd"]).await
}

/// Descending is the other way round.
pub async fn descending_is_the_other_way_round<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["ada", "cyd", "bea"], "sortBy=userName&sortOrder=descending", &["cyd", "bea", "ada"]).await
}

/// Letter case does not count where the attribute is not case exact.
pub async fn order_ignores_letter_case<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["bea", "Cyd", "ada", "Dan"], "sortBy=userName", &["ada", "bea", "Cyd", "Dan"]).await
}

/// The order is made before the page is cut.
pub async fn the_order_is_made_before_the_cut<F: Fixture>(fixture: &F) -> Verdict {
    sorted(fixture, &["dan", "ada", "cyd", "bea"], "sortBy=userName&startIndex=2&count=2", &["bea", "cyd"]).await
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
        let found = names(&users.list(url).await?);
        case.log.expect(found == expected, format!("{expected:?}"), format!("{found:?}"))?;
    }
    Ok(())
}

async fn sorted<F: Fixture>(fixture: &F, made: &[&str], url: &str, expected: &[&str]) -> Verdict {
    let case = Case::new(fixture, SORT);
    let users = case.users(Tenant::A)?;
    for name in made {
        users.create_named(name).await?;
    }
    let found = names(&users.list(url).await?);
    case.log.expect(found == expected, format!("{expected:?}"), format!("{found:?}"))
}

fn names(listed: &Listed) -> Vec<String> {
    listed.resources.iter().map(|user| user.text("userName").unwrap_or_default().into_owned()).collect()
}
