//! Keys: the texts that stand in indexes.

use scim_provider::{Error, Resource, ScimType, StoreError, fold};

/// How long a key may be. PostgreSQL has room for 2,700 bytes in an entry of an index, with the tenant and the id.
const LONGEST: usize = 1_024;

/// A text that goes into an index as it is.
///
/// # Errors
/// A refusal that the client can read, when it is too long for one.
pub(crate) fn checked<T: AsRef<str>>(path: &str, text: Option<T>) -> Result<Option<T>, StoreError> {
    match &text {
        Some(long) if long.as_ref().len() > LONGEST => {
            let detail = format!("`{path}` is longer than {LONGEST} bytes");
            Err(StoreError::Refused(Box::new(Error::bad_request(ScimType::InvalidValue, detail))))
        }
        _ => Ok(text),
    }
}

/// The key of an attribute that is compared without regard to case.
pub(crate) fn folded(resource: &Resource, path: &str) -> Result<Option<String>, StoreError> {
    checked(path, resource.text(path).map(|text| fold(&text).into_owned()))
}
