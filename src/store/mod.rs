//! The one trait that hosts implement.
//!
//! # Contract
//!
//! *The tenant is part of every call.* A store sees only what belongs to [`Context::tenant`]: reads, counts, uniqueness and
//! writes alike. An id is unique within the tenant, across all its resource types (RFC 7643 §3.1): a query of all of them could
//! not tell two resources apart otherwise, and neither could a membership.
//!
//! *Every method is atomic*: it does all of its work or none, also when the future is dropped.
//!
//! *Versions.* Each effective change gives the resource a version it never had before. [`replace`](Store::replace),
//! [`patch`](Store::patch) and [`delete`](Store::delete) check the [`Precondition`] and write in one step: compare-and-swap.
//!
//! *Uniqueness* of attributes that the schema declares unique (`userName`), without regard to case unless `caseExact`, comes
//! from a constraint on the folded key ([`fold`](crate::fold)), never from looking first.
//!
//! *Identity.* [`create`](Store::create) gives a new id; an id is never used again, not even after a deletion.
//!
//! *Passwords* are in [`Resource::secret`], beside the document. Hash them; [`Resource::as_json`] never holds one.

mod erased;
mod memory;
mod page;

use std::future::Future;

pub(crate) use self::erased::ErasedStore;
pub use self::memory::MemoryStore;
pub(crate) use self::page::Extent;
pub use self::page::Page;

use crate::etag::Version;
use crate::patch::{Changes, Patched};
use crate::query::Query;
use crate::resource::{Projection, Resource, ResourceWriter};
use crate::schema::ResourceType;

/// Whom a request is made for. The host's own type carries what its stores need: the tenant, who is calling, a pool.
///
/// It is made by the host's authentication and by nothing else: there is no way to call the service without one, and none
/// without a tenant.
///
/// ```
/// # use scim_provider::{Context, TenantId};
/// struct Caller { tenant: TenantId, token_name: String }
///
/// impl Context for Caller {
///     fn tenant(&self) -> &TenantId { &self.tenant }
/// }
/// ```
pub trait Context: Send + Sync + 'static {
    /// The tenant whose resources the request may reach.
    fn tenant(&self) -> &TenantId;
}

/// The name of a tenant. It is never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Box<str>);

impl TenantId {
    /// A tenant's name; `None` when it is empty.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        (!name.trim().is_empty()).then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TenantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Context for TenantId {
    fn tenant(&self) -> &TenantId {
        self
    }
}

