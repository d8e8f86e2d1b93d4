//! Moving over canonical JSON text without building anything. Canonical text is what this crate wrote itself: valid JSON
//! without white space between tokens. On other text these functions stop early; they never panic and never loop.

use std::borrow::Cow;

use crate::schema::table::{Node, Table};

/// The length of the JSON value at the start of `text`.
pub(crate) fn value_len(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string_len(text),
        Some(b'{' | b'[') => nested_len(text),
        _ => text.iter().position(|b| matches!(b, b',' | b'}' | b']')).unwrap_or(text.len()),
    }
}

/// The elements of an array; a value that is no array is its own single element.
pub(crate) fn elements(value: &[u8]) -> Elements<'_> {
    match value.split_first() {
        Some((b'[', rest)) => Elements { rest, array: true },
        _ => Elements { rest: value, array: false },
    }
}

/// An array of these values; nothing when there are none.
pub(crate) fn array<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for value in values {
        text.push(if text.is_empty() { b'[' } else { b',' });
        text.extend_from_slice(value.as_ref());
    }
    if !text.is_empty() {
        text.push(b']');
    }
    Some(text).filter(|text| !text.is_empty())
}

/// `primary: false` says no more than no `primary` (RFC 7643 §2.4).
pub(crate) fn is_false_primary((name, value): &(&[u8], &[u8])) -> bool {
    *name == b"primary" && *value == b"false"
}

/// The members of an object, as the text of the key (without quotes) and the text of the value.
pub(crate) fn members(object: &[u8]) -> Members<'_> {
    Members { rest: object.strip_prefix(b"{").unwrap_or_default() }
}

/// The members of an object that its schema does not define.
pub(crate) fn unknown_members<'t>(
    table: &Table,
    of: &Node,
    object: &'t [u8],
) -> impl Iterator<Item = (&'t [u8], &'t [u8])> {
    let known =
        |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| table.child(of.children(), name)).is_some();
    members(object).filter(move |(name, _)| !known(name))
}

/// The value of a member whose key needs no escaping.
pub(crate) fn member<'t>(object: &'t [u8], name: &str) -> Option<&'t [u8]> {
    members(object).find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
}

/// The inside of a string: the text between the quotes, escapes untouched.
pub(crate) fn string_body(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// The inside of a string without its escapes.
pub(crate) fn unescaped(body: &[u8]) -> Option<Cow<'_, str>> {
    if !body.contains(&b'\\') {
        return std::str::from_utf8(body).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(&[b"\"", body, b"\""].concat()).ok().map(Cow::Owned)
}

/// Writes a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    if needs_escape(text.as_bytes()) {
        // writing into memory cannot fail
        let _ = serde_json::to_writer(out, text);
        return;
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Whether a text needs escaping in a JSON string: it has a quote, a backslash or a control character.
pub(crate) fn needs_escape(text: &[u8]) -> bool {
    const SPACES: u64 = 0x2020_2020_2020_2020;
    let (words, rest) = text.as_chunks::<8>();
    let in_word = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(SPACES) & !word & HIGH_BITS;
        control | bytes_equal(word, b'"') | bytes_equal(word, b'\\') != 0
    };
    words.iter().any(in_word) || rest.iter().any(|b| *b < 0x20 || matches!(b, b'"' | b'\\'))
}

/// See [`elements`].
#[derive(Clone, Debug)]
pub(crate) struct Elements<'t> {
    rest: &'t [u8],
    array: bool,
}

impl<'t> Iterator for Elements<'t> {
    type Item = &'t [u8];

    #[inline]
    fn next(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() || (self.array && self.rest.starts_with(b"]")) {
            return None;
        }
        let (value, rest) = self.rest.split_at_checked(value_len(self.rest))?;
        if value.is_empty() {
            return None;
        }
        self.rest = if self.array { rest.strip_prefix(b",").unwrap_or_default() } else { &[] };
        Some(value)
    }
}

