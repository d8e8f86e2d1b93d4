//! What a query finds, whatever part of it the store carries out; and who sees what.

use std::cmp::Ordering;

use http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use scim_provider::schema::{Attribute, AttributeType, Returned};
use scim_provider::{
    Key, MemoryStore, Page, Precondition, Projection, Query, Resource, ResourceType, Service, Store, StoreError,
    TenantId, UnknownAttributes, fold,
};
use serde_json::{Value, json};

use super::documents::stored;
use super::filters::rule;
use super::given::{Dice, body};
use super::model::{instant, numbers, path};
use super::{DEVICES, GROUPS, USERS, attributes, inputs, is_link, json as body_of, now, request, send, service};
use crate::server::percent_encode;

/// A store that carries out nothing of a query.
struct Idle(MemoryStore);

impl Store for Idle {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.0.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let mut all = query.clone();
        (all.filter, all.sort, all.offset, all.limit) = (None, None, 0, usize::MAX);
        let mut candidates = Vec::new();
        for resource in self.0.list(cx, ty, &all).await?.resources() {
            // the page holds what the client asks for, and the filter may look at more
            let key = Key::new(ty, resource.id().unwrap());
            candidates.extend(self.0.get(cx, key, &query.projection).await?);
        }
        Ok(Page::candidates(candidates))
    }

    async fn create(&self, cx: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.0.create(cx, ty, draft).await
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

    async fn delete(&self, cx: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        self.0.delete(cx, key, when).await
    }
}

fn population() -> impl Strategy<Value = (ResourceType, Vec<Value>)> {
    let of = |ty: &ResourceType| (Just(ty.clone()), vec(body(ty), 1..7));
    prop_oneof![1 => of(&GROUPS), 1 => of(&USERS), 2 => of(&DEVICES)]
}