/// Where the resources of one type are kept. See the [module](self) for what an implementation promises.
///
/// Implementations write plain `async fn`.
pub trait Store: Send + Sync + 'static {
    /// The host's own context.
    type Context: Context;

    /// One resource, or `None` when the tenant has none with this id.
    ///
    /// `want` says what is asked for: a group's members need not be loaded when it does not include them. More may be
    /// returned; `id` and `meta` always are.
    fn get(
        &self,
        cx: &Self::Context,
        key: Key<'_>,
        want: &Projection,
    ) -> impl Future<Output = Result<Option<Resource>, StoreError>> + Send;

    /// Shows one resource in an answer; `false` when the tenant has none with this id. It is [`get`](Self::get) with another
    /// way for the result: a store of groups with very many members passes their rows on as they come.
    ///
    /// What is written in the end has to be one state of the resource: read the document and the rows in one statement or
    /// one snapshot. Between the rows, await [`ResourceWriter::flush`]: it lets go of what has been sent, and waits while the client
    /// reads slowly. How long a client may hold what is open for it is the host's to bound, where it sends the answer.
    fn show(
        &self,
        cx: &Self::Context,
        key: Key<'_>,
        writer: &mut ResourceWriter<'_>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async move {
            let found = self.get(cx, key, writer.projection()).await?;
            Ok(found.map(|resource| writer.resource(&resource)).is_some())
        }
    }

    /// The resources that a query asks for, or more of them: the [`Page`] says which part of the query was carried out.
    ///
    /// The order is stable: the same call gives the same order as long as nothing changes.
    ///
    /// A store that says [`Capabilities::with_cursor`] is also asked for pages by cursor, where [`Query::cursor`] is set: it
    /// returns what follows that position as [`Page::following`], or, where it cannot express the order, all that match as for
    /// any other query. Whose resources they are is still the context's to say: a position may come from anywhere.
    fn list(
        &self,
        cx: &Self::Context,
        ty: &ResourceType,
        query: &Query,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Keeps a new resource and returns it [stamped](Resource::stamped) with its id, times and version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a unique value is taken.
    fn create(
        &self,
        cx: &Self::Context,
        ty: &ResourceType,
        draft: Resource,
    ) -> impl Future<Output = Result<Resource, StoreError>> + Send;

    /// Replaces a resource's content, references included, and returns it with its new version. The id and `meta.created`
    /// stay; what follows from other resources (`groups` of a user) is not kept, whether `new` holds it or not:
    /// [`Resource::without_references`] is the document alone. When nothing is different, version and `meta.lastModified` may stay too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::VersionMismatch`] when `when` does not hold, [`StoreError::Conflict`].
    fn replace(
        &self,
        cx: &Self::Context,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> impl Future<Output = Result<Resource, StoreError>> + Send;

    /// Removes a resource for good, and with it the references to it that stores keep apart: it is no longer a member of any
    /// group, and a deleted group is no longer among a user's `groups`. The groups change their versions by that.
    ///
    /// A single reference such as `manager` is content of the resource that has it, and stays until a client changes it: the
    /// identity provider wrote it there and compares it with its own. It then leads to a 404 (RFC 7643 §2.3.7 leaves integrity to
    /// the service provider).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::VersionMismatch`] when `when` does not hold.
    fn delete(
        &self,
        cx: &Self::Context,
        key: Key<'_>,
        when: Precondition<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Carries changes out in place, at a cost that follows the change and not the resource. `want` says what is needed of
    /// the result.
    ///
    /// `None` leaves it to the service, which reads, applies and [replaces](Self::replace) with compare-and-swap. That is
    /// always right; for groups with many members it is slow, because all members are read and written.
    ///
    /// # Errors
    /// As [`replace`](Self::replace), and [`StoreError::Patch`] when the changes cannot be applied to the resource.
    fn patch(
        &self,
        cx: &Self::Context,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> impl Future<Output = Result<Option<Patched>, StoreError>> + Send {
        let _ = (cx, key, changes, when, want);
        std::future::ready(Ok(None))
    }

    /// What the store can do. It decides what `ServiceProviderConfig` says.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

/// The address of a resource within a tenant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Key<'a> {
    /// The resource's type.
    pub resource_type: &'a ResourceType,
    /// The resource's id, as the client named it: compare it exactly.
    pub id: &'a str,
}

impl<'a> Key<'a> {
    /// An address.
    pub fn new(resource_type: &'a ResourceType, id: &'a str) -> Self {
        Self { resource_type, id }
    }
}

/// Which versions of a resource a change may be made to.
#[derive(Clone, Copy, Debug)]
pub struct Precondition<'a> {
    versions: Option<&'a [Version]>,
}

impl<'a> Precondition<'a> {
    /// Any version.
    pub const NONE: Precondition<'static> = Precondition { versions: None };

    /// One of these versions.
    pub fn versions(versions: &'a [Version]) -> Self {
        Self { versions: Some(versions) }
    }

    /// Checks the version that is there: the one judgement that all stores share.
    ///
    /// # Errors
    /// [`StoreError::VersionMismatch`] when it is not one of those that are asked for.
    pub fn check(&self, current: &Version) -> Result<(), StoreError> {
        match self.versions {
            Some(versions) if !versions.contains(current) => Err(StoreError::VersionMismatch),
            _ => Ok(()),
        }
    }

    /// The versions that are asked for, for a store that compares in its statement; `None` for any.
    pub fn as_versions(&self) -> Option<&'a [Version]> {
        self.versions
    }
}

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether passwords are kept: `changePassword`.
    pub change_password: bool,
    /// Whether resources can be created.
    pub create: bool,
    /// Whether resources can be deleted.
    pub delete: bool,
    /// Whether a page by cursor is found without a look at what lies before it: whether [`Store::list`] is asked for
    /// [`Query::cursor`]. Of a store that cannot, the service asks everything that matches, and sorts and cuts it.
    pub cursor: bool,
    /// Whether it is found in both directions, so that a page by cursor names the one before it too.
    pub previous_cursor: bool,
    /// What a usual write costs, in the units of [`Budget`](crate::Budget): each operation of a bulk request is charged with
    /// it, and no more operations are allowed than fit.
    pub write_work: u64,
    /// What it costs besides that for each value of a multi-valued attribute, references such as members included.
    pub value_work: u64,
    /// What it costs besides that to keep a password, such as a hash that is slow on purpose.
    pub password_work: u64,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            change_password: false,
            create: true,
            delete: true,
            cursor: false,
            previous_cursor: false,
            write_work: 6_000,
            value_work: 1_000,
            password_work: 0,
        }
    }
}

impl Capabilities {
    /// Says that passwords are kept.
    #[must_use]
    pub fn with_change_password(mut self) -> Self {
        self.change_password = true;
        self
    }

    /// Says that [`Store::list`] answers [`Query::cursor`] with [`Page::following`], in both directions.
    #[must_use]
    pub fn with_cursor(mut self) -> Self {
        (self.cursor, self.previous_cursor) = (true, true);
        self
    }

