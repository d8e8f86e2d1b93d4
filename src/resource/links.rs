//! Where resources are found: URLs made from ids, and read back (RFC 7643 §2.3.7, §2.4).

use crate::percent::{decoded_text, encoded, is_unreserved};

/// The base URL and the endpoints of the resource types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    base: String,
    endpoints: Vec<(String, String)>,
}

impl Links {
    /// `base` has no slash at its end.
    pub(crate) fn new(base: String, endpoints: Vec<(String, String)>) -> Self {
        Self { base, endpoints }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The URL of a resource.
    pub(crate) fn location(&self, endpoint: &str, id: &str) -> String {
        let mut url = Vec::with_capacity(self.base.len() + endpoint.len() + id.len() + 1);
        self.write_url(&mut url, endpoint, id.as_bytes());
        String::from_utf8(url).unwrap_or_default()
    }

    pub(super) fn write_url(&self, out: &mut Vec<u8>, endpoint: &str, id: &[u8]) {
        out.extend_from_slice(self.base.as_bytes());
        out.extend_from_slice(endpoint.as_bytes());
        out.push(b'/');
        // nearly all ids, of which an answer may have a million
        if id.iter().all(|byte| stands_for_itself(*byte)) {
            out.extend_from_slice(id);
        } else {
            out.extend(encoded(id, stands_for_itself));
        }
    }

    pub(super) fn endpoint(&self, type_name: &[u8]) -> Option<&str> {
        let found = self.endpoints.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(type_name));
        found.map(|(_, endpoint)| endpoint.as_str())
    }

    /// The resource that a URL leads to: the name of its type, and its id. `None` for what is not below the base URL, but for a
    /// path such as `/Users/26`, which clients mean to begin there.
    ///
    /// A relative reference is resolved against the service provider's root, whatever the request's own URL was (RFC 7643
    /// §2.3.7); the first `..` may also stand for the endpoint of the request, as it does in the RFC's examples. A version in
    /// the path makes no difference (§2.4).
    pub(crate) fn target(&self, url: &str) -> Option<(&str, String)> {
        let (ours, base) = split(&self.base);
        let (theirs, path) = split(url);
        if path.contains(['?', '#']) || theirs.is_some_and(|theirs| ours.map(normal) != Some(normal(theirs))) {
            return None;
        }
        let root: Vec<String> = base.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        if theirs.is_some() || path.starts_with('/') {
            return self.at(resolved(&[], path)?, &root, theirs.is_none());
        }
        let beside = || self.at(resolved(&root, path.strip_prefix("../")?)?, &root, false);
        self.at(resolved(&root, path)?, &root, false).or_else(beside)
    }

    fn at(&self, mut steps: Vec<String>, root: &[String], may_be_short: bool) -> Option<(&str, String)> {
        let (id, endpoint) = (steps.pop()?, steps.pop()?);
        let ours = unversioned(&steps) == unversioned(root) || may_be_short && steps.is_empty();
        let known = |known: &str| known.trim_start_matches('/').eq_ignore_ascii_case(&endpoint);
        let (name, _) = self.endpoints.iter().find(|(_, endpoint)| ours && known(endpoint))?;
        Some((name, id))
    }
}

/// The steps of a path from a root (RFC 3986 §5.2.4), decoded.
fn resolved(root: &[String], path: &str) -> Option<Vec<String>> {
    let mut steps = root.to_vec();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(decoded(step)?),
        }
    }
    Some(steps)
}

/// A path without the version at its end: `v2`, as RFC 7644 §3.13 has it.
fn unversioned(steps: &[String]) -> &[String] {
    let is_version = |step: &str| {
        let digits = step.strip_prefix(['v', 'V']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    steps.split_last().filter(|(last, _)| is_version(last)).map_or(steps, |(_, rest)| rest)
}

/// Scheme and authority, and the path.
fn split(url: &str) -> (Option<&str>, &str) {
    let Some((scheme, rest)) = url.split_once("://") else {
        // without an authority a scheme is one of something else: `urn:…`
        let first = url.split('/').next().unwrap_or_default();
        return if first.contains(':') { (Some(url), "") } else { (None, url) };
    };
    let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (origin, path) = url.split_at_checked(scheme.len() + 3 + length).unwrap_or((url, ""));
    (Some(origin), path)
}

/// Scheme and authority in lower case and without the port that the scheme has anyway (RFC 3986 §6.2).
fn normal(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let usual = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(usual).or_else(|| origin.strip_suffix(':')).unwrap_or(&origin).to_owned()
}

/// A step of a path without `%XX`.
fn decoded(step: &str) -> Option<String> {
    decoded_text(step).filter(|text| !text.contains(char::is_control))
}

/// Whether a byte is written into a path as it is.
fn stands_for_itself(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'@' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        let endpoints = [("User", "/Users"), ("Group", "/Groups")];
        let endpoints = endpoints.map(|(name, endpoint)| (name.to_owned(), endpoint.to_owned()));
        Links::new("https://x.example/scim/v2".to_owned(), endpoints.into())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let links = links();
        for id in ["26", "a b", "é/..", "%41", "a:b@c", "~"] {
            assert_eq!(links.target(&links.location("/Users", id)), Some(("User", id.to_owned())), "{id}");
        }
    }

    #[test]
    fn the_root_decides_and_neither_version_nor_request() {
        for url in ["/Groups/1", "Groups/1", "../Groups/1", "./Groups/1", "../../v2/Groups/1", "../../v1/groups/1"] {
            assert_eq!(links().target(url), Some(("Group", "1".to_owned())), "{url}");
        }
        for url in [
            "",
            "1",
            "/1",
            "Others/1",
            "x/Users/1",
            "../../../../Users/1",
            "../Users/1?x",
            "../Users/%00",
            "/scim/v2/Users/%4",
        ] {
            assert_eq!(links().target(url), None, "{url}");
        }
    }
}
