//! The path of a PATCH operation.

use std::borrow::Cow;

use nom::branch::alt;
use nom::character::complete::char;
use nom::combinator::eof;
use nom::sequence::{preceded, terminated};
use nom::{Err, Parser};

use super::parse::{Grammar, must};
use super::{Filter, ParseError, ParseErrorKind};
use crate::{AttrPath, Limits};

/// The path of a PATCH operation (RFC 7644 §3.5.2): `attrPath / valuePath ["." subAttr]`.
///
/// ```
/// # use scim_provider::{Limits, filter::Path};
/// let path = Path::parse(r#"addresses[type eq "work"].streetAddress"#, &Limits::default())?;
/// assert_eq!(path.attribute.as_str(), "addresses");
/// assert_eq!(path.filter.unwrap().to_string(), r#"type eq "work""#);
/// assert_eq!(path.sub_attribute.as_deref(), Some("streetAddress"));
/// # Ok::<(), scim_provider::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Path<'a> {
    /// The attribute; without a filter the whole path with its sub-attribute, or the bare URI of an extension.
    pub attribute: AttrPath<'a>,
    /// Which values of the attribute are meant.
    pub filter: Option<Filter<'a>>,
    /// The sub-attribute behind the filter's bracket.
    pub sub_attribute: Option<Cow<'a, str>>,
}

impl<'a> Path<'a> {
    /// Reads a path. The text outside of the brackets may be as long as [`Limits::path_bytes`], the filter in them as long as
    /// [`Limits::filter_bytes`].
    ///
    /// # Errors
    /// When `input` is no path, or goes beyond the limits. [`ParseError::in_filter`] tells whether the path or the filter in
    /// it is wrong.
    pub fn parse(input: &'a str, limits: &Limits) -> Result<Self, ParseError> {
        let too_long = |most: usize, offset, in_filter| {
            let expected = format!("at most {most} bytes");
            Err(ParseError::new(ParseErrorKind::TooLong, input, offset, expected, in_filter))
        };
        let most = limits.path_bytes.saturating_add(limits.filter_bytes);
        if input.len() > most {
            return too_long(most, most, false);
        }
        let grammar = Grammar::of_path(limits);
        let in_path = |error| grammar.error(input, error, false);

        let attribute = |rest| grammar.attribute(rest);
        let (rest, attribute) = must("an attribute", attribute).parse(input).map_err(in_path)?;
        let (behind, filter) = if rest.starts_with('[') {
            let in_filter = |error: Err<_>| grammar.error(input, error, true);
            grammar.brackets(grammar.outermost(), rest).map(|(rest, filter)| (rest, Some(filter))).map_err(in_filter)?
        } else {
            (rest, None)
        };
        let in_brackets = rest.len() - behind.len();
        if in_brackets > limits.filter_bytes.saturating_add("[]".len()) {
            return too_long(limits.filter_bytes, input.len() - rest.len(), true);
        }
        if input.len() - in_brackets > limits.path_bytes {
            return too_long(limits.path_bytes, limits.path_bytes, false);
        }
        let end = |rest| eof.map(|_| None).parse(rest);
        let sub_attribute = |rest| terminated(preceded(char('.'), |rest| grammar.sub_attribute(rest)), eof).parse(rest);
        let sub_attribute = match filter {
            Some(_) => must("`.` and a sub-attribute, or the end", alt((sub_attribute.map(Some), end))).parse(behind),
            None => must("`[` or the end", end).parse(behind),
        };
        let sub_attribute = sub_attribute.map_err(in_path)?.1.map(Cow::Borrowed);
        Ok(Self { attribute, filter, sub_attribute })
    }

    /// The same path, owning all of its text.
    pub fn into_owned(self) -> Path<'static> {
        Path {
            attribute: self.attribute.into_owned(),
            filter: self.filter.map(Filter::into_owned),
            sub_attribute: self.sub_attribute.map(|sub| Cow::Owned(sub.into_owned())),
        }
    }
}
