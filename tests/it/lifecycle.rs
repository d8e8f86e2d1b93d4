//! People who leave, come back and are deleted, as identity providers tell it: the README's chapter, on the store in memory.
//! The package of the SQL stores runs the same on its databases.

use std::sync::{Arc, Mutex};

use scim_provider::{Exchange, Observer, Service, TenantId, User};
use serde_json::{Value, json};

use crate::scim::{Answer, BASE, PATCH_OP, Scim, id_of, merged};

fn data() -> Value {
    serde_json::from_str(include_str!("../data/lifecycle.json")).unwrap()
}

fn person() -> Value {
    data()["person"].clone()
}

/// What a provider sends to a user's path, for `disable` or `restore`.
#[track_caller]
fn sent(scim: &Scim, path: &str, dialect: &Value, what: &str) -> Answer {
    let method = dialect[what]["method"].as_str().unwrap();
    let body = match dialect[what].get("operations") {
        Some(operations) => json!({"schemas": [PATCH_OP], "Operations": operations}),
        None => merged(scim.get(path).is(200).body, dialect[what]["changes"].clone()),
    };
    let content_type = dialect["content_type"].as_str().unwrap_or("application/scim+json");
    scim.send(method, path, &[("content-type", content_type)], body.to_string()).is(200)
}

fn in_every_dialect(test: impl Fn(&Scim, &Value)) {
    let data = data();
    let dialects = data["dialects"].as_array().unwrap();
    assert_eq!(dialects.len(), 8);
    for dialect in dialects {
        // what a failure is told with: whose dialect it was
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&Scim::new(), dialect)));
        assert!(run.is_ok(), "the dialect of {}", dialect["who"]);
    }
}

/// A person in two groups, one of them with somebody else.
fn someone(scim: &Scim) -> (String, [String; 2]) {
    let path = scim.create("/Users", person());
    let other = scim.user(json!({}));
    let groups = [scim.group("Field", &[&path, &other]), scim.group("Blades", &[&path])];
    (path, groups)
}

fn groups_of(user: &Value) -> Vec<&str> {
    user["groups"].as_array().into_iter().flatten().filter_map(|group| group["value"].as_str()).collect()
}

