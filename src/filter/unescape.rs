//! The characters of JSON strings, without building anything where nothing is escaped.

use std::borrow::Cow;

use crate::resource::scan::string_body;

/// The characters of the inside of a canonical JSON string.
pub(super) fn unescaped(body: &[u8]) -> Unescape<'_> {
    Unescape { rest: std::str::from_utf8(body).unwrap_or_default() }
}

/// The characters of a string.
pub(crate) fn unescaped_text(value: &[u8]) -> Cow<'_, str> {
    let body = string_body(value).unwrap_or_default();
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ => Cow::Owned(unescaped(body).collect()),
    }
}

/// See [`unescaped`].
pub(super) struct Unescape<'t> {
    rest: &'t str,
}

impl Iterator for Unescape<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = match chars.next()? {
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                // canonical text escapes control characters only: never a surrogate
                'u' => {
                    let code = u32::from_str_radix(chars.as_str().get(..4)?, 16).ok()?;
                    chars = chars.as_str().get(4..)?.chars();
                    char::from_u32(code)?
                }
                c => c,
            },
            c => c,
        };
        self.rest = chars.as_str();
        Some(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_read_as_json_reads_it() {
        for text in ["", "ada", "a\"b\\c", "\n\r\t\u{8}\u{c}\u{1}\u{1f}", "Ада \u{1f980}\\"] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(unescaped_text(json.as_bytes()), text);
        }
        assert!(matches!(unescaped_text(b"\"ada\""), Cow::Borrowed("ada")));
    }
}
