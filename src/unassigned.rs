//! `null`, which says that an attribute has no value (RFC 7643 §2.5).

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default value, for `#[serde(deserialize_with = …)]`.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
