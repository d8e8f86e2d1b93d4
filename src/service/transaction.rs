//! Bulk requests as a whole or not at all, for hosts whose stores can.

use std::pin::Pin;

use crate::store::StoreError;

/// Runs the operations of a bulk request in one transaction of the host's.
///
/// RFC 7644 §3.7 has each operation stand for itself: what succeeded stays, whatever becomes of the others. That is what
/// happens without this. A host that sets it with [`bulk_transaction`](crate::ServiceBuilder::bulk_transaction) decides
/// otherwise: at the first error everything is rolled back, the error is reported for its operation, and operations that had
/// succeeded are reported with 409. Nothing is committed of a request whose client goes away.
///
/// ```
/// use std::sync::Arc;
/// use scim_provider::{BulkTransaction, Context, StoreError, TenantId};
/// # struct Pool; struct Tx; struct DbError;
/// # impl Pool { async fn begin(&self) -> Result<Tx, StoreError> { Ok(Tx) } }
/// # impl Tx { async fn commit(&self) -> Result<(), StoreError> { Ok(()) } async fn roll_back(&self) -> Result<(), StoreError> { Ok(()) } }
///
/// /// Stores write through the transaction where the context has one.
/// struct Caller { tenant: TenantId, transaction: Option<Arc<Tx>> }
/// # impl Context for Caller { fn tenant(&self) -> &TenantId { &self.tenant } }
///
/// struct Whole { pool: Pool }
///
/// impl BulkTransaction<Caller> for Whole {
///     async fn begin(&self, cx: &Caller) -> Result<Caller, StoreError> {
///         let transaction = Some(Arc::new(self.pool.begin().await?));
///         Ok(Caller { tenant: cx.tenant.clone(), transaction })
///     }
///     async fn commit(&self, cx: Caller) -> Result<(), StoreError> {
///         match cx.transaction { Some(tx) => tx.commit().await, None => Ok(()) }
///     }
///     async fn roll_back(&self, cx: Caller) -> Result<(), StoreError> {
///         match cx.transaction { Some(tx) => tx.roll_back().await, None => Ok(()) }
///     }
/// }
/// ```
pub trait BulkTransaction<C>: Send + Sync + 'static {
    /// Begins a transaction, and gives the context by which the stores are called in it. A context that is dropped without
    /// an end stands for a rollback.
    ///
    /// # Errors
    /// As a store's: the whole request is refused with it.
    fn begin(&self, cx: &C) -> impl Future<Output = Result<C, StoreError>> + Send;

    /// Makes what was done last.
    ///
    /// # Errors
    /// As a store's: the whole request is refused with it, and nothing of it may have happened.
    fn commit(&self, cx: C) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Undoes what was done.
    ///
    /// # Errors
    /// As a store's: the whole request is answered with it.
    fn roll_back(&self, cx: C) -> impl Future<Output = Result<(), StoreError>> + Send;
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`BulkTransaction`] as a trait object.
pub(super) trait ErasedTransaction<C>: Send + Sync {
    fn begin<'a>(&'a self, cx: &'a C) -> Answer<'a, C>;
    fn commit<'a>(&'a self, cx: C) -> Answer<'a, ()>
    where
        C: 'a;
    fn roll_back<'a>(&'a self, cx: C) -> Answer<'a, ()>
    where
        C: 'a;
}

impl<C, T: BulkTransaction<C>> ErasedTransaction<C> for T {
    fn begin<'a>(&'a self, cx: &'a C) -> Answer<'a, C> {
        Box::pin(BulkTransaction::begin(self, cx))
    }

    fn commit<'a>(&'a self, cx: C) -> Answer<'a, ()>
    where
        C: 'a,
    {
        Box::pin(BulkTransaction::commit(self, cx))
    }

    fn roll_back<'a>(&'a self, cx: C) -> Answer<'a, ()>
    where
        C: 'a,
    {
        Box::pin(BulkTransaction::roll_back(self, cx))
    }
}
