//! Attribute paths as clients write them (RFC 7644 §3.10) and the case folding that names and values are compared with.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// An attribute path as written: `[URN ":"] attribute ["." sub-attribute]` (RFC 7644 §3.10).
///
/// The path is kept as the client spelled it. Which attribute it means is decided by
/// [`ResourceType::resolve`](crate::ResourceType::resolve), because only a schema can tell where a URN that contains `:`
/// and `.` ends. Two paths are equal when they differ in ASCII letter case only.
///
/// ```
/// # use scim_provider::AttrPath;
/// let path: AttrPath = "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName".parse()?;
/// assert_eq!(path.schema(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
/// assert_eq!(path.attribute(), "name");
/// assert_eq!(path.sub_attribute(), Some("familyName"));
/// # Ok::<(), scim_provider::AttrPathError>(())
/// ```
#[derive(Clone)]
pub struct AttrPath<'a> {
    text: Cow<'a, str>,
}

impl<'a> AttrPath<'a> {
    /// Reads a path.
    ///
    /// # Errors
    /// When `text` is not an attribute path by the grammar of RFC 7643 §2.1 and RFC 7644 §3.10.
    pub fn parse(text: &'a str) -> Result<Self, AttrPathError> {
        check(text)?;
        Ok(Self { text: Cow::Borrowed(text) })
    }

    /// Reads the path that `text` starts with, up to the first byte that no path holds, and gives what is behind it.
    pub(crate) fn take(text: &'a str) -> Result<(Self, &'a str), AttrPathError> {
        let mut seen = 0;
        let mut len = 0;
        for byte in text.bytes() {
            let class = class(byte);
            if class == 0 {
                break;
            }
            seen |= class;
            len += 1;
        }
        let (path, rest) = text.split_at_checked(len).unwrap_or((text, ""));
        check_run(path, seen)?;
        Ok((Self { text: Cow::Borrowed(path) }, rest))
    }

    /// The whole path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The schema URN in front of the attribute, as far as it can be told without a schema: all before the last `:`.
    pub fn schema(&self) -> Option<&str> {
        self.text.rsplit_once(':').map(|(urn, _)| urn)
    }

    /// The attribute's name.
    pub fn attribute(&self) -> &str {
        let name = self.name();
        name.split_once('.').map_or(name, |(attribute, _)| attribute)
    }

    /// The name of the sub-attribute, when one is given.
    pub fn sub_attribute(&self) -> Option<&str> {
        self.name().split_once('.').map(|(_, sub)| sub)
    }

    /// The same path, owning its text.
    pub fn into_owned(self) -> AttrPath<'static> {
        AttrPath { text: Cow::Owned(self.text.into_owned()) }
    }

    fn name(&self) -> &str {
        self.text.rsplit_once(':').map_or(&self.text, |(_, name)| name)
    }
}

impl FromStr for AttrPath<'static> {
    type Err = AttrPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        AttrPath::parse(text).map(AttrPath::into_owned)
    }
}

impl fmt::Display for AttrPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AttrPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttrPath({})", self.text)
    }
}

impl PartialEq for AttrPath<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for AttrPath<'_> {}

impl Hash for AttrPath<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.text.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

/// Why a text is not an attribute path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an attribute name at offset {offset}")]
pub struct AttrPathError {
    offset: usize,
}

impl AttrPathError {
    /// The byte at which an attribute name was expected.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// Whether `name` is an attribute name: `["$"] ALPHA *("$" / "-" / "_" / DIGIT / ALPHA)` (RFC 7643 §2.1 with EID 8924).
pub fn is_attribute_name(name: &str) -> bool {
    starts_like_a_name(name) && name.bytes().all(|b| class(b) == NAME)
}

fn starts_like_a_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = match bytes.next() {
        Some(b'$') => bytes.next(),
        first => first,
    };
    first.is_some_and(|b| b.is_ascii_alphabetic())
}

fn check(text: &str) -> Result<(), AttrPathError> {
    let seen = text.bytes().map(class).map(|class| if class == 0 { FOREIGN } else { class });
    check_run(text, seen.fold(0, |all, class| all | class))
}

/// Checks a text of which it is known which classes of bytes it holds: most paths are one name, and then only its first
/// byte is left to look at.
fn check_run(text: &str, seen: u8) -> Result<(), AttrPathError> {
    let fail = |offset| Err(AttrPathError { offset });
    if seen & COLON == 0 {
        return match text.split_once('.') {
            None if seen == NAME && starts_like_a_name(text) => Ok(()),
            Some((attribute, _)) if !is_attribute_name(attribute) => fail(0),
            Some((_, sub)) if is_attribute_name(sub) => Ok(()),
            Some((attribute, _)) => fail(attribute.len() + 1),
            None => fail(0),
        };
    }
    // Behind a URN anything that a URN may hold can stand, because a bare schema URI is a path as well: `…:ext:2.0`.
    let (urn, name) = text.rsplit_once(':').unwrap_or(("", text));
    let scheme = urn.split_once(':').map_or(urn, |(scheme, _)| scheme);
    if !is_attribute_name(scheme) || (seen & FOREIGN != 0 && urn.bytes().any(|b| class(b) == 0)) {
        return fail(0);
    }
    if name.is_empty() || name.starts_with('.') || name.ends_with('.') || name.bytes().any(|b| class(b) == 0) {
        return fail(urn.len() + 1);
    }
    Ok(())
}

