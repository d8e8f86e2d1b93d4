//! Resource types (RFC 7643 §6): a base schema and its extensions, compiled once into the tables that everything else reads.

use std::fmt;
use std::sync::Arc;

use super::table::{AttrId, Node, Relation, Table};
use super::{Attribute, Mutability, Schema, SchemaError, core};
use crate::{AttrPath, Compat, Leniency};

/// A resource type: where its resources live, and which schemas say what they hold (RFC 7643 §6).
///
/// Cheap to clone. Built once, at start-up, by [`ResourceType::builder`]; `User` and `Group` come ready made.
///
/// ```
/// # use scim_provider::ResourceType;
/// # use scim_provider::schema::{Attribute, Schema};
/// let device = Schema::new("urn:example:schemas:2.0:Device", "Device", [
///     Attribute::string("serialNumber").required().case_exact(),
///     Attribute::boolean("active"),
/// ]);
/// let devices = ResourceType::builder("Device", "/Devices", device).build()?;
/// assert_eq!(devices.name(), "Device");
/// # Ok::<(), scim_provider::schema::SchemaError>(())
/// ```
#[derive(Clone)]
pub struct ResourceType {
    inner: Arc<Inner>,
}

struct Inner {
    definition: ResourceTypeBuilder,
    table: Table,
}

impl ResourceType {
    /// Starts a resource type: its name, its endpoint below the base URL, and its base schema.
    pub fn builder(name: impl Into<String>, endpoint: impl Into<String>, schema: Schema) -> ResourceTypeBuilder {
        ResourceTypeBuilder {
            name: name.into(),
            endpoint: format!("/{}", endpoint.into().trim_matches('/')),
            description: String::new(),
            schema,
            extensions: Vec::new(),
            shown_empty: Vec::new(),
            unknown: None,
        }
    }

    /// The name, which `meta.resourceType` repeats.
    pub fn name(&self) -> &str {
        &self.inner.definition.name
    }

    /// The endpoint, with a leading slash: `/Users`.
    pub fn endpoint(&self) -> &str {
        &self.inner.definition.endpoint
    }

    /// What the type is for, for people.
    pub fn description(&self) -> &str {
        &self.inner.definition.description
    }

    /// The base schema.
    pub fn schema(&self) -> &Schema {
        &self.inner.definition.schema
    }

    /// The extensions, each with whether a resource must have it.
    pub fn extensions(&self) -> impl Iterator<Item = (&Schema, bool)> {
        self.inner.definition.extensions.iter().map(|e| (&e.schema, e.required))
    }

    /// The base schema and those of the extensions.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Schema> {
        std::iter::once(self.schema()).chain(self.extensions().map(|(schema, _)| schema))
    }

    /// The name and characteristics that a path resolves to, by the rules of RFC 7644 §3.10 and nothing more lenient.
    pub fn resolve(&self, path: &AttrPath<'_>) -> Option<ResolvedAttr<'_>> {
        let (id, _) = self.find(path, Compat::strict())?;
        Some(ResolvedAttr { ty: self, id })
    }

    /// Whether resources refer to others by an attribute that stores keep apart, such as `members`.
    pub(crate) fn has_references(&self) -> bool {
        self.table().root().children().ids().iter().any(|id| self.node(*id).relation() == Relation::Many)
    }

    /// The lists that are shown when they are empty, in canonical order.
    pub(crate) fn shown_empty(&self) -> &[AttrId] {
        &self.table().shown_empty
    }

    /// Whether both are the same compiled type.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn table(&self) -> &Table {
        &self.inner.table
    }

    pub(crate) fn node(&self, id: AttrId) -> &Node {
        self.inner.table.node(id)
    }

    /// The attribute that a path means, and the leniency that it took to find it.
    pub(crate) fn find(&self, path: &AttrPath<'_>, compat: Compat) -> Option<(AttrId, Option<Leniency>)> {
        let text = path.as_str();
        let table = self.table();
        if !text.contains(':') {
            if let Some(id) = self.find_in(table.root().children(), text) {
                return Some((id, None));
            }
            let mut found = table.extensions().filter_map(|e| self.find_in(table.node(e).children(), text));
            return match (found.next(), found.next()) {
                (Some(id), None) if compat.accepts(Leniency::UnqualifiedExtension) => {
                    Some((id, Some(Leniency::UnqualifiedExtension)))
                }
                _ => None,
            };
        }
        let base = std::iter::once((self.schema().id.as_str(), None));
        let extensions = table.extensions().map(|e| (table.node(e).name(), Some(e)));
        let (schema, extension) = base
            .chain(extensions)
            .filter(|(schema, _)| {
                text.get(..schema.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(schema))
                    && matches!(text.as_bytes().get(schema.len()), None | Some(b':' | b'.'))
            })
            .max_by_key(|(schema, _)| schema.len())?;
        let rest = text.get(schema.len()..)?;
        let (children, leniency) = match extension {
            None => (table.root().children(), None),
            Some(e) if rest.is_empty() => return Some((e, None)),
            Some(e) if rest.starts_with('.') => {
                let leniency = Leniency::DottedExtension;
                compat.accepts(leniency).then_some((table.node(e).children(), Some(leniency)))?
            }
            Some(e) => (table.node(e).children(), None),
        };
        let id = self.find_in(children, rest.get(1..)?)?;
        // a core attribute qualified by the base schema's URN is never an extension object
        (extension.is_some() || !table.node(id).is_extension()).then_some((id, leniency))
    }

    fn find_in(&self, children: &super::table::Children, text: &str) -> Option<AttrId> {
        let (attribute, sub) = match text.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(sub)),
            None => (text, None),
        };
        let id = self.table().child(children, attribute)?;
        match sub {
            None => Some(id),
            Some(sub) => self.table().child(self.node(id).children(), sub),
        }
    }
}

