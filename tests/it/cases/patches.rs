//! `patches.json`: 121 PATCH requests with the resource before and after, or the refusal (RFC 7644 §3.5.2).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Outcome, load};

/// How many patches the file has.
pub(crate) const CASES: usize = 121;

#[derive(Debug, Deserialize)]
pub(crate) struct Patches {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    id: String,
    name: String,
    before: Value,
    patch: Value,
    after: Option<Value>,
    error: Option<Value>,
    /// The RFC allows, or clients and servers practise, each of these.
    #[serde(default)]
    any_of: Vec<Expected>,
    /// Anything goes but a failure of the server.
    #[serde(default)]
    open: bool,
    source: String,
}

/// The resource afterwards, or the refusal.
#[derive(Clone, Debug, Deserialize)]
struct Expected {
    after: Option<Value>,
    error: Option<Value>,
}

/// A refusal: status and `scimType`.
pub(crate) type Refusal = (u16, Option<String>);

impl Patches {
    pub(crate) fn load() -> Self {
        load("patches.json")
    }

    /// Runs all cases. `apply` takes the resource and the PATCH request, and returns the resource afterwards.
    pub(crate) fn run(&self, apply: impl Fn(&Value, &Value) -> Result<Value, Refusal>) -> Outcome {
        let mut outcome = Outcome { cases: self.cases.len(), ..Outcome::default() };
        for case in &self.cases {
            let answer = apply(&case.before, &case.patch);
            if let Some(why) = case.differs(&answer) {
                let operations = case.patch.get("Operations").unwrap_or(&case.patch);
                let Case { id, name, source, .. } = case;
                outcome.failures.push(format!("{id} {name}: {operations}\n    {why} ({source})"));
            }
        }
        outcome
    }
}

impl Case {
    fn allowed(&self) -> Vec<Expected> {
        if self.any_of.is_empty() {
            return vec![Expected { after: self.after.clone(), error: self.error.clone() }];
        }
        self.any_of.clone()
    }

    /// What is wrong with an answer.
    fn differs(&self, answer: &Result<Value, Refusal>) -> Option<String> {
        if self.open {
            return match answer {
                Err((status, _)) if *status >= 500 => Some(format!("expected anything but a failure, got {status}")),
                _ => None,
            };
        }
        let allowed = self.allowed();
        assert!(allowed.iter().all(|one| one.after.is_some() != one.error.is_some()), "{}: no expectation", self.id);
        if allowed.iter().any(|expected| expected.is_met(&self.before, answer)) {
            return None;
        }
        let expected: Vec<String> = allowed.iter().map(|expected| expected.to_text()).collect();
        let got = match answer {
            Ok(after) => counted(after).to_string(),
            Err((status, scim_type)) => format!("the refusal {status} {}", scim_type.as_deref().unwrap_or("")),
        };
        Some(format!("expected {}\n         got {got}", expected.join("\n          or ")))
    }
}

impl Expected {
    fn is_met(&self, before: &Value, answer: &Result<Value, Refusal>) -> bool {
        match (&self.after, &self.error, answer) {
            (Some(expected), _, Ok(after)) => counted(expected) == counted(after) && keeps_schemas(before, after),
            (_, Some(error), Err((status, scim_type))) => {
                let keywords = error["scimType"].as_array().unwrap();
                error["status"] == *status && keywords.iter().any(|one| one.as_str() == scim_type.as_deref())
            }
            _ => false,
        }
    }

    fn to_text(&self) -> String {
        match &self.after {
            Some(after) => counted(after).to_string(),
            None => format!("the refusal {}", self.error.as_ref().unwrap()),
        }
    }
}

/// A server may add the URI of an extension that has got values and drop it with them; no patch of the file is about
/// `schemas`. What must not happen is that the resource's own URI is lost.
fn keeps_schemas(before: &Value, after: &Value) -> bool {
    after["schemas"].as_array().is_some_and(|schemas| schemas.contains(&before["schemas"][0]))
}

