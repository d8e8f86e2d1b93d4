//! What unique values are found by: the path of the attribute, and the value as it is compared.

use crate::attr::fold;
use crate::filter::{Number, number};
use crate::resource::scan::{elements, member};
use crate::resource::{Resource, ValueRef};
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Node};

/// What the schema declares unique.
pub(super) fn unique_attributes(ty: &ResourceType) -> impl Iterator<Item = AttrId> {
    let table = ty.table();
    table.ids().filter(move |id| *id != AttrId::ID && table.node(*id).is_unique())
}

pub(super) fn index_keys(resource: &Resource) -> impl Iterator<Item = (String, (Box<str>, Box<str>))> {
    let ty = resource.resource_type();
    unique_attributes(ty).flat_map(move |id| {
        let (entry, node) = (ty.table().entry_of(id), ty.node(id));
        let path = ty.table().path(id);
        let values = elements(resource.value(entry).unwrap_or_default());
        let parts = values.filter_map(move |value| if entry == id { Some(value) } else { member(value, node.name()) });
        parts
            .flat_map(elements)
            .filter_map(move |value| Some((path.clone(), index_key(ty, &path, &unique_key(node, value)?))))
    })
}

/// What a value is compared by: letter case only where it counts, numbers by what they mean.
fn unique_key(node: &Node, value: &[u8]) -> Option<String> {
    match ValueRef::new(value).as_str() {
        Some(text) if node.definition().case_exact => Some(text.into_owned()),
        Some(text) => Some(fold(&text).into_owned()),
        None => number(value).map(|number| match number {
            Number::Int(whole) => whole.to_string(),
            // no negative zero
            Number::Float(float) => format!("{}", float + 0.0),
        }),
    }
}

pub(super) fn index_key(ty: &ResourceType, path: &str, value: &str) -> (Box<str>, Box<str>) {
    (format!("{}.{path}", ty.name()).into(), value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::User;

    #[test]
    fn letter_case_and_the_way_a_number_is_written_do_not_make_another_value() {
        let ty = User::resource_type().build().unwrap();
        let key = |name: &str| {
            let json = format!(r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{name}"}}"#);
            index_keys(&Resource::parse(&ty, json.as_bytes()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(key("ADA"), key("ada"));
        assert_ne!(key("ada"), key("ade"));
        assert_eq!(key("Ada"), [("userName".to_owned(), index_key(&ty, "userName", "ada"))]);
        let node = ty.node(AttrId::ID);
        assert_eq!(unique_key(node, b"1.0"), unique_key(node, b"1"));
        assert_eq!(unique_key(node, b"-0.0"), unique_key(node, b"0"));
    }
}
