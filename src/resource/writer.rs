//! One resource on its way into an answer, with references that come row by row.

use super::links::Links;
use super::write::Writer;
use super::{Projection, Reference, Resource};
use crate::etag::Tags;
use crate::schema::table::{AttrId, Relation};
use crate::{AttrPath, Compat};

/// Where a store puts the resource that is asked for: [`Store::show`](crate::Store::show) is given one.
///
/// A whole resource goes in by [`resource`](Self::resource). One with very many references, such as a group with its
/// members, goes in as its document, by [`begin`](Self::begin), and then reference by reference, as the rows come: they are
/// written into the answer at once and held nowhere else.
#[derive(Debug)]
pub struct ResourceWriter<'w> {
    projection: &'w Projection,
    links: &'w Links,
    known: Known<'w>,
    shown: Option<Shown>,
    body: Vec<u8>,
}

/// What the client says about the version.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'w> {
    pub(crate) if_match: Option<&'w Tags>,
    pub(crate) if_none_match: Option<&'w Tags>,
}

/// A resource that is being written.
#[derive(Debug)]
struct Shown {
    resource: Resource,
    /// the attribute that takes references, and how many entries of the directory stand before it
    open: Option<(AttrId, usize)>,
    /// whether it has taken any
    some: bool,
}

impl<'w> ResourceWriter<'w> {
    pub(crate) fn new(projection: &'w Projection, links: &'w Links, known: Known<'w>) -> Self {
        Self { projection, links, known, shown: None, body: Vec::new() }
    }

    /// What is wanted of the resource.
    pub fn projection(&self) -> &'w Projection {
        self.projection
    }

    /// Writes a whole resource.
    pub fn resource(&mut self, resource: &Resource) {
        self.body.clear();
        self.body.reserve(resource.as_json().len() + self.links.base().len() + 128);
        resource.write(&mut self.body, self.projection, Some(self.links));
        self.shown = Some(Shown { resource: resource.clone(), open: None, some: false });
    }

    /// Begins a resource whose references at `path`, such as `members`, follow by [`reference`](Self::reference). `document`
    /// is [stamped](Resource::stamped) and holds none of them.
    ///
    /// `false` when they need not be read: nobody asked for them, or the client knows this version, or asked for another.
    pub fn begin(&mut self, document: &Resource, path: &str) -> bool {
        let ty = document.resource_type();
        let found = AttrPath::parse(path).ok().and_then(|p| ty.find(&p, Compat::strict())).map(|(id, _)| id);
        let wanted = found.filter(|id| {
            matches!(ty.node(*id).relation(), Relation::Many | Relation::Derived)
                && self.projection.wants(*id)
                && document.value(*id).is_none()
                && !self.known.decides(document)
        });
        let Some(id) = wanted else {
            self.resource(document);
            return false;
        };
        let before = document.document().entries().position(|entry| entry.id > id);
        let before = before.unwrap_or(document.document().entries().len());
        self.body.clear();
        self.body.push(b'{');
        let mut writer = Writer::new(document, self.projection, Some(self.links), &mut self.body, 1);
        writer.entries(0..before);
        writer.flush();
        self.shown = Some(Shown { resource: document.clone(), open: Some((id, before)), some: false });
        true
    }

    /// Writes a reference to the resource with this id, with `type` and `display` where they are known. Ignored where
    /// nothing was [begun](Self::begin).
    pub fn reference(&mut self, id: &str, kind: Option<&str>, display: Option<&str>) {
        let Some(Shown { resource, open: Some((attribute, _)), some }) = &mut self.shown else { return };
        let node = resource.resource_type().node(*attribute);
        let end = self.body.len();
        if !*some {
            if end > 1 {
                self.body.push(b',');
            }
            self.body.extend_from_slice(node.key().as_bytes());
            self.body.push(b'[');
        } else {
            self.body.push(b',');
        }
        let keep = self.projection.keep(*attribute);
        let element = Reference::to(id, kind, display);
        let mut writer = Writer::new(resource, self.projection, Some(self.links), &mut self.body, 1);
        match writer.object(node, element.as_json(), keep) {
            true => *some = true,
            false => self.body.truncate(end),
        }
    }

    /// The resource and the body, once the store has shown one.
    pub(crate) fn finish(mut self) -> Option<(Resource, Vec<u8>)> {
        let Shown { resource, open, some } = self.shown?;
        if let Some((_, before)) = open {
            if some {
                self.body.push(b']');
            }
            let after = before..resource.document().entries().len();
            let mut writer = Writer::new(&resource, self.projection, Some(self.links), &mut self.body, 1);
            writer.entries(after);
            writer.flush();
            self.body.push(b'}');
        }
        Some((resource, self.body))
    }
}

