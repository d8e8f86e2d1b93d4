//! Ids and versions as a host has them already: what it names comes back to it as it is.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::DateTime;
use scim_provider::schema::{Attribute, Schema};
use scim_provider::{
    Group, Key, Limits, Page, Precondition, Projection, Query, Resource, ResourceType, Service, Store, StoreError,
    TenantId, User, Version,
};
use serde_json::{Value, json};

use crate::scim::{BASE, Scim, merged, user};
use crate::server::percent_encode;

/// A directory that calls people by the names of another system, and counts by times.
#[derive(Default)]
struct Directory {
    people: Mutex<BTreeMap<String, (Resource, u32)>>,
}

impl Directory {
    fn version(count: u32) -> Version {
        Version::new(&format!("2026-01-31 09:00:{count:02}+00 \"é\\%2"))
    }

    fn stamped(id: &str, (content, count): &(Resource, u32)) -> Resource {
        content.stamped(id, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, &Self::version(*count))
    }
}

impl Store for Directory {
    type Context = TenantId;

    async fn get(&self, _: &TenantId, key: Key<'_>, _: &Projection) -> Result<Option<Resource>, StoreError> {
        Ok(self.people.lock().unwrap().get(key.id).map(|person| Self::stamped(key.id, person)))
    }

    async fn list(&self, _: &TenantId, _: &ResourceType, _: &Query) -> Result<Page, StoreError> {
        let people = self.people.lock().unwrap();
        Ok(Page::candidates(people.iter().map(|(id, person)| Self::stamped(id, person)).collect()))
    }

    async fn create(&self, _: &TenantId, _: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let id = draft.text("externalId").unwrap().into_owned();
        let person = (draft, 1);
        let made = Self::stamped(&id, &person);
        self.people.lock().unwrap().insert(id, person);
        Ok(made)
    }

    async fn replace(
        &self,
        _: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let mut people = self.people.lock().unwrap();
        let person = people.get_mut(key.id).ok_or(StoreError::NotFound)?;
        when.check(&Self::version(person.1))?;
        *person = (new, person.1 + 1);
        Ok(Self::stamped(key.id, person))
    }

    async fn delete(&self, _: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let mut people = self.people.lock().unwrap();
        when.check(&Self::version(people.get(key.id).ok_or(StoreError::NotFound)?.1))?;
        people.remove(key.id);
        Ok(())
    }
}

const IDS: [&str; 8] = ["CORP\\ada", "say \"hi\"", "\\", "\"", "tab\there", "\\u0041", "é\\/ü", "plain-1"];

fn directory() -> Scim {
    Scim::of(Service::builder(BASE).resource(User::resource_type(), Directory::default()))
}

/// What a URL that the service gave leads to.
fn below(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix(BASE).unwrap().to_owned()
}

#[test]
fn ids_of_every_spelling_lead_back_to_their_resources() {
    let scim = directory();
    for (n, id) in IDS.iter().enumerate() {
        let made = scim.post("/Users", user(json!({"userName": format!("u{n}"), "externalId": id}))).is(201);
        assert_eq!(made.at("/id"), json!(id));
        assert_eq!(made.at("/meta/location"), json!(made.header("location")), "{id}");
        assert_eq!(made.header("location"), format!("{BASE}/Users/{}", percent_encode(id.as_bytes())), "{id}");
        let path = below(&made.at("/meta/location"));
        scim.get(&path).is(200).has(json!({"id": id}));
        let seen = scim.exchanges().last().unwrap().clone();
        assert_eq!(seen.id.as_deref(), Some(*id));
        scim.patch(&path, json!({"op": "replace", "path": "title", "value": "Dr"})).is(200);
        let quoted = json!(id).to_string();
        assert_eq!(scim.filter("/Users", &format!("id eq {quoted}")).at("/totalResults"), json!(1), "{id}");
    }
}

