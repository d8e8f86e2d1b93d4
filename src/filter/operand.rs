//! One comparison, on the text of a canonical document: without decoding, without allocating, in linear time.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::ast::{CompareOp, Number};
use super::unescape::unescaped;
use crate::attr::{fold, fold_char};
use crate::resource::scan::{elements, members, string_body};
use crate::time;

/// What is asked of one value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// `pr`, and `ne null`
    Present,
    /// `eq null`
    Absent,
    /// `is` is the value that satisfies; where `negated`, no value at all satisfies too
    Boolean {
        is: bool,
        negated: bool,
        missing_is_false: bool,
    },
    Text(CompareOp, Text),
    Number(CompareOp, Number),
    Instant(CompareOp, Instant),
}

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

impl Test {
    /// Whether one assigned value satisfies.
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Present => is_present(value),
            Self::Absent => !is_present(value),
            Self::Boolean { is, .. } => value == if *is { &b"true"[..] } else { b"false" },
            Self::Text(op, text) => string_body(value).is_some_and(|body| text.compare(*op, body)),
            Self::Number(op, operand) => number(value).is_some_and(|n| ordered(*op, compare_numbers(n, *operand))),
            Self::Instant(op, operand) => instant(value).is_some_and(|at| ordered(*op, at.cmp(&operand.0))),
        }
    }

    /// What a byte of a value costs: an operand that is not ASCII takes a look into the tables of Unicode for each character.
    pub(super) fn effort(&self) -> usize {
        if matches!(self, Self::Text(_, text) if !text.plain) { 8 } else { 1 }
    }

    /// Whether having no value at all satisfies: RFC 7643 §2.5 and, for `ne`, the complement of `eq`.
    pub(crate) fn holds_unassigned(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Boolean { negated, .. } => *negated,
            Self::Text(op, _) | Self::Number(op, _) | Self::Instant(op, _) => *op == CompareOp::Ne,
            Self::Present => false,
        }
    }

    /// Whether a value whose sub-attribute is missing satisfies: `primary` reads as false then (RFC 7643 §2.4).
    pub(crate) fn holds_missing(&self) -> bool {
        match self {
            Self::Boolean { is, missing_is_false: true, .. } => !*is,
            _ => self.holds_unassigned(),
        }
    }
}

/// The operand of a text comparison, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    written: Box<str>,
    key: Box<str>,
    exact: bool,
    /// whether the key stands for itself in JSON text, so that bytes can be compared
    plain: bool,
    /// for searching: the key's characters, each with the length of the longest border that ends there
    pattern: Box<[(char, u32)]>,
}

impl Text {
    pub(crate) fn new(written: &str, exact: bool) -> Self {
        let key = if exact { written.into() } else { fold(written) };
        let plain = key.bytes().all(|b| b.is_ascii() && b >= 0x20 && b != b'"' && b != b'\\');
        Self { written: written.into(), pattern: borders(&key), key: key.into(), exact, plain }
    }

    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The text that is compared: folded unless letter case counts.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether it is ASCII that JSON does not escape.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Compares the inside of a JSON string with the operand.
    fn compare(&self, op: CompareOp, body: &[u8]) -> bool {
        let alike = matches!(op, CompareOp::Eq | CompareOp::Ne | CompareOp::Co | CompareOp::Sw | CompareOp::Ew);
        if alike && !self.plain && is_plain(body) {
            // folding makes nothing but ASCII of ASCII: what holds anything else does not occur in it
            return op == CompareOp::Ne;
        }
        match op {
            CompareOp::Eq => self.equals(body),
            CompareOp::Ne => !self.equals(body),
            CompareOp::Sw => self.starts(body),
            CompareOp::Ew => self.ends(body),
            CompareOp::Co => self.occurs(body),
            // an order needs each character as it is
            _ => ordered(op, chars(body, self.exact).cmp(self.key.chars())),
        }
    }

    fn equals(&self, body: &[u8]) -> bool {
        if self.plain {
            if self.same(body, self.key.as_bytes()) {
                return true;
            }
            if is_plain(body) {
                return false;
            }
        }
        self.chars(body).eq(self.key.chars())
    }

    fn starts(&self, body: &[u8]) -> bool {
        if self.plain && is_plain(body) {
            return body.get(..self.key.len()).is_some_and(|start| self.same(start, self.key.as_bytes()));
        }
        let mut chars = self.chars(body);
        self.key.chars().all(|c| chars.next() == Some(c))
    }

    fn ends(&self, body: &[u8]) -> bool {
        if self.plain && is_plain(body) {
            let at = body.len().checked_sub(self.key.len());
            return at.and_then(|at| body.get(at..)).is_some_and(|end| self.same(end, self.key.as_bytes()));
        }
        self.search(end_of(body, self.pattern.len()), true)
    }

