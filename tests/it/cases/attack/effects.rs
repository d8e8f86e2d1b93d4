//! What must hold after an attack, whatever the answer was.

use serde_json::Value;

use super::build::Names;
use super::fire::{Answer, Attack};
use super::item::{Assertion, Item};
use crate::server::Server;

/// The user of an item as it was before the attack.
pub(super) struct Before(Option<Value>);

impl Before {
    pub(super) async fn read<S: Server>(attack: &Attack<'_, S>, names: &Names) -> Self {
        Self(user(attack, names).await)
    }
}

/// The assertions of an item that do not hold, each with what is instead.
pub(super) async fn broken<S: Server>(
    attack: &Attack<'_, S>,
    item: &Item,
    names: &Names,
    answer: &Answer,
    before: &Before,
) -> Vec<String> {
    let mut broken = Vec::new();
    for assertion in &item.expect.assertions {
        if assertion.feature.as_deref().is_some_and(|feature| !attack.supports(feature))
            || (assertion.if2xx.is_some() && !answer.succeeded())
        {
            continue;
        }
        broken.extend(check(attack, assertion, names, answer, before).await);
    }
    broken
}

async fn check<S: Server>(
    attack: &Attack<'_, S>,
    assertion: &Assertion,
    names: &Names,
    answer: &Answer,
    before: &Before,
) -> Option<String> {
    let value = match &assertion.val {
        Some(Value::String(text)) => Value::String(names.fill(text)),
        other => other.clone().unwrap_or_default(),
    };
    let operator = assertion.op.as_deref().unwrap_or("");
    if assertion.unchanged.is_some() {
        // A request that was accepted may change the user, unless the item says that nothing may.
        let must_hold = answer.status >= 400 || assertion.feature.is_some() || assertion.strict.is_some();
        let now = user(attack, names).await;
        return (must_hold && now != before.0)
            .then(|| format!("the user changed with a {}: {:?} to {now:?}", answer.status, before.0));
    }
    if assertion.resp_body.is_some() {
        let text = value.as_str().unwrap();
        let holds_it = String::from_utf8_lossy(&answer.body).contains(text);
        return holds_it.then(|| format!("the answer holds {text:?}"));
    }
    if let Some(name) = &assertion.resp_header {
        let header = answer.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let wrong = match operator {
            "present" => header.is_none(),
            "absent" => header.is_some(),
            "not_contains" => header.as_ref().is_some_and(|header| header.contains(value.as_str().unwrap())),
            _ => panic!("the item uses an unknown operator {operator:?}"),
        };
        return wrong.then(|| format!("header {name} is {header:?} ({operator} {value})"));
    }
    if let Some(target) = &assertion.get_status {
        let status = attack.get(&names.fill(target)).await.status;
        return (value != status).then(|| format!("GET {} is {status}, not {value}", names.fill(target)));
    }
    let (document, place) = match (&assertion.get, &assertion.resp) {
        (Some(target), _) => (attack.get(&names.fill(target)).await.json(), names.fill(target)),
        (None, Some(_)) if answer.succeeded() => (answer.json(), "the answer".to_owned()),
        (None, Some(_)) => return None,
        (None, None) => panic!("the item's assertion looks at nothing: {assertion:?}"),
    };
    let pointer = assertion.ptr.as_deref().unwrap();
    let document = document.unwrap_or_default();
    let found = at(&document, pointer);
    violates(operator, &value, found)
        .then(|| format!("{pointer} of {place} is {} ({operator} {value})", found.map_or("absent".into(), cut)))
}

fn violates(operator: &str, value: &Value, found: Option<&Value>) -> bool {
    let elements = || found.and_then(Value::as_array).into_iter().flatten();
    match operator {
        "eq" => found != Some(value),
        "ne" => found == Some(value),
        "absent" => found.is_some(),
        "empty" => found.is_some_and(|found| !is_empty(found)),
        "nonempty" => found.is_none_or(is_empty),
        "in_or_absent" => found.is_some_and(|found| !value.as_array().unwrap().contains(found)),
        "not_contains" => found.is_some_and(|found| found.to_string().contains(value.as_str().unwrap())),
        "max_one_primary" => elements().filter(|element| element["primary"] == true).count() > 1,
        "list_of_objects" => {
            found.is_some_and(|found| !found.is_array()) || elements().any(|element| element.get("value").is_none())
        }
        "unique_values" => {
            let mut values: Vec<String> = elements().map(|element| element["value"].to_string()).collect();
            let all = values.len();
            values.sort();
            values.dedup();
            values.len() != all
        }
        _ => panic!("the item uses an unknown operator {operator:?}"),
    }
}

/// What a script language would call false.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    }
}

/// A pointer whose names match whatever their case, as SCIM's do. The first step may be a URN, with `/` in it or not.
fn at<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    let pointer = pointer.trim_start_matches('/');
    if let Some(value) = document.get(pointer) {
        return Some(value);
    }
    pointer.split('/').try_fold(document, |value, step| match value {
        Value::Object(members) => members
            .get(step)
            .or_else(|| members.iter().find(|(name, _)| name.eq_ignore_ascii_case(step)).map(|(_, value)| value)),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

/// The user of the item, without `meta`, which changes by itself.
async fn user<S: Server>(attack: &Attack<'_, S>, names: &Names) -> Option<Value> {
    let answer = attack.get(&format!("/Users/{}", names.get("USER_ID"))).await;
    let mut user = answer.json().filter(|_| answer.status == 200)?;
    user.as_object_mut()?.remove("meta");
    Some(user)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_are_told_from_their_opposites() {
        let emails = json!([{"value": "a", "primary": true}, {"value": "b"}]);
        let doubled = json!([{"value": "a", "primary": true}, {"value": "a", "primary": true}]);
        for (operator, value, good, bad) in [
            ("eq", json!(1), Some(json!(1)), None),
            ("ne", json!(1), None, Some(json!(1))),
            ("absent", json!(null), None, Some(json!(null))),
            ("empty", json!(null), Some(json!([])), Some(json!([1]))),
            ("nonempty", json!(null), Some(json!([1])), Some(json!([]))),
            ("in_or_absent", json!([0]), Some(json!(0)), Some(json!(3))),
            ("not_contains", json!("evil"), Some(json!({"a": "good"})), Some(json!({"a": "an evil host"}))),
            ("max_one_primary", json!(null), Some(emails.clone()), Some(doubled.clone())),
            ("list_of_objects", json!(null), Some(emails.clone()), Some(json!("a"))),
            ("unique_values", json!(null), Some(emails), Some(doubled)),
        ] {
            assert!(!violates(operator, &value, good.as_ref()), "{operator} {value} holds for {good:?}");
            assert!(violates(operator, &value, bad.as_ref()), "{operator} {value} does not hold for {bad:?}");
        }
    }

    #[test]
    fn pointers_find_names_in_any_case() {
        let document = json!({"Meta": {"x": [1, 2]}, "urn:a": {"b": 3}});
        for (pointer, expected) in
            [("/meta/X/1", Some(2)), ("/urn:a/b", Some(3)), ("/meta/y", None), ("/meta/x/2", None)]
        {
            assert_eq!(at(&document, pointer).and_then(Value::as_i64), expected, "{pointer}");
        }
    }
}
