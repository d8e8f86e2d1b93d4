//! URIs of resources (RFC 7643 §2.3.7, §2.4): what counts is the id; the URL is written anew.

use serde_json::json;

use crate::scim::{BASE, GROUP, Scim, id_of};

/// R-7643-2.3.7-03 R-7643-2.3.7-04 R-7643-2.4-08 R-7643-2.4-09
#[test]
fn however_a_client_writes_a_reference_the_answer_has_the_permanent_url() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let id = id_of(&user);
    for written in [
        format!("{BASE}/Users/{id}"),
        format!("https://scim.example.com/scim/Users/{id}"),
        format!("HTTPS://SCIM.example.com:443/scim/v2/./Users/{id}"),
        format!("../Users/{id}"),
        format!("/Users/{id}"),
        format!("https://evil.example.net/Users/{id}"),
    ] {
        let member = json!({"value": id, "$ref": written, "type": "User"});
        let body = json!({"schemas": [GROUP], "displayName": written, "members": [member, {"value": id}]});
        let group = scim.create("/Groups", body);
        let found = scim.get(&group).is(200);
        assert_eq!(found.at("/members").as_array().map(Vec::len), Some(1), "{written}: one user, one member");
        assert_eq!(found.at("/members/0/$ref"), json!(format!("{BASE}{user}")), "{written}");
    }
}