    fn occurs(&self, body: &[u8]) -> bool {
        // trying every place is fastest for short texts, and quadratic for long ones
        const SHORT: usize = 8;
        if self.plain && self.key.len() <= SHORT && is_plain(body) {
            let Some(first) = self.key.as_bytes().first() else { return true };
            let upper = if self.exact { *first } else { first.to_ascii_uppercase() };
            return body.windows(self.key.len()).any(|window| {
                window.first().is_some_and(|b| b == first || *b == upper) && self.same(window, self.key.as_bytes())
            });
        }
        self.search(body, false)
    }

    fn search(&self, body: &[u8], at_end: bool) -> bool {
        match self.plain && is_plain(body) {
            true if self.exact => self.find(body.iter().map(|b| char::from(*b)), at_end),
            true => self.find(body.iter().map(|b| char::from(b.to_ascii_lowercase())), at_end),
            false => self.find(self.chars(body), at_end),
        }
    }

    /// Knuth, Morris and Pratt: never looks at a character of the value twice.
    fn find(&self, chars: impl Iterator<Item = char>, at_end: bool) -> bool {
        let mut matched = 0_usize;
        for c in chars {
            if matched == self.pattern.len() {
                if !at_end {
                    return true;
                }
                matched = self.border(matched);
            }
            while matched > 0 && self.pattern.get(matched).is_none_or(|(p, _)| *p != c) {
                matched = self.border(matched);
            }
            if self.pattern.get(matched).is_some_and(|(p, _)| *p == c) {
                matched += 1;
            }
        }
        matched == self.pattern.len()
    }

    fn border(&self, matched: usize) -> usize {
        let last = matched.checked_sub(1).and_then(|at| self.pattern.get(at));
        last.map_or(0, |(_, border)| *border as usize)
    }

    fn same(&self, a: &[u8], b: &[u8]) -> bool {
        if self.exact { a == b } else { a.eq_ignore_ascii_case(b) }
    }

    /// The characters of a value, to be compared with those of the key for being the same.
    fn chars<'t>(&self, body: &'t [u8]) -> impl Iterator<Item = char> + use<'t> {
        let (exact, plain) = (self.exact, self.plain);
        unescaped(body).flat_map(move |c| match plain && !folds_to_ascii(c) {
            // folded or not, it is none of the key's
            true => Folded::Exact(Some(c)),
            false => Folded::new(c, exact),
        })
    }
}

/// One character, folded unless letter case counts.
enum Folded {
    Exact(Option<char>),
    Folded(crate::attr::FoldChar),
}

impl Folded {
    fn new(c: char, exact: bool) -> Self {
        if exact { Self::Exact(Some(c)) } else { Self::Folded(fold_char(c)) }
    }
}

/// Whether folding makes ASCII of a character: of the long s, the capital I with a dot and the Kelvin sign it does, too.
fn folds_to_ascii(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{17f}' | '\u{130}' | '\u{212a}')
}

/// The end of the inside of a JSON string, with at least so many of its characters: a value may be much longer than what is
/// looked for.
fn end_of(body: &[u8], characters: usize) -> &[u8] {
    // the longest way to write a character is `\u001f`
    const LONGEST: usize = 6;
    let mut at = body.len().saturating_sub(characters.saturating_mul(LONGEST));
    loop {
        let (before, end) = body.split_at_checked(at).unwrap_or((&[], body));
        let escapes = before.iter().rev().take(LONGEST - 1).any(|b| *b == b'\\');
        let inside = end.first().is_some_and(|b| b & 0xc0 == 0x80);
        match at {
            0 => return body,
            _ if escapes || inside => at -= 1,
            _ => return end,
        }
    }
}

impl Iterator for Folded {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Exact(c) => c.take(),
            Self::Folded(chars) => chars.next(),
        }
    }
}

/// The characters of the inside of a JSON string, folded unless letter case counts.
fn chars(body: &[u8], exact: bool) -> impl Iterator<Item = char> + use<'_> {
    unescaped(body).flat_map(move |c| Folded::new(c, exact))
}

/// The order in which two strings sort.
pub(crate) fn compare_text(a: &[u8], b: &[u8], exact: bool) -> Ordering {
    let chars = |value| chars(string_body(value).unwrap_or_default(), exact);
    chars(a).cmp(chars(b))
}

/// The number that a value is.
pub(crate) fn number(value: &[u8]) -> Option<Number> {
    Number::parse(std::str::from_utf8(value).ok()?)
}

/// The point in time that a value is.
pub(crate) fn instant(value: &[u8]) -> Option<DateTime<Utc>> {
    time::parse_date_time(std::str::from_utf8(string_body(value)?).ok()?)
}

