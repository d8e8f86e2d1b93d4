//! The grammar, in nom: each production looks at one byte and commits, so that nothing is ever read twice.

use std::borrow::Cow;
use std::cell::Cell;
use std::mem;
use std::str::FromStr;

use nom::character::complete::char;
use nom::combinator::{eof, opt};
use nom::error::ErrorKind;
use nom::sequence::{delimited, preceded};
use nom::{Err, IResult, Parser};

use super::literal::literal;
use super::{CompareOp, Filter, Literal, ParseError, ParseErrorKind, Tail};
use crate::attr::is_path_byte;
use crate::{AttrPath, Limits, is_attribute_name};

impl<'a> Filter<'a> {
    /// Reads a filter.
    ///
    /// # Errors
    /// When `input` is no filter by the grammar of RFC 7644 §3.4.2.2, or goes beyond the limits. Whether its attributes
    /// exist and can be compared like that is asked later, of a resource type.
    pub fn parse(input: &'a str, limits: &Limits) -> Result<Self, ParseError> {
        if input.len() > limits.filter_bytes {
            let expected = format!("at most {} bytes", limits.filter_bytes);
            return Err(ParseError::new(ParseErrorKind::TooLong, input, limits.filter_bytes, expected, true));
        }
        let grammar = Grammar::new(limits);
        let whole = || {
            let (rest, filter) = preceded(spaces, |rest| grammar.filter(grammar.outermost(), rest)).parse(input)?;
            end_of_filter(rest)?;
            Ok(filter)
        };
        whole().map_err(|error| grammar.error(input, error, true))
    }
}

/// Reads a filter within the default [`Limits`].
impl FromStr for Filter<'static> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Filter::parse(text, &Limits::default()).map(Filter::into_owned)
    }
}

pub(super) type Parsed<'a, T> = IResult<&'a str, T, Refusal<'a>>;

/// A mistake on its way up: where it is, as what is left to read, and what should have been there.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    rest: &'a str,
    kind: ParseErrorKind,
    expected: &'static str,
}

impl<'a> Refusal<'a> {
    pub(super) fn new(kind: ParseErrorKind, rest: &'a str, expected: &'static str) -> Self {
        Self { rest, kind, expected }
    }

    /// Gives up for good: no other production is tried.
    pub(super) fn fail<T>(self) -> Parsed<'a, T> {
        Err(Err::Failure(self))
    }
}

impl<'a> nom::error::ParseError<&'a str> for Refusal<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self::new(ParseErrorKind::Syntax, rest, "something else")
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// The alternative that got furthest knows best what was meant; of two that got equally far, the later one.
    fn or(self, other: Self) -> Self {
        if self.rest.len() < other.rest.len() { self } else { other }
    }
}

/// Where in the nesting a production stands. It is passed down by value, so that no way out can forget to restore it.
#[derive(Clone, Copy)]
pub(super) struct Nesting {
    left: usize,
    in_brackets: bool,
}

/// The productions, and what they share.
pub(super) struct Grammar<'l> {
    limits: &'l Limits,
    terms_left: Cell<usize>,
    /// Whether `eq"x"` is accepted, as the example `members[value eq"…"]` of RFC 7644 §3.5.2 has it.
    tight_quotes: bool,
}

