//! The URNs of schemas as clients spell them, and paths of what no schema defines.

use crate::compat::{Compat, Leniency};
use crate::error::attribute_in;
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Table};

/// Whether a client means this URI: `User`, or one of SCIM's that ends so. Those of messages are not for resources.
pub(super) fn spells(uri: &str, meant: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    if lower.contains(':') && (!lower.contains("scim") || lower.contains(":api:")) {
        return false;
    }
    fn last(uri: &str) -> &str {
        uri.rsplit([':', '/']).next().unwrap_or_default()
    }
    last(uri).eq_ignore_ascii_case(last(meant))
}

/// A client may print an empty list into a text.
pub(crate) fn says_nothing(uri: &str) -> bool {
    matches!(uri.trim(), "" | "[]")
}

/// Whether a key is the base schema's URN around its attributes, as an extension has it.
pub(crate) fn is_base(ty: &ResourceType, compat: Compat, of: AttrId, key: &str) -> bool {
    of == AttrId::ROOT && compat.accepts(Leniency::PathKeys) && key.eq_ignore_ascii_case(ty.table().base())
}

/// The extension that had this URN before the standard, such as `urn:scim:schemas:extension:enterprise:2.0`, where that is accepted.
pub(crate) fn legacy_extension(table: &Table, compat: Compat, of: AttrId, name: &str) -> Option<AttrId> {
    if of != AttrId::ROOT || !compat.accepts(Leniency::LegacySchema) || !is_legacy(name) {
        return None;
    }
    // SCIM 1.1 had a version of its own
    let name = name.to_ascii_lowercase().replace(":1.0", ":2.0");
    table.extensions().find(|e| {
        let urn = table.node(*e).name().to_ascii_lowercase().replace("urn:ietf:params:", "urn:");
        // the old one has no resource type at its end
        let untyped = urn.rsplit_once(':').map(|(urn, _)| urn);
        [Some(urn.as_str()), untyped].into_iter().flatten().any(|urn| urn == name)
    })
}

/// A member that no schema defines, by its path.
pub(crate) fn member_path(table: &Table, of: AttrId, name: &str) -> String {
    let (owner, name) = (table.path(of), attribute_in(name));
    match owner.is_empty() {
        true => name.into_owned(),
        false if table.node(of).is_extension() => format!("{owner}:{name}"),
        false => format!("{owner}.{name}"),
    }
}

pub(super) fn is_legacy(uri: &str) -> bool {
    uri.get(..17).is_some_and(|prefix| prefix.eq_ignore_ascii_case("urn:scim:schemas:"))
}
