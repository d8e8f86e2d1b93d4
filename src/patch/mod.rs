//! PATCH (RFC 7644 §3.5.2): operations as they are sent, bound to a resource type, folded into [`Changes`], applied.
//!
//! All spellings that identity providers send become the same edits here, in [`Patch::bind`], and nowhere else.

mod apply;
mod bind;
mod changes;
mod error;
mod forms;
mod identity;
mod key;
mod list;
mod members;
mod work;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub use self::changes::{Changes, Patched, RelationChange};
pub use self::error::{PatchError, PatchErrorKind};
pub(crate) use self::key::PathKey;

use crate::Limits;
use crate::messages::PATCH_OP_SCHEMA;
use crate::resource::says_nothing;

/// A PATCH request as it was sent: well-formed, and not yet asked what it means.
///
/// ```
/// # use scim_provider::{Changes, Compat, Limits, Patch, Resource, User};
/// let users = User::resource_type().build()?;
/// let ada = Resource::parse(&users, br#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}"#)?;
/// let patch = Patch::parse(
///     br#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
///          "Operations": [{"op": "Replace", "path": "active", "value": "False"}]}"#,
///     &Limits::default(),
/// )?;
/// let patched = patch.bind(&users, Compat::default(), &Limits::default())?.apply(&ada)?;
/// assert_eq!(patched.resource.get("active").and_then(|v| v.as_bool()), Some(false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Patch<'a> {
    operations: Vec<Operation<'a>>,
    schemas: Schemas,
    from_entra: bool,
}

/// What `schemas` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Schemas {
    /// nothing, or the URI by another spelling
    #[default]
    Missing,
    /// that it is something else
    Foreign,
    /// that it is a PATCH, in a text where a list is expected
    Single,
    /// that it is a PATCH
    Right,
}

#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) op: Op,
    /// `Add`, `Replace`, `Remove`: the default dialect of Entra ID
    pub(crate) capitalised: bool,
    pub(crate) path: Option<Cow<'a, str>>,
    pub(crate) value: Option<&'a RawValue>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Remove,
    Replace,
}

impl<'a> Patch<'a> {
    /// Reads a request's body.
    ///
    /// # Errors
    /// When the message is not a PATCH request, or has more operations than `limits` allows. Whether `schemas` may be missing,
    /// and whether there may be no operation, is asked when it is [bound](Self::bind).
    pub fn parse(json: &'a [u8], limits: &Limits) -> Result<Self, PatchError> {
        let most = limits.patch_operations;
        let mut message = Message { most, operations: None, schemas: Schemas::default(), failure: None };
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let result = MessageSeed(&mut message).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        if let Err(e) = result {
            return Err(message.failure.unwrap_or_else(|| PatchError::syntax(&e)));
        }
        let Message { operations, schemas, .. } = message;
        match operations {
            Some(operations) => Ok(Self { operations, schemas, from_entra: false }),
            None => Err(PatchError::message(PatchErrorKind::Syntax, "`Operations` must be an array, and is not there")),
        }
    }

    /// Says that the request carries Entra ID's marks, which settles what its `replace` means
    /// ([`Leniency::ReplaceCreates`](crate::Leniency::ReplaceCreates)).
    #[must_use]
    pub fn from_entra(mut self, from_entra: bool) -> Self {
        self.from_entra = from_entra;
        self
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

struct Message<'a> {
    most: usize,
    operations: Option<Vec<Operation<'a>>>,
    schemas: Schemas,
    failure: Option<PatchError>,
}

impl Message<'_> {
    fn fail<E: serde::de::Error>(&mut self, kind: PatchErrorKind, text: impl Into<Cow<'static, str>>) -> E {
        self.failure.get_or_insert_with(|| PatchError::message(kind, text));
        E::custom("refused")
    }
}

