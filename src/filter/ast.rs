//! The filter as it was written, before any schema has been asked what its paths mean.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::AttrPath;

/// A filter expression (RFC 7644 §3.4.2.2).
///
/// [`Filter::parse`] and [`FromStr`](std::str::FromStr) read it, [`Display`](std::fmt::Display) writes its canonical text,
/// and what was written is read back as the same filter. The enum is exhaustive on purpose: a host that translates filters
/// wants the compiler to name the case that it forgot.
///
/// ```
/// # use scim_provider::{CompareOp, Filter, Literal};
/// let filter: Filter = r#"userName SW "J" and not(title pr)"#.parse()?;
/// assert_eq!(filter.to_string(), r#"userName sw "J" and not (title pr)"#);
/// let Filter::And(terms) = filter else { panic!("two terms") };
/// assert!(matches!(&terms[0], Filter::Compare { op: CompareOp::Sw, value: Literal::String(j), .. } if j == "J"));
/// # Ok::<(), scim_provider::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<'a> {
    /// At least one holds. Two or more filters; `or` binds weaker than `and`.
    Or(Vec<Filter<'a>>),
    /// All hold. Two or more filters.
    And(Vec<Filter<'a>>),
    /// The filter does not hold.
    Not(Box<Filter<'a>>),
    /// `title pr`: the attribute has a value that is not empty.
    Present(AttrPath<'a>),
    /// `userName eq "bjensen"`.
    Compare {
        /// The attribute.
        path: AttrPath<'a>,
        /// How it is compared.
        op: CompareOp,
        /// What it is compared with.
        value: Literal<'a>,
    },
    /// `emails[type eq "work"]`: one and the same value of the attribute satisfies the filter.
    ValuePath {
        /// The attribute whose values are looked at.
        path: AttrPath<'a>,
        /// What one value has to satisfy. Its paths are sub-attributes; it holds no further value path.
        filter: Box<Filter<'a>>,
        /// The comparison behind the bracket in `emails[type eq "work"].value eq "x"`: outside the grammar of the RFC, and
        /// sent by Entra ID.
        tail: Option<Box<Tail<'a>>>,
    },
}

impl Filter<'_> {
    /// The same filter, owning all of its text.
    pub fn into_owned(self) -> Filter<'static> {
        let all = |filters: Vec<Filter<'_>>| filters.into_iter().map(Filter::into_owned).collect();
        match self {
            Self::Or(filters) => Filter::Or(all(filters)),
            Self::And(filters) => Filter::And(all(filters)),
            Self::Not(filter) => Filter::Not(Box::new(filter.into_owned())),
            Self::Present(path) => Filter::Present(path.into_owned()),
            Self::Compare { path, op, value } => {
                Filter::Compare { path: path.into_owned(), op, value: value.into_owned() }
            }
            Self::ValuePath { path, filter, tail } => Filter::ValuePath {
                path: path.into_owned(),
                filter: Box::new(filter.into_owned()),
                tail: tail.map(|tail| Box::new(tail.into_owned())),
            },
        }
    }
}

/// What stands behind the bracket of a value path in a filter: `.value eq "x"`.
///
/// It holds when the comparison is true of the sub-attribute of a value that the bracket selects.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail<'a> {
    /// The sub-attribute behind the dot.
    pub sub_attribute: Cow<'a, str>,
    /// How it is compared.
    pub op: CompareOp,
    /// What it is compared with.
    pub value: Literal<'a>,
}

impl Tail<'_> {
    /// The same comparison, owning all of its text.
    pub fn into_owned(self) -> Tail<'static> {
        Tail { sub_attribute: Cow::Owned(self.sub_attribute.into_owned()), op: self.op, value: self.value.into_owned() }
    }
}

/// A comparison operator of RFC 7644 table 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `eq`: equal.
    Eq,
    /// `ne`: not equal.
    Ne,
    /// `co`: the value contains the operand.
    Co,
    /// `sw`: the value starts with the operand.
    Sw,
    /// `ew`: the value ends with the operand.
    Ew,
    /// `gt`: greater than.
    Gt,
    /// `ge`: greater than or equal to.
    Ge,
    /// `lt`: less than.
    Lt,
    /// `le`: less than or equal to.
    Le,
}

