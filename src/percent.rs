//! Percent-encoding (RFC 3986 §2.1).

/// Whether a byte stands for itself wherever it is in a URL (RFC 3986 §2.3).
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The bytes with `%XX` for those that are not kept as they are.
pub(crate) fn encoded(bytes: &[u8], keeps: impl Fn(u8) -> bool) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(move |byte| {
        let (text, length) = match keeps(*byte) {
            true => ([*byte, 0, 0], 1),
            false => ([b'%', digit(byte >> 4), digit(byte & 0xf)], 3),
        };
        text.into_iter().take(length)
    })
}

fn digit(number: u8) -> u8 {
    if number < 10 { b'0' + number } else { b'A' + number - 10 }
}

/// The bytes without their `%XX`. `None` where a `%` means nothing.
pub(crate) fn decoded(text: impl IntoIterator<Item = u8>) -> Option<Vec<u8>> {
    let mut text = text.into_iter();
    let mut bytes = Vec::new();
    while let Some(byte) = text.next() {
        let mut digit = || char::from(text.next()?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit()? * 16 + digit()?).ok()?,
            byte => byte,
        });
    }
    Some(bytes)
}

/// The text without its `%XX`, where that is one.
pub(crate) fn decoded_text(text: &str) -> Option<String> {
    String::from_utf8(decoded(text.bytes())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        let all: Vec<u8> = (0..=255).collect();
        let text: Vec<u8> = encoded(&all, is_unreserved).collect();
        assert!(text.iter().all(|byte| is_unreserved(*byte) || *byte == b'%'));
        assert_eq!(decoded(text), Some(all));
        assert_eq!(encoded(b"a b/\xff", is_unreserved).collect::<Vec<_>>(), b"a%20b%2F%FF");
    }

    #[test]
    fn a_percent_sign_begins_two_digits() {
        for wrong in ["%", "%2", "%2x", "%x2", "a%"] {
            assert_eq!(decoded_text(wrong), None, "{wrong}");
        }
        assert_eq!(decoded_text("%c3%A9"), Some("é".to_owned()));
        assert_eq!(decoded_text("%ff"), None);
    }
}
