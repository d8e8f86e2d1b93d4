//! What connects the runners with the library: a file for each part.

mod filters;
mod patches;

use scim_provider::ResourceType;
use scim_provider::schema::core;

/// Users with the enterprise extension.
fn users() -> ResourceType {
    ResourceType::builder("User", "/Users", core::user()).extension(core::enterprise_user()).build().unwrap()
}

fn groups() -> ResourceType {
    ResourceType::builder("Group", "/Groups", core::group()).build().unwrap()
}
