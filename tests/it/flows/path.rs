//! Paths into an answer: `$.Resources[0].id`, `$["urn:…:User"].department`.

use serde_json::Value;

/// The value at a path, if there is one. Panics where the path itself is wrong: that is a mistake in the fixture.
pub(super) fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let steps = parse(path).unwrap_or_else(|| panic!("the fixture's path {path:?} is malformed"));
    steps.into_iter().try_fold(document, |value, step| match step {
        Step::Index(index) => value.as_array()?.get(index),
        Step::Key(key) => value.as_object()?.get(key),
    })
}

#[derive(Debug, PartialEq)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn parse(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let step;
        (step, rest) = if let Some(key) = rest.strip_prefix('.') {
            let end = key.find(['.', '[']).unwrap_or(key.len());
            (Step::Key(&key[..end]), &key[end..])
        } else {
            let inner = rest.strip_prefix('[')?;
            match inner.chars().next()? {
                quote @ ('"' | '\'') => {
                    let (key, after) = inner[1..].split_once(quote)?;
                    (Step::Key(key), after.strip_prefix(']')?)
                }
                _ => {
                    let (index, after) = inner.split_once(']')?;
                    (Step::Index(index.parse().ok()?), after)
                }
            }
        };
        if step == Step::Key("") {
            return None;
        }
        steps.push(step);
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let document = json!({"Resources": [{"id": "a"}, {"urn:x:2.0:User": {"$ref": 1}}]});
        for (path, expected) in [
            ("$", Some(document.clone())),
            ("$.Resources[0].id", Some(json!("a"))),
            ("$.Resources[1][\"urn:x:2.0:User\"].$ref", Some(json!(1))),
            ("$['Resources'][0]['id']", Some(json!("a"))),
            ("$.Resources[2]", None),
            ("$.Resources.id", None),
            ("$.resources", None),
        ] {
            assert_eq!(at(&document, path), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn a_malformed_path_is_seen() {
        for path in ["id", "$id", "$.", "$..a", "$[", "$[x]", "$[\"a]", "$[\"a\""] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
