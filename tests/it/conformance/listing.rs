//! The model's lists.

use scim_provider::{Cursor, Page, Query, Resource, Sort, StoreError, fold};

use super::faults::Fault;
use super::model::{Honesty, Model, called, folded_in_full, name, text};

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

pub(super) fn page(
    model: &Model,
    mut all: Vec<Resource>,
    query: &Query,
    lists: usize,
    everywhere: usize,
) -> Result<Page, StoreError> {
    let is = |fault| model.is(fault);
    let groups = all.first().is_some_and(|first| first.resource_type().name() == "Group");
    if is(Fault::TenRows) {
        all.truncate(10);
    }
    if is(Fault::HundredRows) {
        all.truncate(100);
    }
    if is(Fault::TurnsPages) && lists.is_multiple_of(2) {
        all.reverse();
    }
    if is(Fault::SmallNumbers) && query.offset > u32::MAX as usize {
        return Err(StoreError::backend("out of range for type integer"));
    }
    if is(Fault::CutsBeforeTheFilter) {
        all = all.into_iter().skip(query.offset).take(query.limit).collect();
    }
    let mut matching = filtered(model, &all, query)?;
    if is(Fault::ListsWithoutActive) && query.filter.is_none() && query.sort.is_none() {
        let without = |r: &Resource| match groups {
            true => r.with("displayName", None::<String>).unwrap(),
            false => r.with("active", None::<bool>).unwrap(),
        };
        matching.iter_mut().for_each(|r| *r = without(r));
    }
    if groups && is(Fault::NamesComeWithMembers) && !query.projection.includes("members") {
        matching.iter_mut().for_each(|r| *r = r.with("displayName", None::<String>).unwrap());
    }
    if query.cursor.is_some() && !is(Fault::CursorsAreIndexes) {
        return following(model, all, matching, query);
    }
    let named = query.filter.as_ref().and_then(|f| f.required_text(if groups { "displayName" } else { "userName" }));
    match (model.fault, named) {
        (Some(Fault::MatchesAreCandidates), _) => return Ok(Page::matches(all)),
        (Some(Fault::PagesAreCandidates), _) => return Ok(Page::exact(all.clone(), all.len())),
        (Some(Fault::HundredCandidates), _) => return Ok(Page::candidates(all.into_iter().take(100).collect())),
        (Some(Fault::CandidatesByLetters), Some(named)) => {
            all.retain(|r| called(r).as_deref() == Some(named));
            return Ok(Page::candidates(all));
        }
        _ => {}
    }
    match model.honesty {
        Honesty::Candidates => return Ok(Page::candidates(all)),
        Honesty::Matches => return Ok(Page::matches(matching)),
        Honesty::Exact => {}
    }
    if is(Fault::CutsBeforeTheOrder) && query.sort.is_some() {
        matching = matching.into_iter().skip(query.offset).take(query.limit).collect();
    }
    sorted(model, &mut matching, query);
    let total = match model.fault {
        Some(Fault::CountsThePage) => matching.len().min(query.limit),
        Some(Fault::CountsEverybody) if query.filter.is_none() => everywhere,
        Some(Fault::CountsWithoutTheFilter) => all.len(),
        _ => matching.len(),
    };
    let (mut offset, mut limit) = (query.offset, query.limit);
    match model.fault {
        Some(Fault::StartsOneLater) if offset > 0 => offset += 1,
        Some(Fault::LastPageForever) => offset = offset.min(matching.len().saturating_sub(1)),
        Some(Fault::ZeroIsNoLimit) if limit == 0 => limit = usize::MAX,
        Some(Fault::OneTooMany) if limit > 2 && limit < 100 => limit += 1,
        Some(Fault::CutsBeforeTheFilter) => offset = 0,
        Some(Fault::CutsBeforeTheOrder) if query.sort.is_some() => offset = 0,
        _ => {}
    }
    let mut page: Vec<Resource> = matching.into_iter().skip(offset).take(limit).collect();
    match model.fault {
        Some(Fault::HoldsNobody) if too_much(query, &page) => page.clear(),
        Some(Fault::CountsWhatItHolds) if too_much(query, &page) => {
            page.truncate(2);
            let total = query.offset + page.len();
            return Ok(Page::exact(page, total));
        }
        _ => {}
    }
    Ok(Page::exact(page, total))
}

/// Whether a page has no room for its last resource.
fn too_much(query: &Query, page: &[Resource]) -> bool {
    let mut held = query.held();
    page.iter().fold(false, |_, resource| !held.add(resource))
}