/// Numbers compare as numbers: `1` equals `1.0`, and `-0.0` equals `0`. Nothing is rounded: an order in which two integers
/// both equal the float between them would be none, and sorting by it could fail.
pub(crate) fn compare_numbers(a: Number, b: Number) -> Ordering {
    // neither a document nor a filter holds what is not a number
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

fn ordered(op: CompareOp, ordering: Ordering) -> bool {
    match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Ne => ordering.is_ne(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

/// A value is present unless it is empty: `""`, or an object or array of nothing else (RFC 7644 table 3).
fn is_present(value: &[u8]) -> bool {
    match value.first() {
        Some(b'{') => members(value).any(|(_, part)| is_present(part)),
        Some(b'[') => elements(value).any(is_present),
        _ => value != b"\"\"",
    }
}

fn is_plain(body: &[u8]) -> bool {
    body.is_ascii() && !body.contains(&b'\\')
}

fn borders(key: &str) -> Box<[(char, u32)]> {
    let mut pattern: Vec<(char, u32)> = Vec::with_capacity(key.len());
    let mut border = 0_usize;
    for c in key.chars() {
        if !pattern.is_empty() {
            while border > 0 && pattern.get(border).is_some_and(|(p, _)| *p != c) {
                border = pattern.get(border - 1).map_or(0, |(_, b)| *b as usize);
            }
            if pattern.get(border).is_some_and(|(p, _)| *p == c) {
                border += 1;
            }
        }
        pattern.push((c, u32::try_from(border).unwrap_or(0)));
    }
    pattern.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// the inside of the canonical JSON string of `value`, compared the slow way and by [`Text`]
    fn agrees(op: CompareOp, value: &str, operand: &str, exact: bool) {
        let json = serde_json::to_string(value).unwrap();
        let (v, o) =
            if exact { (value.to_owned(), operand.to_owned()) } else { (fold(value).into(), fold(operand).into()) };
        let slow = match op {
            CompareOp::Eq => v == o,
            CompareOp::Ne => v != o,
            CompareOp::Co => v.contains(&o),
            CompareOp::Sw => v.starts_with(&o),
            CompareOp::Ew => v.ends_with(&o),
            CompareOp::Gt => v.chars().gt(o.chars()),
            CompareOp::Ge => v.chars().ge(o.chars()),
            CompareOp::Lt => v.chars().lt(o.chars()),
            CompareOp::Le => v.chars().le(o.chars()),
        };
        let fast = Test::Text(op, Text::new(operand, exact)).holds(json.as_bytes());
        assert_eq!(fast, slow, "{value:?} {op:?} {operand:?} exact {exact}");
    }

    #[test]
    fn comparison_on_json_text_is_comparison_of_characters() {
        let long = ["ab".repeat(300), format!("{}\n\\\u{1}É\u{212A}x", "É\\".repeat(200)), "\u{1}".repeat(99) + "ba"];
        let texts = [
            "",
            "a",
            "A",
            "aab",
            "aabaab",
            "abaab",
            "Ünal",
            "ÜNAL",
            "\u{212A}elvin",
            "kelvin",
            "a\"b",
            "a\\b",
            "\\",
            "\n",
            "\u{1}x",
            "ß",
            "SS",
            "İ",
            "i̇",
            "🦀",
            &long[0],
            &long[1],
            &long[2],
            "\\\u{1}ék",
            "ÉKx",
            "\u{1}BA",
            "ba",
            "Σας",
            "ΣΑΣ",
        ];
        use CompareOp::*;
        for op in [Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le] {
            for value in texts {
                for operand in texts {
                    agrees(op, value, operand, true);
                    agrees(op, value, operand, false);
                }
            }
        }
    }

    #[test]
    fn few_characters_fold_to_ascii() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(fold_char(c).any(|folded| folded.is_ascii()), folds_to_ascii(c), "{c:?}");
        }
    }

    #[test]
    fn numbers_and_instants_compare_by_what_they_mean() {
        let test = |op, n| Test::Number(op, n);
        assert!(test(CompareOp::Eq, Number::Float(1.0)).holds(b"1"));
        assert!(test(CompareOp::Lt, Number::Int(10)).holds(b"9.5"));
        assert!(test(CompareOp::Eq, Number::Int(0)).holds(b"-0.0"));
        assert!(test(CompareOp::Eq, Number::Float(-0.0)).holds(b"0.0"));
        assert!(test(CompareOp::Ne, Number::Float(9_007_199_254_740_992.0)).holds(b"9007199254740993"));
        let at = time::parse_date_time("2014-06-01T06:00:00Z").unwrap();
        assert!(Test::Instant(CompareOp::Eq, Instant(at)).holds(br#""2014-06-01T08:00:00+02:00""#));
    }
}
