//! Filters: what a page declares has to be true. A store that declares nothing has only to let nobody out who matches.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::conformance::desk::{Case, Desk, id_of};
use crate::conformance::letters;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Extension, Resource, Store};

const HONEST: &str = "the contract of `Page` (what is declared is true), RFC 7644 §3.4.2.2 (filtering)";

/// Equality finds the one.
pub async fn equality_finds_the_one<F: Fixture>(fixture: &F) -> Verdict {
    people(fixture, &[r#"userName eq "cyd""#, r#"userName eq "nobody""#]).await
}

/// A name is found in any letter case.
pub async fn a_name_is_found_in_any_letter_case<F: Fixture>(fixture: &F) -> Verdict {
    people(fixture, &[r#"userName eq "BEA""#, r#"userName eq "dörte""#, r#"userName eq "DÖRTE""#]).await
}

/// Letter case is folded as [`fold`](crate::fold) does it, in parts of texts too, and what differs otherwise is not found.
pub async fn letter_case_is_folded_character_by_character<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let users = case.users(Tenant::A)?;
    let names =
        letters::same().map(|(_, other)| other).chain(letters::different().flat_map(|(one, other)| [one, other]));
    let mut all = Vec::new();
    for name in names {
        all.push(users.create_named(name).await?);
    }
    let name = users.name();
    for (one, other) in letters::same().chain(letters::different()) {
        check(&users, &all, &format!("{name} eq \"{one}\"")).await?;
        check(&users, &all, &format!("{name} eq \"{other}\"")).await?;
    }
    for filter in ["sw \"ΑΧΙΛΛΕΥΣ\"", "sw \"\u{17F}A\"", "ew \"SS\"", "co \"\u{212A}\"", "sw \"i\"", "sw \"I\""]
    {
        check(&users, &all, &format!("{name} {filter}")).await?;
    }
    Ok(())
}

/// The parts of a complex attribute are asked for, whether a column holds them or not.
pub async fn parts_of_a_name_are_found<F: Fixture>(fixture: &F) -> Verdict {
    Case::new(fixture, HONEST).needs("name")?;
    let made = [
        json!({"userName": "ada", "active": true, "name": {"givenName": "Ada", "familyName": "Lovelace"}}),
        json!({"userName": "bea", "active": true, "name": {"givenName": "Lovelace"}}),
        json!({"userName": "cyd", "active": true}),
    ];
    let filters = [
        r#"name.familyName eq "lovelace""#,
        r#"name.givenName sw "love" and active eq true"#,
        r#"userName eq "bea" and name.familyName pr"#,
        r#"userName eq "cyd" or name.familyName eq "Lovelace""#,
        r#"not (name.familyName pr)"#,
    ];
    honest(fixture, &made, &filters).await
}

/// Attributes of extensions are asked for by their URN.
pub async fn extensions_are_found<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let enterprise = crate::EnterpriseUser::SCHEMA;
    case.needs(enterprise)?;
    case.needs("department")?;
    if !case.users(Tenant::A)?.ty.extensions().any(|(schema, _)| schema.id == enterprise) {
        return Err(Stop::NotApplicable("users have no enterprise extension"));
    }
    let made = [
        json!({"userName": "ada", "active": true, enterprise: {"department": "Engines"}}),
        json!({"userName": "bea", "active": true, enterprise: {"department": "Looms"}}),
        json!({"userName": "cyd", "active": true}),
    ];
    let filters = [
        format!(r#"{enterprise}:department eq "engines""#),
        format!(r#"active eq true and {enterprise}:department sw "l""#),
        format!(r#"not ({enterprise}:department eq "Looms")"#),
        format!(r#"{enterprise}:department pr or userName eq "cyd""#),
    ];
    honest(fixture, &made, &filters.each_ref().map(String::as_str)).await
}

/// What is case exact is compared exactly.
pub async fn what_is_case_exact_is_compared_exactly<F: Fixture>(fixture: &F) -> Verdict {
    Case::new(fixture, HONEST).needs("externalId")?;
    let made = [json!({"userName": "ada", "externalId": "Ab1"}), json!({"userName": "bea", "externalId": "aB1"})];
    honest(fixture, &made, &[r#"externalId eq "Ab1""#, r#"externalId eq "ab1""#, r#"externalId sw "aB""#]).await
}

/// A resource is found by its id.
pub async fn an_id_is_found<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    users.create_named("bea").await?;
    let listed = users.list(&format!(r#"filter=id eq "{}""#, id_of(&ada))).await?;
    case.log.expect(listed.ids() == [id_of(&ada)], id_of(&ada), format!("{:?}", listed.ids()))
}

/// Parts of texts: contains, starts with, ends with.
pub async fn parts_of_texts_are_found<F: Fixture>(fixture: &F) -> Verdict {
    people(fixture, &[r#"userName co "E""#, r#"userName sw "b""#, r#"userName ew "A""#, r#"displayName co "love""#])
        .await
}

/// Wildcards of a database are ordinary characters.
pub async fn wildcards_are_ordinary_characters<F: Fixture>(fixture: &F) -> Verdict {
    let made = [
        json!({"userName": "ada", "displayName": "100%"}),
        json!({"userName": "bea", "displayName": "a_b*c"}),
        json!({"userName": "cyd", "displayName": "1000"}),
        json!({"userName": "dan", "displayName": "axbyc"}),
    ];
    let filters = [
        r#"displayName co "%""#,
        r#"displayName sw "100%""#,
        r#"displayName co "_""#,
        r#"displayName co "a_b""#,
        r#"displayName co "*""#,
        r#"displayName sw "a?b""#,
    ];
    honest(fixture, &made, &filters).await
}

/// Quotes and comment signs of a database are ordinary characters, too.
pub async fn quotes_are_ordinary_characters<F: Fixture>(fixture: &F) -> Verdict {
    let made = [json!({"userName": "o'neil"}), json!({"userName": "ada"}), json!({"userName": "back\\slash"})];
    let filters = [
        r#"userName eq "o'neil""#,
        r#"userName eq "' or 1=1 --""#,
        r#"userName sw "o'""#,
        r#"userName eq "\"; drop table users; --""#,
        r#"userName eq "back\\slash""#,
    ];
    honest(fixture, &made, &filters).await
}

/// `and`: each of the terms.
pub async fn and_asks_for_each_term<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"userName eq "ada" and active eq false"#,
        r#"active eq true and userName eq "ada""#,
        r#"active eq true and userName sw "b" and displayName pr"#,
    ];
    people(fixture, &filters).await
}

/// `or`: any of the terms.
pub async fn or_asks_for_any_term<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"userName eq "ada" or userName eq "cyd""#,
        r#"userName eq "nobody" or userName eq "bea""#,
        r#"(userName eq "ada" or active eq false) and displayName pr"#,
    ];
    people(fixture, &filters).await
}

/// `not`: also those that have no value, which a database's comparison leaves out.
pub async fn not_includes_whoever_has_no_value<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"not (displayName eq "Ada Lovelace")"#,
        r#"not (displayName co "a" and active eq true)"#,
        r#"not (not (displayName sw "A"))"#,
    ];
    people(fixture, &filters).await
}

/// `ne`: also those that have no value.
pub async fn inequality_includes_whoever_has_no_value<F: Fixture>(fixture: &F) -> Verdict {
    people(fixture, &[r#"displayName ne "Ada Lovelace""#, r#"userName ne "ADA""#]).await
}

/// `pr`: whoever has a value.
pub async fn presence_asks_for_a_value<F: Fixture>(fixture: &F) -> Verdict {
    people(fixture, &["displayName pr", "not (displayName pr)", "active pr"]).await
}

/// Booleans are compared as booleans.
pub async fn booleans_are_compared<F: Fixture>(fixture: &F) -> Verdict {
    people(fixture, &["active eq false", "active eq true", "active ne true"]).await
}

/// Texts are ordered: greater, less, and equal to.
pub async fn texts_are_ordered<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [r#"userName gt "bea""#, r#"userName ge "BEA""#, r#"userName lt "bea""#, r#"userName le "bea""#];
    people(fixture, &filters).await
}

/// Times are compared as moments, however they are written.
pub async fn times_are_compared_as_moments<F: Fixture>(fixture: &F) -> Verdict {
    let filters = [
        r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
        r#"meta.created gt "2011-05-13T06:42:34.123+02:00""#,
        r#"meta.lastModified lt "2999-12-31T23:59:59-08:00""#,
    ];
    people(fixture, &filters).await
}

/// Every value of a multi-valued attribute counts, not only the first.
pub async fn every_value_counts<F: Fixture>(fixture: &F) -> Verdict {
    Case::new(fixture, HONEST).needs("emails")?;
    let filters = [r#"emails.value eq "second@example.com""#, r#"emails co "SECOND""#, "emails pr"];
    honest(fixture, &with_emails(), &filters).await
}

/// The terms inside brackets are about one and the same value.
pub async fn brackets_ask_for_one_value<F: Fixture>(fixture: &F) -> Verdict {
    Case::new(fixture, HONEST).needs("emails")?;
    let filters = [
        r#"emails[type eq "work" and value eq "first@example.com"]"#,
        r#"emails[type eq "home" and value eq "first@example.com"]"#,
        r#"emails[type eq "work"].value eq "second@example.com""#,
    ];
    honest(fixture, &with_emails(), &filters).await
}

/// The page is cut from what matches, and the total counts what matches.
pub async fn the_filter_comes_before_the_cut<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let users = case.users(Tenant::A)?;
    for number in 0..8 {
        users.create(json!({"userName": format!("user-{number}"), "active": number % 2 == 1})).await?;
    }
    for (url, expected) in [
        ("filter=active eq true&count=3", 3),
        ("filter=active eq true&startIndex=4&count=3", 1),
        ("filter=active eq true&startIndex=3", 2),
    ] {
        let listed = users.list(url).await?;
        let right = listed.total == 4 && listed.resources.len() == expected;
        let found = format!("{} resources, total {}", listed.resources.len(), listed.total);
        case.log.expect(right, format!("{expected} resources, total 4"), found)?;
        let active = |r: &Resource| r.get("active").and_then(|v| v.as_bool()) == Some(true);
        case.log.expect(listed.resources.iter().all(active), "active users", "others, too")?;
    }
    Ok(())
}

/// A group is found by its members.
pub async fn a_group_is_found_by_its_members<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let (ada, bea) = (users.create_named("ada").await?, users.create_named("bea").await?);
    let made = [
        groups.create_group("both", &[&ada, &bea]).await?,
        groups.create_group("one", &[&bea]).await?,
        groups.create_group("none", &[]).await?,
    ];
    let (ada, both) = (id_of(&ada), id_of(&made[0]));
    for filter in [
        format!(r#"members.value eq "{ada}""#),
        format!(r#"members[value eq "{ada}"]"#),
        format!(r#"id eq "{both}" and members eq "{ada}""#),
        format!(r#"displayName eq "One" and members.value eq "{ada}""#),
        "not (members pr)".to_owned(),
    ] {
        check(&groups, &made, &filter).await?;
    }
    Ok(())
}

/// Four people who differ in all that the filters look at; one has no display name, one was never active or inactive.
async fn people<F: Fixture>(fixture: &F, filters: &[&str]) -> Verdict {
    let made = [
        json!({"userName": "ada", "displayName": "Ada Lovelace", "active": true}),
        json!({"userName": "Bea", "active": true}),
        json!({"userName": "cyd", "displayName": "Cyd Charisse", "active": false}),
        json!({"userName": "Dörte", "displayName": "alpha", "active": false}),
    ];
    honest(fixture, &made, filters).await
}

fn with_emails() -> [Value; 3] {
    let first = json!({"value": "first@example.com", "type": "work"});
    let second = json!({"value": "second@example.com", "type": "home"});
    let swapped = json!({"value": "second@example.com", "type": "work"});
    [
        json!({"userName": "ada", "emails": [first, second]}),
        json!({"userName": "bea", "emails": [swapped]}),
        json!({"userName": "cyd"}),
    ]
}

async fn honest<F: Fixture>(fixture: &F, made: &[Value], filters: &[&str]) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let users = case.users(Tenant::A)?;
    let mut all = Vec::new();
    for content in made {
        let created = users.create(content.clone()).await?;
        // as it is kept: a host may give a value to what was not sent
        all.push(users.read(id_of(&created)).await?);
    }
    for filter in filters {
        check(&users, &all, filter).await?;
    }
    Ok(())
}

/// Compares a page with what the filter says of each of `all`.
pub(super) async fn check<S: Store>(desk: &Desk<'_, S>, all: &[Resource], filter: &str) -> Verdict {
    let url = format!("filter={filter}");
    let query = desk.query(&url)?;
    let page = desk.page(&url, &query).await?;
    let matches = |r: &&Resource| query.filter.as_ref().is_none_or(|filter| filter.matches(r));
    let right: BTreeSet<&str> = all.iter().filter(matches).map(id_of).collect();
    let found: BTreeSet<&str> = page.resources().iter().map(id_of).collect();
    let told = format!("{found:?}, of {} resources", page.resources().len());
    if !page.is_filtered() {
        let why = format!("candidates for `{filter}`, among them all that match: {right:?}");
        return desk.log.expect(found.is_superset(&right), why, told);
    }
    let exact = found == right && found.len() == page.resources().len();
    desk.log.expect(exact, format!("exactly those that match `{filter}`: {right:?}"), told)?;
    let counted = page.total().is_none_or(|total| total == right.len());
    desk.log.expect(counted, format!("a total of {}", right.len()), format!("{:?}", page.total()))
}
