//! References to what a bulk request creates (RFC 7644 §3.7.2): `bulkId:` in front of a name, found and replaced where the
//! schema lets a reference to a resource stand, and in no other text.

use std::borrow::Cow;

use super::text::{array, compact, object, object_and_keys, text_of};
use crate::filter::{Filter, Literal, Path};
use crate::patch::PathKey;
use crate::resource::scan::{members, write_string};
use crate::resource::{is_base, legacy_extension};
use crate::schema::table::{AttrId, Relation};
use crate::schema::{AttributeType, ResourceType};
use crate::{Compat, Limits, ValueRef};

/// What stands in front of a name that refers to an operation.
pub(super) const PREFIX: &str = "bulkId:";

/// What a name is to be replaced by.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// the resource that was made
    Made { id: String, location: String },
    /// nothing yet: what holds it is left out and handed back
    Later,
    /// nothing: the text stays
    Keep,
}

/// A value that was left out, and the attribute that it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Deferred {
    pub(super) attribute: AttrId,
    pub(super) value: Vec<u8>,
}

/// Goes through the data of one operation. Linear in its length.
pub(super) struct Rewriter<'r> {
    ty: &'r ResourceType,
    compat: Compat,
    limits: &'r Limits,
    meaning: &'r mut dyn FnMut(&str) -> Meaning,
    deferred: Vec<Deferred>,
    later: bool,
    /// whether it is inside an object that the base schema's URN stands in front of
    in_base: bool,
}

/// Whether a JSON text can hold a reference at all: most do not, and need not be gone through.
pub(super) fn may_refer(json: &str) -> bool {
    json.contains(PREFIX) || json.contains("\\u")
}

impl<'r> Rewriter<'r> {
    pub(super) fn new(
        ty: &'r ResourceType,
        compat: Compat,
        limits: &'r Limits,
        meaning: &'r mut dyn FnMut(&str) -> Meaning,
    ) -> Self {
        Self { ty, compat, limits, meaning, deferred: Vec::new(), later: false, in_base: false }
    }

    /// A resource, as it is created or replaced, and what was left out of it.
    pub(super) fn resource(mut self, json: &str) -> (Vec<u8>, Vec<Deferred>) {
        let out = self.attributes(&compact(json), AttrId::ROOT);
        (out, self.deferred)
    }

    /// A PATCH request.
    pub(super) fn patch(mut self, json: &str) -> Vec<u8> {
        let text = compact(json);
        object(&text, |key, value| {
            if !key.eq_ignore_ascii_case("Operations") {
                return Some(value.to_vec());
            }
            Some(array(value, |operation| Some(self.operation(operation))))
        })
    }

    /// One value that was left out, now that everything is known.
    pub(super) fn value(mut self, deferred: &Deferred) -> Vec<u8> {
        self.element(deferred.attribute, &deferred.value)
    }

    fn operation(&mut self, operation: &[u8]) -> Vec<u8> {
        let path = members(operation).find(|(key, _)| text_of(key).eq_ignore_ascii_case("path"));
        let path = path.and_then(|(_, value)| ValueRef::new(value).as_str());
        let path = path.as_deref().and_then(|path| Path::parse(path, self.limits).ok());
        object(operation, |key, value| {
            Some(match (key.to_ascii_lowercase().as_str(), &path) {
                ("path", Some(path)) if path.filter.is_some() => self.path(path),
                ("value", Some(path)) => self.changed_at(path, value),
                ("value", None) => self.changes(AttrId::ROOT, value),
                _ => value.to_vec(),
            })
        })
    }

    /// A value without a path: its keys are attributes, or paths themselves.
    fn changes(&mut self, of: AttrId, value: &[u8]) -> Vec<u8> {
        object_and_keys(value, |key, value| {
            let table = self.ty.table();
            if let Some(id) = table.child(table.node(of).children(), key) {
                return Some((None, self.changed(id, value)));
            }
            if let Some(id) = legacy_extension(self.ty.table(), self.compat, of, key) {
                return Some((None, self.changes(id, value)));
            }
            if self.is_base(of, key) {
                self.in_base = true;
                let inner = self.changes(of, value);
                self.in_base = false;
                return Some((None, inner));
            }
            let known = PathKey::new(self.ty, of, key);
            match known.path(self.ty, self.compat, self.limits) {
                Some(path) => {
                    let key = path.filter.is_some().then(|| self.path(&path));
                    Some((key, self.changed_at(&path, value)))
                }
                None => Some((None, value.to_vec())),
            }
        })
    }

