//! Versions and entity tags (RFC 7644 §3.14, RFC 9110 §8.8.3). Quoting happens here and nowhere else.

use std::fmt;

/// The version of a resource, as the store counts it: any short text without quotes. Two states of a resource never share one.
///
/// On the wire it is the weak entity tag `W/"…"`, in `meta.version` as in the header `ETag`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// A version; characters that an entity tag cannot hold are left out.
    pub fn new(version: &str) -> Self {
        Self(version.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect())
    }

    /// The version as the store counts it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The entity tag: `W/"…"`.
    pub fn to_etag(&self) -> String {
        format!("W/\"{}\"", self.0)
    }

    /// Reads an entity tag, weak or strong. A tag without quotes is taken as it is, as some clients send it.
    pub fn from_etag(tag: &str) -> Option<Self> {
        let tag = tag.trim();
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        let opaque = match opaque.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => opaque,
        };
        (opaque.bytes().all(|b| b.is_ascii_graphic() && b != b'"')).then(|| Self(opaque.into()))
    }
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
    fn lists_are_read_to_their_limit() {
        let tags = Tags::parse(r#"W/"1", "a,b" ,3"#, 16).unwrap();
        assert!(tags.contains(&Version::new("a,b")) && tags.contains(&Version::from(3)));
        assert!(!tags.contains(&Version::from(2)));
        assert_eq!(Tags::parse("*", 1), Some(Tags::Any));
        assert_eq!(Tags::parse("\"1\",\"2\"", 1), None);
        assert_eq!(Tags::parse("", 4), None);
    }
}
