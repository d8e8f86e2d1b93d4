//! What is wrong with a filter or path, and where.

use std::borrow::Cow;
use std::fmt;
use std::iter::repeat_n;
use std::ops::Range;

use super::literal::string_len;

/// Why a text is no filter, or no path of a PATCH operation.
///
/// `{}` is one line for the client and for logs: it repeats no value. `{:#}` adds the text with a caret under the characters
/// in question:
///
/// ```
/// # use scim_provider::Filter;
/// let error = "userName regex \"b.*\"".parse::<Filter>().unwrap_err();
/// assert_eq!(
///     format!("{error:#}"),
///     "unknown operator `regex` at offset 9, expected eq, ne, co, sw, ew, gt, ge, lt, le or pr\n\
///      \x20 userName regex \"b.*\"\n\
///      \x20          ^^^^^"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ParseErrorKind,
    span: Range<usize>,
    expected: Cow<'static, str>,
    /// None when it was too long to be kept.
    input: Option<Box<str>>,
    in_filter: bool,
}

/// The kinds of [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Something else stands where [`expected`](ParseError::expected) should: `(title pr`.
    Syntax,
    /// An attribute path is malformed: `name..givenName eq "x"`.
    InvalidAttribute,
    /// An attribute is followed by a word that is no operator: `userName regex "x"`.
    UnknownOperator,
    /// The operand is not a JSON string, number, `true`, `false` or `null`, and no word that may stand for a string:
    /// `userName eq 'bjensen'`.
    InvalidLiteral,
    /// A value path stands inside another: `emails[type[value pr]]`.
    NestedValuePath,
    /// The text, or an attribute name in it, is longer than the limit.
    TooLong,
    /// Parentheses, `not` and brackets nest deeper than the limit.
    TooDeep,
    /// The filter has more comparisons than the limit.
    TooManyTerms,
}

impl ParseError {
    /// Text longer than this is not kept, so that an error costs no more than a few kilobytes, whatever was sent.
    const KEPT: usize = 8 << 10;

    pub(super) fn new(
        kind: ParseErrorKind,
        input: &str,
        offset: usize,
        expected: impl Into<Cow<'static, str>>,
        in_filter: bool,
    ) -> Self {
        let span = offset..offset + token_len(input.get(offset..).unwrap_or_default());
        let kept = kind != ParseErrorKind::TooLong && input.len() <= Self::KEPT;
        let input = kept.then(|| input.into());
        Self(Box::new(Inner { kind, span, expected: expected.into(), input, in_filter }))
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> ParseErrorKind {
        self.0.kind
    }

    /// The bytes of the input in question: a token, or an empty span at the end.
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// What should have stood there, as a phrase: "a comparison operator".
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// The text that was parsed; empty when it was too long to be kept.
    pub fn input(&self) -> &str {
        self.0.input.as_deref().unwrap_or_default()
    }

    /// Whether the mistake is in a filter: always for [`Filter::parse`](super::Filter::parse), and for
    /// [`Path::parse`](super::Path::parse) when it lies between the brackets. It tells `invalidFilter` from `invalidPath`.
    pub fn in_filter(&self) -> bool {
        self.0.in_filter
    }

    /// The text in one line, cut to what surrounds the mistake, and carets below it.
    fn draw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const AROUND: usize = 60;
        let Span { before, marked, behind } = self.split();
        let cut = before.chars().count().saturating_sub(AROUND);
        let lead = if cut > 0 { "…" } else { "" };
        let before: String = before.chars().skip(cut).map(visible).collect();
        let marked: String = marked.chars().take(AROUND).map(visible).collect();
        let trail = if behind.chars().nth(AROUND).is_some() { "…" } else { "" };
        let behind: String = behind.chars().take(AROUND).map(visible).collect();
        let indent = lead.chars().count() + before.chars().count();
        let carets = marked.chars().count().max(1);
        write!(f, "\n  {}", format!("{lead}{before}{marked}{behind}{trail}").trim_end_matches(' '))?;
        write!(f, "\n  {}{}", " ".repeat(indent), repeat_n('^', carets).collect::<String>())
    }

    fn split(&self) -> Span<'_> {
        let Range { start, end } = self.0.span;
        let (before, rest) = self.input().split_at_checked(start).unwrap_or((self.input(), ""));
        let (marked, behind) = rest.split_at_checked(end.saturating_sub(start)).unwrap_or((rest, ""));
        Span { before, marked, behind }
    }
}

struct Span<'a> {
    before: &'a str,
    marked: &'a str,
    behind: &'a str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, span, expected, input, .. } = &*self.0;
        let offset = span.start;
        let found = input.as_ref().and_then(|input| input.get(span.clone())).map(Found::of);
        match (kind, found) {
            (ParseErrorKind::UnknownOperator, Some(Found::Known(word))) => {
                write!(f, "unknown operator `{word}` at offset {offset}, expected {expected}")?;
            }
            (ParseErrorKind::NestedValuePath, _) => {
                write!(f, "value path inside a value path at offset {offset}, expected {expected}")?;
            }
            (ParseErrorKind::TooLong, _) => write!(f, "too long at offset {offset}, expected {expected}")?,
            (ParseErrorKind::TooDeep, _) => write!(f, "nested too deeply at offset {offset}, expected {expected}")?,
            (ParseErrorKind::TooManyTerms, _) => {
                write!(f, "too many comparisons at offset {offset}, expected {expected}")?;
            }
            (_, None) => write!(f, "expected {expected} at offset {offset}")?,
            (_, Some(found)) => write!(f, "expected {expected} at offset {offset}, found {found}")?,
        }
        if f.alternate() && input.is_some() { self.draw(f) } else { Ok(()) }
    }
}

