//! The messages of the protocol as data: what travels apart from resources (RFC 7644 §3, RFC 7643 §5, §6, RFC 9865).
//!
//! For clients, for tests, and for hosts that answer an endpoint of their own. Everything reads and writes; what a
//! message does not know is ignored, unless a type says that it keeps it.

mod discovery;
mod list;
mod patch;
mod search;

pub use discovery::{
    AuthenticationScheme, BulkSupport, FilterSupport, PaginationMethod, PaginationSupport, ResourceTypeDefinition,
    SchemaExtension, ServiceProviderConfig, Supported,
};
pub use list::{LIST_RESPONSE_SCHEMA, ListResponse};
pub use patch::{Operation, PATCH_OP_SCHEMA, PatchOp, PatchOpKind};
pub use search::{SEARCH_REQUEST_SCHEMA, SearchRequest, SortOrder};
