//! Filters on groups: providers look for a group by its name before they create it.

use serde_json::json;

use super::filter::check;
use super::filter::{an_id_is_found, letter_case_is_folded_character_by_character};
use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, id_of};
use crate::conformance::{Fixture, Tenant, Verdict};

const HONEST: &str = "the contract of `Page` (what is declared is true), RFC 7644 §3.4.2.2 (filtering)";

at_groups! {
    groups_an_id_is_found: an_id_is_found,
    groups_letter_case_is_folded_character_by_character: letter_case_is_folded_character_by_character,
}

/// A group is found by its name in any letter case: Okta and Entra ID ask before they create.
pub async fn groups_are_found_by_name<F: Fixture>(fixture: &F) -> Verdict {
    let names = ["Engines", "engineers", "Dörte"];
    let filters = [r#"displayName eq "ENGINES""#, r#"displayName eq "engine""#, r#"displayName eq "DÖRTE""#];
    named(fixture, &names, &filters).await
}

/// Parts of names: contains, starts with, ends with, and the order of texts.
pub async fn groups_are_found_by_parts_of_names<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"displayName co "GIN""#,
        r#"displayName sw "en""#,
        r#"displayName ew "S""#,
        r#"displayName ge "engines""#,
        r#"displayName lt "M""#,
    ];
    named(fixture, &["Engines", "Engineering", "machines", "Looms"], &filters).await
}

/// Wildcards and quotes of a database are ordinary characters.
pub async fn groups_every_character_is_itself<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"displayName sw "100%""#,
        r#"displayName co "_""#,
        r#"displayName eq "o'neil's""#,
        r#"displayName eq "' or 1=1 --""#,
        r#"displayName co "\\""#,
    ];
    named(fixture, &["100%", "1000", "a_b", "axb", "o'neil's", "back\\slash"], &filters).await
}

/// Terms are combined as for users.
pub async fn groups_terms_are_combined<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"displayName eq "engines" or displayName eq "looms""#,
        r#"displayName sw "e" and displayName ew "s""#,
        r#"not (displayName sw "e")"#,
        r#"displayName ne "Looms""#,
        r#"displayName pr and not (displayName eq "ENGINES" or displayName co "oo")"#,
        r#"meta.lastModified ge "2011-05-13T04:42:34Z" and displayName co "n""#,
        r#"meta.created lt "2011-05-13T06:42:34.123+02:00""#,
    ];
    named(fixture, &["Engines", "Engineering", "Machines", "Looms"], &filters).await
}

/// The page is cut from what matches, and the total counts what matches.
pub async fn groups_the_filter_comes_before_the_cut<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let groups = case.groups(Tenant::A)?;
    for number in 0..4 {
        groups.create_named(&format!("even-{number}")).await?;
        groups.create_named(&format!("odd-{number}")).await?;
    }
    for (start, expected) in [(1, 3), (4, 1), (5, 0)] {
        let url = format!("filter=displayName sw \"odd\"&startIndex={start}&count=3");
        let listed = groups.list(&url).await?;
        let odd = |name: Option<std::borrow::Cow<'_, str>>| name.is_some_and(|name| name.starts_with("odd"));
        let right = listed.total == 4
            && listed.resources.len() == expected
            && listed.resources.iter().all(|group| odd(group.text("displayName")));
        let found = format!("{} resources, total {}", listed.resources.len(), listed.total);
        case.log.expect(right, format!("{expected} groups that match, total 4"), found)?;
    }
    Ok(())
}

/// Makes groups with these names and asks for them.
async fn named<F: Fixture>(fixture: &F, names: &[&str], filters: &[&str]) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let groups = case.groups(Tenant::A)?;
    let mut all = Vec::new();
    for name in names {
        let created = groups.create(json!({"displayName": name})).await?;
        all.push(groups.read(id_of(&created)).await?);
    }
    for filter in filters {
        check(&groups, &all, filter).await?;
    }
    Ok(())
}
