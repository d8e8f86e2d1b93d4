//! A row as a resource, and a resource as a row.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use scim_provider::{Reference, Resource, ResourceType, StoreError, Version};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::select::Table;
use crate::session;
use crate::shape::{Document, Shape};

/// The attribute that names the schemas.
pub(crate) const SCHEMAS: &str = "schemas";

/// What every table of resources has.
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) attributes: Box<RawValue>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    /// of the document, as it was written
    pub(crate) bytes: i64,
    /// the references to others as JSON, where they were read too
    references: Option<String>,
}

/// What every shape of a row begins with: the columns of a [`Record`] before its document.
pub(crate) const IDENTITY: [&str; 5] = ["id", "version", "created", "modified", "bytes"];
/// Where the document stands behind them.
const DOCUMENT: usize = IDENTITY.len();

impl Record {
    /// A resource that is new.
    pub(crate) fn new(content: &Resource) -> Result<Self, StoreError> {
        let now = now();
        // of version 7: in the order of creation, which keeps new rows together, and never given twice
        let id = uuid::Uuid::now_v7().to_string();
        let attributes = text_of(content)?;
        let bytes = length(&attributes);
        Ok(Self { id, attributes, version: 1, created: now, modified: now, bytes, references: None })
    }

    /// Reads a row of a shape.
    pub(crate) fn read(row: &session::Row, table: Table, shape: Shape) -> Result<Self, StoreError> {
        let attributes = match shape.document {
            Document::None => empty()?,
            Document::Whole if !shape.listed => row.json(DOCUMENT)?,
            Document::Whole => row.optional_json(DOCUMENT)?.map_or_else(empty, Ok)?,
            Document::Columns => match row.optional_json(DOCUMENT)? {
                Some(document) => document,
                None => in_columns(row, table.columns())?,
            },
        };
        Ok(Self {
            id: row.text(0)?,
            attributes,
            version: row.integer(1)?,
            created: row.integer(2)?,
            modified: row.integer(3)?,
            bytes: row.integer(4)?,
            references: if shape.references { row.optional_text(table.width(shape))? } else { None },
        })
    }

    /// The next state of one whose document stays.
    pub(crate) fn touched(self) -> Self {
        // time does not run backwards for a resource, whatever the clock does
        let modified = now().max(self.modified);
        Self { version: self.version + 1, modified, ..self }
    }

    /// The next state of the resource.
    pub(crate) fn next(self, content: &Resource) -> Result<Self, StoreError> {
        let attributes = text_of(content)?;
        Ok(Self { bytes: length(&attributes), attributes, ..self.touched() })
    }

    pub(crate) fn version(&self) -> Version {
        Version::from(self.version.unsigned_abs())
    }

    /// The document: no identity, no references.
    pub(crate) fn content(&self, ty: &ResourceType) -> Result<Resource, StoreError> {
        Resource::from_stored(ty, self.attributes.get()).map_err(StoreError::backend)
    }

    /// The resource, with its references as the values of `path`.
    pub(crate) fn resource(&self, ty: &ResourceType, path: &str) -> Result<Resource, StoreError> {
        self.with_references(ty, path, &self.references()?)
    }

    /// The references that were read.
    pub(crate) fn references(&self) -> Result<Vec<Reference>, StoreError> {
        match self.references.as_deref() {
            None | Some("[]") => Ok(Vec::new()),
            Some(json) => references(json),
        }
    }

    pub(crate) fn with_references(
        &self,
        ty: &ResourceType,
        path: &str,
        references: &[Reference],
    ) -> Result<Resource, StoreError> {
        let resource = self.stamp(&self.content(ty)?);
        Ok(if references.is_empty() { resource } else { resource.with_references(path, references) })
    }

    /// Gives a document the identity of the record.
    pub(crate) fn stamp(&self, content: &Resource) -> Resource {
        content.stamped(&self.id, time(self.created), time(self.modified), &self.version())
    }
}

fn empty() -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string("{}".to_owned()).map_err(StoreError::backend)
}

/// The document as far as columns hold it.
fn in_columns(row: &session::Row, columns: &[(&str, &str)]) -> Result<Box<RawValue>, StoreError> {
    let mut document = String::from("{");
    for (at, (name, _)) in (DOCUMENT + 1..).zip(columns) {
        let Some(value) = row.str(at)? else { continue };
        if document.len() > 1 {
            document.push(',');
        }
        let text = serde_json::to_string(value).map_err(StoreError::backend)?;
        // `schemas` is a list already
        document.extend(["\"", name, "\":", if *name == SCHEMAS { value } else { &text }]);
    }
    document.push('}');
    RawValue::from_string(document).map_err(StoreError::backend)
}

/// The `schemas` of a document, for a column, if it is one. Those of extensions follow from the data of each, which has to be read.
pub(crate) fn schemas(content: &Resource) -> Option<String> {
    let schemas = content.get(SCHEMAS).filter(|schemas| schemas.elements().count() == 1)?;
    String::from_utf8(schemas.as_json().to_vec()).ok()
}

/// The part of a resource that goes into the JSON column: identity, times and references have columns of their own.
pub(crate) fn content_of(resource: &Resource) -> Result<Resource, StoreError> {
    let mut content = resource.without_references();
    for assigned in ["id", "meta"] {
        if content.get(assigned).is_some() {
            content = content.with(assigned, ()).map_err(StoreError::backend)?;
        }
    }
    Ok(content)
}

/// A list for a statement that unfolds it.
pub(crate) fn json_list<T: serde::Serialize>(items: impl IntoIterator<Item = T>) -> Result<String, StoreError> {
    serde_json::to_string(&items.into_iter().collect::<Vec<_>>()).map_err(StoreError::backend)
}

/// The present, in milliseconds.
pub(crate) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn length(document: &RawValue) -> i64 {
    i64::try_from(document.get().len()).unwrap_or(i64::MAX)
}

fn text_of(content: &Resource) -> Result<Box<RawValue>, StoreError> {
    let text = String::from_utf8(content.as_json().to_vec()).map_err(StoreError::backend)?;
    RawValue::from_string(text).map_err(StoreError::backend)
}

/// A reference as the statements give it: `[id, kind]` or `[id, kind, name]`.
#[derive(Deserialize)]
pub(crate) struct Row<'r>(
    #[serde(borrow)] pub(crate) Cow<'r, str>,
    pub(crate) Option<Cow<'r, str>>,
    #[serde(default)] pub(crate) Option<Cow<'r, str>>,
);

/// A list of references as the statements give it.
pub(crate) fn rows(json: &str) -> Result<Vec<Row<'_>>, StoreError> {
    serde_json::from_str(json).map_err(StoreError::backend)
}

fn references(json: &str) -> Result<Vec<Reference>, StoreError> {
    let rows = rows(json)?;
    Ok(rows.iter().map(|Row(id, kind, name)| Reference::to(id, kind.as_deref(), name.as_deref())).collect())
}