impl<'l> Grammar<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, terms_left: Cell::new(limits.filter_terms), tight_quotes: false }
    }

    pub(super) fn of_path(limits: &'l Limits) -> Self {
        Self { tight_quotes: true, ..Self::new(limits) }
    }

    pub(super) fn outermost(&self) -> Nesting {
        Nesting { left: self.limits.filter_depth, in_brackets: false }
    }

    /// What the host is told: the place as an offset in `input`, the limit as a number.
    pub(super) fn error(&self, input: &str, error: Err<Refusal<'_>>, in_filter: bool) -> ParseError {
        let (Err::Error(refusal) | Err::Failure(refusal)) = error else {
            return ParseError::new(ParseErrorKind::Syntax, input, input.len(), "more", in_filter);
        };
        let expected = match refusal.kind {
            ParseErrorKind::TooLong => Cow::Owned(format!("at most {} bytes", self.limits.name_bytes)),
            ParseErrorKind::TooDeep => Cow::Owned(format!("at most {} levels", self.limits.filter_depth)),
            ParseErrorKind::TooManyTerms => Cow::Owned(format!("at most {}", self.limits.filter_terms)),
            _ => Cow::Borrowed(refusal.expected),
        };
        let offset = input.len().saturating_sub(refusal.rest.len());
        ParseError::new(refusal.kind, input, offset, expected, in_filter)
    }

    /// Terms with `and` and `or` between them, in one loop: `all` collects the terms of a run of `and`, `any` the runs.
    fn filter<'a>(&self, nesting: Nesting, start: &'a str) -> Parsed<'a, Filter<'a>> {
        let (mut rest, mut last) = self.term(nesting, start)?;
        let (mut all, mut any) = (Vec::new(), Vec::new());
        while let (next, Some(connective)) = opt(connective).parse(rest)? {
            let (end, term) = self.term(nesting, next)?;
            let done = mem::replace(&mut last, term);
            match connective {
                Connective::And => push(&mut all, done),
                Connective::Or => push(&mut any, joined(mem::take(&mut all), done, Filter::And)),
            }
            rest = end;
        }
        Ok((rest, joined(any, joined(all, last, Filter::And), Filter::Or)))
    }

    fn term<'a>(&self, nesting: Nesting, start: &'a str) -> Parsed<'a, Filter<'a>> {
        if start.starts_with('(') {
            return self.group(nesting, start);
        }
        let (rest, path) = must("an attribute, `not` or `(`", |rest| self.attribute(rest)).parse(start)?;
        let not = path.as_str().eq_ignore_ascii_case("not");
        if not {
            let (group, ()) = spaces(rest)?;
            if group.starts_with('(') {
                return self.group(nesting, group).map(|(rest, filter)| (rest, Filter::Not(Box::new(filter))));
            }
        }
        if rest.starts_with('[') {
            return self.value_path(nesting, path, start, rest);
        }
        self.count(start)?;
        let (rest, ()) = must("a space and an operator", spaces1).parse(rest)?;
        match operator(rest) {
            Ok((rest, None)) => Ok((rest, Filter::Present(path))),
            Ok((rest, Some(op))) => {
                let (rest, value) = self.operand(rest)?;
                Ok((rest, Filter::Compare { path, op, value }))
            }
            // `not title pr` is more likely than an attribute that is called `not`.
            Err(_) if not => Refusal::new(ParseErrorKind::Syntax, rest, NOT).fail(),
            Err(error) => Err(error),
        }
    }

    fn group<'a>(&self, nesting: Nesting, rest: &'a str) -> Parsed<'a, Filter<'a>> {
        let inner = deeper(nesting, rest)?;
        let close = must("`and`, `or` or `)`", (spaces, char(')')));
        delimited((char('('), spaces), |rest| self.filter(inner, rest), close).parse(rest)
    }

    /// `[filter]`: `rest` starts with the bracket.
    pub(super) fn brackets<'a>(&self, nesting: Nesting, rest: &'a str) -> Parsed<'a, Filter<'a>> {
        let inner = Nesting { in_brackets: true, ..deeper(nesting, rest)? };
        let close = must("`and`, `or` or `]`", (spaces, char(']')));
        delimited((char('['), spaces), |rest| self.filter(inner, rest), close).parse(rest)
    }

    fn value_path<'a>(
        &self,
        nesting: Nesting,
        path: AttrPath<'a>,
        start: &'a str,
        rest: &'a str,
    ) -> Parsed<'a, Filter<'a>> {
        if nesting.in_brackets {
            let expected = "a sub-attribute and an operator";
            return Refusal::new(ParseErrorKind::NestedValuePath, start, expected).fail();
        }
        let (rest, filter) = self.brackets(nesting, rest)?;
        let (rest, tail) = opt(|rest| self.tail(rest)).parse(rest)?;
        Ok((rest, Filter::ValuePath { path, filter: Box::new(filter), tail: tail.map(Box::new) }))
    }

    fn tail<'a>(&self, rest: &'a str) -> Parsed<'a, Tail<'a>> {
        let (start, _) = char('.').parse(rest)?;
        self.count(start)?;
        let (rest, sub_attribute) = self.sub_attribute(start)?;
        let (operator_at, ()) = must("a space and an operator", spaces1).parse(rest)?;
        let (rest, op) = operator(operator_at)?;
        let (rest, op, value) = match op {
            Some(op) => self.operand(rest).map(|(rest, value)| (rest, op, value))?,
            // what is present is what differs from null
            None => (rest, CompareOp::Ne, Literal::Null),
        };
        Ok((rest, Tail { sub_attribute: Cow::Borrowed(sub_attribute), op, value }))
    }

    fn operand<'a>(&self, rest: &'a str) -> Parsed<'a, Literal<'a>> {
        if self.tight_quotes && rest.starts_with('"') {
            return literal(rest);
        }
        let (rest, ()) = must("a space and a value", spaces1).parse(rest)?;
        literal(rest)
    }

    /// attrPath.
    pub(super) fn attribute<'a>(&self, start: &'a str) -> Parsed<'a, AttrPath<'a>> {
        match AttrPath::take(start) {
            Ok((path, rest)) if self.names_fit(&path) => Ok((rest, path)),
            Ok(_) => Refusal::new(ParseErrorKind::TooLong, start, "").fail(),
            Err(error) if start.bytes().next().is_some_and(is_path_byte) => {
                let rest = start.get(error.offset()..).unwrap_or_default();
                Refusal::new(ParseErrorKind::InvalidAttribute, rest, "an attribute name").fail()
            }
            Err(_) => Err(Err::Error(Refusal::new(ParseErrorKind::Syntax, start, "an attribute"))),
        }
    }

    /// The name behind the dot that follows a bracket.
    pub(super) fn sub_attribute<'a>(&self, start: &'a str) -> Parsed<'a, &'a str> {
        let len = start.bytes().position(|b| !is_path_byte(b)).unwrap_or(start.len());
        match start.split_at_checked(len) {
            Some((name, _)) if name.len() > self.limits.name_bytes => {
                Refusal::new(ParseErrorKind::TooLong, start, "").fail()
            }
            Some((name, rest)) if is_attribute_name(name) => Ok((rest, name)),
            _ => Refusal::new(ParseErrorKind::InvalidAttribute, start, "the name of a sub-attribute").fail(),
        }
    }

    fn names_fit(&self, path: &AttrPath<'_>) -> bool {
        let most = self.limits.name_bytes;
        path.as_str().len() <= most
            || (path.attribute().len() <= most && path.sub_attribute().is_none_or(|sub| sub.len() <= most))
    }

    fn count<'a>(&self, rest: &'a str) -> Result<(), Err<Refusal<'a>>> {
        let left = self.terms_left.get().checked_sub(1);
        self.terms_left.set(left.ok_or_else(|| Err::Failure(Refusal::new(ParseErrorKind::TooManyTerms, rest, "")))?);
        Ok(())
    }
}
const OPERATOR: &str = "eq, ne, co, sw, ew, gt, ge, lt, le or pr";
const NOT: &str = "`(` behind `not`, or an operator behind an attribute of that name";