/// What counts in a comparison. `id`, `meta`, `groups`, `schemas` and each `$ref` do not; null, `[]`, `{}` and absence
/// are the same, and so are `primary: false` and no `primary`; values of an attribute have no order.
fn counted(resource: &Value) -> Value {
    let mut resource = resource.clone();
    if let Some(members) = resource.as_object_mut() {
        for name in ["id", "meta", "groups", "schemas"] {
            members.remove(name);
        }
    }
    canonical(&resource).unwrap_or_default()
}

/// `None` where nothing is left.
fn canonical(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            // Sorted by name: with `serde_json/preserve_order` a map keeps the order of its insertion.
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            let kept: Map<String, Value> = names
                .into_iter()
                .filter(|name| *name != "$ref" && !(*name == "primary" && members[*name] == Value::Bool(false)))
                .filter_map(|name| Some((name.clone(), canonical(&members[name])?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let mut kept: Vec<Value> = items.iter().filter_map(canonical).collect();
            kept.sort_by_cached_key(Value::to_string);
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        scalar => Some(scalar.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Answers as the file says, but for one case.
    fn run_with(wrong: &str, change: impl Fn(Result<Value, Refusal>) -> Result<Value, Refusal>) -> Outcome {
        let patches = Patches::load();
        patches.run(|before, patch| {
            let case = patches.cases.iter().find(|case| case.before == *before && case.patch == *patch).unwrap();
            let expected = case.allowed().swap_remove(0);
            let answer = match (expected.after, expected.error) {
                (Some(after), _) => Ok(after),
                (None, Some(error)) => Err((400, error["scimType"][0].as_str().map(str::to_owned))),
                (None, None) => Ok(before.clone()),
            };
            if case.id == wrong { change(answer) } else { answer }
        })
    }

    #[test]
    fn right_answers_are_clean() {
        run_with("none", |answer| answer).assert_clean(CASES);
    }

    #[test]
    fn a_wrong_answer_fails_with_both_values() {
        // p001 adds a title to a user.
        let outcome = run_with("p001", |answer| answer.map(|_| json!({"schemas": ["x"], "userName": "minimal"})));
        assert_eq!(outcome.failures.len(), 1, "{outcome}");
        let expected =
            "expected {\"title\":\"Guide\",\"userName\":\"minimal\"}\n         got {\"userName\":\"minimal\"}";
        assert!(outcome.failures[0].contains(expected), "{outcome}");

        let refused = run_with("p001", |_| Err((400, Some("invalidPath".into()))));
        assert!(refused.failures[0].contains("got the refusal 400 invalidPath"), "{refused}");
    }

    #[test]
    fn a_refusal_is_judged_by_status_and_keyword() {
        let refused = Patches::load().cases.into_iter().find(|case| case.error.is_some()).unwrap().id;
        run_with(&refused, |answer| answer).assert_clean(CASES);
        for answer in [Ok(json!({})), Err((404, None)), Err((400, None)), Err((400, Some("tooMany".to_owned())))] {
            let outcome = run_with(&refused, |_| answer.clone());
            assert_eq!(outcome.failures.len(), 1, "{refused} answered with {answer:?}");
        }
    }

    #[test]
    fn losing_the_schema_fails() {
        let outcome = run_with("p001", |answer| {
            answer.map(|mut after| {
                after["schemas"] = json!([]);
                after
            })
        });
        assert_eq!(outcome.failures.len(), 1, "{outcome}");
    }

    #[test]
    fn what_does_not_count_does_not_count() {
        let resource = json!({
            "id": "1", "meta": {"version": "2"}, "groups": [{"value": "g"}], "title": null, "roles": [], "name": {},
            "emails": [{"value": "b", "primary": false, "$ref": "x"}, {"value": "a", "primary": true}],
        });
        let expected = json!({"emails": [{"value": "a", "primary": true}, {"value": "b"}]});
        assert_eq!(counted(&resource), counted(&expected));
        for other in [json!({"emails": [{"value": "a"}, {"value": "b"}]}), json!({"emails": [{"value": "a"}]})] {
            assert_ne!(counted(&resource), counted(&other), "{other}");
        }
    }
}
