//! Versions and entity tags (RFC 7644 §3.14, RFC 9110 §8.8.3). Quoting happens here and nowhere else.

use std::fmt;

use crate::percent::{decoded_text, encoded};

/// The version of a resource, as the store counts it: any short text. Two states of a resource never share one.
///
/// On the wire it is the weak entity tag `W/"…"`, in `meta.version` as in the header `ETag`. What such a tag cannot hold is
/// written as `%XX` there and read back, so that the store meets the text it gave.
///
/// ```
/// # use scim_provider::Version;
/// let version = Version::new("2026-01-31 09:00:00+00");
/// assert_eq!(version.to_etag(), "W/\"2026-01-31%2009:00:00+00\"");
/// assert_eq!(Version::from_etag(&version.to_etag()), Some(version));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// A version; it is kept as it is.
    pub fn new(version: &str) -> Self {
        Self(version.into())
    }

    /// The version as the store counts it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The entity tag: `W/"…"`.
    pub fn to_etag(&self) -> String {
        let mut tag = String::with_capacity(self.0.len() + 4);
        tag.push_str("W/\"");
        tag.extend(encoded(self.0.as_bytes(), stands_for_itself).map(char::from));
        tag.push('"');
        tag
    }

    /// Reads an entity tag, weak or strong. A tag without quotes is taken as it is, as some clients send it.
    pub fn from_etag(tag: &str) -> Option<Self> {
        let tag = tag.trim();
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        let opaque = match opaque.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => opaque,
        };
        // a tag that was not made here may hold a `%` of its own
        let version = || decoded_text(opaque).map_or_else(|| opaque.into(), String::into_boxed_str);
        (opaque.bytes().all(|b| b.is_ascii_graphic() && b != b'"')).then(|| Self(version()))
    }
}

/// Whether a byte of a version is written into its entity tag as it is.
fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'%')
}

impl From<u64> for Version {
    fn from(count: u64) -> Self {
        Self(count.to_string().into())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tags of `If-Match` or `If-None-Match`: a list, or any version at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`
    Any,
    List(Vec<Version>),
}

impl Tags {
    /// Reads the header's value. `None` when it is malformed or lists more than `most` tags.
    pub(crate) fn parse(header: &str, most: usize) -> Option<Self> {
        if header.trim() == "*" {
            return Some(Self::Any);
        }
        let tags = split(header).map(Version::from_etag).take(most + 1).collect::<Option<Vec<_>>>()?;
        (!tags.is_empty() && tags.len() <= most).then_some(Self::List(tags))
    }

    /// Whether the version is one of them. SCIM's own examples use weak tags with `If-Match`: comparison is weak.
    pub(crate) fn contains(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.contains(version),
        }
    }
}

/// The members of a comma-separated list; a comma inside quotes does not separate.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .filter(|tag| !tag.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_survives_the_way_through_an_etag() {
        let version = Version::from(42);
        assert_eq!(version.to_etag(), "W/\"42\"");
        assert_eq!(Version::from_etag(&version.to_etag()), Some(version.clone()));
        assert_eq!(Version::from_etag("\"42\""), Some(version));
        assert_eq!(Version::from_etag("\"4"), None);
    }

    #[test]
    fn what_a_host_counts_by_comes_back_as_it_is() {
        let texts = ["2026-01-31 09:00:00+00", "é\"\\", "%20", "50%", "", "a,b", "\u{0}\n", "W/\"1\"", "\u{1F600}"];
        let tags: Vec<_> = texts.iter().map(|text| Version::new(text).to_etag()).collect();
        for (text, tag) in texts.iter().zip(&tags) {
            assert!(tag.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'), "{tag}");
            let back = Tags::parse(tag, 1).unwrap();
            assert_eq!(back, Tags::List(vec![Version::new(text)]), "{tag}");
            assert_eq!(Version::new(text).as_str(), *text);
        }
        let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
        assert_eq!(distinct.len(), texts.len());
    }

    #[test]
    fn lists_are_read_to_their_limit() {
        let tags = Tags::parse(r#"W/"1", "a,b" ,3"#, 16).unwrap();
        assert!(tags.contains(&Version::new("a,b")) && tags.contains(&Version::from(3)));
        assert!(!tags.contains(&Version::from(2)));
        assert_eq!(Tags::parse("*", 1), Some(Tags::Any));
        assert_eq!(Tags::parse("\"1\",\"2\"", 1), None);
        assert_eq!(Tags::parse("", 4), None);
    }
}