impl PartialEq for ResourceType {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.inner.definition == other.inner.definition
    }
}

impl Eq for ResourceType {}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceType").field("name", &self.name()).field("endpoint", &self.endpoint()).finish()
    }
}

/// An attribute of a resource type that a path was resolved to.
#[derive(Clone, Copy)]
pub struct ResolvedAttr<'a> {
    ty: &'a ResourceType,
    id: AttrId,
}

impl ResolvedAttr<'_> {
    /// The full path in canonical spelling; an extension's attribute has its URN in front.
    pub fn path(&self) -> String {
        self.ty.table().path(self.id)
    }

    /// The name of the attribute itself.
    pub fn name(&self) -> &str {
        self.ty.node(self.id).name()
    }

    /// The characteristics of the attribute, without its sub-attributes.
    pub fn definition(&self) -> &Attribute {
        self.ty.node(self.id).definition()
    }

    /// Whether a client may change it.
    pub fn mutability(&self) -> Mutability {
        self.ty.node(self.id).definition().mutability
    }
}

impl fmt::Debug for ResolvedAttr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResolvedAttr({})", self.path())
    }
}

/// Builds a [`ResourceType`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTypeBuilder {
    name: String,
    endpoint: String,
    description: String,
    schema: Schema,
    extensions: Vec<ExtensionSchema>,
    /// the lists that are shown when they are empty
    shown_empty: Vec<String>,
    /// an attribute that was to be changed and is not there
    unknown: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ExtensionSchema {
    schema: Schema,
    required: bool,
}

impl ResourceTypeBuilder {
    /// Describes the type for people.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Adds an extension that a resource may have.
    #[must_use]
    pub fn extension(mut self, schema: Schema) -> Self {
        self.extensions.push(ExtensionSchema { schema, required: false });
        self
    }

    /// Adds an extension that every resource must have.
    #[must_use]
    pub fn required_extension(mut self, schema: Schema) -> Self {
        self.extensions.push(ExtensionSchema { schema, required: true });
        self
    }

    /// Changes the definition of an attribute, of a part (`emails.value`) or, with the URN in front, of what an extension added
    /// so far defines. `/Schemas` shows the schema as changed, and that is what is enforced.
    ///
    /// Identity providers find groups by their name, and cannot tell two of the same name apart; the standard's schema lets them
    /// have it:
    ///
    /// ```
    /// # use scim_provider::Group;
    /// # use scim_provider::schema::Uniqueness;
    /// let groups = Group::resource_type().attribute("displayName", |name| name.unique(Uniqueness::Server));
    /// # groups.build()?;
    /// # Ok::<(), scim_provider::schema::SchemaError>(())
    /// ```
    ///
    /// The attributes that every resource has, such as `externalId`, are not the schemas' to define. That an attribute is not
    /// there is an error of [`build`](Self::build).
    #[must_use]
    pub fn attribute(mut self, path: &str, change: impl FnOnce(Attribute) -> Attribute) -> Self {
        match self.definition_of(path) {
            Some(attribute) => {
                let old = std::mem::replace(attribute, Attribute::string(""));
                *attribute = change(old);
            }
            None => self.unknown = Some(path.to_owned()),
        }
        self
    }

