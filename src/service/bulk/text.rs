//! JSON texts with some of their values replaced.

use std::borrow::Cow;

use crate::resource::scan::{elements, members, unescaped};

/// An object with its values replaced, or left out.
pub(super) fn object(text: &[u8], mut replace: impl FnMut(&str, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    object_and_keys(text, |key, value| Some((None, replace(key, value)?)))
}

/// An object with its values replaced, or left out, and some keys, which come in their quotes.
pub(super) fn object_and_keys(
    text: &[u8],
    mut replace: impl FnMut(&str, &[u8]) -> Option<(Option<Vec<u8>>, Vec<u8>)>,
) -> Vec<u8> {
    if !text.starts_with(b"{") {
        return text.to_vec();
    }
    let mut out = vec![b'{'];
    for (key, value) in members(text) {
        let Some((new_key, value)) = replace(&text_of(key), value) else { continue };
        if out.len() > 1 {
            out.push(b',');
        }
        match new_key {
            Some(new_key) => out.extend_from_slice(&new_key),
            None => [b"\"", key, b"\""].iter().for_each(|part| out.extend_from_slice(part)),
        }
        out.push(b':');
        out.extend_from_slice(&value);
    }
    out.push(b'}');
    out
}

/// An array with its elements replaced, or left out.
pub(super) fn array(text: &[u8], mut replace: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    if !text.starts_with(b"[") {
        return text.to_vec();
    }
    let mut out = vec![b'['];
    for element in elements(text) {
        let Some(element) = replace(element) else { continue };
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&element);
    }
    out.push(b']');
    out
}

/// A key as it reads, without its escapes.
pub(super) fn text_of(key: &[u8]) -> Cow<'_, str> {
    unescaped(key).unwrap_or_else(|| String::from_utf8_lossy(key))
}

/// Valid JSON without the white space between its tokens.
pub(super) fn compact(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for byte in json.bytes() {
        if quoted || !byte.is_ascii_whitespace() {
            out.push(byte);
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
    }
    out
}
