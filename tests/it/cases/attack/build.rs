//! Turns a recipe into bytes, so that the file need not hold a hundred thousand parentheses.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the placeholders (`${USER_ID}`, `${N}`, …) stand for.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<&'static str, String>);

impl Names {
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.insert(name, value.into());
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Puts the values in; a placeholder without a value stays as it is.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, inner)) = rest.split_once("${") {
            out.push_str(before);
            match inner.split_once('}').and_then(|(name, after)| Some((self.0.get(name)?, after))) {
                Some((value, after)) => {
                    out.push_str(value);
                    rest = after;
                }
                None => {
                    out.push_str("${");
                    rest = inner;
                }
            }
        }
        out + rest
    }
}

/// Follows a recipe. Panics where there is no such recipe: that is a mistake in the file.
pub(super) fn build(recipe: &Value, names: &Names) -> Vec<u8> {
    let Value::Object(members) = recipe else {
        return names.fill(text(recipe)).into_bytes();
    };
    let Some(kind) = ["repeat", "concat", "join", "nest", "hex", "json", "utf16", "utf32"]
        .into_iter()
        .find(|kind| members.contains_key(*kind))
    else {
        panic!("no such recipe: {recipe:.200}");
    };
    let argument = &members[kind];
    match kind {
        "repeat" => text(argument).repeat(times(recipe)).into_bytes(),
        "concat" => argument.as_array().unwrap().iter().flat_map(|part| build(part, names)).collect(),
        "join" => {
            let item = names.fill(text(&argument["item"]));
            let items: Vec<String> = (0..times(argument))
                .map(|i| item.replace("{i}", &i.to_string()).replace("{i1}", &(i + 1).to_string()))
                .collect();
            items.join(text(&argument["sep"])).into_bytes()
        }
        "nest" => {
            let times = times(argument);
            let (open, close) = (text(&argument["open"]).repeat(times), text(&argument["close"]).repeat(times));
            (open + text(&argument["inner"]) + &close).into_bytes()
        }
        "hex" => hex(text(argument)),
        "json" => json(argument, names),
        "utf16" => decoded(argument, names).encode_utf16().fold(vec![0xFF, 0xFE], |mut out, unit| {
            out.extend(unit.to_le_bytes());
            out
        }),
        _ => decoded(argument, names).chars().fold(vec![0xFF, 0xFE, 0, 0], |mut out, char| {
            out.extend(u32::from(char).to_le_bytes());
            out
        }),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("the recipe wants a text, not {value:.200}"))
}

fn times(recipe: &Value) -> usize {
    let times = recipe["times"].as_u64().unwrap_or_else(|| panic!("how many times? {recipe:.200}"));
    usize::try_from(times).unwrap()
}

fn decoded(recipe: &Value, names: &Names) -> String {
    String::from_utf8(build(recipe, names)).unwrap()
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A JSON text in which `{"$gen": recipe}` stands for bytes that need not be JSON at all.
fn json(value: &Value, names: &Names) -> Vec<u8> {
    match value {
        Value::String(text) => Value::String(names.fill(text)).to_string().into_bytes(),
        Value::Array(items) => wrapped(b'[', items.iter().map(|item| json(item, names)), b']'),
        Value::Object(members) => match members.get("$gen") {
            Some(recipe) if members.len() == 1 => build(recipe, names),
            _ => {
                let members = members.iter().map(|(name, value)| {
                    let mut member = Value::String(names.fill(name)).to_string().into_bytes();
                    member.push(b':');
                    member.extend(json(value, names));
                    member
                });
                wrapped(b'{', members, b'}')
            }
        },
        other => other.to_string().into_bytes(),
    }
}

fn wrapped(open: u8, parts: impl Iterator<Item = Vec<u8>>, close: u8) -> Vec<u8> {
    let mut out = vec![open];
    for (index, part) in parts.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(part);
    }
    out.push(close);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn recipes_are_followed() {
        let mut names = Names::default();
        names.set("N", "7");
        for (recipe, expected) in [
            (json!("a${N}${X}${"), &b"a7${X}${"[..]),
            (json!({"repeat": "ab", "times": 2}), b"abab"),
            (json!({"concat": ["a", {"hex": "00 ff"}, {"repeat": "b", "times": 1}]}), b"a\x00\xffb"),
            (json!({"join": {"item": "${N}{i}{i1}", "sep": "-", "times": 2}}), b"701-712"),
            (json!({"nest": {"open": "(", "inner": "x", "close": ")", "times": 2}}), b"((x))"),
            (json!({"json": {"a": [1, null, "${N}"], "b": {"$gen": "nope"}}}), b"{\"a\":[1,null,\"7\"],\"b\":nope}"),
            (json!({"utf16": "é"}), b"\xff\xfe\xe9\x00"),
            (json!({"utf32": "a"}), b"\xff\xfe\x00\x00a\x00\x00\x00"),
        ] {
            let built = build(&recipe, &names);
            assert_eq!(built, expected, "{recipe}: {:?}", String::from_utf8_lossy(&built));
        }
    }

    #[test]
    #[should_panic(expected = "no such recipe")]
    fn an_unknown_recipe_is_seen() {
        build(&json!({"bake": "x"}), &Names::default());
    }
}
