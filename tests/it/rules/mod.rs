//! What RFC 7643 and RFC 7644 demand of a service provider, one behaviour at a time, through the public API.
//!
//! The first doc line of a test names the requirements that it proves: `R-7644-3.5.2.1-10` is the tenth of RFC 7644
//! §3.5.2.1, `A-06` an ambiguity and how it is read, `I-03` a fact about identity providers, `E-7644-01` an erratum.

mod bulk;
mod bulk_references;
mod bulk_results;
mod bulk_spellings;
mod bulk_transactions;
mod clients;
mod create;
mod cursor;
mod custom_types;
mod delete;
pub(crate) mod devices;
mod discovery;
mod errata;
mod errors;
mod etag;
mod filter;
mod filter_operators;
mod formats;
mod host_ids;
mod immutable;
mod list;
mod me;
mod mutability;
mod names;
mod page;
mod patch_add;
mod patch_message;
mod patch_mutability;
mod patch_remove;
mod patch_replace;
mod preparation;
mod project;
mod read;
mod references;
mod replace;
mod root;
mod schemas;
mod sort;
mod tenants;
mod types;
mod users_and_groups;