proptest! {
    #![proptest_config(inputs())]

    /// Red when the service cuts before it filters, counts a page instead of all that match, or sorts what is missing to
    /// the front; when an index of the store forgets letter case; when a projection hides what the filter looks at.
    #[test]
    fn a_query_finds_the_same_whoever_carries_it_out(
        (ty, bodies) in population(),
        (filters, sorts) in any::<(bool, bool)>(),
        (start, count) in (-1..6_i64, 0..5_i64),
        seed in any::<u64>(),
    ) {
        let store = MemoryStore::new();
        let able = service(&store, UnknownAttributes::Drop);
        let idle: Service<TenantId> =
            Service::builder(super::BASE).resource(ty.clone(), Idle(store.clone())).build().unwrap();
        let mut all = Vec::new();
        for body in bodies {
            let (status, response) = now(send(&able, Method::POST, ty.endpoint(), body.to_string()));
            if status == 201 {
                all.push(stored(&store, &ty, body_of(&response)["id"].as_str().unwrap()));
            } else {
                prop_assert_eq!(status, 409);
            }
        }
        let mut dice = Dice(seed);
        let rule = filters.then(|| rule(&mut dice, &ty, dice_pick(seed, &all), 1));
        let sort = sorts.then(|| order(&mut dice, &ty));
        let mut query = format!("?startIndex={start}&count={count}&attributes=id,meta.version");
        query.extend(rule.iter().map(|rule| format!("&filter={}", percent_encode(rule.to_string().as_bytes()))));
        query.extend(sort.iter().map(Order::parameters));
        let mut expected: Vec<Value> = all.iter().filter(|d| rule.as_ref().is_none_or(|r| r.holds(d))).cloned().collect();
        if let Some(sort) = &sort {
            expected.sort_by(|a, b| sort.compare(a, b).then_with(|| a["id"].as_str().cmp(&b["id"].as_str())));
        }
        let total = expected.len();
        let page = expected.iter().skip(usize::try_from(start.max(1)).unwrap() - 1).take(usize::try_from(count).unwrap());
        let page: Vec<&Value> = page.map(|document| &document["id"]).collect();
        for service in [&able, &idle] {
            let (status, response) = now(send(service, Method::GET, &format!("{}{query}", ty.endpoint()), ""));
            let found = body_of(&response);
            prop_assert_eq!(status, 200, "{} {}", query, found);
            let ids: Vec<&Value> = found["Resources"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
            prop_assert_eq!(&found["totalResults"], &json!(total), "{} {:?}", query, rule.map(|r| r.to_string()));
            prop_assert_eq!(ids, page.clone(), "{}", query);
            prop_assert_eq!(&found["itemsPerPage"], &json!(page.len()));
        }
    }

    /// Red when a look-up, a count, an index or a relation of the store leaves the tenant out.
    #[test]
    fn tenants_do_not_see_each_other(acts in vec((any::<bool>(), 0..7_u8, 0..4_usize), 1..24)) {
        let tenants = ["a", "b"].map(|name| TenantId::new(name).unwrap());
        let shared = service(&MemoryStore::new(), UnknownAttributes::Drop);
        let alone = [0, 1].map(|_| service(&MemoryStore::new(), UnknownAttributes::Drop));
        let (mut here, mut there): ([Ids; 2], [Ids; 2]) = Default::default();
        for (second, act, n) in acts {
            let at = usize::from(second);
            let together = now(perform(&shared, &tenants[at], act, n, &mut here[at]));
            let by_itself = now(perform(&alone[at], &tenants[at], act, n, &mut there[at]));
            prop_assert_eq!(together, by_itself, "act {} on {}", act, n);
            for id in &here[1 - at].0 {
                for method in [Method::GET, Method::DELETE] {
                    let foreign = request(&method, &format!("/Users/{id}"), "");
                    prop_assert_eq!(now(shared.call(&tenants[at], foreign)).status(), 404);
                }
            }
        }
    }
}

fn dice_pick(seed: u64, all: &[Value]) -> &Value {
    Dice(seed).pick(all)
}

/// What a result is sorted by.
struct Order {
    urn: Option<String>,
    attribute: Attribute,
    sub: Option<Attribute>,
    descending: bool,
}

fn order(dice: &mut Dice, ty: &ResourceType) -> Order {
    let visible = |a: &Attribute| a.returned != Returned::Never && a.name != "schemas";
    let all: Vec<_> = attributes(ty).into_iter().filter(|(_, a)| visible(a)).collect();
    let (urn, attribute) = dice.pick(&all).clone();
    let named = |sub: &&Attribute| visible(sub) && !is_link(sub) && sub.name != "location";
    let subs: Vec<&Attribute> = attribute.sub_attributes.iter().filter(named).collect();
    let sub = (!subs.is_empty()).then(|| (*dice.pick(&subs)).clone());
    Order { urn, attribute, sub, descending: dice.one_in(2) }
}

impl Order {
    fn parameters(&self) -> String {
        let mut by = path(self.urn.as_deref(), &self.attribute.name);
        by.extend(self.sub.iter().map(|sub| format!(".{}", sub.name)));
        let order = if self.descending { "&sortOrder=descending" } else { "" };
        format!("&sortBy={by}{order}")
    }

    /// RFC 7644 §3.4.2.3: of several values the primary or the first; what has no value comes last, or first downwards.
    fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let order = match (self.key(a), self.key(b)) {
            (Some(a), Some(b)) => self.compare_values(&a, &b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        if self.descending { order.reverse() } else { order }
    }

    fn key(&self, document: &Value) -> Option<Value> {
        let at = self.urn.as_ref().map_or(document, |urn| &document[urn]);
        let value = match at.get(&self.attribute.name)? {
            Value::Array(list) => list.iter().find(|e| e["primary"] == true).unwrap_or(&list[0]).clone(),
            value => value.clone(),
        };
        match &self.sub {
            None => Some(value),
            Some(sub) => value.get(&sub.name).cloned(),
        }
    }

    fn compare_values(&self, a: &Value, b: &Value) -> Ordering {
        let definition = self.sub.as_ref().unwrap_or(&self.attribute);
        match definition.kind {
            AttributeType::Boolean => a.as_bool().cmp(&b.as_bool()),
            AttributeType::Integer | AttributeType::Decimal => numbers(a.as_number().unwrap(), b.as_number().unwrap()),
            AttributeType::DateTime => instant(a).cmp(&instant(b)),
            _ if definition.case_exact => a.as_str().cmp(&b.as_str()),
            _ => fold(a.as_str().unwrap()).chars().cmp(fold(b.as_str().unwrap()).chars()),
        }
    }
}

/// The ids of users and of groups that a tenant was given.
#[derive(Default)]
struct Ids(Vec<String>, Vec<String>);

/// One act of a tenant, and what it sees of the outcome: never an id or a time.
async fn perform(service: &Service<TenantId>, tenant: &TenantId, act: u8, n: usize, ids: &mut Ids) -> String {
    let user = ids.0.get(n).cloned().unwrap_or_else(|| "none".to_owned());
    let group = ids.1.get(n).cloned().unwrap_or_else(|| "none".to_owned());
    let name = ["ada", "ADA", "bob", "eve"][n];
    let users = json!({"schemas": [USERS.schema().id], "userName": name, "externalId": name});
    let groups = json!({"schemas": [GROUPS.schema().id], "displayName": name, "members": [{"value": user}]});
    let patch = |operation: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let add = json!({"op": "add", "path": "members", "value": [{"value": user}]});
    let rename = json!({"op": "replace", "path": "userName", "value": format!("{name}{}", n / 2)});
    let (method, target, body) = match act {
        0 => (Method::POST, "/Users".to_owned(), users),
        1 => (Method::POST, "/Groups".to_owned(), groups),
        2 => (Method::DELETE, format!("/Users/{user}"), Value::Null),
        3 => (Method::PATCH, format!("/Users/{user}"), patch(rename)),
        4 => (Method::PATCH, format!("/Groups/{group}"), patch(add)),
        5 => (Method::GET, format!("/Users?filter=userName%20eq%20%22{name}%22"), Value::Null),
        _ => (Method::GET, "/Groups?filter=members%20pr".to_owned(), Value::Null),
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let response = service.call(tenant, request(&method, &target, body)).await;
    let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    if let (201, Some(id)) = (response.status().as_u16(), answer["id"].as_str()) {
        if act == 0 { &mut ids.0 } else { &mut ids.1 }.push(id.to_owned());
    }
    let names = answer["Resources"].as_array().into_iter().flatten();
    let names: Vec<&Value> = names.map(|r| r.get("userName").unwrap_or(&r["displayName"])).collect();
    format!("{} {} {names:?} {}", response.status(), answer["totalResults"], answer["meta"]["version"])
}
