//! `{{name}}` in a fixture: a captured or made-up value, a fresh `{{$uuid}}`, and filters such as `{{name|upper}}`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::server::{percent_encode, random_uuid};

/// What a run knows: the flow's variables and what its steps captured.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Value>);

/// A variable that an earlier step should have captured is not known, because that step failed.
#[derive(Debug, PartialEq)]
pub(super) struct Missing(pub(super) String);

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Fills the placeholders in all texts of a value, keys included. A text that is one placeholder and nothing else
    /// becomes the variable's value with its type: `"{{meta}}"` may turn into an object.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, Missing> {
        Ok(match value {
            Value::String(text) => match placeholder(text) {
                Some(Placeholder { before: "", name, filter: None, after: "" }) => self.lookup(name)?,
                _ => self.fill_text(text)?.into(),
            },
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?,
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| Ok((self.fill_text(key)?, self.fill(value)?)))
                .collect::<Result<_, _>>()?,
            other => other.clone(),
        })
    }

    /// Fills the placeholders of a text; values that are no text go in as JSON.
    pub(super) fn fill_text(&self, text: &str) -> Result<String, Missing> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(Placeholder { before, name, filter, after }) = placeholder(rest) {
            out.push_str(before);
            out.push_str(&filtered(filter, plain(self.lookup(name)?)));
            rest = after;
        }
        Ok(out + rest)
    }

    fn lookup(&self, name: &str) -> Result<Value, Missing> {
        if name == "$uuid" {
            return Ok(random_uuid().into());
        }
        self.0.get(name).cloned().ok_or_else(|| Missing(format!("no value for {{{{{name}}}}}")))
    }
}

/// A value as it goes into a text.
pub(super) fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn filtered(filter: Option<&str>, text: String) -> String {
    match filter {
        None => text,
        Some("upper") => text.to_uppercase(),
        Some("lower") => text.to_lowercase(),
        Some("q") => percent_encode(text.as_bytes()),
        Some("plus") => percent_encode(text.as_bytes()).replace("%20", "+"),
        Some(other) => panic!("the fixture uses an unknown template filter {other:?}"),
    }
}

struct Placeholder<'a> {
    before: &'a str,
    name: &'a str,
    filter: Option<&'a str>,
    after: &'a str,
}

/// The first placeholder of a text. Braces around anything but a name are text.
fn placeholder(text: &str) -> Option<Placeholder<'_>> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find("{{")?;
        let inner = &text[open + 2..];
        let close = inner.find("}}")?;
        let (name, filter) = match inner[..close].split_once('|') {
            Some((name, filter)) => (name.trim(), Some(filter.trim())),
            None => (inner[..close].trim(), None),
        };
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|char| char.is_alphanumeric() || matches!(char, '$' | '_' | '.' | '-'))
        };
        if is_name(name) && filter.is_none_or(is_name) {
            return Some(Placeholder { before: &text[..open], name, filter, after: &inner[close + 2..] });
        }
        from = open + 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("name", json!("Ada B@x"));
        variables.set("meta", json!({"version": 1}));
        variables
    }

    #[test]
    fn placeholders_are_filled_and_filtered() {
        for (template, expected) in [
            ("{{name}}", json!("Ada B@x")),
            ("a {{ name }} b", json!("a Ada B@x b")),
            ("{{name|upper}}{{name | lower}}", json!("ADA B@Xada b@x")),
            ("{{name|q}} {{name|plus}}", json!("Ada%20B%40x Ada+B%40x")),
            ("{{meta}}", json!({"version": 1})),
            ("m={{meta}}", json!("m={\"version\":1}")),
            ("{{ not a name }} {{}} {{{name}}", json!("{{ not a name }} {{}} {Ada B@x")),
            ("{{", json!("{{")),
        ] {
            assert_eq!(variables().fill(&json!(template)), Ok(expected), "{template}");
        }
    }

    #[test]
    fn keys_and_nested_values_are_filled_too() {
        let filled = variables().fill(&json!({"{{name}}": ["{{meta}}", 1, null, true]}));
        assert_eq!(filled, Ok(json!({"Ada B@x": [{"version": 1}, 1, null, true]})));
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert_eq!(variables().fill(&json!(["{{user_id}}"])), Err(Missing("no value for {{user_id}}".into())));
    }

    #[test]
    fn each_uuid_is_a_new_one() {
        let filled = variables().fill_text("{{$uuid}} {{$uuid}}").unwrap();
        let (one, two) = filled.split_once(' ').unwrap();
        assert_ne!(one, two);
    }
}
