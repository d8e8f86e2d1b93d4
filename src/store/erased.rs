//! Stores behind one handle, so that the service has a single type parameter. One boxed future for each call.

use std::pin::Pin;

use super::{Capabilities, Key, Page, Precondition, Store, StoreError};
use crate::patch::{Changes, Patched};
use crate::query::Query;
use crate::resource::{Projection, Resource, ResourceWriter};
use crate::schema::ResourceType;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`Store`] as a trait object.
pub(crate) trait ErasedStore<C>: Send + Sync {
    fn get<'a>(&'a self, cx: &'a C, key: Key<'a>, want: &'a Projection) -> Answer<'a, Option<Resource>>;
    fn show<'a, 'w: 'a>(&'a self, cx: &'a C, key: Key<'a>, writer: &'a mut ResourceWriter<'w>) -> Answer<'a, bool>;
    fn list<'a>(&'a self, cx: &'a C, ty: &'a ResourceType, query: &'a Query) -> Answer<'a, Page>;
    fn create<'a>(&'a self, cx: &'a C, ty: &'a ResourceType, draft: Resource) -> Answer<'a, Resource>;
    fn replace<'a>(&'a self, cx: &'a C, key: Key<'a>, new: Resource, when: Precondition<'a>) -> Answer<'a, Resource>;
    fn delete<'a>(&'a self, cx: &'a C, key: Key<'a>, when: Precondition<'a>) -> Answer<'a, ()>;
    fn patch<'a>(
        &'a self,
        cx: &'a C,
        key: Key<'a>,
        changes: &'a Changes,
        when: Precondition<'a>,
        want: &'a Projection,
    ) -> Answer<'a, Option<Patched>>;
    fn capabilities(&self) -> Capabilities;
}

impl<S: Store> ErasedStore<S::Context> for S {
    fn get<'a>(&'a self, cx: &'a S::Context, key: Key<'a>, want: &'a Projection) -> Answer<'a, Option<Resource>> {
        Box::pin(Store::get(self, cx, key, want))
    }

    fn show<'a, 'w: 'a>(
        &'a self,
        cx: &'a S::Context,
        key: Key<'a>,
        writer: &'a mut ResourceWriter<'w>,
    ) -> Answer<'a, bool> {
        Box::pin(Store::show(self, cx, key, writer))
    }

    fn list<'a>(&'a self, cx: &'a S::Context, ty: &'a ResourceType, query: &'a Query) -> Answer<'a, Page> {
        Box::pin(Store::list(self, cx, ty, query))
    }

    fn create<'a>(&'a self, cx: &'a S::Context, ty: &'a ResourceType, draft: Resource) -> Answer<'a, Resource> {
        Box::pin(Store::create(self, cx, ty, draft))
    }

    fn replace<'a>(
        &'a self,
        cx: &'a S::Context,
        key: Key<'a>,
        new: Resource,
        when: Precondition<'a>,
    ) -> Answer<'a, Resource> {
        Box::pin(Store::replace(self, cx, key, new, when))
    }

    fn delete<'a>(&'a self, cx: &'a S::Context, key: Key<'a>, when: Precondition<'a>) -> Answer<'a, ()> {
        Box::pin(Store::delete(self, cx, key, when))
    }

    fn patch<'a>(
        &'a self,
        cx: &'a S::Context,
        key: Key<'a>,
        changes: &'a Changes,
        when: Precondition<'a>,
        want: &'a Projection,
    ) -> Answer<'a, Option<Patched>> {
        Box::pin(Store::patch(self, cx, key, changes, when, want))
    }

    fn capabilities(&self) -> Capabilities {
        Store::capabilities(self)
    }
}