fn deeper(nesting: Nesting, rest: &str) -> Result<Nesting, Err<Refusal<'_>>> {
    match nesting.left.checked_sub(1) {
        Some(left) => Ok(Nesting { left, ..nesting }),
        None => Err(Err::Failure(Refusal::new(ParseErrorKind::TooDeep, rest, ""))),
    }
}

#[derive(Clone, Copy)]
enum Connective {
    And,
    Or,
}

/// `SP ("and" / "or") SP`, in any letter case and as whole words.
fn connective(rest: &str) -> Parsed<'_, Connective> {
    let (rest, ()) = spaces1(rest)?;
    let (connective, word) = match rest.bytes().next() {
        Some(b'a' | b'A') => (Connective::And, "and"),
        Some(b'o' | b'O') => (Connective::Or, "or"),
        _ => return Err(Err::Error(Refusal::new(ParseErrorKind::Syntax, rest, "`and` or `or`"))),
    };
    let (found, behind) = rest.split_at_checked(word.len()).unwrap_or((rest, ""));
    if !found.eq_ignore_ascii_case(word) || behind.bytes().next().is_some_and(is_path_byte) {
        return Err(Err::Error(Refusal::new(ParseErrorKind::Syntax, rest, "`and` or `or`")));
    }
    let (rest, ()) = must("a space and another filter", spaces1).parse(behind)?;
    Ok((rest, connective))
}