#[test]
fn pages_by_cursor_go_on_behind_ids_of_every_spelling() {
    let scim = directory();
    for (n, id) in IDS.iter().enumerate() {
        scim.post("/Users", user(json!({"userName": format!("u{n}"), "externalId": id}))).is(201);
    }
    for sort in ["", "&sortBy=userName", "&sortBy=title&sortOrder=descending"] {
        let mut seen = Vec::new();
        let mut page = scim.get(&format!("/Users?cursor&count=1{sort}")).is(200);
        loop {
            seen.extend(page.at("/Resources").as_array().into_iter().flatten().map(|r| r["id"].clone()));
            let Some(next) = page.at("/nextCursor").as_str().map(str::to_owned) else { break };
            page = scim.get(&format!("/Users?cursor={}&count=1{sort}", percent_encode(next.as_bytes()))).is(200);
        }
        let mut ids: Vec<_> = seen.iter().map(|id| id.as_str().unwrap()).collect();
        ids.sort_unstable();
        let mut all = IDS.to_vec();
        all.sort_unstable();
        assert_eq!(ids, all, "{sort}");
    }
}

#[test]
fn a_version_that_no_entity_tag_can_hold_is_a_condition_like_all_others() {
    let scim = directory();
    let made = scim.post("/Users", user(json!({"externalId": "1"}))).is(201);
    let etag = made.header("etag").to_owned();
    assert_eq!(json!(etag), made.at("/meta/version"));
    assert_eq!(etag, "W/\"2026-01-31%2009:00:01+00%20%22%C3%A9%5C%252\"");
    scim.send("GET", "/Users/1", &[("if-none-match", &etag)], "").is(304);
    // without a condition: read, applied and replaced under the version that the store gave
    scim.patch("/Users/1", json!({"op": "replace", "path": "title", "value": "Dr"})).is(200);
    let change = || user(json!({"externalId": "1", "title": "Prof"}));
    scim.put_if("/Users/1", &[("if-match", &etag)], change()).refused(412, "");
    let etag = scim.get("/Users/1").header("etag").to_owned();
    scim.put_if("/Users/1", &[("if-match", &etag)], change()).is(200);
    let etag = scim.get("/Users/1").header("etag").to_owned();
    scim.send("DELETE", "/Users/1", &[("if-match", &etag)], "").is(204);
}

/// No accessor gives JSON's spelling of a text.
#[test]
fn accessors_give_texts_and_not_their_spelling_in_json() {
    let users = User::resource_type().build().unwrap();
    let groups = Group::resource_type().build().unwrap();
    for text in IDS {
        let body = json!({"schemas": [users.schema().id], "id": text, "userName": text, "emails": [{"value": text}]});
        for json in [body.to_string(), serde_json::to_string_pretty(&body).unwrap()] {
            let resource = Resource::from_stored(&users, json).unwrap();
            assert_eq!(resource.id(), Some(text));
            assert_eq!(resource.text("id").as_deref(), Some(text));
            assert_eq!(resource.text("userName").as_deref(), Some(text));
            assert_eq!(resource.with("title", "Dr").unwrap().id(), Some(text));
            assert_eq!(resource.clone().without_references().id(), Some(text));
            let emails = resource.get("emails").unwrap();
            let values: Vec<_> = emails.elements().filter_map(|e| e.get("value")?.as_str()).collect();
            assert_eq!(values, [text]);
        }
        let odd = json!({"schemas": [users.schema().id], "userName": "a", "name": {"familyName": "x", text: "y"}});
        let odd = Resource::from_stored(&users, odd.to_string()).unwrap();
        assert_eq!(odd.get("name").and_then(|name| name.get(text)?.as_str()).as_deref(), Some("y"), "{text}");
        let group = Resource::from_typed(&groups, &json!({"schemas": [groups.schema().id], "id": text})).unwrap();
        assert_eq!(group.id(), Some(text));
    }
}

#[test]
fn members_with_ids_of_every_spelling_have_a_link() {
    let scim = Scim::new();
    for (n, id) in IDS.iter().enumerate() {
        let member = json!({"value": id, "type": "User"});
        let path = scim.create(
            "/Groups",
            json!({"schemas": [crate::scim::GROUP], "displayName": n.to_string(), "members": [member]}),
        );
        let link = format!("{BASE}/Users/{}", percent_encode(id.as_bytes()));
        assert_eq!(scim.get(&path).at("/members/0/$ref"), json!(link), "{id}");
    }
}