    /// Whether a key is the base schema's URN around its attributes. One in another is none.
    fn is_base(&self, of: AttrId, key: &str) -> bool {
        !self.in_base && is_base(self.ty, self.compat, of, key)
    }

    fn changed_at(&mut self, path: &Path<'_>, value: &[u8]) -> Vec<u8> {
        let id = self.ty.find(&path.attribute, self.compat).and_then(|(id, _)| match &path.sub_attribute {
            Some(sub) => self.ty.table().child(self.ty.node(id).children(), sub),
            None => Some(id),
        });
        match id {
            Some(id) => self.changed(id, value),
            None => value.to_vec(),
        }
    }

    fn changed(&mut self, id: AttrId, value: &[u8]) -> Vec<u8> {
        let node = self.ty.node(id);
        if node.is_extension() {
            return self.changes(id, value);
        }
        let value = self.values(id, value);
        // a removal may have `{"members": [...]}` for its value
        let wraps = |key: &str| node.is_multi() && key.eq_ignore_ascii_case(node.name());
        match value.starts_with(b"{") && members(&value).any(|(key, _)| wraps(&text_of(key))) {
            true => object(&value, |key, value| Some(if wraps(key) { self.values(id, value) } else { value.to_vec() })),
            false => value,
        }
    }

    /// A path with references in its filter: `members[value eq "bulkId:x"]`.
    fn path(&mut self, path: &Path<'_>) -> Vec<u8> {
        let mut text = path.attribute.as_str().to_owned();
        if let (Some(filter), Some((id, _))) = (&path.filter, self.ty.find(&path.attribute, self.compat)) {
            let mut filter = filter.clone();
            self.filter(id, &mut filter);
            text.push_str(&format!("[{filter}]"));
        } else if let Some(filter) = &path.filter {
            text.push_str(&format!("[{filter}]"));
        }
        if let Some(sub) = &path.sub_attribute {
            text.push('.');
            text.push_str(sub);
        }
        let mut out = Vec::with_capacity(text.len() + 2);
        write_string(&mut out, &text);
        out
    }

    /// As deep as [`Limits::filter_depth`] lets a filter be.
    fn filter(&mut self, of: AttrId, filter: &mut Filter<'_>) {
        match filter {
            Filter::And(terms) | Filter::Or(terms) => terms.iter_mut().for_each(|term| self.filter(of, term)),
            Filter::Not(inner) => self.filter(of, inner),
            Filter::Compare { path, value, .. } => {
                let (Literal::String(text) | Literal::Word(text)) = &*value else { return };
                let node = self.ty.node(of);
                let plain = !node.is_complex() && path.as_str().eq_ignore_ascii_case("value");
                let compared = self.ty.table().child(node.children(), path.as_str()).or(plain.then_some(of));
                let Some(id) = compared.filter(|id| self.refers(*id)) else { return };
                let replacement = text.strip_prefix(PREFIX).and_then(|name| self.replacement(id, name));
                if let Some(replacement) = replacement {
                    *value = Literal::String(Cow::Owned(replacement));
                }
            }
            Filter::Present(_) | Filter::ValuePath { .. } => {}
        }
    }

    /// A value, or those of a list that stay.
    fn kept_values(&mut self, id: AttrId, value: &[u8]) -> Option<Vec<u8>> {
        match value.starts_with(b"[") {
            true => Some(array(value, |element| self.kept(id, element))),
            false => self.kept(id, value),
        }
    }