fn push<'a>(filters: &mut Vec<Filter<'a>>, filter: Filter<'a>) {
    if filters.is_empty() {
        // Most lists are of two, and a vector that grows by itself starts with room for four.
        filters.reserve_exact(2);
    }
    filters.push(filter);
}

fn joined<'a>(mut filters: Vec<Filter<'a>>, last: Filter<'a>, join: fn(Vec<Filter<'a>>) -> Filter<'a>) -> Filter<'a> {
    if filters.is_empty() {
        return last;
    }
    filters.push(last);
    join(filters)
}

/// compareOp, or nothing for `pr`; in any letter case and as a whole word.
fn operator(rest: &str) -> Parsed<'_, Option<CompareOp>> {
    let (word, behind) = rest.split_at_checked(2).unwrap_or((rest, ""));
    let op = match word.as_bytes() {
        // Setting bit 5 lowers a letter, and makes no letter of anything else.
        [a, b] => match &[a | 0x20, b | 0x20] {
            b"eq" => Some(CompareOp::Eq),
            b"ne" => Some(CompareOp::Ne),
            b"co" => Some(CompareOp::Co),
            b"sw" => Some(CompareOp::Sw),
            b"ew" => Some(CompareOp::Ew),
            b"gt" => Some(CompareOp::Gt),
            b"ge" => Some(CompareOp::Ge),
            b"lt" => Some(CompareOp::Lt),
            b"le" => Some(CompareOp::Le),
            b"pr" => None,
            _ => return unknown_operator(rest),
        },
        _ => return unknown_operator(rest),
    };
    if behind.bytes().next().is_some_and(is_path_byte) {
        return unknown_operator(rest);
    }
    Ok((behind, op))
}

#[cold]
fn unknown_operator<T>(rest: &str) -> Parsed<'_, T> {
    let kind = match rest.bytes().next() {
        None | Some(b'"' | b'(' | b')' | b'[' | b']') => ParseErrorKind::Syntax,
        _ => ParseErrorKind::UnknownOperator,
    };
    Refusal::new(kind, rest, OPERATOR).fail()
}

/// The end, behind spaces.
fn end_of_filter(rest: &str) -> Parsed<'_, ()> {
    let touching = rest.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let expected = if touching { "a space" } else { "`and`, `or` or the end" };
    must(expected, (spaces, eof)).map(drop).parse(rest)
}

/// Any number of U+0020; nom's `space0` takes tabs as well.
fn spaces(mut rest: &str) -> Parsed<'_, ()> {
    while let Some(behind) = rest.strip_prefix(' ') {
        rest = behind;
    }
    Ok((rest, ()))
}

fn spaces1(rest: &str) -> Parsed<'_, ()> {
    match rest.strip_prefix(' ') {
        Some(behind) => spaces(behind),
        None => Err(Err::Error(Refusal::new(ParseErrorKind::Syntax, rest, "a space"))),
    }
}

/// Commits: what `parser` refuses is refused for good, with `expected` in the message.
pub(super) fn must<'a, T>(
    expected: &'static str,
    mut parser: impl Parser<&'a str, Output = T, Error = Refusal<'a>>,
) -> impl Parser<&'a str, Output = T, Error = Refusal<'a>> {
    move |rest| {
        parser.parse(rest).map_err(|error| match error {
            Err::Error(refusal) => Err::Failure(Refusal { expected, ..refusal }),
            error => error,
        })
    }
}