impl Schemas {
    fn of(json: &str) -> Self {
        let is_right = |uri: &str| uri.eq_ignore_ascii_case(PATCH_OP_SCHEMA);
        let is_misspelt = |uri: &str| says_nothing(uri) || uri.to_ascii_lowercase().ends_with("patchop");
        let one = serde_json::from_str::<BorrowedText<'_>>(json).ok().map(|text| text.0);
        match serde_json::from_str::<Vec<BorrowedText<'_>>>(json) {
            Ok(uris) if uris.iter().any(|uri| is_right(&uri.0)) => Self::Right,
            Ok(uris) if uris.is_empty() || uris.iter().any(|uri| is_misspelt(&uri.0)) => Self::Missing,
            Err(_) if one.as_ref().is_some_and(|uri| is_right(uri)) => Self::Single,
            Err(_) if json == "null" || one.is_some_and(|uri| is_misspelt(&uri)) => Self::Missing,
            _ => Self::Foreign,
        }
    }
}

struct MessageSeed<'m, 'a>(&'m mut Message<'a>);

impl<'de> DeserializeSeed<'de> for MessageSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `Operations`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let message = self.0;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key.eq_ignore_ascii_case("schemas") {
                let uris: &RawValue = map.next_value()?;
                message.schemas = Schemas::of(uris.get());
            } else if key.eq_ignore_ascii_case("Operations") {
                if message.operations.is_some() {
                    return Err(message.fail(PatchErrorKind::Syntax, "`Operations` is given twice"));
                }
                map.next_value_seed(OperationsSeed(message))?;
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct OperationsSeed<'m, 'a>(&'m mut Message<'a>);

impl<'de> DeserializeSeed<'de> for OperationsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OperationsSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of operations in `Operations`")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let mut operations = Vec::new();
        while let Some(operation) =
            seq.next_element_seed(OperationSeed { message: self.0, number: operations.len() })?
        {
            operations.push(operation);
            let most = self.0.most;
            if operations.len() > most {
                return Err(self.0.fail(PatchErrorKind::TooLarge, format!("there are more than {most} operations")));
            }
        }
        self.0.operations = Some(operations);
        Ok(())
    }
}

struct OperationSeed<'m, 'a> {
    message: &'m mut Message<'a>,
    number: usize,
}

impl OperationSeed<'_, '_> {
    fn fail<E: serde::de::Error>(self, kind: PatchErrorKind, text: impl Into<Cow<'static, str>>) -> E {
        self.message.failure.get_or_insert_with(|| PatchError::operation(self.number, kind, text));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for OperationSeed<'_, 'de> {
    type Value = Operation<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Operation<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OperationSeed<'_, 'de> {
    type Value = Operation<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object in `Operations`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Operation<'de>, M::Error> {
        let (mut op, mut path, mut value) = (None, None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let text: &'de RawValue = map.next_value()?;
            let slot = match &key {
                k if k.eq_ignore_ascii_case("op") => &mut op,
                k if k.eq_ignore_ascii_case("path") => &mut path,
                k if k.eq_ignore_ascii_case("value") => &mut value,
                _ => continue,
            };
            if slot.replace(text).is_some() {
                return Err(
                    self.fail(PatchErrorKind::Syntax, format!("`{}` is given twice", crate::error::excerpt(&key)))
                );
            }
        }
        let text = |raw: &'de RawValue| serde_json::from_str::<BorrowedText<'de>>(raw.get()).ok().map(|t| t.0);
        let Some(name) = op.and_then(text) else {
            let found = if op.is_some() { "is no string" } else { "is not there" };
            return Err(self.fail(PatchErrorKind::Syntax, format!("`op` must be add, remove or replace, and {found}")));
        };
        let op = match name.as_ref() {
            n if n.eq_ignore_ascii_case("add") => Op::Add,
            n if n.eq_ignore_ascii_case("remove") => Op::Remove,
            n if n.eq_ignore_ascii_case("replace") => Op::Replace,
            n => {
                let found = crate::error::attribute_in(n);
                let text = format!("`op` must be add, remove or replace, not `{found}`");
                return Err(self.fail(PatchErrorKind::Syntax, text));
            }
        };
        let path = match path.filter(|p| p.get() != "null").map(text) {
            None => None,
            Some(Some(path)) => Some(path),
            Some(None) => return Err(self.fail(PatchErrorKind::Path, "`path` must be a string, and is none")),
        };
        Ok(Operation { op, capitalised: name.bytes().any(|b| b.is_ascii_uppercase()), path, value })
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);
