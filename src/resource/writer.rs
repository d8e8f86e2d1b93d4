//! One resource on its way into an answer, with references that come row by row.

use super::links::Links;
use super::pipe::Pipe;
use super::write::Writer;
use super::{Projection, Reference, Resource};
use crate::etag::Tags;
use crate::schema::table::{AttrId, Relation};
use crate::{AttrPath, Compat};

/// Where a store puts the resource that is asked for: [`Store::show`](crate::Store::show) is given one.
///
/// A whole resource goes in by [`resource`](Self::resource). One with very many references, such as a group with its
/// members, goes in as its document, by [`begin`](Self::begin), and then reference by reference, as the rows come: they are
/// written into the answer at once and held nowhere else. Between the rows a store calls [`flush`](Self::flush): where the
/// answer is a [stream](crate::Service::stream), what has been written is sent and let go of.
#[derive(Debug)]
pub struct ResourceWriter<'w> {
    projection: &'w Projection,
    links: &'w Links,
    known: Known<'w>,
    shown: Option<Shown>,
    body: Vec<u8>,
    outlet: Outlet,
    /// how many bytes have left `body`
    sent: usize,
    /// how many bytes are held at the most
    most: usize,
    fault: Option<Fault>,
}

/// How much is written before it is sent.
const PIECE: usize = 64 << 10;

/// What becomes of what is written.
#[derive(Debug)]
enum Outlet {
    /// it is kept for the end
    Keep,
    /// it is sent
    Send(Pipe),
    /// nobody reads it: its length is all that counts
    Count,
}

/// What a store has shown.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) resource: Resource,
    /// the answer, or what is left of it
    pub(crate) body: Vec<u8>,
    /// how many bytes went before
    pub(crate) sent: usize,
    pub(crate) fault: Option<Fault>,
}

/// Why what was written is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// it is longer than what may be held
    TooLong,
    /// the store began again when a part had been sent
    BegunAgain,
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
    /// whether any have come
    came: bool,
    /// whether it has taken any
    some: bool,
}

impl<'w> ResourceWriter<'w> {
    pub(crate) fn new(projection: &'w Projection, links: &'w Links, known: Known<'w>) -> Self {
        let (body, outlet, most) = (Vec::new(), Outlet::Keep, usize::MAX);
        Self { projection, links, known, shown: None, body, outlet, sent: 0, most, fault: None }
    }

    /// Holds so many bytes at the most: more are an answer that is too long.
    pub(crate) fn holding(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Sends what is written.
    pub(crate) fn sending(self, pipe: Pipe) -> Self {
        Self { outlet: Outlet::Send(pipe), ..self }
    }

    /// Counts what is written, for an answer without a body.
    pub(crate) fn counting(self) -> Self {
        Self { outlet: Outlet::Count, ..self }
    }

    /// What is wanted of the resource.
    pub fn projection(&self) -> &'w Projection {
        self.projection
    }

    /// Writes a whole resource.
    pub fn resource(&mut self, resource: &Resource) {
        if self.is_begun_again() {
            return;
        }
        self.body.clear();
        self.body.reserve(resource.as_json().len() + self.links.base().len() + 128);
        resource.write(&mut self.body, self.projection, Some(self.links));
        self.shown = Some(Shown { resource: resource.clone(), open: None, came: false, some: false });
        self.check_length();
    }

    /// Begins a resource whose references at `path`, such as `members`, follow by [`reference`](Self::reference). `document`
    /// is [stamped](Resource::stamped) and holds none of them.
    ///
    /// `false` when they need not be read: nobody asked for them, or the client knows this version, or asked for another.
    ///
    /// What has been written before is thrown away, so that a store may begin again when a statement failed, as long as
    /// nothing [is sent](Self::is_sent).
    pub fn begin(&mut self, document: &Resource, path: &str) -> bool {
        if self.is_begun_again() {
            return false;
        }
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
        writer.entries_and_empty(0..before, |other| other < id);
        writer.flush();
        self.shown = Some(Shown { resource: document.clone(), open: Some((id, before)), came: false, some: false });
        true
    }

