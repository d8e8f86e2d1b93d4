//! The PATCH cases against the library's patches.

use scim_provider::{Compat, Leniency, Limits, Patch, PatchError, Resource};
use serde_json::Value;

use super::{groups, users};
use crate::cases::patches::{CASES, Patches, Refusal};

fn apply(before: &Value, patch: &Value) -> Result<Value, Refusal> {
    let is_group = before["schemas"].to_string().contains(":Group");
    let ty = if is_group { groups() } else { users() };
    let (body, limits) = (patch.to_string(), Limits::default());
    let resource = Resource::from_stored(&ty, before.to_string()).unwrap();
    // the cases are to the letter where these two are concerned
    let compat = Compat::default().without(Leniency::MissingSchemas).without(Leniency::PlainValue);
    let patched = Patch::parse(body.as_bytes(), &limits)
        .and_then(|patch| patch.bind(&ty, compat, &limits))
        .and_then(|changes| changes.apply(&resource))
        .map_err(|error| refusal(&error))?;
    Ok(serde_json::from_slice(patched.resource.as_json()).unwrap())
}

fn refusal(error: &PatchError) -> Refusal {
    match error.scim_type() {
        Some(scim_type) => (scim_type.status().as_u16(), Some(scim_type.to_string())),
        None => (413, None),
    }
}

#[test]
fn each_patch_has_the_outcome_that_it_should() {
    Patches::load().run(apply).assert_clean(CASES);
}
