//! Stores that do as little as they may, or less than they should, behind the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{
    Capabilities, EnterpriseUser, Extension, Key, MemoryStore, Page, Precondition, Projection, Query, Resource,
    ResourceType, Service, Store, StoreError, TenantId, User,
};
use serde_json::json;

use crate::scim::{Answer, BASE, GROUP, Scim, id_of, user};

/// Memory, but only the methods that every store has, and with the faults of the test.
#[derive(Clone, Default)]
struct Plain {
    memory: MemoryStore,
    faults: Faults,
    /// how many writes another writer is faster at
    races: Arc<AtomicUsize>,
    reads: Arc<AtomicUsize>,
}

#[derive(Clone, Default)]
struct Faults {
    list: Listing,
    on_read: Option<fn() -> StoreError>,
    on_write: Option<fn() -> StoreError>,
}

/// How it answers a query.
#[derive(Clone, Copy, Default)]
enum Listing {
    #[default]
    AsMemory,
    /// all there is, and it says so
    Everything,
    /// all there is, and it says that they match
    AllAsMatches,
    /// all there is, and it says that this is the page
    AllAsExact,
}

impl Plain {
    fn with(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    fn scim(&self) -> Scim {
        Scim::of(
            Service::builder(BASE)
                // of a user the manager's name is kept, of a group nothing
                .resource(User::resource_type().extension(EnterpriseUser::schema()), self.clone())
                .resource(scim_provider::Group::resource_type(), self.clone()),
        )
    }

    fn lose(&self, races: usize) {
        self.races.store(races, Ordering::SeqCst);
    }

    fn loses_a_race(&self) -> bool {
        self.races.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

impl Store for Plain {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.faults.on_read {
            Some(fault) => Err(fault()),
            None => self.memory.get(cx, key, want).await,
        }
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        if let Some(fault) = self.faults.on_read {
            return Err(fault());
        }
        let mut everything = query.clone();
        (everything.filter, everything.sort, everything.offset, everything.limit) = (None, None, 0, usize::MAX);
        let all = self.memory.list(cx, ty, &everything).await?.resources().to_vec();
        match self.faults.list {
            Listing::AsMemory => self.memory.list(cx, ty, query).await,
            Listing::Everything => Ok(Page::candidates(all)),
            Listing::AllAsMatches => Ok(Page::matches(all)),
            Listing::AllAsExact => Ok(Page::exact(all, 1)),
        }
    }

    async fn create(&self, cx: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        match self.faults.on_write {
            Some(fault) => Err(fault()),
            None => self.memory.create(cx, ty, draft).await,
        }
    }

    async fn replace(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let blind = when.as_versions().is_none_or(<[_]>::is_empty);
        assert!(!blind || key.resource_type.name() == "Group", "a write without compare-and-swap");
        if !blind && self.loses_a_race() {
            return Err(StoreError::VersionMismatch);
        }
        match self.faults.on_write {
            Some(fault) => Err(fault()),
            None => self.memory.replace(cx, key, new, when).await,
        }
    }

    async fn delete(&self, cx: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        match self.faults.on_write {
            Some(fault) => Err(fault()),
            None => self.memory.delete(cx, key, when).await,
        }
    }
}

fn change() -> serde_json::Value {
    json!({"op": "replace", "path": "title", "value": "x"})
}

/// R-7644-3.5.2-30
#[test]
fn a_store_without_patch_is_patched_all_the_same() {
    let scim = Plain::default().scim();
    let path = scim.user(json!({}));
    scim.patch(&path, change()).is(200).has(json!({"title": "x"}));
    let group = scim.group("g", &[]);
    let add = json!({"op": "add", "path": "members", "value": [{"value": id_of(&path)}]});
    scim.patch(&group, add.clone()).is(204);
    let before = scim.get(&group).has(json!({"members": [{"value": id_of(&path), "type": "User"}]})).body;
    scim.patch(&group, add).is(204);
    assert_eq!(scim.get(&group).body, before, "no change is no write");
    scim.patch(&group, json!({"op": "remove", "path": format!("members[value eq \"{}\"]", id_of(&path))})).is(204);
    assert_eq!(scim.get(&group).at("/members"), json!([]));
}

#[test]
fn a_lost_race_is_repeated_and_the_client_does_not_notice() {
    for races in [1, 3, 8] {
        let store = Plain::default();
        let scim = store.scim();
        let path = scim.user(json!({}));
        store.lose(races);
        scim.patch(&path, change()).is(200).has(json!({"title": "x"}));
        store.lose(races);
        scim.put(&path, user(json!({"title": "y"}))).is(200).has(json!({"title": "y"}));
    }
}

#[test]
fn races_are_not_run_for_ever() {
    let store = Plain::default();
    let scim = store.scim();
    let path = scim.user(json!({}));
    let before = scim.get(&path).body;
    let patch: fn(&Scim, &str) -> Answer = |scim, path| scim.patch(path, change());
    let put: fn(&Scim, &str) -> Answer = |scim, path| scim.put(path, user(json!({"title": "y"})));
    for write in [patch, put] {
        store.lose(1000);
        store.reads.store(0, Ordering::SeqCst);
        let refused = write(&scim, &path).refused(503, "");
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(store.reads.load(Ordering::SeqCst), 9, "once, and eight times more");
    }
    store.lose(0);
    assert_eq!(scim.get(&path).body, before);
}

#[test]
fn a_replacement_that_keeps_nothing_of_what_is_there_is_made_whatever_is_there() {
    let store = Plain::default();
    let scim = store.scim();
    let member = scim.user(json!({}));
    let path = scim.group("old", &[]);
    let new = json!({"schemas": [GROUP], "displayName": "new", "members": [{"value": id_of(&member)}]});
    store.lose(1000);
    scim.put(&path, new.clone()).is(200);
    scim.get(&path).has(json!({"displayName": "new", "members": [{"value": id_of(&member)}]}));
    let etag = scim.get(&path).header("etag").to_owned();
    scim.put_if(&path, &[("if-match", &etag)], new.clone()).is(503);
    scim.put_if(&path, &[("if-none-match", "\"x\"")], new).is(503);
}

#[test]
fn what_a_client_cannot_change_is_never_written_over_unseen() {
    for apps in [
        Attribute::string("apps").multi_valued().read_only(),
        Attribute::string("apps").multi_valued().immutable(),
        Attribute::string("apps").read_only(),
    ] {
        let store = Plain::default();
        let schema = Schema::new("urn:example:2.0:Apps", "Apps", [apps]);
        let group = scim_provider::Group::resource_type().extension(schema);
        let scim = Scim::of(Service::builder(BASE).resource(group, store.clone()));
        let path = scim.group("old", &[]);
        store.lose(1000);
        scim.put(&path, json!({"schemas": [GROUP], "displayName": "new"})).refused(503, "");
    }
}

/// R-7644-3.14-07 R-7644-3.12-11
#[test]
fn a_client_that_names_a_version_hears_of_a_lost_race() {
    let store = Plain::default();
    let scim = store.scim();
    let path = scim.user(json!({}));
    let old = scim.get(&path).header("etag").to_owned();
    scim.patch(&path, change()).is(200);
    let other = json!({"op": "replace", "path": "title", "value": "z"});
    scim.patch_if(&path, &[("if-match", &old)], other).refused(412, "");
    scim.put_if(&path, &[("if-match", &old)], user(json!({}))).refused(412, "");
    scim.send("DELETE", &path, &[("if-match", &old)], "").refused(412, "");
    scim.get(&path).has(json!({"title": "x"}));
}

/// R-7644-3.4.2.2-03
#[test]
fn a_store_that_ignores_the_query_leaks_nothing() {
    for list in [Listing::Everything, Listing::AllAsMatches] {
        let scim = Plain::with(Faults { list, ..Faults::default() }).scim();
        for name in ["cyd", "ada", "bob"] {
            scim.user(json!({"userName": name, "active": name != "bob"}));
        }
        let found = scim.filter("/Users", "active eq true").is(200).has(json!({"totalResults": 2, "itemsPerPage": 2}));
        assert_eq!(found.each("userName"), ["cyd", "ada"]);
        let page = scim.get("/Users?sortBy=userName&startIndex=2&count=1").is(200);
        assert_eq!(page.has(json!({"totalResults": 3, "itemsPerPage": 1, "startIndex": 2})).each("userName"), ["bob"]);
        scim.get("/Users?count=0").has(json!({"totalResults": 3, "Resources": []}));
    }
}

/// R-7644-3.4.2.2-03 R-7644-3.4.2.4-04
#[test]
fn a_page_that_claims_to_be_exact_is_checked() {
    let scim = Plain::with(Faults { list: Listing::AllAsExact, ..Faults::default() }).scim();
    for name in ["ada", "bob", "cyd"] {
        scim.user(json!({"userName": name}));
    }
    let found = scim.filter("/Users", r#"userName eq "bob""#).is(200);
    assert_eq!(found.each("userName"), ["bob"]);
    assert_eq!(scim.get("/Users?count=2").is(200).each("userName").len(), 2);
}

/// R-7644-3.4.2.1-05 R-7644-3.12-16 A-30
#[test]
fn work_for_one_query_is_bounded() {
    let store = Plain::with(Faults { list: Listing::Everything, ..Faults::default() });
    let mut limits = scim_provider::Limits::default();
    limits.scan = 3;
    let scim = Scim::of(Service::builder(BASE).resource(User::resource_type(), store).limits(limits));
    for n in 0..3 {
        scim.user(json!({"userName": n.to_string()}));
    }
    scim.get("/Users?count=1").is(200).has(json!({"totalResults": 3}));
    scim.user(json!({"userName": "one more"}));
    scim.get("/Users?count=1").refused(400, "tooMany");
    scim.filter("/Users", "title pr").refused(400, "tooMany");
    let memory = Scim::limited(|limits| limits.scan = 1);
    memory.user(json!({}));
    memory.user(json!({"userName": "bob"}));
    memory.get("/Users").is(200);
}

/// Every request to a store whose reads and writes fail in this way.
#[track_caller]
fn everything_fails(fault: fn() -> StoreError, (status, keyword): (u16, &str)) -> Vec<Answer> {
    let reading = Plain::with(Faults { on_read: Some(fault), ..Faults::default() }).scim();
    let store = Plain::default();
    let path = store.scim().user(json!({}));
    let writing = Plain { faults: Faults { on_write: Some(fault), ..Faults::default() }, ..store }.scim();
    [
        reading.get("/Users/1"),
        reading.get("/Users"),
        reading.patch("/Users/1", change()),
        reading.put("/Users/1", user(json!({}))),
        writing.post("/Users", user(json!({"userName": "bob"}))),
        writing.patch(&path, change()),
        writing.put(&path, user(json!({"title": "y"}))),
        writing.delete(&path),
    ]
    .into_iter()
    .map(|answer| answer.refused(status, keyword))
    .collect()
}

#[test]
fn a_store_that_is_busy_says_when_to_come_back() {
    for answer in everything_fails(|| StoreError::unavailable(7), (503, "")) {
        assert_eq!(answer.header("retry-after"), "7");
        assert_eq!(answer.exchange.source, None);
    }
    for answer in everything_fails(|| StoreError::too_many_requests(9), (429, "")) {
        assert_eq!(answer.header("retry-after"), "9");
    }
    for answer in everything_fails(|| StoreError::unavailable(None), (503, "")) {
        assert_eq!(answer.header("retry-after"), "");
    }
}

#[test]
fn why_a_store_is_busy_reads_the_operator_and_nobody_else() {
    fn fault() -> StoreError {
        StoreError::unavailable(7).with_source("deadlock in users_by_name")
    }
    for answer in everything_fails(fault, (503, "")) {
        assert_eq!(answer.header("retry-after"), "7");
        assert!(!answer.body.to_string().contains("deadlock"), "{}", answer.body);
        assert_eq!(answer.exchange.source.as_deref(), Some("deadlock in users_by_name"));
    }
    assert!(matches!(StoreError::NotFound.with_source("x"), StoreError::NotFound));
    assert!(
        matches!(StoreError::backend("x").with_source("y"), StoreError::Backend(source) if source.to_string() == "y")
    );
}

/// R-7644-3.12-13
#[test]
fn a_database_that_fails_is_not_quoted() {
    for answer in everything_fails(|| StoreError::backend("SELECT secret FROM users"), (500, "")) {
        assert!(!answer.body.to_string().contains("SELECT"), "{}", answer.body);
        assert!(answer.exchange.source.unwrap().contains("SELECT"));
    }
}

/// R-7644-3.12-14
#[test]
fn what_a_store_cannot_do_is_not_implemented() {
    everything_fails(|| StoreError::Unsupported, (501, ""));
}

#[test]
fn a_store_refuses_in_its_own_words() {
    use scim_provider::{Error, ScimType};
    fn fault() -> StoreError {
        StoreError::Refused(Box::new(Error::bad_request(ScimType::InvalidValue, "this plan has 5 seats")))
    }
    for answer in everything_fails(fault, (400, "invalidValue")) {
        assert_eq!(answer.at("/detail"), json!("this plan has 5 seats"));
    }
    everything_fails(|| StoreError::TooMany, (400, "tooMany"));
    everything_fails(|| StoreError::conflict("userName"), (409, "uniqueness"));
    everything_fails(|| StoreError::NotFound, (404, ""));
}

/// A store that neither creates nor deletes.
#[derive(Clone, Default)]
struct Fixed(MemoryStore);

impl Store for Fixed {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.0.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.0.list(cx, ty, query).await
    }

    async fn create(&self, _: &TenantId, _: &ResourceType, _: Resource) -> Result<Resource, StoreError> {
        panic!("the service asked for what the store cannot do")
    }

    async fn replace(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.0.replace(cx, key, new, when).await
    }

    async fn delete(&self, _: &TenantId, _: Key<'_>, _: Precondition<'_>) -> Result<(), StoreError> {
        panic!("the service asked for what the store cannot do")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().without_create().without_delete()
    }
}

/// R-7644-3.12-14
#[test]
fn what_a_store_says_that_it_cannot_do_is_not_asked_for() {
    let memory = MemoryStore::new();
    let creating = Scim::of(Service::builder(BASE).resource(User::resource_type(), memory.clone()));
    let path = creating.user(json!({}));
    let scim = Scim::of(Service::builder(BASE).resource(User::resource_type(), Fixed(memory)));
    scim.post("/Users", user(json!({}))).refused(501, "");
    scim.delete(&path).refused(501, "");
    scim.patch(&path, change()).is(200);
    scim.get("/Users").is(200).has(json!({"totalResults": 1}));
}

#[test]
fn a_group_may_lack_its_members_where_nobody_asks() {
    let scim = Plain::default().scim();
    let path = scim.user(json!({}));
    let body = json!({"schemas": [GROUP], "displayName": "g", "members": [{"value": id_of(&path)}]});
    let group = scim.create("/Groups", body);
    scim.put(&group, json!({"schemas": [GROUP], "displayName": "h"}))
        .is(200)
        .has(json!({"displayName": "h", "members": []}));
}