    /// Whether a list of the base schema is shown as `[]` where it has no values and an answer would hold it. RFC 7643 §2.5
    /// allows either; without this it is left out. Some clients take a group without `members` for one that has none to change:
    /// of the ready [`Group`](crate::Group) they are shown.
    ///
    /// ```
    /// # use scim_provider::Group;
    /// let groups = Group::resource_type().show_empty("members", false);
    /// # groups.build()?;
    /// # Ok::<(), scim_provider::schema::SchemaError>(())
    /// ```
    ///
    /// That the base schema has no such list is an error of [`build`](Self::build).
    #[must_use]
    pub fn show_empty(mut self, attribute: &str, shown: bool) -> Self {
        self.shown_empty.retain(|name| !name.eq_ignore_ascii_case(attribute));
        if shown {
            self.shown_empty.push(attribute.to_owned());
        }
        self
    }

    fn definition_of(&mut self, path: &str) -> Option<&mut Attribute> {
        let (urn, names) = match path.rsplit_once(':') {
            Some((urn, names)) => (Some(urn), names),
            None => (None, path),
        };
        let extensions = self.extensions.iter_mut().map(|extension| &mut extension.schema);
        let is_meant = |schema: &Schema| urn.is_some_and(|urn| urn.eq_ignore_ascii_case(&schema.id));
        let attributes = match urn.is_none() || is_meant(&self.schema) {
            true => &mut self.schema.attributes,
            false => &mut extensions.into_iter().find(|schema| is_meant(schema))?.attributes,
        };
        let find = |attributes: &'_ [Attribute], name: &str| {
            attributes.iter().position(|attribute| attribute.name.eq_ignore_ascii_case(name))
        };
        let (name, part) = names.split_once('.').map_or((names, None), |(name, part)| (name, Some(part)));
        let at = find(attributes, name)?;
        let attribute = attributes.get_mut(at)?;
        let Some(part) = part else { return Some(attribute) };
        let at = find(&attribute.sub_attributes, part)?;
        attribute.sub_attributes.get_mut(at)
    }

    /// Compiles the type.
    ///
    /// # Errors
    /// When one of the schemas breaks a rule of RFC 7643 §2 or §7, two of them have the same URI, an attribute that was to be
    /// changed is not there, or the name or the endpoint cannot stand in an answer and a URL.
    pub fn build(self) -> Result<ResourceType, SchemaError> {
        if let Some(path) = &self.unknown {
            return Err(SchemaError::unknown_attribute(&self.schema.id, path));
        }
        if let Some(error) = SchemaError::of_type(&self.schema.id, &self.name, &self.endpoint) {
            return Err(error);
        }
        let mut table = Table::default();
        let commons = core::common();
        let is_common = |a: &&Attribute| !commons.iter().any(|c| c.name.eq_ignore_ascii_case(&a.name));
        let (meta, first): (Vec<_>, Vec<_>) = commons.iter().partition(|a| a.name == "meta");
        self.schema.check()?;
        table.add_root(first.into_iter().chain(self.schema.attributes.iter().filter(is_common)));
        let mut ids = vec![self.schema.id.to_ascii_lowercase()];
        for extension in &self.extensions {
            extension.schema.check()?;
            let id = extension.schema.id.to_ascii_lowercase();
            if ids.contains(&id) {
                return Err(SchemaError::duplicate_schema(&extension.schema.id));
            }
            ids.push(id);
            table.add_extension(&extension.schema, extension.required);
        }
        table.add_root(meta.into_iter());
        table.finish(&self.schema.id);
        for name in &self.shown_empty {
            let id = table.child(table.root().children(), name);
            let list = id.filter(|id| table.node(*id).is_multi() && *id != AttrId::SCHEMAS);
            table.shown_empty.push(list.ok_or_else(|| SchemaError::unknown_attribute(&self.schema.id, name))?);
        }
        table.shown_empty.sort();
        Ok(ResourceType { inner: Arc::new(Inner { definition: self, table }) })
    }
}

impl From<ResourceType> for ResourceTypeBuilder {
    fn from(ty: ResourceType) -> Self {
        ty.inner.definition.clone()
    }
}
