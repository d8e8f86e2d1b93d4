//! What every public type can be relied on to be. A type that stands in none of the lists is a failure.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use regex_lite::Regex;
use scim_provider::conformance::{ConformanceCase, Failure, Stop, Tenant};
use scim_provider::filter::sql::{
    ChildTable, Column, ColumnMap, ColumnMapBuilder, Dialect, Explain, Keyset, MapError, MapErrorKind, SqlFilter,
    SqlValue,
};
use scim_provider::filter::{BindError, BindErrorKind, ParseErrorKind, Path as FilterPath, Tail};
use scim_provider::messages::{
    AuthenticationScheme, BulkSupport, FilterSupport, ListResponse, Operation, PaginationMethod, PaginationSupport,
    PatchOp, PatchOpKind, ResourceTypeDefinition, SchemaExtension, SearchRequest, ServiceProviderConfig, SortOrder,
    Supported,
};
use scim_provider::patch::PatchErrorKind;
use scim_provider::resource::ViolationKind;
use scim_provider::schema::{
    Attribute, AttributeType, Mutability, Preparation, ResolvedAttr, ResourceTypeBuilder, Returned, SchemaError,
    Uniqueness,
};
use scim_provider::service::{Body, BrokenOff};
use scim_provider::{
    Address, AttrPath, AttrPathError, BoundFilter, Budget, BuildError, Capabilities, Changes, CompareOp, Compat, Cost,
    Cursor, Email, EnterpriseUser, Entitlement, Error, ErrorMessage, Exchange, Exhausted, Filter, Group,
    GroupMembership, Held, InstantMessaging, Key, Leniency, Limits, Literal, Manager, Me, Member, MemoryStore, Meta,
    Name, Number, Page, ParseError, Password, Patch, PatchAnswer, PatchError, Patched, PhoneNumber, Photo, Position,
    Precondition, Projection, Query, Reference, RelationChange, Repair, Repairs, Resource, ResourceType,
    ResourceWriter, Role, Schema, ScimType, Secret, Service, ServiceBuilder, Sort, StoreError, TenantId,
    UnknownAttributes, User, ValueRef, Version, Violation, X509Certificate,
};

/// The types that are listed, by the last part of their names.
type Listed = BTreeSet<String>;

/// What an observer is shown while it is called.
fn printed<T: Debug>(listed: &mut Listed) {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    listed.insert(name.rsplit("::").next().unwrap_or(name).to_owned());
}

/// What one thread after the other may have.
fn moved<T: Send + Debug>(listed: &mut Listed) {
    printed::<T>(listed);
}

/// What several threads may have at once.
fn shared<T: Send + Sync + Debug>(listed: &mut Listed) {
    printed::<T>(listed);
}

fn cloned<T: Send + Sync + Debug + Clone>(listed: &mut Listed) {
    printed::<T>(listed);
}

fn data<T: Send + Sync + Debug + Clone + PartialEq>(listed: &mut Listed) {
    printed::<T>(listed);
}

macro_rules! each {
    ($listed:ident, $is:ident: $($name:ty),* $(,)?) => { $($is::<$name>(&mut $listed);)* };
}

fn listed() -> Listed {
    let mut all = Listed::new();
    each!(all, data: Attribute, AttributeType, Mutability, Returned, Schema, SchemaError, Uniqueness, Preparation);
    each!(all, data: Address, Email, EnterpriseUser, Entitlement, Group, GroupMembership, InstantMessaging, Manager);
    each!(all, data: Member, Meta, Name, PhoneNumber, Photo, Role, User, X509Certificate, Resource, Reference);
    each!(all, data: AuthenticationScheme, BulkSupport, FilterSupport, ListResponse<User>, Operation, PaginationMethod);
    each!(all, data: PaginationSupport, PatchOp, PatchOpKind, ResourceTypeDefinition, SchemaExtension, SearchRequest);
    each!(all, data: ServiceProviderConfig, SortOrder, Supported, ScimType, Version, ResourceType, BrokenOff, Exhausted);
    each!(all, data: AttrPath<'static>, AttrPathError, Filter<'static>, Tail<'static>, FilterPath<'static>, CompareOp);
    each!(all, data: Literal<'static>, Number, ParseError, ParseErrorKind, BindError, BindErrorKind, PatchErrorKind);
    each!(all, data: Violation, ViolationKind, UnknownAttributes, Leniency, Compat, Repair, Limits, Sort, Cursor, Cost);
    each!(all, data: Position, Capabilities, TenantId, Projection, PatchAnswer, Me, Dialect, SqlValue, MapError);
    each!(all, data: MapErrorKind, Tenant);
    each!(all, cloned: Budget, Patched, Query, BoundFilter, Page, Key<'static>, Precondition<'static>, Repairs);
    each!(all, cloned: Service<TenantId>, MemoryStore, ResourceTypeBuilder, ResolvedAttr<'static>, ValueRef<'static>);
    each!(all, cloned: Secret<'static>, Stop, Failure, SqlFilter, Column, Keyset, RelationChange, ChildTable, ColumnMap);
    each!(all, cloned: ColumnMapBuilder);
    each!(all, shared: Password, Error, ErrorMessage<'static>, BuildError, StoreError, PatchError, Patch<'static>);
    each!(all, shared: ServiceBuilder<TenantId>, ResourceWriter<'static>, Changes, Held, Explain<'static>);
    each!(all, shared: ConformanceCase<()>);
    each!(all, moved: Body);
    each!(all, printed: Exchange<'static>);
    all
}

#[test]
fn every_public_type_is_listed() {
    let listed = listed();
    let mut missing = Vec::new();
    let defined = Regex::new(r"(?m)^(?:    )?pub (?:struct|enum) (\w+)|^plural!\(\n(?: *///.*\n)* *(\w+),").unwrap();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // a type that is `pub` can be reached: `unreachable_pub` is an error in the lints
            for found in defined.captures_iter(&fs::read_to_string(&path).unwrap()) {
                let name = found.get(1).or(found.get(2)).unwrap().as_str();
                count += 1;
                if !listed.contains(name) {
                    missing.push(format!("{name} in {}", path.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(count > 100, "{count}");
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

/// What a server of many threads spawns.
#[test]
fn the_futures_of_a_service_are_send() {
    let service = crate::scim::Scim::new().service;
    let tenant = TenantId::new("a").unwrap();
    let request = http::Request::get("/scim/v2/Users").body(Vec::new()).unwrap();
    assert_eq!(crate::scim::ready(is_send(service.call(&tenant, request.clone()))).status(), 200);
    assert_eq!(crate::scim::ready(is_send(service.stream(tenant, request))).status(), 200);
}
