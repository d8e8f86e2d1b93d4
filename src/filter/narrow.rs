//! A filter on resources of several types, as it is for one of them (RFC 7644 §3.4.2.1): attributes that the type lacks have no
//! value, and what is said of the type itself is decided.

use super::ast::{CompareOp, Filter, Literal};
use super::bind::BindErrorKind;
use super::operand::{Test, Text};
use crate::Compat;
use crate::resource::scan::write_string;
use crate::schema::ResourceType;

/// What is left of a filter for one resource type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Narrowed<'a> {
    /// all resources of the type match
    All,
    /// none does
    Nothing,
    Filter(Filter<'a>),
}

impl<'a> Filter<'a> {
    /// The filter for a type. An attribute that no type has is as good as one that only others have: it has no value.
    pub(crate) fn narrowed(&self, ty: &ResourceType, compat: Compat) -> Narrowed<'a> {
        match self {
            Self::And(terms) => join(terms, ty, compat, true),
            Self::Or(terms) => join(terms, ty, compat, false),
            Self::Not(inner) => match inner.narrowed(ty, compat) {
                Narrowed::All => Narrowed::Nothing,
                Narrowed::Nothing => Narrowed::All,
                Narrowed::Filter(inner) => Narrowed::Filter(Filter::Not(Box::new(inner))),
            },
            leaf => {
                if let Some(holds) = leaf.of_the_type(ty) {
                    return constant(holds);
                }
                match leaf.bind(ty, compat) {
                    Err(error) if error.kind() == BindErrorKind::UnknownAttribute => constant(leaf.holds_of_nothing()),
                    // what else is wrong with it is said when all of the filter is bound
                    _ => Narrowed::Filter(leaf.clone()),
                }
            }
        }
    }

    /// What a comparison with `meta.resourceType` comes to.
    fn of_the_type(&self, ty: &ResourceType) -> Option<bool> {
        match self {
            Self::Compare { path, op, value: Literal::String(text) }
                if path.as_str().eq_ignore_ascii_case("meta.resourceType") =>
            {
                let mut name = Vec::new();
                write_string(&mut name, ty.name());
                Some(Test::Text(*op, Text::new(text, true)).holds(&name))
            }
            _ => None,
        }
    }

    /// What a comparison comes to where there is no value at all.
    fn holds_of_nothing(&self) -> bool {
        match self {
            Self::Compare { op, value: Literal::Null, .. } => *op == CompareOp::Eq,
            Self::Compare { op, .. } => *op == CompareOp::Ne,
            _ => false,
        }
    }
}

fn join<'a>(terms: &[Filter<'a>], ty: &ResourceType, compat: Compat, all: bool) -> Narrowed<'a> {
    let mut left = Vec::new();
    let mut decided = false;
    for term in terms {
        match term.narrowed(ty, compat) {
            Narrowed::All => decided |= !all,
            Narrowed::Nothing => decided |= all,
            Narrowed::Filter(term) => left.push(term),
        }
    }
    match (decided, left.len()) {
        (true, _) => constant(!all),
        (false, 0) => constant(all),
        (false, 1) => left.pop().map_or(constant(all), Narrowed::Filter),
        (false, _) if all => Narrowed::Filter(Filter::And(left)),
        (false, _) => Narrowed::Filter(Filter::Or(left)),
    }
}

fn constant<'a>(holds: bool) -> Narrowed<'a> {
    if holds { Narrowed::All } else { Narrowed::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Group;

    fn narrowed(text: &str) -> String {
        let ty = Group::resource_type().build().unwrap();
        let filter: Filter<'_> = text.parse().unwrap();
        match filter.narrowed(&ty, Compat::default()) {
            Narrowed::All => "all".to_owned(),
            Narrowed::Nothing => "nothing".to_owned(),
            Narrowed::Filter(filter) => filter.to_string(),
        }
    }

    #[test]
    fn what_a_type_lacks_has_no_value() {
        for (text, expected) in [
            ("userName pr", "nothing"),
            ("userName eq \"a\"", "nothing"),
            ("userName ne \"a\"", "all"),
            ("userName eq null", "all"),
            ("not (userName pr)", "all"),
            ("emails[type eq \"work\"]", "nothing"),
            ("userName pr or displayName pr", "displayName pr"),
            ("userName pr and displayName pr", "nothing"),
            ("not (userName pr) and displayName pr and id pr", "displayName pr and id pr"),
        ] {
            assert_eq!(narrowed(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_said_of_the_type_is_decided() {
        for (text, expected) in [
            ("meta.resourceType eq \"Group\"", "all"),
            ("meta.resourceType eq \"group\"", "nothing"),
            ("META.RESOURCETYPE ne \"User\"", "all"),
            ("meta.resourceType sw \"Gr\" and displayName pr", "displayName pr"),
            ("(meta.resourceType eq \"User\") or (meta.resourceType eq \"Group\")", "all"),
        ] {
            assert_eq!(narrowed(text), expected, "{text}");
        }
    }

    #[test]
    fn other_mistakes_are_left_to_be_found() {
        assert_eq!(narrowed("displayName eq 1"), "displayName eq 1");
    }
}
