//! The document: a resource is its canonical JSON text and a directory of where each attribute lies.
//!
//! Canonical means: attributes in the order of their schema, in its spelling, without unassigned values and without white
//! space. What depends on where the service runs (`meta.location`, `$ref`) is not part of it; the service writes that on the
//! way out. Two documents with the same content have the same text.

mod assemble;
mod canonical;
mod document;
mod edit;
mod enterprise;
mod extension;
mod follow;
mod group;
mod length;
mod links;
mod meta;
pub(crate) mod mutability;
pub(crate) mod object;
mod pipe;
mod placed;
mod plural;
mod project;
mod read;
mod reference;
pub(crate) mod scan;
mod seed;
mod seed_any;
mod seed_plain;
mod seed_schemas;
mod succeed;
mod unite;
mod urn;
mod user;
mod value;
mod violation;
mod walk;
mod write;
mod writer;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::assemble::Assembly;
pub(crate) use self::document::{Document, Entry};
pub(crate) use self::edit::{Unknown, splice};
pub use self::enterprise::{EnterpriseUser, Manager};
pub use self::extension::Extension;
pub use self::group::{Group, Member};
pub(crate) use self::links::Links;
pub use self::meta::Meta;
pub(crate) use self::pipe::Pipe;
pub(crate) use self::placed::Members;
pub use self::plural::{
    Address, Email, Entitlement, GroupMembership, InstantMessaging, PhoneNumber, Photo, Role, X509Certificate,
};
pub use self::project::Projection;
pub use self::read::UnknownAttributes;
pub(crate) use self::read::{Reader, Rules};
pub use self::reference::{Reference, Secret};
pub(crate) use self::seed_any::is_reserved;
pub(crate) use self::unite::type_and_value;
pub(crate) use self::urn::{is_base, legacy_extension, member_path, says_nothing};
pub use self::user::{Name, User};
pub use self::value::ValueRef;
pub use self::violation::{Violation, ViolationKind};
pub use self::writer::ResourceWriter;
pub(crate) use self::writer::{Fault, Known, Written};

use crate::etag::Version;
use crate::password::Password;
use crate::schema::ResourceType;
use crate::schema::table::AttrId;
use crate::{AttrPath, Compat, Limits, time};

/// A resource of any type: canonical JSON text plus a directory of where each attribute lies.
///
/// Immutable and cheap to clone. Typed structs and `serde_json::Value` are conversions at the edge.
///
/// ```
/// # use scim_provider::{Resource, User};
/// let users = User::resource_type().build()?;
/// let ada = Resource::parse(&users, br#"{
///     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
///     "USERNAME": "ada", "title": null, "emails": [{"value": "ada@example.com"}]
/// }"#)?;
/// assert_eq!(ada.get("emails.value").and_then(|v| v.elements().next()?.as_str()).as_deref(), Some("ada@example.com"));
/// assert_eq!(ada.get("userName").and_then(|v| v.as_str()).as_deref(), Some("ada"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Resource {
    ty: ResourceType,
    doc: Document,
}

/// A secret beside the document: to be set, or (`None`) to be taken away.
pub(crate) type Secrets = (AttrId, Option<Arc<Password>>);

impl Resource {
    /// Reads and checks a resource as a client sends it to be created or replaced, with the default limits and leniencies.
    ///
    /// What only the service provider may set (`id`, `meta`, `groups`, …) is dropped, as RFC 7644 §3.3 asks.
    ///
    /// # Errors
    /// When the JSON or one of the values breaks a rule of the schema; the error names the attribute.
    pub fn parse(ty: &ResourceType, json: &[u8]) -> Result<Self, Violation> {
        let (limits, compat) = (Limits::default(), Compat::default());
        Reader::new(ty, Rules::new(&limits, compat, UnknownAttributes::default())).body(json)
    }

    /// Takes back what [`as_json`](Self::as_json) gave: the fast way from a JSON column.
    ///
    /// Text in canonical form is only scanned. Anything else, such as what a database's binary JSON type prints, is read
    /// once in full.
    ///
    /// # Errors
    /// When the text is not JSON, or holds something that the schema does not allow.
    pub fn from_stored(ty: &ResourceType, json: impl Into<Vec<u8>>) -> Result<Self, Violation> {
        let json = json.into();
        match canonical::directory(ty, &json) {
            Some(directory) => {
                Ok(Self::from_document(ty, Document::new(json, directory.iter().copied(), Box::default())))
            }
            None => Reader::stored(ty, &Limits::dangerous_unlimited()).body(&json),
        }
    }