    /// Writes a reference to the resource with this id, with `type` and `display` where they are known. Ignored where
    /// nothing was [begun](Self::begin).
    pub fn reference(&mut self, id: &str, kind: Option<&str>, display: Option<&str>) {
        self.element(Reference::to(id, kind, display).as_json());
    }

    /// Writes a reference as the client sent it.
    pub(crate) fn element(&mut self, element: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        let Some(Shown { resource, open: Some((attribute, _)), came, some }) = &mut self.shown else { return };
        *came = true;
        let node = resource.resource_type().node(*attribute);
        let end = self.body.len();
        if !*some {
            if self.sent + end > 1 {
                self.body.push(b',');
            }
            self.body.extend_from_slice(node.key().as_bytes());
            self.body.push(b'[');
        } else {
            self.body.push(b',');
        }
        let keep = self.projection.keep(*attribute);
        let mut writer = Writer::new(resource, self.projection, Some(self.links), &mut self.body, 1);
        match writer.object(node, element, keep) {
            true => *some = true,
            false => self.body.truncate(end),
        }
        self.check_length();
    }

    /// Sends what has been written, if it is worth it and the answer is sent while it is written: the store waits here for a
    /// client that reads slowly. Else nothing happens.
    pub async fn flush(&mut self) {
        let some = self.shown.as_ref().is_some_and(|shown| shown.some);
        if self.body.len() < PIECE || !some || self.fault.is_some() {
            return;
        }
        let length = self.body.len();
        match &self.outlet {
            Outlet::Keep => return,
            Outlet::Count => self.body.clear(),
            Outlet::Send(pipe) => {
                let version = self.shown.as_ref().and_then(|shown| shown.resource.version());
                // about what the next piece takes
                let piece = std::mem::replace(&mut self.body, Vec::with_capacity(length + PIECE / 8));
                pipe.send(version, piece).await;
            }
        }
        self.sent += length;
    }

    /// Whether a part of the answer has been sent: it cannot be begun again.
    pub fn is_sent(&self) -> bool {
        self.sent > 0
    }

    /// Whether the answer is longer than [`Limits::answer_bytes`](crate::Limits::answer_bytes): no more references need be
    /// read.
    pub fn is_full(&self) -> bool {
        self.fault.is_some()
    }

    /// Whether the references that are being written have a part of this name, such as `display`.
    pub(crate) fn has_part(&self, name: &str) -> bool {
        let Some(Shown { resource, open: Some((attribute, _)), .. }) = &self.shown else { return false };
        let ty = resource.resource_type();
        ty.table().child(ty.node(*attribute).children(), name).is_some()
    }

    fn check_length(&mut self) {
        if self.body.len() > self.most {
            self.fault = Some(Fault::TooLong);
            self.body = Vec::new();
        }
    }

    fn is_begun_again(&mut self) -> bool {
        if self.sent > 0 {
            self.fault = Some(Fault::BegunAgain);
        }
        self.fault.is_some()
    }

    /// The resource and the end of the body, once the store has shown one.
    pub(crate) fn finish(mut self) -> Option<Written> {
        let Shown { resource, open, came, some } = self.shown?;
        if let (Some((attribute, before)), None) = (open, self.fault) {
            if some {
                self.body.push(b']');
            }
            let after = before..resource.document().entries().len();
            // in what has been sent there are members already
            let empty = if self.sent > 0 { 0 } else { 1 };
            let mut writer = Writer::new(&resource, self.projection, Some(self.links), &mut self.body, empty);
            if !came {
                writer.empty_list(attribute);
            }
            writer.entries_and_empty(after, |other| other > attribute);
            writer.flush();
            self.body.push(b'}');
        }
        if matches!(self.outlet, Outlet::Count) {
            self.sent += self.body.len();
            self.body = Vec::new();
        }
        Some(Written { resource, body: self.body, sent: self.sent, fault: self.fault })
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
        let streamed = writer.finish().unwrap_or_else(|| panic!("nothing was shown")).body;
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
