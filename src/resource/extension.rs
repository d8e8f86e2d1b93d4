//! Extensions of the host's own as Rust types (RFC 7643 §3.3).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::schema::Schema;

/// A schema extension as a Rust type: what stands under the extension's URN in a resource (RFC 7643 §3.3).
///
/// ```
/// use scim_provider::{Extension, User};
/// use scim_provider::schema::{Attribute, Schema};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Badge {
///     number: String,
/// }
///
/// impl Extension for Badge {
///     const SCHEMA: &'static str = "urn:example:params:scim:schemas:Badge";
///     fn schema() -> Schema {
///         Schema::new(Self::SCHEMA, "Badge", [Attribute::string("number").required()])
///     }
/// }
///
/// let mut user = User::new("ada");
/// user.set_extension(&Badge { number: "7".into() })?;
/// assert_eq!(user.extension::<Badge>().transpose()?, Some(Badge { number: "7".into() }));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Extension: Serialize + DeserializeOwned {
    /// The extension's URN, which is the id of its schema.
    const SCHEMA: &'static str;

    /// The extension's schema.
    fn schema() -> Schema;
}

/// Reads an extension from what a typed resource does not know, if it is there under its URN in any letter case.
pub(super) fn read<E: Extension>(extra: &Map<String, Value>) -> Option<Result<E, serde_json::Error>> {
    let (_, value) = extra.iter().find(|(name, _)| name.eq_ignore_ascii_case(E::SCHEMA))?;
    Some(E::deserialize(value))
}

/// Puts an extension in place of what stood under its URN. One without any value is unassigned and leaves nothing
/// behind.
pub(super) fn write<E: Extension>(
    extension: &E,
    schemas: &mut Vec<String>,
    extra: &mut Map<String, Value>,
) -> Result<(), serde_json::Error> {
    let Value::Object(members) = serde_json::to_value(extension)? else {
        return Err(serde::ser::Error::custom("an extension is a JSON object"));
    };
    extra.retain(|name, _| !name.eq_ignore_ascii_case(E::SCHEMA));
    schemas.retain(|schema| !schema.eq_ignore_ascii_case(E::SCHEMA));
    if !members.is_empty() {
        schemas.push(E::SCHEMA.to_owned());
        extra.insert(E::SCHEMA.to_owned(), Value::Object(members));
    }
    Ok(())
}

/// The two methods that typed resources have for extensions.
macro_rules! extensible {
    ($resource:ident) => {
        impl $resource {
            /// Reads an extension, if the resource has it. Its URN may be in any letter case.
            ///
            /// # Errors
            /// When what stands under the URN does not read as an `E`.
            pub fn extension<E: crate::resource::Extension>(&self) -> Option<Result<E, serde_json::Error>> {
                crate::resource::extension::read(&self.extra)
            }

            /// Sets an extension in place of the one that was there, and names it in `schemas`. An extension without
            /// any value is taken away.
            ///
            /// # Errors
            /// When `extension` does not serialise to a JSON object; nothing has changed then.
            pub fn set_extension<E: crate::resource::Extension>(
                &mut self,
                extension: &E,
            ) -> Result<(), serde_json::Error> {
                crate::resource::extension::write(extension, &mut self.schemas, &mut self.extra)
            }
        }
    };
}
pub(super) use extensible;