/// A page by cursor: what matches, or candidates for it.
fn following(model: &Model, all: Vec<Resource>, matching: Vec<Resource>, query: &Query) -> Result<Page, StoreError> {
    let is = |fault| model.is(fault);
    let back = query.cursor.as_ref().is_some_and(Cursor::goes_back);
    let forgetful = is(if back { Fault::BackForgetsTheFilter } else { Fault::CursorsForgetTheFilter });
    let candidates = model.honesty == Honesty::Candidates || forgetful;
    let mut rows = if candidates { all } else { matching };
    let known: Vec<Resource> = rows.clone();
    rows.sort_by(|a, b| query.compare(a, b));
    if is(Fault::CursorsForgetTheOrder) {
        rows.reverse();
    }
    let early = is(Fault::CursorsEndEarly) || (back && is(Fault::BackEndsEarly));
    let most = query.limit + usize::from(!early);
    let path = query.sort.as_ref().map(Sort::path);
    let value = |r: &Resource| path.as_ref().and_then(|path| text(r, path)).map(|t| fold(&t).into_owned());
    if let Some(Cursor::Before(position)) = &query.cursor {
        let own = |r: &Resource| r.id() == Some(position.id());
        let last = position.value().and_then(|v| v.as_str()).map(|t| fold(&t).into_owned());
        match model.fault {
            Some(Fault::BackFromTheEnd) => {}
            Some(Fault::BackNeedsItsRow) if !known.iter().any(own) => rows.clear(),
            Some(Fault::BackSkipsItsRow) => rows.retain(|r| query.follows(r) && !own(r)),
            Some(Fault::BackSkipsEquals) if query.sort.is_some() => {
                rows.retain(|r| query.follows(r) && (own(r) || value(r) != last));
            }
            Some(Fault::BackLosesMissing) if query.sort.is_some() => {
                rows.retain(|r| query.follows(r) && value(r).is_some());
            }
            _ => rows.retain(|r| query.follows(r)),
        }
        if is(Fault::BackToTheBeginning) {
            rows.drain(..rows.len().saturating_sub(most));
        }
    }
    if let Some(Cursor::After(position)) = &query.cursor {
        let last = position.value().and_then(|v| v.as_str()).map(|t| fold(&t).into_owned());
        let here = known.iter().position(|r| r.id() == Some(position.id()));
        match model.fault {
            Some(Fault::CursorsStartOver) => {}
            Some(Fault::CursorsNeedTheirRow) if here.is_none() => rows.clear(),
            Some(Fault::CursorsQuote) if position.id().contains('\'') => {
                return Err(StoreError::backend("unterminated quoted string"));
            }
            Some(Fault::CursorsCountRows) => {
                let at = rows.iter().position(|r| r.id() == Some(position.id()));
                let before = known.iter().filter(|r| !query.follows(r)).count();
                rows.drain(..at.map_or(before.saturating_add(1), |at| at + 1).min(rows.len()));
            }
            Some(Fault::CursorsSkipEquals) if query.sort.is_some() => {
                rows.retain(|r| query.follows(r) && value(r) != last);
            }
            Some(Fault::CursorsLoseMissing) if query.sort.is_some() => {
                rows.retain(|r| query.follows(r) && value(r).is_some());
            }
            _ => rows.retain(|r| query.follows(r)),
        }
    }
    rows.truncate(most);
    if !back && is(Fault::StopsWithoutAWord) && too_much(query, &rows) {
        rows.truncate(2);
    }
    if back && is(Fault::BackStopsAtOnce) && too_much(query, &rows) {
        rows.truncate(1);
        return Ok(Page::following(rows).ending_early());
    }
    Ok(match candidates && !forgetful {
        true => Page::following_candidates(rows),
        false => Page::following(rows),
    })
}

