//! The operand of a comparison: a JSON literal, cut out of the filter by hand.

use std::borrow::Cow;

use super::parse::{Parsed, Refusal};
use super::{Literal, Number, ParseErrorKind};

const ANY: &str = "a JSON string in double quotes, a number, true, false or null";
const STRING: &str = "a JSON string in double quotes";
const IN_DOUBLE_QUOTES: &str = "double quotes around a string and no apostrophes";

/// Whether what is no literal may stand for a text all the same. What has quotes, brackets or escapes in it was meant to be
/// something else, and so were `NULL` and the numbers of other languages.
fn is_word(word: &str) -> bool {
    let foreign = |c: char| c.is_control() || c.is_whitespace() || "\"\\()[]{}<>%“”‘’`".contains(c);
    let number = ["nan", "infinity", "-infinity"].iter().any(|name| word.eq_ignore_ascii_case(name))
        || word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"))
        || word.ends_with('.');
    !word.starts_with('\'') && !word.contains(foreign) && !number && !word.eq_ignore_ascii_case("null")
}

/// compValue. A literal that is no string ends before a space or a closing bracket.
pub(super) fn literal(rest: &str) -> Parsed<'_, Literal<'_>> {
    if let Some(inner) = rest.strip_prefix('"') {
        let (rest, text) = string(rest, inner)?;
        return Ok((rest, Literal::String(text)));
    }
    let len = rest.bytes().position(|b| matches!(b, b' ' | b')' | b']')).unwrap_or(rest.len());
    let (word, behind) = rest.split_at_checked(len).unwrap_or((rest, ""));
    let literal = match word {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "null" => Literal::Null,
        "" => return Refusal::new(ParseErrorKind::Syntax, rest, ANY).fail(),
        _ => match Number::parse(word) {
            Some(number) => Literal::Number(number),
            None if is_word(word) => Literal::Word(Cow::Borrowed(word)),
            None if word.starts_with('\'') => {
                return Refusal::new(ParseErrorKind::InvalidLiteral, rest, IN_DOUBLE_QUOTES).fail();
            }
            None => return Refusal::new(ParseErrorKind::InvalidLiteral, rest, ANY).fail(),
        },
    };
    Ok((behind, literal))
}

/// A string; borrowed when it holds no escape. `inner` is `rest` behind the quote.
fn string<'a>(rest: &'a str, inner: &'a str) -> Parsed<'a, Cow<'a, str>> {
    let Some((text, behind)) = inner.split_once('"') else { return unclosed(rest) };
    // All bytes are looked at, without a way out of the loop, so that the compiler can take many at once.
    if text.bytes().fold(false, |special, b| special | (b == b'\\') | (b < b' ')) {
        return escaped(rest);
    }
    Ok((behind, Cow::Borrowed(text)))
}

fn escaped(rest: &str) -> Parsed<'_, Cow<'_, str>> {
    let Some((json, behind)) = string_len(rest).and_then(|len| rest.split_at_checked(len)) else {
        return unclosed(rest);
    };
    if let Some((at, control)) = json.bytes().enumerate().find(|(_, b)| *b < b' ') {
        let expected = if control == 0 { "no U+0000" } else { "an escape in place of a control character" };
        return Refusal::new(ParseErrorKind::InvalidLiteral, rest.get(at..).unwrap_or_default(), expected).fail();
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) if text.contains('\0') => Refusal::new(ParseErrorKind::InvalidLiteral, rest, "no U+0000").fail(),
        Ok(text) => Ok((behind, Cow::Owned(text))),
        Err(_) => Refusal::new(ParseErrorKind::InvalidLiteral, rest, STRING).fail(),
    }
}

fn unclosed<T>(rest: &str) -> Parsed<'_, T> {
    let end = rest.get(rest.len()..).unwrap_or_default();
    Refusal::new(ParseErrorKind::Syntax, end, "a closing `\"`").fail()
}

/// The length of the string literal at the start, with its quotes; nothing when it is not closed.
pub(super) fn string_len(rest: &str) -> Option<usize> {
    let mut escape = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escape => escape = false,
            b'\\' => escape = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn text(json: &str) -> Cow<'_, str> {
        match literal(json) {
            Ok((" x", Literal::String(text))) => text,
            other => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn a_string_is_borrowed_unless_it_has_escapes() {
        assert!(matches!(text("\"José 🦀\" x"), Cow::Borrowed("José 🦀")));
        assert!(matches!(text("\"\" x"), Cow::Borrowed("")));
        assert_eq!(text(r#""\"\\\/\b\f\n\r\t\u00e9\ud83e\udd80" x"#), "\"\\/\u{8}\u{c}\n\r\té🦀");
        assert_eq!(text(r#""\\" x"#), "\\");
    }

    #[test]
    fn what_json_has_no_literal_for_is_refused() {
        for json in [
            r#""\x41""#,
            r#""\u12G4""#,
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            r#""\u0000""#,
            "\"a\0b\"",
            "\"a\tb\"",
            "\"a\n\"",
            "\"a",
            "\"a\\\"",
            "\"",
            "'a'",
            "“a”",
            "NULL",
            "[1]",
            "{}",
            "a\"b\"",
            "a\\b",
            "%22bob%22",
            "nan",
            "0x10",
            "1.",
            "",
            " 1",
            "\u{a0}1",
        ] {
            assert!(literal(json).is_err(), "{json:?}");
        }
    }

    #[test]
    fn a_word_without_quotes_is_told_from_a_literal() {
        for word in ["bob", "A'KELAH", "ada@example.com", "TRUE", "truex", "1,5", "007", "1e400", "-", "José"] {
            assert!(matches!(literal(word), Ok(("", Literal::Word(found))) if found == word), "{word}");
        }
        assert!(matches!(literal("bob) x"), Ok((") x", Literal::Word(word))) if word == "bob"));
    }
}
