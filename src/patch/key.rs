//! Keys of an operation's value that are paths and not names: `name.familyName`, `urn:…:User:department` or, without its URN,
//! `department`. What reads a PATCH and what resolves the references of a bulk request in one have to agree on them.

use std::borrow::Cow;

use crate::Limits;
use crate::compat::{Compat, Leniency};
use crate::filter::Path;
use crate::schema::ResourceType;
use crate::schema::table::AttrId;

/// A key that names no attribute of the object that it stands in.
pub(crate) struct PathKey<'k> {
    text: Cow<'k, str>,
    below: AttrId,
    is_name: bool,
}

impl<'k> PathKey<'k> {
    /// A key in a value for the resource itself, or for an extension.
    pub(crate) fn new(ty: &ResourceType, below: AttrId, key: &'k str) -> Self {
        let urn = ty.node(below).name();
        let qualified = below == AttrId::ROOT || key.get(..urn.len()).is_some_and(|k| k.eq_ignore_ascii_case(urn));
        let text = if qualified { Cow::Borrowed(key) } else { Cow::Owned(format!("{urn}:{key}")) };
        Self { text, below, is_name: !key.contains(['.', ':', '[']) }
    }

    /// Whether it is a bare name, of an attribute that stands elsewhere.
    pub(crate) fn is_name(&self) -> bool {
        self.is_name
    }

    /// What a path names, without its filter: for messages.
    pub(super) fn named(path: &Path<'_>) -> String {
        match &path.sub_attribute {
            Some(sub) => format!("{}.{sub}", path.attribute),
            None => path.attribute.to_string(),
        }
    }

    /// The path, if it is accepted and leads somewhere. An extension is no part of an extension: values would nest without end.
    pub(crate) fn path(&self, ty: &ResourceType, compat: Compat, limits: &Limits) -> Option<Path<'_>> {
        let path = Path::parse(&self.text, limits).ok()?;
        let (id, _) = ty.find(&path.attribute, compat)?;
        let nests = self.below != AttrId::ROOT && ty.node(id).is_extension();
        let accepted = self.is_name || compat.accepts(Leniency::PathKeys);
        (accepted && !nests).then_some(path)
    }
}
