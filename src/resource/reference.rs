//! What stands beside the document: references to other resources, and secrets.

use std::borrow::Cow;
use std::fmt;

use super::scan::{member, write_string};
use super::{Secrets, ValueRef};
use crate::password::Password;
use crate::schema::ResourceType;
use crate::{AttrPath, Compat};

/// A reference to another resource, such as one member of a group or one group of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference(Box<[u8]>);

impl Reference {
    /// A reference to the resource with this id, with `type` and `display` where they are known.
    pub fn to(id: &str, kind: Option<&str>, display: Option<&str>) -> Self {
        let mut json = b"{\"value\":".to_vec();
        write_string(&mut json, id);
        // the order of the sub-attributes in RFC 7643 §8.7.1
        for (name, text) in [(&b",\"display\":"[..], display), (b",\"type\":", kind)] {
            if let Some(text) = text {
                json.extend_from_slice(name);
                write_string(&mut json, text);
            }
        }
        json.push(b'}');
        Self(json.into())
    }

    pub(crate) fn new(element: &[u8]) -> Self {
        Self(element.into())
    }

    /// The id of the resource.
    pub fn value(&self) -> Cow<'_, str> {
        self.text("value").unwrap_or_default()
    }

    /// The resource's type, where it is said.
    pub fn kind(&self) -> Option<Cow<'_, str>> {
        self.text("type")
    }

    /// The text that stands for the resource.
    pub fn display(&self) -> Option<Cow<'_, str>> {
        self.text("display")
    }

    /// The canonical JSON object.
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }

    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        ValueRef::new(member(&self.0, name)?).as_str()
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// What a request does to a secret such as `password`.
#[derive(Clone, Copy, Debug)]
pub enum Secret<'a> {
    /// Nothing: the one that is stored stays.
    Unchanged,
    /// It is set: hash it, and forget it.
    Set(&'a Password),
    /// It is taken away.
    Removed,
}

impl<'a> Secret<'a> {
    pub(crate) fn find(ty: &ResourceType, secrets: &'a [Secrets], path: &str) -> Self {
        let id = AttrPath::parse(path).ok().and_then(|p| ty.find(&p, Compat::strict()));
        match secrets.iter().rev().find(|(secret, _)| Some(*secret) == id.map(|(id, _)| id)) {
            None => Self::Unchanged,
            Some((_, Some(password))) => Self::Set(password),
            Some((_, None)) => Self::Removed,
        }
    }
}