impl Known<'_> {
    /// Whether the version alone decides on the answer.
    fn decides(self, resource: &Resource) -> bool {
        let Some(version) = resource.version() else { return false };
        self.if_match.is_some_and(|tags| !tags.contains(&version))
            || self.if_none_match.is_some_and(|tags| tags.contains(&version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnterpriseUser, Extension, Group, ResourceType, User};

    fn links() -> Links {
        let endpoints = [("User", "/Users"), ("Group", "/Groups")];
        let endpoints = endpoints.map(|(name, endpoint)| (name.to_owned(), endpoint.to_owned()));
        Links::new("https://example.com".to_owned(), endpoints.into())
    }

    fn document(ty: &ResourceType, json: &str) -> Resource {
        Resource::from_stored(ty, json).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Shown row by row, and joined before.
    fn both(document: &Resource, path: &str, rows: &[(&str, Option<&str>)], projection: &Projection) -> [String; 2] {
        let links = links();
        let mut writer = ResourceWriter::new(projection, &links, Known::default());
        if writer.begin(document, path) {
            rows.iter().for_each(|(id, kind)| writer.reference(id, *kind, None));
        }
        let (_, streamed) = writer.finish().unwrap_or_else(|| panic!("nothing was shown"));
        let references: Vec<_> = rows.iter().map(|(id, kind)| Reference::to(id, *kind, None)).collect();
        let mut joined = Vec::new();
        document.with_references(path, &references).write(&mut joined, projection, Some(&links));
        [streamed, joined].map(|body| String::from_utf8_lossy(&body).into_owned())
    }

    #[test]
    fn row_by_row_is_the_same_as_joined() {
        let groups = Group::resource_type().build().unwrap_or_else(|e| panic!("{e}"));
        let users = User::resource_type().extension(EnterpriseUser::schema()).build().unwrap_or_else(|e| panic!("{e}"));
        let group = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g","externalId":"x","displayName":"All","meta":{"resourceType":"Group"}}"#;
        let bare = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]}"#;
        let user = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u","userName":"ada","meta":{"resourceType":"User"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"1","manager":{"value":"b"}}}"#;
        let rows = [("a", Some("User")), ("b/\"", Some("Group")), ("c", None), ("d", Some("Robot"))];
        for (ty, json, path) in [(&groups, group, "members"), (&groups, bare, "members"), (&users, user, "groups")] {
            for names in [vec![], vec!["displayName", "members.value", "groups.$ref"], vec!["members.type"], vec!["id"]]
            {
                for rows in [&rows[..], &rows[..1], &[]] {
                    let projection = match names.is_empty() {
                        true => Projection::default_of(ty),
                        false => Projection::only(ty, names.iter().copied(), Compat::strict()),
                    };
                    let [streamed, joined] = both(&document(ty, json), path, rows, &projection);
                    assert_eq!(streamed, joined, "{path} {names:?} {rows:?}");
                    assert!(serde_json::from_str::<serde_json::Value>(&streamed).is_ok(), "{streamed}");
                }
            }
        }
    }
}
