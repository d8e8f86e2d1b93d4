//! How an expectation is compared with an answer.
//!
//! An object expects its keys, and lets others pass. An array expects that each of its elements has an element of its
//! own in the answer, in any order. Everything else is equal or not. An object whose keys all start with `$` (other
//! than `$ref`) is a matcher: `{"$type": "string"}`, `{"$exact_set": […]}`, and so on.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

/// What differs, a line each; nothing where the answer is as expected. `None` is an absent value.
pub(super) fn differences(expected: &Value, actual: Option<&Value>, at: &str) -> Vec<String> {
    if let Some(matchers) = as_matchers(expected) {
        return matchers.flat_map(|(name, argument)| matcher(name, argument, actual, at)).collect();
    }
    let Some(actual) = actual else {
        return vec![format!("{at}: absent, expected {}", short(Some(expected)))];
    };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .flat_map(|(key, value)| differences(value, actual.get(key), &format!("{at}{}", path_step(key))))
            .collect(),
        (Value::Array(expected), Value::Array(all)) => unmatched(expected, all)
            .into_iter()
            .map(|element| format!("{at}: no element matches {} in {}", short(Some(element)), short(Some(actual))))
            .collect(),
        _ if equal(expected, actual) => Vec::new(),
        _ => vec![format!("{at}: expected {}, got {}", short(Some(expected)), short(Some(actual)))],
    }
}

/// A value for a message: cut where it is long.
pub(super) fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return "<absent>".into() };
    let text = value.to_string();
    if text.chars().count() <= 200 { text } else { text.chars().take(199).chain(['…']).collect() }
}

fn path_step(key: &str) -> String {
    let is_word = key.chars().all(|char| char.is_alphanumeric() || char == '_');
    if is_word { format!(".{key}") } else { format!("[{key:?}]") }
}

fn as_matchers(expected: &Value) -> Option<impl Iterator<Item = (&String, &Value)>> {
    let members = expected.as_object()?;
    let all_named = !members.is_empty() && members.keys().all(|key| key.starts_with('$') && key != "$ref");
    all_named.then(|| members.iter())
}

/// Numbers by their value: 1 is 1.0.
fn equal(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => expected == actual,
    }
}

/// The expected elements that find no partner when each may have only one: a maximum bipartite matching by augmenting
/// paths. Taking the first that fits would not do: `[{}, {"a": 1}]` matches `[{"a": 1}, {}]`.
fn unmatched<'e>(expected: &'e [Value], actual: &[Value]) -> Vec<&'e Value> {
    let partners: Vec<Vec<usize>> = expected
        .iter()
        .map(|element| (0..actual.len()).filter(|&index| matches(element, &actual[index])).collect())
        .collect();
    let mut owner = BTreeMap::new();
    (0..expected.len())
        .filter(|&index| !place(index, &partners, &mut owner, &mut Vec::new()))
        .map(|index| &expected[index])
        .collect()
}

/// Finds a partner for one expected element, moving earlier ones to other partners where that helps.
fn place(index: usize, partners: &[Vec<usize>], owner: &mut BTreeMap<usize, usize>, seen: &mut Vec<usize>) -> bool {
    for &partner in &partners[index] {
        if seen.contains(&partner) {
            continue;
        }
        seen.push(partner);
        if owner.get(&partner).copied().is_none_or(|earlier| place(earlier, partners, owner, seen)) {
            owner.insert(partner, index);
            return true;
        }
    }
    false
}

fn matches(expected: &Value, actual: &Value) -> bool {
    differences(expected, Some(actual), "$").is_empty()
}

fn matcher(name: &str, argument: &Value, actual: Option<&Value>, at: &str) -> Vec<String> {
    let verdict = |ok: bool, wanted: String| {
        if ok { Vec::new() } else { vec![format!("{at}: {wanted}, got {}", short(actual))] }
    };
    let wanted = format!("expected {name} {}", short(Some(argument)));
    // These judge an absent value as well.
    match name {
        "$exists" => return verdict(actual.is_some_and(|value| !value.is_null()) == truth(argument), wanted),
        "$absent" => return verdict(actual.is_none_or(is_empty) == truth(argument), wanted),
        "$not" => return verdict(!differences(argument, actual, at).is_empty(), wanted),
        "$any_of" => {
            return verdict(list(argument).iter().any(|one| differences(one, actual, at).is_empty()), wanted);
        }
        "$all_of" => return list(argument).iter().flat_map(|one| differences(one, actual, at)).collect(),
        _ => {}
    }
    let Some(value) = actual else { return verdict(false, wanted) };
    let elements: &[Value] = value.as_array().map_or(&[], Vec::as_slice);
    match name {
        "$type" => verdict(has_type(value, text(argument)), wanted),
        "$regex" => {
            let regex = Regex::new(text(argument)).unwrap_or_else(|error| panic!("{argument}: {error}"));
            verdict(value.as_str().is_some_and(|text| regex.is_match(text)), wanted)
        }
        "$ci" => verdict(value.as_str().is_some_and(|one| one.to_lowercase() == text(argument).to_lowercase()), wanted),
        "$gte" => verdict(value.as_f64().is_some_and(|number| number >= argument.as_f64().unwrap()), wanted),
        "$length" => verdict(length(value).is_some_and(|length| length == number(argument)), wanted),
        "$min_length" => verdict(length(value).is_some_and(|length| length >= number(argument)), wanted),
        "$max_length" => verdict(length(value).is_some_and(|length| length <= number(argument)), wanted),
        "$exact_set" => {
            let expected = list(argument);
            let same = value.is_array() && elements.len() == expected.len() && unmatched(expected, elements).is_empty();
            verdict(same, wanted)
        }
        "$none_match" => verdict(!elements.iter().any(|element| matches(argument, element)), wanted),
        "$one_match" => verdict(elements.iter().filter(|element| matches(argument, element)).count() == 1, wanted),
        _ => panic!("the fixture uses an unknown matcher {name}"),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("the fixture uses an unknown type {name}"),
    }
}