impl CompareOp {
    /// The operator as the RFC spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

/// The operand of a comparison: a JSON value that is neither an object nor an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal<'a> {
    /// `null`, which means the attribute has no value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string with its escapes resolved. It never holds U+0000 when it was parsed.
    String(Cow<'a, str>),
    /// A word without quotes, which the grammar of RFC 7644 does not have: a text where
    /// [`Leniency::BareWord`](crate::Leniency::BareWord) is accepted.
    Word(Cow<'a, str>),
}

impl Literal<'_> {
    /// The same literal, owning its text.
    pub fn into_owned(self) -> Literal<'static> {
        match self {
            Self::Null => Literal::Null,
            Self::Bool(value) => Literal::Bool(value),
            Self::Number(number) => Literal::Number(number),
            Self::String(text) => Literal::String(Cow::Owned(text.into_owned())),
            Self::Word(word) => Literal::Word(Cow::Owned(word.into_owned())),
        }
    }
}

/// A JSON number. Equality and order are numeric and exact: `1` equals `1.0`.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A number written without fraction and exponent, as long as 64 bits hold it.
    Int(i64),
    /// Every other number. It is finite when it was parsed.
    Float(f64),
}

impl Number {
    /// Reads a number in the grammar of RFC 8259 §6; nothing for other text and for what exceeds the range of a float.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (int, mut rest) = unsigned.split_at_checked(digits(unsigned))?;
        if int.is_empty() || (int.len() > 1 && int.starts_with('0')) {
            return None;
        }
        if rest.is_empty()
            && let Ok(int) = text.parse()
        {
            return Some(Self::Int(int));
        }
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.get(digits(fraction)..).filter(|rest| rest.len() < fraction.len())?;
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            rest = exponent.get(digits(exponent)..).filter(|rest| rest.len() < exponent.len())?;
        }
        let float: f64 = text.parse().ok()?;
        (rest.is_empty() && float.is_finite()).then_some(Self::Float(float))
    }

    /// The nearest float.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => compare(a, b),
            (Self::Float(a), Self::Int(b)) => compare(b, a).map(Ordering::reverse),
        }
    }
}

/// Compares without rounding the integer: a float has too few digits for the large ones.
fn compare(int: i64, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    Some(int.cmp(&(whole as i64)).then_with(|| whole.total_cmp(&float)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_grammar_of_json() {
        for (text, number) in [
            ("0", Number::Int(0)),
            ("-5", Number::Int(-5)),
            ("9223372036854775807", Number::Int(i64::MAX)),
            ("9223372036854775808", Number::Float(9_223_372_036_854_775_808.0)),
            ("1.5", Number::Float(1.5)),
            ("-0.0", Number::Float(0.0)),
            ("1e3", Number::Float(1000.0)),
            ("1E+3", Number::Float(1000.0)),
            ("25e-1", Number::Float(2.5)),
        ] {
            assert_eq!(Number::parse(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "+5",
            ".5",
            "1.",
            "01",
            "-01",
            "1e",
            "1e+",
            "1.e3",
            "0x10",
            "NaN",
            "Infinity",
            "1_0",
            "1e999999999",
            "1,5",
            "123abc",
            " 1",
            "1 ",
            "--1",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_value_and_exactly() {
        assert_eq!(Number::Int(1), Number::Float(1.0));
        assert!(Number::Int(1) < Number::Float(1.5));
        assert!(Number::Int(-1) > Number::Float(-1.5));
        assert!(Number::Float(-0.5) < Number::Int(0));
        assert!(Number::Int(i64::MAX) < Number::Float(9_223_372_036_854_775_808.0));
        assert_eq!(Number::Int(i64::MIN), Number::Float(-9_223_372_036_854_775_808.0));
        assert_ne!(Number::Int(9_007_199_254_740_993), Number::Float(9_007_199_254_740_992.0));
        assert!(Number::Int(0).partial_cmp(&Number::Float(f64::NAN)).is_none());
        assert!(Number::Int(0) < Number::Float(f64::INFINITY));
    }
}
