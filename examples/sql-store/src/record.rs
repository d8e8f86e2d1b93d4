//! A row as a resource, and a resource as a row.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use scim_provider::{Reference, Resource, ResourceType, StoreError, Version};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::session;

/// What every table of resources has, in the order of [`COLUMNS`].
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) attributes: Box<RawValue>,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    /// the references to others as JSON, where they were read too
    references: Option<String>,
}

/// The columns of a [`Record`], less the references.
pub(crate) const COLUMNS: [&str; 5] = ["id", "attributes", "version", "created", "modified"];

impl Record {
    /// A resource that is new.
    pub(crate) fn new(content: &Resource) -> Result<Self, StoreError> {
        let now = now();
        // of version 7: in the order of creation, which keeps new rows together, and never given twice
        let id = uuid::Uuid::now_v7().to_string();
        Ok(Self { id, attributes: text_of(content)?, version: 1, created: now, modified: now, references: None })
    }

    /// Reads a row, with a sixth column for the references where they were asked for.
    pub(crate) fn read(row: &session::Row, references: bool) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text(0)?,
            attributes: row.json(1)?,
            version: row.integer(2)?,
            created: row.integer(3)?,
            modified: row.integer(4)?,
            references: if references { row.optional_text(5)? } else { None },
        })
    }

    /// The next state of the resource.
    pub(crate) fn next(self, content: &Resource) -> Result<Self, StoreError> {
        // time does not run backwards for a resource, whatever the clock does
        let modified = now().max(self.modified);
        Ok(Self { attributes: text_of(content)?, version: self.version + 1, modified, ..self })
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
        let resource = self.stamp(&self.content(ty)?);
        match self.references.as_deref() {
            None | Some("[]") => Ok(resource),
            Some(json) => Ok(resource.with_references(path, &references(json)?)),
        }
    }

    /// Gives a document the identity of the record.
    pub(crate) fn stamp(&self, content: &Resource) -> Resource {
        content.stamped(&self.id, time(self.created), time(self.modified), &self.version())
    }
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