/// The elements of an array, the characters of a text.
fn length(value: &Value) -> Option<usize> {
    value.as_array().map(Vec::len).or_else(|| value.as_str().map(|text| text.chars().count()))
}

fn truth(argument: &Value) -> bool {
    argument.as_bool().unwrap_or_else(|| panic!("the fixture's matcher wants true or false, not {argument}"))
}

fn text(argument: &Value) -> &str {
    argument.as_str().unwrap_or_else(|| panic!("the fixture's matcher wants a text, not {argument}"))
}

fn number(argument: &Value) -> usize {
    let number = argument.as_u64().unwrap_or_else(|| panic!("the fixture's matcher wants a length, not {argument}"));
    usize::try_from(number).unwrap()
}

fn list(argument: &Value) -> &[Value] {
    argument.as_array().unwrap_or_else(|| panic!("the fixture's matcher wants an array, not {argument}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(expected: Value, matching: &[Value], differing: &[Value]) {
        for actual in matching {
            let found = differences(&expected, Some(actual), "$");
            assert!(found.is_empty(), "{expected} should match {actual}, but: {found:?}");
        }
        for actual in differing {
            assert!(!matches(&expected, actual), "{expected} should not match {actual}");
        }
    }

    #[test]
    fn objects_expect_their_keys_and_scalars_are_equal() {
        check(
            json!({"a": 1}),
            &[json!({"a": 1.0, "b": 2})],
            &[json!({"a": 2}), json!({}), json!([]), json!({"a": "1"})],
        );
        check(json!({"a": null}), &[json!({"a": null})], &[json!({}), json!({"a": false})]);
        check(json!(true), &[json!(true)], &[json!(1), json!("true"), json!(false)]);
        check(json!({"$ref": "x"}), &[json!({"$ref": "x"})], &[json!({"$ref": "y"}), json!({})]);
    }

    #[test]
    fn each_expected_element_needs_an_element_of_its_own() {
        check(json!([{}, {"a": 1}]), &[json!([{"a": 1}, {}])], &[json!([{"a": 1}]), json!([{}, {}])]);
        check(json!([1, 1]), &[json!([1, 2, 1])], &[json!([1, 2])]);
        // Only one assignment works, and it takes two moves to get there.
        let expected = json!([{"$any_of": [1, 2]}, {"$any_of": [1, 3]}, 1]);
        check(expected, &[json!([1, 2, 3]), json!([3, 2, 1])], &[json!([1, 2, 4])]);
    }

    #[test]
    fn presence_matchers_judge_absent_values() {
        for (matcher, matches_absent) in [
            (json!({"$exists": true}), false),
            (json!({"$exists": false}), true),
            (json!({"$absent": true}), true),
            (json!({"$absent": false}), false),
            (json!({"$not": 1}), true),
            (json!({"$any_of": [1, {"$absent": true}]}), true),
            (json!({"$all_of": [{"$absent": true}, {"$not": 2}]}), true),
            (json!({"$none_match": 1}), false),
            (json!({"$type": "string"}), false),
        ] {
            assert_eq!(differences(&matcher, None, "$").is_empty(), matches_absent, "{matcher}");
        }
        check(json!({"$absent": true}), &[json!(null), json!([]), json!({}), json!("")], &[json!(0), json!(false)]);
        check(json!({"$exists": true}), &[json!([]), json!("")], &[json!(null)]);
    }

    #[test]
    fn each_matcher_accepts_and_refuses() {
        check(json!({"$type": "integer"}), &[json!(1)], &[json!(1.5), json!("1"), json!(true)]);
        check(json!({"$type": "number"}), &[json!(1), json!(1.5)], &[json!(true)]);
        check(json!({"$regex": "Disp.*r$"}), &[json!("a Dispatcher")], &[json!("Dispatch"), json!(1)]);
        check(json!({"$ci": "ÉTÉ a"}), &[json!("été A")], &[json!("ete a"), json!(null)]);
        check(json!({"$gte": 2}), &[json!(2), json!(3.5)], &[json!(1), json!("3")]);
        check(json!({"$length": 2}), &[json!([1, 2]), json!("éa")], &[json!([1]), json!({"a": 1, "b": 2})]);
        check(json!({"$min_length": 2, "$max_length": 3}), &[json!([1, 2, 3])], &[json!([1]), json!([1, 2, 3, 4])]);
        check(json!({"$exact_set": [1, 2]}), &[json!([2, 1])], &[json!([1, 2, 3]), json!([1]), json!("12")]);
        check(
            json!({"$none_match": {"a": 1}}),
            &[json!([{"a": 2}]), json!([])],
            &[json!([{"a": 2}, {"a": 1, "b": 0}])],
        );
        check(json!({"$one_match": 1}), &[json!([2, 1])], &[json!([1, 1]), json!([]), json!(1)]);
    }

    #[test]
    fn a_difference_says_where_and_shows_both_values() {
        assert_eq!(
            differences(&json!({"urn:x": {"a": 1}}), Some(&json!({"urn:x": {"a": 2}})), "$"),
            ["$[\"urn:x\"].a: expected 1, got 2"]
        );
        assert_eq!(differences(&json!({"a": 1}), Some(&json!({})), "$"), ["$.a: absent, expected 1"]);
    }

    #[test]
    #[should_panic(expected = "unknown matcher $exits")]
    fn a_misspelled_matcher_is_seen() {
        differences(&json!({"$exits": true}), Some(&json!(1)), "$");
    }
}