    /// Says what a usual write costs, in nanoseconds of a core, here and in the database. Without this it is 6,000: one in
    /// memory.
    ///
    /// ```
    /// # use scim_provider::Capabilities;
    /// let slow = Capabilities::default().with_write_work(400_000).with_password_work(20_000_000);
    /// assert_eq!(slow.write_work, 400_000);
    /// ```
    #[must_use]
    pub fn with_write_work(mut self, work: u64) -> Self {
        self.write_work = work;
        self
    }

    /// Says what each value of a list costs that is written, where it is a row of its own. Without this it is 1,000.
    #[must_use]
    pub fn with_value_work(mut self, work: u64) -> Self {
        self.value_work = work;
        self
    }

    /// Says what keeping a password costs besides the write.
    #[must_use]
    pub fn with_password_work(mut self, work: u64) -> Self {
        self.password_work = work;
        self
    }

    /// Says that [`Store::list`] knows no [`Cursor::Before`](crate::Cursor::Before): pages name no `previousCursor`.
    #[must_use]
    pub fn without_previous_cursor(mut self) -> Self {
        self.previous_cursor = false;
        self
    }

    /// Says that resources cannot be created: 501 for POST.
    #[must_use]
    pub fn without_create(mut self) -> Self {
        self.create = false;
        self
    }

    /// Says that resources cannot be deleted: 501 for DELETE.
    #[must_use]
    pub fn without_delete(mut self) -> Self {
        self.delete = false;
        self
    }
}

/// Why a store could not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The tenant has no such resource.
    #[error("no such resource")]
    NotFound,
    /// A unique value is taken.
    #[error("the value of `{attribute}` is taken")]
    Conflict {
        /// The attribute.
        attribute: String,
    },
    /// The resource is at another version than the precondition asks for.
    #[error("the resource has changed")]
    VersionMismatch,
    /// The changes do not fit the resource.
    #[error(transparent)]
    Patch(#[from] crate::PatchError),
    /// The request asks for something that this store refuses, with what the client is to read.
    #[error("{0}")]
    Refused(Box<crate::Error>),
    /// Not now: 503, or 429 when `throttled`.
    #[error("temporarily unavailable")]
    Unavailable {
        /// After how many seconds the client may try again.
        retry_after: Option<u32>,
        /// Whether it is this client that asks too often.
        throttled: bool,
        /// The cause, for the operator.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The operation is not supported: 501.
    #[error("not supported")]
    Unsupported,
    /// The query would need more resources to be looked at than the service allows: `tooMany`.
    #[error("too many resources to look at")]
    TooMany,
    /// The request would cost more than its [budget](crate::Budget) holds: `tooMany` for a query, 413 for anything else.
    #[error(transparent)]
    Exhausted(#[from] crate::Exhausted),
    /// The database failed. The source is for the operator; the client reads that something went wrong.
    #[error("the store failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A row that does not make a valid resource is a failure of the store.
impl From<crate::Violation> for StoreError {
    fn from(violation: crate::Violation) -> Self {
        Self::backend(violation)
    }
}

impl StoreError {
    /// A failure of the database.
    pub fn backend(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Backend(source.into())
    }

    /// The store cannot answer now: a pool without a free connection, a transaction that was taken back too often. After so
    /// many seconds, where that is known, the client may try again.
    ///
    /// ```
    /// # use scim_provider::StoreError;
    /// # let timed_out = std::io::Error::from(std::io::ErrorKind::TimedOut);
    /// let error = StoreError::unavailable(1).with_source(timed_out); // the observer reads the cause, the client a 503
    /// ```
    pub fn unavailable(retry_after: impl Into<Option<u32>>) -> Self {
        Self::Unavailable { retry_after: retry_after.into(), throttled: false, source: None }
    }

    /// This client asks too often.
    pub fn too_many_requests(retry_after: impl Into<Option<u32>>) -> Self {
        Self::Unavailable { retry_after: retry_after.into(), throttled: true, source: None }
    }

    /// Gives [`Unavailable`](Self::Unavailable) and [`Backend`](Self::Backend) their cause. The others are answers, and have none.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        match self {
            Self::Unavailable { retry_after, throttled, .. } => {
                Self::Unavailable { retry_after, throttled, source: Some(source.into()) }
            }
            Self::Backend(_) => Self::Backend(source.into()),
            answer => answer,
        }
    }

    /// A resource of a list has more references than [are shown there](crate::Query::references).
    pub fn too_many_references(attribute: &str, most: usize) -> Self {
        let detail = format!(
            "a resource on the list has more than {most} values of `{attribute}` (`listed_references`): ask for the list with \
             `excludedAttributes={attribute}`, or for the resource by its id"
        );
        Self::Refused(Box::new(crate::Error::bad_request(crate::ScimType::TooMany, detail)))
    }

    /// A unique value that is taken.
    pub fn conflict(attribute: impl Into<String>) -> Self {
        Self::Conflict { attribute: attribute.into() }
    }
}