/// What a member that is no resource here is called is what the client said last.
#[test]
fn the_name_of_an_unknown_member_is_the_last_one_that_was_sent() {
    let scim = Scim::new();
    let group = |display: &str| json!({"schemas": [crate::scim::GROUP], "displayName": "g", "members": [{"value": "x", "display": display}]});
    let path = scim.create("/Groups", group("Old"));
    let before = scim.get(&path).at("/meta/version");
    let after = scim.put(&path, group("New")).is(200);
    assert_eq!(after.at("/members/0/display"), json!("New"));
    assert_ne!(after.at("/meta/version"), before);
    let again = scim.put(&path, group("New")).is(200);
    assert_eq!(again.at("/meta/version"), after.at("/meta/version"));
}

/// The limits of requests are none of the host's own data.
#[test]
fn what_the_host_has_is_held_to_no_limit_of_requests() {
    let (users, groups) = (User::resource_type().build().unwrap(), Group::resource_type().build().unwrap());
    let limits = Limits::default();
    let members: Vec<Value> = (0..limits.json_nodes / 2).map(|n| json!({"value": format!("member-{n}")})).collect();
    let crowd = json!({"schemas": [groups.schema().id], "displayName": "All", "members": members});
    let crowd = Resource::from_typed(&groups, &crowd).unwrap();
    assert_eq!(crowd.get("members").unwrap().elements().count(), members.len());
    let ada = Resource::empty(&users).with("userName", "a".repeat(limits.unique_bytes + 1)).unwrap();
    let long = "x".repeat(limits.body_bytes.max(limits.string_bytes) + 1);
    let ada = ada.with("title", &long).unwrap();
    assert_eq!(ada.text("title").as_deref(), Some(&*long));
    assert_eq!(crowd.with("members", &members).unwrap(), crowd);
    let again = Resource::from_stored(&users, ada.as_json()).unwrap();
    assert_eq!(Resource::from_typed(&users, &again.to::<Value>().unwrap()).unwrap(), ada);
}

const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

#[test]
fn only_the_meta_of_a_resource_is_given_a_location() {
    let meta = Attribute::complex("meta", [Attribute::string("location"), Attribute::string("made")]);
    let users = User::resource_type().extension(Schema::new(BADGE, "Badge", [meta]));
    let scim = Scim::of(Service::builder(BASE).resource(users, scim_provider::MemoryStore::new()));
    let own = json!({"location": "drawer", "made": "here"});
    let path = scim.create("/Users", merged(user(json!({})), json!({BADGE: {"meta": own}})));
    for query in [
        "",
        &format!("?attributes={BADGE}:meta.location,meta.location"),
        &format!("?excludedAttributes={BADGE}:meta.made"),
    ] {
        let answer = scim.get(&format!("{path}{query}")).is(200);
        assert_eq!(answer.at(&format!("/{BADGE}/meta/location")), json!("drawer"), "{query}");
        let text = String::from_utf8(answer.text.clone()).unwrap();
        assert_eq!(text.matches("\"location\":").count(), 2, "{text}");
        assert_eq!(answer.at("/meta/location"), json!(format!("{BASE}{path}")));
    }
}

#[test]
fn nothing_is_sorted_by_what_no_document_holds() {
    let scim = Scim::new();
    scim.user(json!({}));
    scim.get("/Users?sortBy=meta.created").is(200);
    let refused = scim.get("/Users?sortBy=meta.location");
    let like = scim.get("/Groups?sortBy=members.$ref");
    assert_eq!((refused.status.as_u16(), refused.at("/scimType")), (400, like.at("/scimType")), "{}", refused.body);
}

#[test]
fn a_name_or_an_endpoint_that_no_answer_can_hold_builds_no_type() {
    let schema = || Schema::new("urn:example:schemas:2.0:Thing", "Thing", [Attribute::string("label")]);
    for endpoint in ["/Th\"ings", "/Th\\ings", "/a b", "/a/b", "/a?b", "/a%20b", "/é", "/", "", "/..", "/."] {
        let error = ResourceType::builder("Thing", endpoint, schema()).build().unwrap_err();
        assert!(error.to_string().contains("endpoint"), "{endpoint}: {error}");
    }
    for name in ["", " ", "Th\"ing", "Th\\ing", "Th\ning"] {
        let error = ResourceType::builder(name, "/Things", schema()).build().unwrap_err();
        assert!(error.to_string().contains("name"), "{name:?}: {error}");
    }
    for (name, endpoint) in [("Thing", "/Things"), ("Thing", "Things/"), ("Ding an sich", "/v2-things_~.x")] {
        ResourceType::builder(name, endpoint, schema()).build().unwrap();
    }
}
