//! The canonical text: lower-case operators, one space between tokens, parentheses only where the tree needs them.

use std::fmt::{self, Write};

use super::{CompareOp, Filter, Literal, Number, Path, Tail};

/// The canonical text. Parsing it gives the same filter back, as long as it is one that text can express: two or more
/// filters in each `And` and `Or`, no value path inside another, finite numbers, no U+0000.
impl fmt::Display for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(filters) => chain(f, " or ", filters, |inner| matches!(inner, Filter::Or(_))),
            Self::And(filters) => chain(f, " and ", filters, |inner| matches!(inner, Filter::Or(_) | Filter::And(_))),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare { path, op, value } => write!(f, "{path} {op} {value}"),
            Self::ValuePath { path, filter, tail } => {
                write!(f, "{path}[{filter}]")?;
                tail.iter().try_for_each(|tail| write!(f, "{tail}"))
            }
        }
    }
}

fn chain(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    filters: &[Filter<'_>],
    in_parentheses: impl Fn(&Filter<'_>) -> bool,
) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        if in_parentheses(filter) {
            write!(f, "({filter})")?;
        } else {
            write!(f, "{filter}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".{} {} {}", self.sub_attribute, self.op, self.value)
    }
}

impl fmt::Display for CompareOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The literal as JSON.
impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => quoted(f, text),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            // `Debug` and not `Display`: it keeps the point in `1.0` and writes `1e300` with an exponent.
            Self::Float(float) => write!(f, "{float:?}"),
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// The canonical text of the path.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attribute)?;
        self.filter.iter().try_for_each(|filter| write!(f, "[{filter}]"))?;
        self.sub_attribute.iter().try_for_each(|sub| write!(f, ".{sub}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_canonical() {
        for (written, canonical) in [
            ("  a   EQ  1 ", "a eq 1"),
            ("((a pr))", "a pr"),
            ("NOT(NOT  (a pr))", "not (not (a pr))"),
            ("a pr and (b pr or c pr) and (d pr and e pr)", "a pr and (b pr or c pr) and (d pr and e pr)"),
            ("(a pr and b pr) or (c pr or d pr)", "a pr and b pr or (c pr or d pr)"),
            ("emails[ (type eq \"work\") ].value Sw \"x\"", "emails[type eq \"work\"].value sw \"x\""),
            ("a eq \"\\u0041\\/\\u000a\\u0007\\ud83d\\ude00\\\"\\\\\"", "a eq \"A/\\n\\u0007😀\\\"\\\\\""),
            ("a eq 1E2 or a eq 1e300 or a eq -0 or a eq 1.50", "a eq 100.0 or a eq 1e300 or a eq 0 or a eq 1.5"),
        ] {
            let filter: Filter<'_> = written.parse().unwrap();
            assert_eq!(filter.to_string(), canonical);
            assert_eq!(canonical.parse::<Filter<'_>>().unwrap(), filter);
        }
    }
}
