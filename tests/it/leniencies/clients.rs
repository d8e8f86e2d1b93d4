//! The forms of clients other than the large identity providers: authentik, PingOne, OneLogin, WSO2, scimgateway, Databricks,
//! SAP, Ory Polis. `who` names the client and the report of our collection (`tests/data/cases/reports.json`) that the payload
//! comes from.

use scim_provider::Leniency;
use serde_json::{Value, json};

use super::Otherwise::{As, Refused};
use super::{Case, members, only_bob_is_left, patched};
use crate::scim::{Answer, BULK, ENTERPRISE, GROUP, PATCH_OP, Scim, USER, id_of, user};

pub(super) fn cases() -> Vec<Case> {
    [schemas(), values(), references(), patches(), bodies()].into_iter().flatten().collect()
}

fn raw(scim: &Scim, method: &str, path: &str, body: Value) -> Answer {
    scim.send(method, path, &[("content-type", "application/json")], body.to_string())
}

fn schemas() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::MissingSchemas,
            who: "authentik, ak-01: a user without schemas",
            run: |scim| scim.post("/Users", json!({"userName": "ada", "name": {"givenName": "Ada"}, "active": true})),
            effect: |_, answer| drop(answer.is(201).has(json!({"schemas": [USER], "userName": "ada"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "WSO2, wso-02 and wso-03: an empty list, and one in a text",
            run: |scim| {
                scim.post("/Groups", json!({"schemas": [], "displayName": "g"}));
                scim.post("/Users", json!({"schemas": "[]", "userName": "ada"}))
            },
            effect: |scim, answer| {
                answer.is(201).has(json!({"schemas": [USER]}));
                assert!(scim.finds("/Groups", r#"displayName eq "g""#));
            },
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "an extension's URN without the base schema's",
            run: |scim| scim.post("/Users", json!({"schemas": [ENTERPRISE], "userName": "ada"})),
            effect: |_, answer| drop(answer.is(201).has(json!({"schemas": [USER]}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "authentik, ak-03: PUT without schemas",
            run: |scim| {
                let group = scim.group("g", &[]);
                scim.put(&group, json!({"displayName": "h", "members": [{"value": "26"}]}))
            },
            effect: |_, answer| {
                drop(answer.is(200).has(json!({"displayName": "h", "members": [{"value": "26"}]})));
            },
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "scimgateway, sgw-05: PATCH without schemas",
            run: |scim| {
                let path = scim.user(json!({}));
                let value = json!({"active": false, "name": {"givenName": "N"}});
                raw(scim, "PATCH", &path, json!({"Operations": [{"op": "replace", "value": value}]}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"active": false, "name": {"givenName": "N"}}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "Entra ID's documentation, aad-05: the URN of PATCH in another spelling",
            run: |scim| {
                let (path, urn) = (scim.user(json!({})), "urn:ietf:params:scim:schemas:core:2.0:PatchOp");
                let change = json!({"op": "replace", "path": "title", "value": "x"});
                raw(scim, "PATCH", &path, json!({"schemas": [urn], "Operations": [change]}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"title": "x"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "a bulk request without schemas",
            run: |scim| {
                let data = json!({"schemas": [GROUP], "displayName": "g"});
                let post = json!({"method": "POST", "path": "/Groups", "bulkId": "a", "data": data});
                scim.post("/Bulk", json!({"Operations": [post]}))
            },
            effect: |_, answer| assert_eq!(answer.is(200).statuses(), ["201"]),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::SingleValue,
            who: "PATCH with its URN as a text",
            run: |scim| {
                let path = scim.user(json!({}));
                let change = json!({"op": "replace", "path": "title", "value": "x"});
                raw(scim, "PATCH", &path, json!({"schemas": PATCH_OP, "Operations": [change]}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"title": "x"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::RepeatedSchema,
            who: "Databricks, dbn-01: the same URN twice",
            run: |scim| scim.post("/Users", json!({"schemas": [USER, USER], "userName": "ada", "displayName": "D"})),
            effect: |_, answer| drop(answer.is(201).has(json!({"schemas": [USER], "displayName": "D"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::LegacySchema,
            who: "OneLogin and Okta, onl-02 and okd-09: the enterprise schema of SCIM 1.1 with its managerId",
            run: |scim| {
                let old = "urn:scim:schemas:extension:enterprise:1.0";
                let values = json!({"department": "R&D", "manager": {"managerId": "m1", "displayName": "Mary Boss"}});
                scim.post(
                    "/Users",
                    json!({"schemas": ["urn:scim:schemas:core:1.0", old], "userName": "ada", old: values}),
                )
            },
            effect: |_, answer| {
                let mapped = json!({"department": "R&D", "manager": {"value": "m1"}});
                answer.is(201).has(json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: mapped}));
            },
            otherwise: Refused(400, "invalidSyntax"),
        },
    ]
}

fn values() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::SeveralPrimaries,
            who: "PingOne, ping-02: two addresses that are both primary",
            run: |scim| {
                let emails = json!([
                    {"value": "a@x", "type": "work", "primary": true}, {"value": "a@x", "type": "other", "primary": true}
                ]);
                scim.put(&scim.user(json!({})), user(json!({"emails": emails})))
            },
            effect: |_, answer| {
                let answer = answer.is(200);
                assert_eq!(answer.at("/emails/0/primary"), json!(true));
                assert_eq!(answer.at("/emails/1"), json!({"value": "a@x", "type": "other", "primary": false}));
            },
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::WrappedValue,
            who: "Entra ID, aad-02: active as [{\"$ref\": null, \"value\": \"False\"}]",
            run: |scim| {
                let value = json!([{"$ref": null, "value": "False"}]);
                patched(scim, json!({"active": true}), json!({"op": "Replace", "path": "active", "value": value}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"active": false}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::WrappedValue,
            who: "Entra ID, aad-26, in a resource: a part of name",
            run: |scim| scim.post("/Users", user(json!({"name": {"givenName": {"value": "Ada"}}}))),
            effect: |_, answer| drop(answer.is(201).has(json!({"name": {"givenName": "Ada"}}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::ArrayOfOne,
            who: "Microsoft's reference code, sdk-07: preferredLanguage as [\"de\"]",
            run: |scim| {
                patched(scim, json!({}), json!({"op": "replace", "path": "preferredLanguage", "value": ["de"]}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"preferredLanguage": "de"}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::ArrayOfOne,
            who: "an array of one at a value path",
            run: |scim| {
                let (mail, path) = (json!({"value": "b@x", "type": "work"}), "emails[type eq \"work\"]");
                let emails = json!([{"value": "a@x", "type": "work"}, {"value": "h@x", "type": "home"}]);
                patched(scim, json!({"emails": emails}), json!({"op": "replace", "path": path, "value": [mail]}))
            },
            effect: |_, answer| assert_eq!(answer.is(200).at("/emails/0"), json!({"value": "b@x", "type": "work"})),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::NumberText,
            who: "WSO2, wso-03: externalId as a number",
            run: |scim| scim.post("/Users", user(json!({"externalId": 157663}))),
            effect: |_, answer| drop(answer.is(201).has(json!({"externalId": "157663"}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::PlainValue,
            who: "WSO2, wso-24: addresses as texts next to objects",
            run: |scim| {
                scim.post(
                    "/Users",
                    user(json!({"emails": ["a@x", {"type": "work", "value": "b@x"}], "phoneNumbers": "1"})),
                )
            },
            effect: |_, answer| {
                let emails = json!([{"value": "a@x"}, {"type": "work", "value": "b@x"}]);
                drop(answer.is(201).has(json!({"emails": emails, "phoneNumbers": [{"value": "1"}]})));
            },
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::PlainValue,
            who: "a text for a value that a path selects keeps its type",
            run: |scim| {
                let emails = json!([{"value": "a@x", "type": "work"}]);
                let path = "emails[type eq \"work\"]";
                patched(scim, json!({"emails": emails}), json!({"op": "replace", "path": path, "value": "b@x"}))
            },
            effect: |_, answer| assert_eq!(answer.is(200).at("/emails"), json!([{"value": "b@x", "type": "work"}])),
            otherwise: Refused(400, "invalidValue"),
        },
    ]
}

fn references() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::WrappedList,
            who: "Salesforce style, sf-01: the members in an object, under the path members",
            run: |scim| {
                members(scim, |_| json!({"op": "replace", "path": "members", "value": {"members": [{"value": "26"}]}}))
            },
            effect: |_, answer| {
                assert_eq!(answer.is(200).at("/members").as_array().map(Vec::len), Some(1));
            },
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::UnusableReference,
            who: "sdk-04: a member and an empty object",
            run: |scim| members(scim, |_| json!({"op": "add", "path": "members", "value": [{"value": "26"}, {}]})),
            effect: |_, answer| {
                assert_eq!(answer.exchange.ignored, ["members[1]"]);
                assert_eq!(answer.is(200).at("/members").as_array().map(Vec::len), Some(3));
            },
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::BlankRemove,
            who: "SAP: all members are removed with an empty text for a value",
            run: |scim| {
                scim.group("other", &[]);
                members(scim, |_| json!({"op": "remove", "path": "members", "value": ""}))
            },
            effect: |_, answer| assert_eq!(answer.is(200).at("/members"), json!([])),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::RemoveListed,
            who: "WSO2: addresses to remove by their texts",
            run: |scim| {
                let emails = json!([{"value": "a@x"}, {"value": "b@x"}]);
                patched(scim, json!({"emails": emails}), json!({"op": "remove", "path": "emails", "value": ["a@x"]}))
            },
            effect: |_, answer| assert_eq!(answer.is(200).at("/emails"), json!([{"value": "b@x"}])),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::RemoveListed,
            who: "Entra ID, aad-31: one member",
            run: |scim| members(scim, |id| json!({"op": "Remove", "path": "members", "value": [{"value": id}]})),
            effect: only_bob_is_left,
            otherwise: Refused(400, "invalidValue"),
        },
    ]
}

fn patches() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::UnknownPath,
            who: "Ory Polis, pol-04: attributes that the schema lacks beside a known one",
            run: |scim| {
                let operations = json!([
                    {"op": "replace", "path": "title", "value": "T"},
                    {"op": "replace", "path": "companyName", "value": "Ory"},
                    {"op": "add", "path": "address.streetAddress", "value": "123 Main St"},
                ]);
                patched(scim, json!({}), operations)
            },
            effect: |_, answer| {
                assert_eq!(answer.exchange.ignored, ["companyName", "address.streetAddress"]);
                drop(answer.is(200).has(json!({"title": "T"})));
            },
            otherwise: Refused(400, "invalidPath"),
        },
        Case {
            leniency: Leniency::UnknownPath,
            who: "Entra ID, aad-20: an attribute of the host's own under the core schema's URN",
            run: |scim| {
                let replace = |path: &str, value: &str| json!({"op": "replace", "path": path, "value": value});
                let operations = json!([replace("displayName", "New"), replace(&format!("{USER}:role"), "member")]);
                patched(scim, json!({}), operations)
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"displayName": "New"}))),
            otherwise: Refused(400, "invalidPath"),
        },
        Case {
            leniency: Leniency::EmptyOperations,
            who: "Microsoft's validator, val-03: no operation",
            run: |scim| patched(scim, json!({"title": "x"}), json!([])),
            effect: |_, answer| drop(answer.is(200).has(json!({"title": "x"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::PathKeys,
            who: "the base schema's URN around its attributes",
            run: |scim| {
                patched(scim, json!({}), json!({"op": "replace", "value": {USER: {"displayName": "N"}, "title": "T"}}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"displayName": "N", "title": "T"}))),
            otherwise: As(|_, answer| drop(answer.is(200).has(json!({"title": "T"})).lacks(&["/displayName"]))),
        },
    ]
}

fn bodies() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::PathKeys,
            who: "keys qualified by URNs and with dots in a resource",
            run: |scim| {
                let keys = json!({
                    "name.givenName": "Ada", "name": {"familyName": "Lovelace"}, format!("{USER}:title"): "Dr",
                    format!("{ENTERPRISE}:department"): "R&D", format!("{ENTERPRISE}:manager.value"): "26",
                    "emails.value": "a@x",
                });
                scim.post("/Users", user(keys))
            },
            effect: |_, answer| {
                let placed = json!({
                    "name": {"givenName": "Ada", "familyName": "Lovelace"}, "title": "Dr", "emails": [{"value": "a@x"}],
                    ENTERPRISE: {"department": "R&D", "manager": {"value": "26"}},
                });
                assert_eq!(answer.exchange.ignored, [""; 0]);
                drop(answer.is(201).has(placed));
            },
            otherwise: As(|_, answer| {
                assert_eq!(answer.exchange.ignored.len(), 5);
                let left = json!({"schemas": [USER], "name": {"familyName": "Lovelace"}});
                drop(answer.is(201).has(left).lacks(&["/title", "/name/givenName"]));
            }),
        },
        Case {
            leniency: Leniency::PathKeys,
            who: "a required attribute by its URN, in a replacement",
            run: |scim| {
                let path = scim.user(json!({}));
                scim.put(&path, json!({"schemas": [USER], format!("{USER}:userName"): "eve", "title": "x"}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"userName": "eve", "title": "x"}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::UnqualifiedExtension,
            who: "an extension's attribute at the top of a resource",
            run: |scim| scim.post("/Users", user(json!({"department": "R&D", "title": "Dr"}))),
            effect: |_, answer| drop(answer.is(201).has(json!({"title": "Dr", ENTERPRISE: {"department": "R&D"}}))),
            otherwise: As(|_, answer| {
                assert_eq!(answer.exchange.ignored, ["department"]);
                drop(answer.is(201).has(json!({"schemas": [USER], "title": "Dr"})));
            }),
        },
        Case {
            leniency: Leniency::ByteOrderMark,
            who: "a byte order mark, bom-01",
            run: |scim| {
                let body = format!("\u{feff}{}", user(json!({})));
                scim.send("POST", "/Users", &[("content-type", "application/scim+json")], body)
            },
            effect: |_, answer| drop(answer.is(201)),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::BareWord,
            who: "authentik, ak-11: a name without quotes",
            run: |scim| {
                scim.group("Sales", &[]);
                scim.get("/Groups?filter=displayName+eq+Sales")
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"totalResults": 1}))),
            otherwise: Refused(400, "invalidFilter"),
        },
        Case {
            leniency: Leniency::BareWord,
            who: "WSO2, wso-27, and a number for a text",
            run: |scim| {
                scim.user(json!({"name": {"givenName": "A'KELAH"}, "externalId": "157663", "active": true}));
                scim.filter("/Users", "name.givenName Eq A'KELAH and (externalId eq 157663) and active eq true")
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"totalResults": 1}))),
            otherwise: Refused(400, "invalidFilter"),
        },
        Case {
            leniency: Leniency::ZeroFailOnErrors,
            who: "a bulk request with failOnErrors 0",
            run: |scim| {
                let post = |name: &str| json!({"method": "POST", "path": "/Groups", "bulkId": name, "data": {"schemas": [GROUP], "displayName": name}});
                let operations = [post("a"), json!({"method": "DELETE", "path": "/Users/none"}), post("b")];
                scim.post("/Bulk", json!({"schemas": [BULK], "failOnErrors": 0, "Operations": operations}))
            },
            effect: |_, answer| assert_eq!(answer.is(200).statuses(), ["201", "404", "201"]),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::MissingSchemas,
            who: "Gluu, gluu-14: bulk data without schemas",
            run: |scim| {
                let path = scim.user(json!({}));
                scim.put(&path, json!({"userName": id_of(&path)}))
            },
            effect: |_, answer| drop(answer.is(200)),
            otherwise: Refused(400, "invalidSyntax"),
        },
    ]
}