    /// The attributes of a resource, or of an extension in it, by the names that a body may have for them.
    fn attributes(&mut self, text: &[u8], of: AttrId) -> Vec<u8> {
        object(text, |key, value| {
            let table = self.ty.table();
            let old = || legacy_extension(self.ty.table(), self.compat, of, key);
            match table.child(table.node(of).children(), key).or_else(old) {
                Some(id) if table.node(id).is_extension() => Some(self.attributes(value, id)),
                Some(id) => self.kept_values(id, value),
                None if self.is_base(of, key) => {
                    self.in_base = true;
                    let inner = self.attributes(value, of);
                    self.in_base = false;
                    Some(inner)
                }
                // a key may be a path
                None => {
                    let known = PathKey::new(self.ty, of, key);
                    let path = known.path(self.ty, self.compat, self.limits).filter(|path| path.filter.is_none());
                    let id = path.and_then(|path| self.ty.find(&path.attribute, self.compat)).map(|(id, _)| id);
                    id.map_or_else(|| Some(value.to_vec()), |id| self.kept_values(id, value))
                }
            }
        })
    }

    /// The value, unless it refers to what is not there yet.
    fn kept(&mut self, id: AttrId, value: &[u8]) -> Option<Vec<u8>> {
        let out = self.element(id, value);
        if !std::mem::take(&mut self.later) {
            return Some(out);
        }
        self.deferred.push(Deferred { attribute: id, value: value.to_vec() });
        None
    }

    fn values(&mut self, id: AttrId, value: &[u8]) -> Vec<u8> {
        match value.starts_with(b"[") {
            true => array(value, |element| Some(self.element(id, element))),
            false => self.element(id, value),
        }
    }

    fn element(&mut self, id: AttrId, value: &[u8]) -> Vec<u8> {
        let ty = self.ty;
        match value.first() {
            Some(b'"') if self.refers(id) => self.replaced(id, value),
            Some(b'{') if ty.node(id).is_complex() => object(value, |key, part| {
                let child = ty.table().child(ty.node(id).children(), key);
                Some(match (child, part.first()) {
                    (Some(child), Some(b'[')) => array(part, |part| Some(self.part(child, part))),
                    (Some(child), _) => self.part(child, part),
                    (None, _) => part.to_vec(),
                })
            }),
            _ => value.to_vec(),
        }
    }

    fn part(&mut self, id: AttrId, value: &[u8]) -> Vec<u8> {
        match value.starts_with(b"\"") && self.refers(id) {
            true => self.replaced(id, value),
            false => value.to_vec(),
        }
    }

    /// Whether a text at this place is a reference to a resource: `members.value`, `manager`, `$ref`, an attribute of type
    /// reference.
    fn refers(&self, id: AttrId) -> bool {
        let (node, table) = (self.ty.node(id), self.ty.table());
        let related = |id| matches!(table.node(id).relation(), Relation::One | Relation::Many);
        let resources = || node.definition().reference_types.iter().any(|name| name != "external" && name != "uri");
        related(id)
            || (node.name() == "value" && related(node.parent()))
            || (node.kind() == AttributeType::Reference && resources())
    }

    fn replaced(&mut self, id: AttrId, value: &[u8]) -> Vec<u8> {
        let text = ValueRef::new(value).as_str();
        let Some(name) = text.as_deref().and_then(|text| text.strip_prefix(PREFIX)) else { return value.to_vec() };
        match self.replacement(id, name) {
            Some(replacement) => {
                let mut out = Vec::new();
                write_string(&mut out, &replacement);
                out
            }
            None => value.to_vec(),
        }
    }