/// See [`members`].
#[derive(Clone, Debug)]
pub(crate) struct Members<'t> {
    rest: &'t [u8],
}

impl<'t> Iterator for Members<'t> {
    type Item = (&'t [u8], &'t [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.rest.split_at_checked(string_len(self.rest))?;
        let rest = rest.strip_prefix(b":")?;
        let (value, rest) = rest.split_at_checked(value_len(rest))?;
        self.rest = rest.strip_prefix(b",").unwrap_or_default();
        Some((string_body(key)?, value))
    }
}

#[inline]
fn string_len(text: &[u8]) -> usize {
    if !text.starts_with(b"\"") {
        return 0;
    }
    let mut at = 1;
    while let Some(rest) = text.get(at..) {
        let Some(n) = string_end(rest) else { break };
        if rest.get(n) == Some(&b'"') {
            return at + n + 1;
        }
        at += n + 2;
    }
    text.len()
}

/// Where the next quote or backslash is. Looks at eight bytes at once: most of a document is text.
#[inline]
fn string_end(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = bytes_equal(word, b'"') | bytes_equal(word, b'\\');
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    Some(words.len() * 8 + at)
}

/// The highest bit of each byte that is the one looked for; of bytes behind the first such one it may be set wrongly.
#[inline]
const fn bytes_equal(word: u64, byte: u8) -> u64 {
    let differing = word ^ (LOW_BITS * byte as u64);
    differing.wrapping_sub(LOW_BITS) & !differing & HIGH_BITS
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = LOW_BITS << 7;

fn nested_len(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string_len(text.get(at..).unwrap_or_default());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_json_says() {
        for (text, value) in [
            (r#""a\"b\\",1"#, r#""a\"b\\""#),
            (r#"{"a":"}","b":[1,{"c":"]"}]},x"#, r#"{"a":"}","b":[1,{"c":"]"}]}"#),
            ("[[],[1]]]", "[[],[1]]"),
            ("true}", "true"),
            (r#""0123456\"89abcdef\\\\",""#, r#""0123456\"89abcdef\\\\""#),
            ("\"01234567\u{a2}\u{dc}\u{5c22}9\",\"", "\"01234567\u{a2}\u{dc}\u{5c22}9\""),
            ("-1.5e3,", "-1.5e3"),
        ] {
            assert_eq!(value_len(text.as_bytes()), value.len(), "{text}");
        }
    }

    #[test]
    fn members_and_elements_come_in_order() {
        let object = br#"{"value":"a","primary":true,"x":[1,2]}"#;
        let keys: Vec<_> = members(object).map(|(k, _)| std::str::from_utf8(k).unwrap()).collect();
        assert_eq!(keys, ["value", "primary", "x"]);
        assert_eq!(member(object, "primary"), Some(&b"true"[..]));
        assert_eq!(elements(b"[1,\"a,b\",{}]").count(), 3);
        assert_eq!(elements(b"[]").count(), 0);
        assert_eq!(elements(b"\"one\"").count(), 1);
    }

    #[test]
    fn what_needs_escaping_is_seen_wherever_it_is() {
        for special in ['"', '\\', '\n', '\0', '\u{1f}'] {
            for at in 0..20 {
                let mut text = "Zürich, Tōkyō ~ !#".to_owned();
                let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
                text.insert(at, special);
                assert!(needs_escape(text.as_bytes()), "{text:?}");
            }
        }
        assert!(!needs_escape("Zürich, Tōkyō ~ !#\u{7f}\u{80}\u{ffff}".as_bytes()));
        assert!(!needs_escape(b""));
    }

    #[test]
    fn broken_text_ends_the_walk() {
        for text in ["", "{", "[", "\"", "{\"a\"", "{\"a\":", "[1", "\"\\", "{\"a\":\"b", "}}", "[,,,]", "{,}"] {
            assert!(members(text.as_bytes()).count() < 3 && elements(text.as_bytes()).count() < 3, "{text}");
        }
    }
}