    /// Makes a resource from a typed value: [`User`], [`Group`] or the host's own struct.
    ///
    /// # Errors
    /// When the JSON or one of the values breaks a rule of the schema. `id` and `meta` are kept, and the limits on requests do
    /// not hold for what is the host's own.
    pub fn from_typed<T: Serialize>(ty: &ResourceType, value: &T) -> Result<Self, Violation> {
        let json = serde_json::to_vec(value).map_err(|e| Violation::syntax(&e))?;
        Reader::stored(ty, &Limits::dangerous_unlimited()).body(&json)
    }

    pub(crate) fn from_document(ty: &ResourceType, document: Document) -> Self {
        Self { ty: ty.clone(), doc: document }
    }

    /// The resource's type.
    pub fn resource_type(&self) -> &ResourceType {
        &self.ty
    }

    /// The canonical JSON text: what a store keeps. It holds no password, no `meta.location` and no `$ref` to resources.
    pub fn as_json(&self) -> &[u8] {
        self.doc.json()
    }

    /// The id, once the store has given one.
    pub fn id(&self) -> Option<&str> {
        if let Some(id) = self.doc.unescaped_id() {
            return Some(id);
        }
        let body = scan::string_body(self.value(AttrId::ID)?)?;
        std::str::from_utf8(body).ok()
    }

    /// An attribute's value. `path` is resolved without regard to case; unassigned is `None`.
    ///
    /// A path to a sub-attribute of a multi-valued attribute gives the value of its first element that has one.
    pub fn get(&self, path: &str) -> Option<ValueRef<'_>> {
        let (id, _) = self.ty.find(&AttrPath::parse(path).ok()?, Compat::strict())?;
        self.value_of(id).map(ValueRef::new)
    }

    /// The text of a string attribute, as [`get`](Self::get).
    pub fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        self.get(path)?.as_str()
    }

    /// Converts the whole resource.
    ///
    /// # Errors
    /// When the resource is not what `T` expects.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.doc.json())
    }

    /// The version, once the store has given one.
    pub fn version(&self) -> Option<Version> {
        let text = ValueRef::new(self.value_of(self.ty.table().meta().version)?);
        Version::from_etag(&text.as_str()?)
    }

    /// When the resource was created.
    pub fn created(&self) -> Option<DateTime<Utc>> {
        time::parse_date_time(&self.text("meta.created")?)
    }

    /// When the resource was last changed.
    pub fn last_modified(&self) -> Option<DateTime<Utc>> {
        time::parse_date_time(&self.text("meta.lastModified")?)
    }

    /// A secret that came with the request, such as `password`: for the host's hasher and nothing else.
    pub fn secret(&self, path: &str) -> Secret<'_> {
        Secret::find(&self.ty, self.doc.secrets(), path)
    }

    pub(crate) fn document(&self) -> &Document {
        &self.doc
    }

    /// The text of an attribute's value, for a top-level or extension attribute.
    #[inline]
    pub(crate) fn value(&self, id: AttrId) -> Option<&[u8]> {
        self.doc.value(self.doc.entry(id)?, self.ty.node(id).key().len())
    }

    /// The text of any attribute's value; for sub-attributes that of the first element that has one.
    pub(crate) fn value_of(&self, id: AttrId) -> Option<&[u8]> {
        let entry = self.ty.table().entry_of(id);
        let value = self.value(entry)?;
        if entry == id {
            return Some(value);
        }
        scan::elements(value).find_map(|element| scan::member(element, self.ty.node(id).name()))
    }

    /// Whether `self` and `other` have the same content, identity and `meta` apart.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        let meta = self.ty.table().meta().meta;
        fn content(r: &Resource, meta: AttrId) -> impl Iterator<Item = &[u8]> {
            let entries = r.doc.entries().filter(move |e| e.id != meta && e.id != AttrId::ID);
            entries.map(|e| r.doc.span(e).unwrap_or_default())
        }
        content(self, meta).eq(content(other, meta))
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.doc.json() == other.doc.json()
    }
}

impl Eq for Resource {}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.ty.name(), String::from_utf8_lossy(self.doc.json()))
    }
}