/// R-7643-4.1.1-13 I-07 I-10
#[test]
fn who_is_disabled_is_read_listed_and_found_and_stays_in_the_groups() {
    in_every_dialect(|scim, dialect| {
        let (path, groups) = someone(scim);
        let before = scim.get(&path);
        let versions = groups.each_ref().map(|group| scim.get(group).at("/meta/version"));
        sent(scim, &path, dialect, "disable").has(json!({"active": false}));

        let after = scim.get(&path).is(200);
        assert_eq!(after.body["active"], json!(false));
        assert_ne!(after.body["meta"]["version"], before.body["meta"]["version"]);
        assert_eq!(groups_of(&after.body), groups.each_ref().map(|group| id_of(group)));
        let mut same = before.body.clone();
        (same["active"], same["meta"]) = (json!(false), after.body["meta"].clone());
        assert_eq!(after.body, same, "nothing else has changed");
        scim.get("/Users").has(json!({"totalResults": 2}));
        for filter in [
            r#"userName eq "LINNEA@fabrikam.example""#,
            r#"externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef""#,
            "active eq false",
            &format!(r#"id eq "{}""#, id_of(&path)),
            &format!(r#"groups.value eq "{}""#, id_of(&groups[1])),
        ] {
            let found = scim.filter("/Users", filter).is(200);
            assert_eq!(found.at("/Resources/0/id"), json!(id_of(&path)), "{filter}");
        }
        for (group, version) in groups.iter().zip(versions) {
            let group = scim.get(group);
            assert!(group.at("/members").to_string().contains(id_of(&path)));
            assert_eq!(group.at("/meta/version"), version, "a member's state is not the group's");
        }
        // the name is not free
        scim.post("/Users", person()).refused(409, "uniqueness");
    });
}

#[test]
fn who_comes_back_has_the_same_id_and_the_same_groups() {
    in_every_dialect(|scim, dialect| {
        let (path, groups) = someone(scim);
        let before = scim.get(&path);
        sent(scim, &path, dialect, "disable");
        let restored = sent(scim, &path, dialect, "restore");
        assert_eq!((restored.id().as_str(), &restored.body["active"]), (id_of(&path), &json!(true)));
        let after = scim.get(&path);
        assert_eq!(groups_of(&after.body), groups.each_ref().map(|group| id_of(group)));
        assert_eq!(after.body["meta"]["created"], before.body["meta"]["created"]);
        scim.filter("/Users", "active eq false").has(json!({"totalResults": 0}));
    });
}

#[test]
fn to_disable_twice_changes_nothing_the_second_time() {
    in_every_dialect(|scim, dialect| {
        let (path, _) = someone(scim);
        let once = sent(scim, &path, dialect, "disable");
        let twice = sent(scim, &path, dialect, "disable");
        assert_eq!((twice.at("/meta"), twice.exchange.changed), (once.at("/meta"), Vec::new()));
    });
}

#[test]
fn who_is_created_disabled_stays_so_until_told_otherwise() {
    in_every_dialect(|scim, dialect| {
        let path = scim.create("/Users", merged(person(), json!({"active": false})));
        scim.get(&path).has(json!({"active": false}));
        sent(scim, &path, dialect, "restore").has(json!({"active": true}));
    });
}

/// R-7644-3.5.1-05
#[test]
fn a_replacement_that_leaves_active_out_unsets_it_and_says_so() {
    let scim = Scim::new();
    let path = scim.create("/Users", merged(person(), json!({"active": false})));
    let mut without = person();
    without.as_object_mut().unwrap().remove("active");
    let replaced = scim.put(&path, without).is(200).lacks(&["/active"]);
    assert_eq!(replaced.exchange.changed, ["active"]);
    for filter in ["active eq false", "active eq true", "active pr"] {
        assert!(!scim.finds("/Users", filter), "{filter}");
    }
}

/// R-7644-3.6-04 R-7644-3.6-05 R-7644-3.6-08
#[test]
fn who_is_deleted_is_gone_from_everywhere_and_a_second_time_not_found() {
    let scim = Scim::new();
    let (path, groups) = someone(&scim);
    let bystanders = scim.group("Office", &[]);
    let version = |group: &str| scim.get(group).at("/meta/version");
    let (before, office) = (groups.each_ref().map(|group| version(group)), version(&bystanders));
    scim.delete(&path).is(204);

    scim.delete(&path).refused(404, "");
    scim.get(&path).refused(404, "");
    scim.put(&path, person()).refused(404, "");
    scim.patch(&path, json!({"op": "Replace", "path": "active", "value": "True"})).refused(404, "");
    scim.get("/Users").has(json!({"totalResults": 1}));
    for filter in [r#"userName eq "linnea@fabrikam.example""#, "externalId pr", "groups.display eq \"Blades\""] {
        assert!(!scim.finds("/Users", filter), "{filter}");
    }
    assert!(!scim.finds("/Groups", &format!(r#"members.value eq "{}""#, id_of(&path))));
    for (group, before) in groups.iter().zip(before) {
        let group = scim.get(group);
        assert!(!group.body.to_string().contains(id_of(&path)), "{}", group.body);
        assert_ne!(group.at("/meta/version"), before, "who is in a group has changed");
    }
    assert_eq!(version(&bystanders), office);
}

/// R-7644-3.6-06 R-7644-3.6-07 R-7643-3.1-08
#[test]
fn who_is_created_again_is_somebody_else_without_groups() {
    let scim = Scim::new();
    let (path, groups) = someone(&scim);
    scim.delete(&path).is(204);
    let again = scim.create("/Users", person());
    assert_ne!(again, path);
    scim.get(&again).has(json!({"userName": "linnea@fabrikam.example", "active": true})).lacks(&["/groups"]);
    scim.get(&path).refused(404, "");
    // a late change for the old id reaches nobody
    scim.patch(&path, json!({"op": "Replace", "path": "active", "value": "False"})).refused(404, "");
    scim.delete(&path).refused(404, "");
    scim.get(&again).has(json!({"active": true}));
    let add = json!({"op": "Add", "path": "members", "value": [{"value": id_of(&again)}]});
    scim.patch(&groups[1], add).is(204);
    assert_eq!(groups_of(&scim.get(&again).body), [id_of(&groups[1])]);
}

/// The chapter's observer: whom to look at again.
#[derive(Clone, Default)]
struct SignOut(Arc<Mutex<Vec<String>>>);

impl Observer<TenantId> for SignOut {
    fn exchange(&self, _: &TenantId, exchange: &Exchange<'_>) {
        let may_have_left = exchange.operation == "delete" || exchange.changed.iter().any(|name| name == "active");
        if let (true, true, Some("User"), Some(id)) =
            (exchange.status.is_success(), may_have_left, exchange.resource_type, exchange.id)
        {
            self.0.lock().unwrap().push(id.to_owned());
        }
    }
}

/// What the chapter's observer was told while these calls were made.
fn told(calls: impl FnOnce(&dyn Fn(&str, &str, Value) -> Value)) -> Vec<String> {
    let seen = SignOut::default();
    let store = scim_provider::MemoryStore::new();
    let service = Service::builder(BASE).resource(User::resource_type(), store).observer(seen.clone()).build().unwrap();
    let tenant = TenantId::new("a").unwrap();
    calls(&|method, target, body| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = http::Request::builder().method(method).uri(format!("/scim/v2{target}"));
        let request = request.header("content-type", "application/scim+json").body(body).unwrap();
        let response = crate::scim::ready(service.call(&tenant, request));
        serde_json::from_slice(response.body()).unwrap_or_default()
    });
    seen.0.lock().unwrap().clone()
}

#[test]
fn the_host_is_told_of_each_who_may_have_left_by_whatever_way() {
    let mut left = Vec::new();
    let told = told(|send| {
        let data = data();
        for (n, dialect) in data["dialects"].as_array().unwrap().iter().enumerate() {
            let name = json!({"userName": format!("u{n}"), "externalId": null});
            let user = send("POST", "/Users", merged(person(), name));
            let path = format!("/Users/{}", user["id"].as_str().unwrap());
            let disable = &dialect["disable"];
            let body = match disable.get("operations") {
                Some(operations) => json!({"schemas": [PATCH_OP], "Operations": operations}),
                None => merged(user.clone(), disable["changes"].clone()),
            };
            send(disable["method"].as_str().unwrap(), &path, body);
            // nothing changes, and nothing is told
            send(
                "PATCH",
                &path,
                json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": false}]}),
            );
            left.push(id_of(&path).to_owned());
        }
        let gone = send("DELETE", &format!("/Users/{}", left[0]), Value::Null);
        assert!(gone.is_null());
        send("DELETE", &format!("/Users/{}", left[0]), Value::Null);
        let operations = json!([{"method": "DELETE", "path": format!("/Users/{}", left[1])}]);
        send("POST", "/Bulk", json!({"schemas": [crate::scim::BULK], "Operations": operations}));
    });
    // creations with `active` are told too: nobody is signed in yet, and to look again harms nothing
    let expected = left.iter().flat_map(|id| [id.clone(), id.clone()]).chain([left[0].clone(), left[1].clone()]);
    assert_eq!(told, expected.collect::<Vec<_>>());
}
