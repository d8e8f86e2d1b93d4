//! Keys of a body that are paths and not names: `name.familyName`, `urn:…:User:department` or, without its URN, `department`.
//! A body with such keys is put in order, each value where it belongs, and read then: what holds for the attribute holds for
//! it there.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::read::Reader;
use super::scan::write_string;
use super::urn::{is_base, legacy_extension, member_path};
use crate::AttrPath;
use crate::compat::{Compat, Leniency, Repairs};
use crate::schema::ResourceType;
use crate::schema::table::AttrId;

/// Whether a key that names nothing in the object that it stands in is a path from there, or the base schema's URN around its
/// attributes.
pub(super) fn is_path(reader: &Reader<'_>, of: AttrId, key: &str) -> bool {
    let (ty, compat) = (reader.ty(), reader.rules.compat);
    lead(ty, of, key, compat).is_some() || is_base(ty, compat, of, key)
}

/// The attribute that a key leads to. An extension is no part of an extension.
fn lead(ty: &ResourceType, of: AttrId, key: &str, compat: Compat) -> Option<(AttrId, Leniency)> {
    let table = ty.table();
    if of != AttrId::ROOT && !table.node(of).is_extension() {
        return None;
    }
    let urn = table.node(of).name();
    let qualified = of == AttrId::ROOT || key.get(..urn.len()).is_some_and(|start| start.eq_ignore_ascii_case(urn));
    let text = if qualified { Cow::Borrowed(key) } else { Cow::Owned(format!("{urn}:{key}")) };
    let (id, leniency) = ty.find(&AttrPath::parse(&text).ok()?, compat)?;
    let is_name = !key.contains(['.', ':']);
    let leniency = leniency.filter(|_| is_name).unwrap_or(Leniency::PathKeys);
    let accepted = compat.accepts(leniency) && id != AttrId::SCHEMAS && !table.node(id).is_extension();
    accepted.then_some((id, leniency))
}

