//! Each leniency with the payload of the provider that needs it: accepted by default, with the right effect, and reported;
//! refused, or taken as the RFCs have it, without it.
//!
//! `who` names the provider and the section of our notes on providers' dialects that the payload comes from.

mod clients;

use scim_provider::{Compat, Leniency};
use serde_json::{Value, json};

use crate::scim::{Answer, ENTERPRISE, GROUP, Scim, USER, id_of, merged, user};

/// One leniency, once for each way in which it shows.
struct Case {
    leniency: Leniency,
    who: &'static str,
    run: fn(&Scim) -> Answer,
    /// what has to come of it, when it is accepted
    effect: fn(&Scim, Answer),
    /// what comes of it otherwise
    otherwise: Otherwise,
}

#[derive(Clone, Copy)]
enum Otherwise {
    Refused(u16, &'static str),
    /// understood in another way
    As(fn(&Scim, Answer)),
}

use Otherwise::{As, Refused};

fn cases() -> Vec<Case> {
    [writing(), patching(), patching_references(), filtering(), clients::cases()].into_iter().flatten().collect()
}

/// POST and PUT.
fn writing() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::BooleanText,
            who: "Entra ID validator, 1.10: roles[0].primary is the text True",
            run: |scim| {
                scim.post("/Users", user(json!({"roles": [{"value": "r", "primary": "True"}], "active": "false"})))
            },
            effect: |_, answer| drop(answer.is(201).has(json!({"roles": [{"primary": true}], "active": false}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::PlainReference,
            who: "Entra ID, 1.3 and 1.6: manager as a plain string",
            run: |scim| scim.post("/Users", user(json!({ENTERPRISE: {"manager": "26"}}))),
            effect: |_, answer| drop(answer.is(201).has(json!({ENTERPRISE: {"manager": {"value": "26"}}}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::PlainReference,
            who: "plain ids as members",
            run: |scim| scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": ["26", "27"]})),
            effect: |_, answer| drop(answer.is(201).has(json!({"members": [{"value": "26"}, {"value": "27"}]}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::ArrayOfOne,
            who: "Entra ID, 1.6: manager as an array of one",
            run: |scim| scim.post("/Users", user(json!({ENTERPRISE: {"manager": [{"value": "26"}]}}))),
            effect: |_, answer| drop(answer.is(201).has(json!({ENTERPRISE: {"manager": {"value": "26"}}}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::SingleValue,
            who: "OneLogin, 3: emails as one object",
            run: |scim| scim.post("/Users", user(json!({"emails": {"value": "a@b", "primary": true}}))),
            effect: |_, answer| drop(answer.is(201).has(json!({"emails": [{"value": "a@b", "primary": true}]}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::EmptyReference,
            who: "Entra ID validator, 1.6: manager with an empty value",
            run: |scim| scim.post("/Users", user(json!({ENTERPRISE: {"manager": {"value": ""}, "division": "d"}}))),
            effect: |_, answer| {
                let answer = answer.is(201).has(json!({ENTERPRISE: {"division": "d"}}));
                answer.lacks(&[&format!("/{ENTERPRISE}/manager")]);
            },
            otherwise: As(|_, answer| drop(answer.is(201).has(json!({ENTERPRISE: {"manager": {"value": ""}}})))),
        },
        Case {
            leniency: Leniency::UnknownSchema,
            who: "Entra ID, 1.3: a second URN in a group's schemas",
            run: |scim| {
                let second = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
                scim.post("/Groups", json!({"schemas": [GROUP, second], "externalId": "8aa1", "displayName": "g"}))
            },
            effect: |_, answer| drop(answer.is(201).has(json!({"schemas": [GROUP], "displayName": "g"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::LegacySchema,
            who: "OneLogin, 3: the URNs from before the standard",
            run: |scim| {
                let old = "urn:scim:schemas:extension:enterprise:2.0";
                scim.post(
                    "/Users",
                    json!({"schemas": ["urn:scim:schemas:core:2.0", old], "userName": "ada", old: {"department": "d"}}),
                )
            },
            effect: |_, answer| {
                drop(answer.is(201).has(json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "d"}})));
            },
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::ReferenceDisplay,
            who: "Okta, 2: members with a display, before the user is known",
            run: |scim| {
                let members = json!([{"value": "23a35c27", "display": "ada@example.com"}]);
                scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": members}))
            },
            effect: |_, answer| drop(answer.is(201).has(json!({"members": [{"display": "ada@example.com"}]}))),
            otherwise: As(|_, answer| drop(answer.is(201).lacks(&["/members/0/display"]))),
        },
        Case {
            leniency: Leniency::MissingContentType,
            who: "clients without a media type",
            run: |scim| scim.send("POST", "/Users", &[], user(json!({})).to_string()),
            effect: |_, answer| drop(answer.is(201)),
            otherwise: Refused(415, ""),
        },
    ]
}

fn patched(scim: &Scim, more: Value, operations: Value) -> Answer {
    let path = scim.user(more);
    scim.patch(&path, operations)
}

/// PATCH of users.
fn patching() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::OpCase,
            who: "Entra ID, 1.4: Replace",
            run: |scim| patched(scim, json!({}), json!({"op": "Replace", "path": "title", "value": "x"})),
            effect: |_, answer| drop(answer.is(200).has(json!({"title": "x"}))),
            otherwise: Refused(400, "invalidSyntax"),
        },
        Case {
            leniency: Leniency::BooleanText,
            who: "Entra ID, 1.4: active is the text False",
            run: |scim| {
                patched(scim, json!({"active": true}), json!({"op": "replace", "path": "active", "value": "False"}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"active": false}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::BooleanText,
            who: "Keycloak, 6: active is the text true, in an object",
            run: |scim| patched(scim, json!({}), json!({"op": "replace", "value": {"active": "true"}})),
            effect: |_, answer| drop(answer.is(200).has(json!({"active": true}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::ReplaceCreates,
            who: "Entra ID, 1.4: Replace of a work address that does not exist",
            run: |scim| {
                let replace = |part: &str, value: &str| json!({"op": "Replace", "path": format!("addresses[type eq \"work\"].{part}"), "value": value});
                patched(scim, json!({}), json!([replace("country", "NL"), replace("locality", "Delft")]))
            },
            effect: |_, answer| {
                drop(
                    answer.is(200).has(json!({"addresses": [{"type": "work", "country": "NL", "locality": "Delft"}]})),
                );
            },
            otherwise: Refused(400, "noTarget"),
        },
        Case {
            leniency: Leniency::PathKeys,
            who: "Entra ID with aadOptscim062020, 1.5: dotted and qualified keys",
            run: |scim| {
                let value =
                    json!({"displayName": "Ada", "name.familyName": "L", format!("{ENTERPRISE}:employeeNumber"): "7"});
                patched(scim, json!({}), json!({"op": "replace", "value": value}))
            },
            effect: |_, answer| {
                let all =
                    json!({"displayName": "Ada", "name": {"familyName": "L"}, ENTERPRISE: {"employeeNumber": "7"}});
                drop(answer.is(200).has(all));
            },
            otherwise: As(|_, answer| drop(answer.is(200).has(json!({"displayName": "Ada"})).lacks(&["/name"]))),
        },
        Case {
            leniency: Leniency::PlainReference,
            who: "Entra ID, 1.6: manager as a plain string",
            run: |scim| {
                patched(
                    scim,
                    json!({}),
                    json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": "26"}),
                )
            },
            effect: |_, answer| drop(answer.is(200).has(json!({ENTERPRISE: {"manager": {"value": "26"}}}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::EmptyReference,
            who: "Entra ID, 1.6: manager cleared by an empty text",
            run: |scim| {
                let managed = json!({ENTERPRISE: {"manager": {"value": "26"}}});
                patched(scim, managed, json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": ""}))
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"schemas": [USER]}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::SingleValue,
            who: "one object where a list is, 13.1",
            run: |scim| patched(scim, json!({}), json!({"op": "replace", "path": "emails", "value": {"value": "a@b"}})),
            effect: |_, answer| drop(answer.is(200).has(json!({"emails": [{"value": "a@b"}]}))),
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::PlainValue,
            who: "Entra ID, 1.4: Add roles with a JSON document as text (AppRoleAssignmentsComplex)",
            run: |scim| {
                let add = |value: Value| json!({"op": "add", "path": "roles", "value": value});
                patched(scim, json!({}), json!([add(json!(r#"{"id":"1"}"#)), add(json!(["b"]))]))
            },
            effect: |_, answer| {
                assert_eq!(answer.is(200).at("/roles"), json!([{"value": r#"{"id":"1"}"#}, {"value": "b"}]));
            },
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::UnqualifiedExtension,
            who: "Entra ID, 1.6: the path manager",
            run: |scim| patched(scim, json!({}), json!({"op": "add", "path": "manager", "value": {"value": "26"}})),
            effect: |_, answer| drop(answer.is(200).has(json!({ENTERPRISE: {"manager": {"value": "26"}}}))),
            otherwise: Refused(400, "invalidPath"),
        },
        Case {
            leniency: Leniency::UnqualifiedExtension,
            who: "Entra ID, 1.6: manager among the members of a value",
            run: |scim| {
                patched(scim, json!({}), json!({"op": "Replace", "value": {"title": "T", "manager": {"value": "7"}}}))
            },
            effect: |_, answer| {
                drop(answer.is(200).has(json!({"title": "T", ENTERPRISE: {"manager": {"value": "7"}}})))
            },
            otherwise: As(|_, answer| assert!(answer.at(&format!("/{ENTERPRISE}")).is_null())),
        },
        Case {
            leniency: Leniency::PathKeys,
            who: "Entra ID with aadOptscim062020, 1.5: dotted and qualified keys inside the extension",
            run: |scim| {
                let value = json!({ENTERPRISE: {"manager.value": "8", format!("{ENTERPRISE}:division"): "v"}});
                patched(scim, json!({}), json!({"op": "replace", "value": value}))
            },
            effect: |_, answer| {
                drop(answer.is(200).has(json!({ENTERPRISE: {"manager": {"value": "8"}, "division": "v"}})));
            },
            otherwise: As(|_, answer| drop(answer.is(200).has(json!({"schemas": [USER]})))),
        },
        Case {
            leniency: Leniency::DottedExtension,
            who: "Entra ID's old jobs, 1.5: a dot behind the URN",
            run: |scim| {
                patched(
                    scim,
                    json!({}),
                    json!({"op": "replace", "path": format!("{ENTERPRISE}.department"), "value": "d"}),
                )
            },
            effect: |_, answer| drop(answer.is(200).has(json!({ENTERPRISE: {"department": "d"}}))),
            otherwise: Refused(400, "invalidPath"),
        },
        Case {
            leniency: Leniency::UnknownSchema,
            who: "authentik, 5: a replacement that holds schemas",
            run: |scim| {
                patched(
                    scim,
                    json!({}),
                    json!({"op": "replace", "value": {"schemas": [USER, "urn:slack"], "title": "x"}}),
                )
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"schemas": [USER], "title": "x"}))),
            otherwise: Refused(400, "invalidValue"),
        },
    ]
}

/// A group of two after operations.
fn members(scim: &Scim, operations: fn(&str) -> Value) -> Answer {
    let (ada, bob) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let group = scim.group("g", &[&ada, &bob]);
    scim.patch(&format!("{group}?attributes=members"), operations(id_of(&ada)))
}

fn only_bob_is_left(_: &Scim, answer: Answer) {
    assert_eq!(answer.is(200).at("/members").as_array().map(Vec::len), Some(1));
}

/// PATCH of groups.
fn patching_references() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::RemoveListed,
            who: "Entra ID, 1.4, JumpCloud, 4, and authentik, 5: the members to remove as a list",
            run: |scim| {
                members(scim, |id| json!({"op": "remove", "path": "members", "value": [{"$ref": null, "value": id}]}))
            },
            effect: only_bob_is_left,
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::RemoveWrapped,
            who: "Salesforce style, 12: an object with the members, without a path",
            run: |scim| members(scim, |id| json!({"op": "remove", "value": {"members": [{"value": id}]}})),
            effect: only_bob_is_left,
            otherwise: Refused(400, "noTarget"),
        },
        Case {
            leniency: Leniency::RemoveWrapped,
            who: "Salesforce style, 12: an object with the members, with a path",
            run: |scim| {
                members(scim, |id| json!({"op": "remove", "path": "members", "value": {"members": [{"value": id}]}}))
            },
            effect: only_bob_is_left,
            otherwise: Refused(400, "invalidValue"),
        },
        Case {
            leniency: Leniency::ReferenceDisplay,
            who: "Okta, 2: add with value and display",
            run: |scim| {
                let add = |_: &str| json!({"op": "add", "path": "members", "value": [{"value": "x1", "display": "X"}]});
                members(scim, add)
            },
            effect: |_, answer| drop(answer.is(200).has(json!({"members": [{}, {}, {"value": "x1", "display": "X"}]}))),
            otherwise: As(|_, answer| drop(answer.is(200).lacks(&["/members/2/display"]))),
        },
    ]
}

fn found(scim: &Scim, filter: &str) -> Answer {
    let manager = json!({ENTERPRISE: {"manager": {"value": "26"}, "department": "d"}});
    scim.user(merged(json!({"active": true, "emails": [{"type": "work", "value": "a@b"}]}), manager));
    scim.filter("/Users", filter)
}

fn one_is_found(_: &Scim, answer: Answer) {
    drop(answer.is(200).has(json!({"totalResults": 1})));
}

/// Filters.
fn filtering() -> Vec<Case> {
    vec![
        Case {
            leniency: Leniency::BooleanText,
            who: "Entra ID, 1.4 and 13.4: a text in place of a boolean",
            run: |scim| found(scim, r#"active eq "True""#),
            effect: one_is_found,
            otherwise: Refused(400, "invalidFilter"),
        },
        Case {
            leniency: Leniency::UnqualifiedExtension,
            who: "Entra ID, 1.2: an extension's attribute without its URN",
            run: |scim| found(scim, r#"department eq "d""#),
            effect: one_is_found,
            otherwise: Refused(400, "invalidFilter"),
        },
        Case {
            leniency: Leniency::ComplexComparison,
            who: "Entra ID, 1.2: does somebody point at this manager already?",
            run: |scim| found(scim, &format!(r#"{ENTERPRISE}:manager eq "26""#)),
            effect: one_is_found,
            otherwise: Refused(400, "invalidFilter"),
        },
        Case {
            leniency: Leniency::ValuePathComparison,
            who: "Entra ID, 1.2: matching by the work address",
            run: |scim| found(scim, r#"emails[type eq "work"].value eq "a@b""#),
            effect: one_is_found,
            otherwise: Refused(400, "invalidFilter"),
        },
        Case {
            leniency: Leniency::ValuePathComparison,
            who: "Entra ID, 1.2: whether there is a work address",
            run: |scim| found(scim, r#"emails[type eq "work"].value pr and not (emails[type eq "work"].display pr)"#),
            effect: one_is_found,
            otherwise: Refused(400, "invalidFilter"),
        },
    ]
}

/// I-01 I-02 I-03 I-04 I-05 I-09 I-10 A-07 A-12 A-13 A-40
#[test]
fn each_form_is_understood_by_default_and_reported() {
    for case in cases() {
        let scim = Scim::new();
        let answer = (case.run)(&scim);
        assert!(answer.repairs().contains(&case.leniency), "{}: {:?} {}", case.who, answer.repairs(), answer.body);
        let only = Scim::with(|builder| builder.compat(only(&answer)));
        (case.effect)(&scim, answer);
        (case.effect)(&only, (case.run)(&only));
    }
}

/// What was reported is all that is needed: a service that accepts no more than that gives the same answer.
fn only(answer: &Answer) -> Compat {
    answer.repairs().into_iter().fold(Compat::strict(), Compat::with)
}

/// R-7643-2.3.2-01 R-7643-3-03 R-7644-3.10-05
#[test]
fn each_form_is_refused_or_taken_literally_by_a_service_without_it() {
    for case in cases() {
        let without = Compat::default().without(case.leniency);
        for compat in [without, Compat::strict()] {
            let scim = Scim::with(|builder| builder.compat(compat));
            let answer = (case.run)(&scim);
            assert!(!answer.repairs().contains(&case.leniency), "{}", case.who);
            let strict = compat == Compat::strict();
            match case.otherwise {
                Refused(status, keyword) => {
                    assert_eq!(answer.status.as_u16(), status, "{} {strict}: {}", case.who, answer.body);
                    let keyword_is_that_of_this_form = !strict || only_form(&case);
                    if keyword_is_that_of_this_form {
                        assert_eq!(answer.at("/scimType").as_str().unwrap_or_default(), keyword, "{}", case.who);
                    }
                }
                As(effect) => effect(&scim, answer),
            }
        }
    }
}

/// Whether a payload needs one leniency and no other, so that a strict service refuses it for that one.
fn only_form(case: &Case) -> bool {
    let scim = Scim::new();
    (case.run)(&scim).repairs().len() == 1
}

#[test]
fn every_leniency_has_a_case() {
    let covered: Vec<Leniency> = cases().iter().map(|case| case.leniency).collect();
    let missing: Vec<&Leniency> = Leniency::ALL.iter().filter(|leniency| !covered.contains(leniency)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
