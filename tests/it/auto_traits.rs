//! What every public type can be relied on to be.

use std::fmt::Debug;

use scim_provider::messages::{
    AuthenticationScheme, BulkSupport, FilterSupport, ListResponse, Operation, PaginationMethod, PaginationSupport,
    PatchOp, PatchOpKind, ResourceTypeDefinition, SchemaExtension, SearchRequest, ServiceProviderConfig, SortOrder,
    Supported,
};
use scim_provider::schema::{Attribute, AttributeType, Mutability, Returned, Schema, SchemaError, Uniqueness};
use scim_provider::{
    Address, Email, EnterpriseUser, Entitlement, Group, GroupMembership, InstantMessaging, Manager, Member, Meta, Name,
    PhoneNumber, Photo, Role, User, X509Certificate,
};

fn is_data<T: Send + Sync + Debug + Clone + PartialEq + 'static>() {}

macro_rules! data {
    ($($name:ty),* $(,)?) => { $(is_data::<$name>();)* };
}

#[test]
fn data_types_are_send_sync_debug_clone_and_eq() {
    data!(Attribute, AttributeType, Mutability, Returned, Schema, SchemaError, Uniqueness);
    data!(Address, Email, EnterpriseUser, Entitlement, Group, GroupMembership, InstantMessaging, Manager, Member, Meta);
    data!(Name, PhoneNumber, Photo, Role, User, X509Certificate);
    data!(AuthenticationScheme, BulkSupport, FilterSupport, ListResponse<User>, Operation, PaginationMethod);
    data!(PaginationSupport, PatchOp, PatchOpKind, ResourceTypeDefinition, SchemaExtension, SearchRequest);
    data!(ServiceProviderConfig, SortOrder, Supported);
}