/// What stands where something else should. The message ends up in logs: it repeats words of this and other languages for
/// filters, and nothing that may be a value that somebody is looking for.
enum Found<'a> {
    End,
    Known(&'a str),
    Text,
    Apostrophe,
    Other,
}

impl<'a> Found<'a> {
    fn of(token: &'a str) -> Self {
        let is_known = |known: &&str| known.eq_ignore_ascii_case(token);
        match token.as_bytes() {
            [] => Self::End,
            [b'"', ..] => Self::Text,
            [b'\'', ..] => Self::Apostrophe,
            _ if WORDS.iter().any(is_known) => Self::Known(token),
            _ => Self::Other,
        }
    }
}

const WORDS: [&str; 36] = [
    "(",
    ")",
    "[",
    "]",
    "=",
    "==",
    "!=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "~",
    "=~",
    "&&",
    "||",
    "!",
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "pr",
    "equals",
    "contains",
    "startsWith",
    "endsWith",
    "like",
    "regex",
    "matches",
    "in",
    "is",
    "has",
    "between",
    "true",
    "false",
];

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the end"),
            Self::Known(word) => write!(f, "`{word}`"),
            Self::Text => f.write_str("a string"),
            Self::Apostrophe => f.write_str("an apostrophe"),
            Self::Other => f.write_str("something else"),
        }
    }
}

impl std::error::Error for ParseError {}

/// The length of the token at the start: a string, a word, or one character.
fn token_len(rest: &str) -> usize {
    if rest.starts_with('"') {
        return string_len(rest).unwrap_or(rest.len());
    }
    let word = rest.find([' ', '(', ')', '[', ']', '"']).unwrap_or(rest.len());
    if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
}

/// A character that takes one column, for one that may take none or many.
fn visible(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        c if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
        {
            '\u{fffd}'
        }
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{ParseError, ParseErrorKind};
    use crate::{Filter, Limits};

    #[track_caller]
    fn error(input: &str) -> ParseError {
        Filter::parse(input, &Limits::default()).unwrap_err()
    }

    #[test]
    fn the_caret_stands_under_the_character() {
        for (input, drawn) in [
            ("", "  \n  ^"),
            ("title", "  title\n       ^"),
            ("title pr or", "  title pr or\n             ^"),
            (
                "displayName eq \"José\" und title pr",
                "  displayName eq \"José\" und title pr\n                        ^^^",
            ),
            ("a eq \"x\ty\"", "  a eq \"x␉y\"\n         ^^"),
            ("(a pr", "  (a pr\n       ^"),
            ("a pr)", "  a pr)\n      ^"),
        ] {
            let text = format!("{:#}", error(input));
            let (_, below) = text.split_once('\n').unwrap();
            assert_eq!(below, drawn, "{text}");
        }
    }

    #[test]
    fn the_message_tells_what_was_expected_and_found() {
        for (input, message) in [
            ("", "expected an attribute, `not` or `(` at offset 0, found the end"),
            ("userName", "expected a space and an operator at offset 8, found the end"),
            (
                "userName eq 'bjensen'",
                "expected double quotes around a string and no apostrophes at offset 12, found an apostrophe",
            ),
            (
                "userName eq {bjensen}",
                "expected a JSON string in double quotes, a number, true, false or null at offset 12, found something else",
            ),
            ("name ada", "expected eq, ne, co, sw, ew, gt, ge, lt, le or pr at offset 5, found something else"),
            ("name like ada", "unknown operator `like` at offset 5, expected eq, ne, co, sw, ew, gt, ge, lt, le or pr"),
            ("name \"ada\"", "expected eq, ne, co, sw, ew, gt, ge, lt, le or pr at offset 5, found a string"),
            ("name eq Ada Lovelace", "expected `and`, `or` or the end at offset 12, found something else"),
            ("userName eq", "expected a space and a value at offset 11, found the end"),
            ("a pr and", "expected a space and another filter at offset 8, found the end"),
            ("a pr b pr", "expected `and`, `or` or the end at offset 5, found something else"),
            ("(a pr", "expected `and`, `or` or `)` at offset 5, found the end"),
            ("emails[type pr)", "expected `and`, `or` or `]` at offset 14, found `)`"),
            (
                "not title pr",
                "expected `(` behind `not`, or an operator behind an attribute of that name at offset 4, found something else",
            ),
            ("a..b pr", "expected an attribute name at offset 2, found something else"),
            (
                "a eq 1 and b[c[d pr]]",
                "value path inside a value path at offset 13, expected a sub-attribute and an operator",
            ),
            ("a eq \"x", "expected a closing `\"` at offset 7, found the end"),
            ("a eq \"\\x\"", "expected a JSON string in double quotes at offset 5, found a string"),
        ] {
            assert_eq!(error(input).to_string(), message);
        }
    }

    #[test]
    fn long_input_is_not_kept() {
        let error = error(&"a".repeat(10 << 20));
        assert_eq!((error.kind(), error.input()), (ParseErrorKind::TooLong, ""));
        assert_eq!(format!("{error:#}"), "too long at offset 8192, expected at most 8192 bytes");
        let long = format!("a eq \"{}\" or", "x".repeat(100_000));
        let error = Filter::parse(&long, &Limits::dangerous_unlimited()).unwrap_err();
        assert_eq!((error.input(), error.span().start), ("", long.len()));
        assert!(error.to_string().len() < 100);
    }

    #[test]
    fn only_the_surroundings_of_a_mistake_are_drawn() {
        let text = format!("{:#}", error(&format!("a eq \"{0}\" ? b eq \"{0}\"", "é".repeat(500))));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() < 200), "{text}");
        let column = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(column), Some('?'));
    }
}
