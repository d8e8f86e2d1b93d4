//! Tenants do not see each other (RFC 7644 §6, RFC 7643 §9.3).

use serde_json::json;

use crate::scim::{GROUP, Scim, id_of, user};

/// R-7644-6-01 R-7644-6-05 R-7643-9.3-02
#[test]
fn nobody_reads_what_another_tenant_has() {
    let a = Scim::new();
    let b = a.tenant("b");
    let path = a.user(json!({}));
    b.get(&path).refused(404, "");
    b.put(&path, user(json!({}))).refused(404, "");
    b.patch(&path, json!({"op": "add", "path": "title", "value": "x"})).refused(404, "");
    b.delete(&path).refused(404, "");
    b.get("/Users").has(json!({"totalResults": 0}));
    assert!(!b.finds("/Users", &format!("id eq \"{}\"", id_of(&path))));
    a.get(&path).is(200).lacks(&["/title"]);
}

/// R-7644-6-05 R-7644-6-04 E-7643-18 R-7643-3.1-14
#[test]
fn nobody_learns_from_a_conflict_what_another_tenant_has() {
    let a = Scim::new();
    let b = a.tenant("b");
    a.user(json!({"externalId": "e"}));
    b.post("/Users", user(json!({"externalId": "e"}))).is(201);
    assert_eq!(b.filter("/Users", "externalId eq \"e\"").at("/totalResults"), json!(1));
}

/// R-7644-6-05
#[test]
fn a_member_of_another_tenant_is_nobody() {
    let a = Scim::new();
    let b = a.tenant("b");
    let path = a.user(json!({}));
    let members = json!([{"value": id_of(&path)}]);
    let group = b.create("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": members}));
    let shown = b.get(&group).is(200);
    shown.lacks(&["/members/0/display", "/members/0/type", "/members/0/$ref"]);
    a.get(&path).lacks(&["/groups"]);
}

/// R-7644-6-02
#[test]
fn the_host_says_who_the_tenant_is() {
    use scim_provider::TenantId;
    assert!(TenantId::new("").is_none() && TenantId::new("  ").is_none());
    let a = Scim::new();
    a.user(json!({}));
    let found = a.send("GET", "/Users", &[("x-tenant", "b")], "").is(200).has(json!({"totalResults": 1}));
    assert_eq!(found.exchange.tenant, "a");
}
