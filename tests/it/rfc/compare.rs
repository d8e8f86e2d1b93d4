//! What is different between what an RFC prints and what came, but for what cannot be the same.

use std::collections::BTreeMap;

use serde_json::Value;

/// Where they differ: what is printed and what came, with null for what is not there.
pub(super) type Differences = BTreeMap<String, (Value, Value)>;

/// Says whether a text has the right form.
type Form = fn(&str) -> bool;

/// Text that each implementation makes up: both sides have to have some, and of the right form.
const FREE: [(&str, Form); 8] = [
    ("created", is_time),
    ("lastModified", is_time),
    ("version", is_tag),
    ("ETag", is_tag),
    ("nextCursor", is_cursor),
    ("previousCursor", is_cursor),
    ("detail", is_prose),
    ("description", is_prose),
];

/// Compares a document. `elided` says that the RFC leaves something out of it, so that we may have more.
///
/// Members of objects are found by name, definitions of attributes too; other elements of arrays by their place. An empty object
/// among the elements is what the RFC leaves of "..." and stands for anything.
pub(super) fn differences(printed: &Value, ours: &Value, elided: bool) -> Differences {
    let mut found = Differences::new();
    compare(printed, ours, "", elided, &mut found);
    found
}

fn compare(printed: &Value, ours: &Value, at: &str, elided: bool, found: &mut Differences) {
    match (printed, ours) {
        (Value::Object(theirs), Value::Object(mine)) => {
            let names = theirs.keys().chain(mine.keys().filter(|name| !elided && !theirs.contains_key(*name)));
            for name in names {
                let at = format!("{at}/{name}");
                member(name, theirs.get(name), mine.get(name), &at, elided, found);
            }
        }
        (Value::Array(theirs), Value::Array(mine)) => match (by_name(theirs), by_name(mine)) {
            (Some(theirs), Some(mine)) => compare(&theirs, &mine, at, elided, found),
            _ => elements(theirs, mine, at, elided, found),
        },
        _ if printed != ours => drop(found.insert(at.to_owned(), (printed.clone(), ours.clone()))),
        _ => {}
    }
}

fn member(name: &str, printed: Option<&Value>, ours: Option<&Value>, at: &str, elided: bool, found: &mut Differences) {
    let form = FREE.iter().find(|(free, _)| *free == name).map(|(_, form)| form);
    let texts = (printed.and_then(Value::as_str), ours.and_then(Value::as_str));
    match (form, texts) {
        (Some(form), (Some(_), Some(mine))) if form(mine) => {}
        _ => match (printed, ours) {
            (Some(printed), Some(ours)) => compare(printed, ours, at, elided, found),
            _ => {
                let value = |side: Option<&Value>| side.cloned().unwrap_or_default();
                found.insert(at.to_owned(), (value(printed), value(ours)));
            }
        },
    }
}

fn elements(printed: &[Value], ours: &[Value], at: &str, elided: bool, found: &mut Differences) {
    // "..." among the elements: as many as there are
    let open = printed.iter().any(|element| element.as_object().is_some_and(serde_json::Map::is_empty));
    if open {
        return;
    }
    if printed.len() > ours.len() || (printed.len() < ours.len() && !elided) {
        found.insert(at.to_owned(), (Value::from(printed.to_vec()), Value::from(ours.to_vec())));
        return;
    }
    for (place, (printed, ours)) in printed.iter().zip(ours).enumerate() {
        compare(printed, ours, &format!("{at}/{place}"), elided, found);
    }
}

/// The definitions of attributes, each under its name: where one stands says nothing.
fn by_name(elements: &[Value]) -> Option<Value> {
    let definitions = elements.iter().map(|element| {
        element.get("multiValued").or_else(|| element.get("mutability"))?;
        Some((element["name"].as_str()?.to_owned(), element.clone()))
    });
    let definitions = definitions.collect::<Option<serde_json::Map<_, _>>>()?;
    (!definitions.is_empty()).then_some(Value::Object(definitions))
}

fn is_time(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

fn is_tag(text: &str) -> bool {
    text.strip_prefix("W/\"").and_then(|rest| rest.strip_suffix('"')).is_some_and(|tag| !tag.is_empty())
}

/// RFC 9865 §2.1: unreserved characters of RFC 3986.
fn is_cursor(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn is_prose(text: &str) -> bool {
    !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn differ(printed: Value, ours: Value, places: &[&str]) {
        let found: Vec<_> = differences(&printed, &ours, false).into_keys().collect();
        assert_eq!(found, places, "{printed} {ours}");
    }

    #[test]
    fn all_else_is_seen() {
        differ(json!({"a": 1, "b": [1, {"c": 2}]}), json!({"a": 1, "b": [1, {"c": 3}]}), &["/b/1/c"]);
        differ(json!({"a": 1}), json!({"b": 1}), &["/a", "/b"]);
        differ(json!([1, 2]), json!([1]), &[""]);
        differ(json!({"status": "404"}), json!({"status": 404}), &["/status"]);
        differ(json!(null), json!([]), &[""]);
    }

    #[test]
    fn what_is_made_up_is_held_to_its_form() {
        differ(json!({"version": "W/\"a\""}), json!({"version": "W/\"b\""}), &[]);
        differ(json!({"version": "W/\"a\""}), json!({"version": "b"}), &["/version"]);
        differ(json!({"created": "2010-01-23T04:56:22Z"}), json!({}), &["/created"]);
        differ(json!({"created": "2010-01-23T04:56:22Z"}), json!({"created": "today"}), &["/created"]);
        differ(json!({}), json!({"nextCursor": "x"}), &["/nextCursor"]);
        differ(json!({"nextCursor": "x"}), json!({"nextCursor": "x y"}), &["/nextCursor"]);
        differ(json!({"detail": "x"}), json!({"detail": " "}), &["/detail"]);
    }

    #[test]
    fn what_is_left_out_may_be_anything() {
        differ(json!([{}]), json!([1, 2]), &[]);
        assert_eq!(differences(&json!({"a": [1]}), &json!({"a": [1, 2], "b": 1}), true), Differences::new());
        assert_eq!(differences(&json!({"a": [1, 2]}), &json!({"a": [1]}), true).len(), 1);
    }

    #[test]
    fn definitions_are_found_by_name() {
        let one = json!({"name": "a", "multiValued": false});
        let two = json!({"name": "b", "multiValued": false});
        differ(json!([one, two]), json!([two, one]), &[]);
        differ(json!([one]), json!([two, one]), &["/b"]);
    }
}