/// The body with each value where its key says.
pub(super) fn placed(
    ty: &ResourceType,
    compat: Compat,
    json: &[u8],
    repairs: &mut Repairs,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut order = Order { ty, compat, repairs, root: Vec::new(), places: HashMap::new(), paths: Vec::new() };
    order.take(serde_json::from_slice::<Members<'_>>(json)?.0)?;
    for (id, value) in std::mem::take(&mut order.paths) {
        order.place(id, value)?;
    }
    let mut out = Vec::with_capacity(json.len() + 64);
    write(&mut out, &order.root);
    Ok(out)
}

/// A value as it came, or an object that more is put into.
enum Item<'v> {
    Value(&'v RawValue),
    Object(Named<'v>),
}

/// Members in order.
type Named<'v> = Vec<(Cow<'v, str>, Item<'v>)>;

struct Order<'o, 'v> {
    ty: &'o ResourceType,
    compat: Compat,
    repairs: &'o mut Repairs,
    root: Named<'v>,
    /// where each attribute stands among those of its parent
    places: HashMap<AttrId, usize>,
    paths: Vec<(AttrId, &'v RawValue)>,
}

impl<'v> Order<'_, 'v> {
    fn take(&mut self, members: Vec<(Cow<'v, str>, &'v RawValue)>) -> Result<(), serde_json::Error> {
        let table = self.ty.table();
        for (key, value) in members {
            let known = table.child(table.root().children(), &key);
            let id = known.or_else(|| legacy_extension(table, self.compat, AttrId::ROOT, &key));
            let is_object = value.get().starts_with('{');
            match id {
                Some(id) if table.node(id).is_extension() && is_object => {
                    let mut inner = Vec::new();
                    for (key, value) in serde_json::from_str::<Members<'_>>(value.get())?.0 {
                        let child = table.child(table.node(id).children(), &key);
                        match child.is_none().then(|| lead(self.ty, id, &key, self.compat)).flatten() {
                            Some(found) => self.lay_by(found, value),
                            None => {
                                self.places.extend(child.map(|child| (child, inner.len())));
                                inner.push((key, Item::Value(value)));
                            }
                        }
                    }
                    self.places.insert(id, self.root.len());
                    self.root.push((key, Item::Object(inner)));
                }
                Some(id) => {
                    self.places.insert(id, self.root.len());
                    self.root.push((key, Item::Value(value)));
                }
                None if is_base(self.ty, self.compat, AttrId::ROOT, &key) && is_object => {
                    self.repairs.note(Leniency::PathKeys, key);
                    // one in another stays what it is, which is unknown
                    let inner = serde_json::from_str::<Members<'_>>(value.get())?.0;
                    let (inner, nested): (Vec<_>, Vec<_>) =
                        inner.into_iter().partition(|(key, _)| !is_base(self.ty, self.compat, AttrId::ROOT, key));
                    self.root.extend(nested.into_iter().map(|(key, value)| (key, Item::Value(value))));
                    self.take(inner)?;
                }
                None => match lead(self.ty, AttrId::ROOT, &key, self.compat) {
                    Some(found) => self.lay_by(found, value),
                    None => self.root.push((key, Item::Value(value))),
                },
            }
        }
        Ok(())
    }

    /// What a path leads to is placed when all that has a name has its place.
    fn lay_by(&mut self, (id, leniency): (AttrId, Leniency), value: &'v RawValue) {
        self.repairs.note(leniency, self.ty.table().path(id));
        self.paths.push((id, value));
    }

    fn place(&mut self, id: AttrId, value: &'v RawValue) -> Result<(), serde_json::Error> {
        let Self { ty, repairs, root, places, .. } = self;
        let table = ty.table();
        let name = |id: AttrId| Cow::Owned(table.node(id).name().to_owned());
        let entry = table.entry_of(id);
        let parent = table.node(entry).parent();
        let siblings = match parent {
            AttrId::ROOT => root,
            extension => match object_at(root, places, extension, name(extension))? {
                Some(inner) => inner,
                None => {
                    repairs.leave_out(|| table.path(id));
                    return Ok(());
                }
            },
        };
        let inner = match entry == id {
            true => Some(siblings),
            false => object_at(siblings, places, entry, name(entry))?,
        };
        match inner {
            Some(inner) => {
                places.insert(id, inner.len());
                inner.push((name(id), Item::Value(value)));
            }
            // what is a list or no object at all has no place for it
            None => repairs.leave_out(|| member_path(table, entry, table.node(id).name())),
        }
        Ok(())
    }
}

/// The object that stands for an attribute, which is added where there is none; `None` where another value stands.
fn object_at<'a, 'v>(
    members: &'a mut Named<'v>,
    places: &mut HashMap<AttrId, usize>,
    id: AttrId,
    name: Cow<'v, str>,
) -> Result<Option<&'a mut Named<'v>>, serde_json::Error> {
    let at = *places.entry(id).or_insert_with(|| {
        members.push((name, Item::Object(Vec::new())));
        members.len() - 1
    });
    let Some((_, item)) = members.get_mut(at) else { return Ok(None) };
    if let Item::Value(value) = item {
        let inner = match value.get() {
            "null" => Vec::new(),
            text if text.starts_with('{') => serde_json::from_str::<Members<'v>>(text)?.0,
            _ => return Ok(None),
        };
        *item = Item::Object(inner.into_iter().map(|(key, value)| (key, Item::Value(value))).collect());
    }
    Ok(match item {
        Item::Object(inner) => Some(inner),
        Item::Value(_) => None,
    })
}

fn write(out: &mut Vec<u8>, members: &[(Cow<'_, str>, Item<'_>)]) {
    out.push(b'{');
    for (number, (key, item)) in members.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        match item {
            Item::Value(value) => out.extend_from_slice(value.get().as_bytes()),
            Item::Object(inner) => write(out, inner),
        }
    }
    out.push(b'}');
}

/// The members of an object, in order.
pub(crate) struct Members<'v>(pub(crate) Vec<(Cow<'v, str>, &'v RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}