    /// What stands for a name in this attribute: an id, or a URL where the attribute is one.
    fn replacement(&mut self, id: AttrId, name: &str) -> Option<String> {
        match (self.meaning)(name) {
            Meaning::Made { location, .. } if self.ty.node(id).kind() == AttributeType::Reference => Some(location),
            Meaning::Made { id, .. } => Some(id),
            Meaning::Later => {
                self.later = true;
                None
            }
            Meaning::Keep => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{EnterpriseUser, Extension, Group, User};

    fn users() -> ResourceType {
        User::resource_type().extension(EnterpriseUser::schema()).build().unwrap()
    }

    fn made(name: &str) -> Meaning {
        match name {
            "later" => Meaning::Later,
            name => Meaning::Made { id: format!("id-{name}"), location: format!("https://x/{name}") },
        }
    }

    fn resource(ty: &ResourceType, body: &str) -> (Value, Vec<String>) {
        let limits = Limits::default();
        let mut meaning = made;
        let (out, deferred) = Rewriter::new(ty, Compat::default(), &limits, &mut meaning).resource(body);
        let paths =
            deferred.iter().map(|d| format!("{} {}", ty.table().path(d.attribute), String::from_utf8_lossy(&d.value)));
        (serde_json::from_slice(&out).unwrap(), paths.collect())
    }

    #[test]
    fn references_are_replaced_where_one_may_stand_and_nowhere_else() {
        let body = json!({
            "userName": "bulkId:a", "displayName": "bulkId:a", "profileUrl": "bulkId:a", "x": {"value": "bulkId:a"},
            "emails": [{"value": "bulkId:a"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "department": "bulkId:a", "manager": {"value": "bulkId:a", "$ref": "bulkId:a", "displayName": "bulkId:a"},
            },
        });
        let mut expected = body.clone();
        let manager = &mut expected["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"];
        (manager["value"], manager["$ref"]) = (json!("id-a"), json!("https://x/a"));
        let pretty = serde_json::to_string_pretty(&body).unwrap();
        assert_eq!(resource(&users(), &pretty), (expected, Vec::new()));
    }

    #[test]
    fn escapes_and_dialects_hide_no_reference() {
        let old = "urn:scim:schemas:extension:enterprise:2.0";
        let body = format!(r#"{{"{old}": {{"manager": ["bulk\u0049d:a"]}}, "userName": " \\\" {{[, "}}"#);
        assert_eq!(resource(&users(), &body).0, json!({old: {"manager": ["id-a"]}, "userName": " \\\" {[, "}));
        let group = Group::resource_type().build().unwrap();
        let (found, _) = resource(&group, r#"{"MEMBERS": [{"v\u0061lue": "bulkId:a"}, "bulkId:b", {"VALUE": "c"}]}"#);
        assert_eq!(found, json!({"MEMBERS": [{"value": "id-a"}, "id-b", {"VALUE": "c"}]}));
    }

    #[test]
    fn what_is_not_there_yet_is_left_out_and_handed_back() {
        let group = Group::resource_type().build().unwrap();
        let body = r#"{"members": [{"value": "bulkId:a"}, {"value": "bulkId:later", "type": "Group"}]}"#;
        let (found, deferred) = resource(&group, body);
        assert_eq!(found, json!({"members": [{"value": "id-a"}]}));
        assert_eq!(deferred, [r#"members {"value":"bulkId:later","type":"Group"}"#]);
        let uri = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let (found, deferred) = resource(&users(), &json!({uri: {"manager": {"value": "bulkId:later"}}}).to_string());
        assert_eq!(found, json!({uri: {}}));
        assert_eq!(deferred, [format!(r#"{uri}:manager {{"value":"bulkId:later"}}"#)]);
    }

    #[test]
    fn patches_refer_in_values_and_in_filters() {
        let (limits, group) = (Limits::default(), Group::resource_type().build().unwrap());
        let body = json!({"schemas": ["bulkId:a"], "operations": [
            {"op": "add", "path": "members", "value": [{"value": "bulkId:a", "display": "bulkId:a"}]},
            {"op": "remove", "PATH": "members[value eq \"bulkId:a\" and display eq \"bulkId:a\"]"},
            {"op": "replace", "value": {"members": {"value": "bulkId:b"}, "displayName": "bulkId:a"}},
            {"op": "replace", "path": "displayName", "value": "bulkId:a"},
            {"op": "replace", "path": "[", "value": "bulkId:a"},
            1,
        ]});
        let mut meaning = made;
        let out = Rewriter::new(&group, Compat::default(), &limits, &mut meaning).patch(&body.to_string());
        let mut expected = body;
        let operations = &mut expected["operations"];
        operations[0]["value"][0]["value"] = json!("id-a");
        operations[1]["PATH"] = json!("members[value eq \"id-a\" and display eq \"bulkId:a\"]");
        operations[2]["value"]["members"]["value"] = json!("id-b");
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
    }
}