fn filtered(model: &Model, all: &[Resource], query: &Query) -> Result<Vec<Resource>, StoreError> {
    let Some(filter) = &query.filter else { return Ok(all.to_vec()) };
    // what a translation to SQL would look at
    let shape = format!("{filter:?}");
    let holds = |part: &str| shape.contains(part);
    let displayed = |r: &Resource| r.get("displayName").is_some();
    let first_email = |r: &Resource| text(r, "emails.value").unwrap_or_default();
    let named = all.first().and_then(|first| filter.required_text(name(first)));
    let matches: Vec<Resource> = all.iter().filter(|r| filter.matches(r)).cloned().collect();
    let keep = |test: &dyn Fn(&Resource) -> bool| matches.iter().filter(|r| test(r)).cloned().collect();
    let any = |test: &dyn Fn(&Resource) -> bool| all.iter().filter(|r| test(r)).cloned().collect();
    Ok(match model.fault {
        Some(Fault::NobodyIsEverybody) if matches.is_empty() && !holds("Element") => all.to_vec(),
        Some(Fault::SearchesLetters) => match named {
            Some(name) => keep(&|r| called(r).as_deref() == Some(name)),
            None => matches,
        },
        Some(Fault::SearchesLowerCase) => match named {
            Some(name) => any(&|r| called(r).is_some_and(|other| other.to_lowercase() == name)),
            None => matches,
        },
        Some(Fault::SearchesAscii) => match named {
            Some(name) => any(&|r| called(r).is_some_and(|other| other.eq_ignore_ascii_case(name))),
            None => matches,
        },
        Some(Fault::SearchesInFull) => match named {
            Some(name) => any(&|r| called(r).is_some_and(|other| folded_in_full(&other) == folded_in_full(name))),
            None => matches,
        },
        Some(Fault::NoColumnForNames) if filter.required_text("name.familyName").is_some() => all.to_vec(),
        Some(Fault::ExtensionsNotJoined) if filter.required_text(DEPARTMENT).is_some() => Vec::new(),
        Some(Fault::FoldsExternalIds) => match filter.required_text("externalId") {
            Some(id) => any(&|r| text(r, "externalId").is_some_and(|other| fold(&other) == fold(id))),
            None => matches,
        },
        Some(Fault::NoColumnForIds) if filter.required_text("id").is_some() => Vec::new(),
        Some(Fault::ContainsIsStartsWith) if holds("(Co") => {
            keep(&|r| !called(r).unwrap_or_default().starts_with(['B', 'E', 'K']))
        }
        Some(Fault::Wildcards) if holds("%") => all.to_vec(),
        Some(Fault::QuotesAreErrors) if holds("o'") || holds("' or") => {
            return Err(StoreError::backend("unterminated quoted string"));
        }
        Some(Fault::OneTermOfAnd) if holds("And(") => match named {
            Some(name) => any(&|r| called(r).is_some_and(|other| fold(&other) == name)),
            None if !holds("Not(") && all.iter().all(|r| called(r).is_some_and(|n| n != "ada")) => all.to_vec(),
            None => matches,
        },
        Some(Fault::OneTermOfOr) if holds("Or(") => matches.into_iter().take(1).collect(),
        Some(Fault::ThreeValuedNot) if holds("Not(") => keep(&displayed),
        Some(Fault::ThreeValuedInequality) if holds("(Ne") => keep(&displayed),
        Some(Fault::EverybodyIsPresent) if holds("Present") => all.to_vec(),
        Some(Fault::BooleansAreTexts) if holds("Boolean") => Vec::new(),
        Some(Fault::OrEqualIsForgotten) if holds("(Ge") || holds("(Le") => {
            keep(&|r| !called(r).is_some_and(|name| name == "Bea" || name == "Engines"))
        }
        Some(Fault::TimesAreTexts) if holds("Instant") => Vec::new(),
        Some(Fault::FirstValueOnly) if holds("second@") && !holds("Element") => {
            keep(&|r| first_email(r).starts_with("second"))
        }
        Some(Fault::TermsOfAnyValue) if holds("Element") => any(&|r| r.get("emails").is_some()),
        Some(Fault::MembersNotJoined) if filter.required_text("members.value").is_some() => Vec::new(),
        _ => matches,
    })
}

fn sorted(model: &Model, matching: &mut [Resource], query: &Query) {
    let Some(sort) = &query.sort else { return };
    match model.fault {
        Some(Fault::IgnoresTheOrder) => {}
        Some(Fault::AlwaysAscending) if sort.is_descending() => {
            matching.sort_by_key(|r| text(r, &sort.path()).map(|t| fold(&t).into_owned()));
        }
        Some(Fault::OrdersBytes) => {
            matching.sort_by_key(|r| text(r, &sort.path()));
            if sort.is_descending() {
                matching.reverse();
            }
        }
        Some(Fault::OrdersLowerCase) => by_key(matching, sort, &|t| t.to_lowercase()),
        Some(Fault::OrdersAscii) => by_key(matching, sort, &|t| t.to_ascii_lowercase()),
        Some(Fault::OrdersInFull) => by_key(matching, sort, &folded_in_full),
        Some(Fault::NoColumnForParts) if sort.path().contains("name.") => {}
        Some(Fault::TimesStandStill) if sort.path().contains("meta.") => {}
        Some(Fault::MissingFirst) if sort.path() == "displayName" => {
            matching.sort_by_key(|r| text(r, "displayName"));
        }
        _ => matching.sort_by(|a, b| sort.compare(a, b)),
    }
}

/// Sorts texts by a key of their own, where all is of texts; whoever has none stays last.
fn by_key(matching: &mut [Resource], sort: &Sort, key: &dyn Fn(&str) -> String) {
    let path = sort.path();
    if path.starts_with("meta.") {
        return matching.sort_by(|a, b| sort.compare(a, b));
    }
    matching.sort_by_key(|r| text(r, &path).map_or((true, String::new()), |text| (false, key(&text))));
    if sort.is_descending() {
        matching.reverse();
    }
}