/// Whether a path can go on with this byte: what tells whole words from the starts of longer ones.
pub(crate) fn is_path_byte(byte: u8) -> bool {
    class(byte) != 0
}

/// What a byte may be part of. Zero: no path holds it.
fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'$' | b'-' | b'_' => NAME,
        b'.' => DOT,
        b':' => COLON,
        b'/' | b'~' | b'%' => URN,
        _ => 0,
    }
}

const NAME: u8 = 1;
const DOT: u8 = 2;
const COLON: u8 = 4;
const URN: u8 = 8;
/// Stands for a byte that no path holds, among the classes of a whole text.
const FOREIGN: u8 = 16;

/// Folds letter case for comparison: what `caseExact: false` means in filters, sorting, uniqueness and stored keys.
///
/// Every character is mapped on its own and without regard to locale, in the manner of Unicode simple case folding: `K`
/// (Kelvin) and `k`, `Σ`, `σ` and `ς` are equal; `ß` and `SS` are not, and the dotless `ı` never equals `i`, so that no
/// user name can be taken over by a look-alike. The text is not normalised. Folding is idempotent. A store that compares in
/// SQL keeps this key in a column of its own and never calls the database's `lower()`.
///
/// ```
/// # use scim_provider::fold;
/// assert_eq!(fold("Ada.LOVELACE@Example.COM"), "ada.lovelace@example.com");
/// assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("οδυσσευς"));
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    Cow::Owned(text.chars().flat_map(fold_char).collect())
}

/// The folded form of one character.
pub(crate) fn fold_char(c: char) -> FoldChar {
    if c.is_ascii() {
        return FoldChar::One(Some(c.to_ascii_lowercase()));
    }
    if c == 'ı' {
        return FoldChar::One(Some(c));
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => FoldChar::Many(single.to_lowercase()),
        _ => FoldChar::Many(c.to_lowercase()),
    }
}

/// The characters that one character folds to.
#[derive(Clone, Debug)]
pub(crate) enum FoldChar {
    One(Option<char>),
    Many(std::char::ToLowercase),
}

impl Iterator for FoldChar {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::One(c) => c.take(),
            Self::Many(chars) => chars.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_falls_into_schema_attribute_and_sub_attribute() {
        let path = AttrPath::parse("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value").unwrap();
        assert_eq!(path.schema(), Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"));
        assert_eq!((path.attribute(), path.sub_attribute()), ("manager", Some("value")));
        let path = AttrPath::parse("members.$ref").unwrap();
        assert_eq!((path.schema(), path.attribute(), path.sub_attribute()), (None, "members", Some("$ref")));
    }

    #[test]
    fn what_is_no_path_is_refused_at_its_offset() {
        for (text, offset) in [
            ("", 0),
            (".", 0),
            (".name", 0),
            ("name.", 5),
            ("name..givenName", 5),
            ("a.b.c", 2),
            ("1abc", 0),
            ("_x", 0),
            ("emails/0", 0),
            (":userName", 0),
            ("urn:", 4),
            ("user Name", 0),
            ("😀", 0),
        ] {
            assert_eq!(AttrPath::parse(text).map_err(|e| e.offset()).unwrap_err(), offset, "{text}");
        }
    }

    #[test]
    fn a_path_is_taken_from_the_front_of_a_text() {
        for (text, path, rest) in [
            ("userName eq 1", "userName", " eq 1"),
            ("name.givenName", "name.givenName", ""),
            ("emails[type pr]", "emails", "[type pr]"),
            ("urn:example:2.0:User:a.$ref=", "urn:example:2.0:User:a.$ref", "="),
            ("a😀", "a", "😀"),
        ] {
            let (taken, behind) = AttrPath::take(text).unwrap();
            assert_eq!((taken.as_str(), behind), (path, rest));
        }
        for (text, offset) in
            [("", 0), (" a", 0), ("emails/0", 0), ("a.b.c pr", 2), ("a. pr", 2), ("urn: x", 4), ("$", 0)]
        {
            assert_eq!(AttrPath::take(text).unwrap_err().offset(), offset, "{text}");
        }
    }

    #[test]
    fn folding_every_character_twice_changes_nothing() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            let once: String = fold_char(c).collect();
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    #[test]
    fn look_alikes_fold_only_where_unicode_says_so() {
        assert_eq!(fold("\u{212A}elvin"), "kelvin");
        assert_eq!(fold("ſ"), "s");
        assert_ne!(fold("adm\u{131}n"), fold("ADMIN"));
        assert_ne!(fold("straße"), fold("STRASSE"));
        assert_eq!(fold("JOSÉ MUÑOZ"), fold("José Muñoz"));
    }
}
