//! Each case for services is failed by a service that is wrong in one way.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, Request, Response, StatusCode};
use scim_provider::conformance::{ServiceFixture, Stop, Tenant, service_cases};
use scim_provider::{
    Compat, EnterpriseUser, Extension, Group, Leniency, MemoryStore, Service, TenantId, User, service_conformance,
};
use serde_json::{Value, json};

/// A service as a host has it, and what is wrong with it.
struct Host {
    service: Service<TenantId>,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    UnknownIdIs400,
    UnknownEndpointIs200,
    NoAllow,
    NoLocation,
    TextJson,
    ScimJsonOnly,
    NoScimType,
    EveryFilter,
    ConflictIs400,
    EveryPageIsTheFirst,
    IgnoresAttributes,
    IgnoresIfNoneMatch,
    IgnoresIfMatch,
    DeletesTwice,
    RefusesReadOnly,
    ShowsPasswords,
    OneTenant,
    NoBulkLimits,
    NoSingleTypes,
    AlwaysMembers,
    EmptyIs404,
    HidesInactive,
    NoPathlessPatch,
    IgnoresEmptyPush,
    RemoveNeedsAValue,
    Strict(Leniency),
}

const ALL: [Fault; 30] = [
    Fault::UnknownIdIs400,
    Fault::UnknownEndpointIs200,
    Fault::NoAllow,
    Fault::NoLocation,
    Fault::TextJson,
    Fault::ScimJsonOnly,
    Fault::NoScimType,
    Fault::EveryFilter,
    Fault::ConflictIs400,
    Fault::EveryPageIsTheFirst,
    Fault::IgnoresAttributes,
    Fault::IgnoresIfNoneMatch,
    Fault::IgnoresIfMatch,
    Fault::DeletesTwice,
    Fault::RefusesReadOnly,
    Fault::ShowsPasswords,
    Fault::OneTenant,
    Fault::NoBulkLimits,
    Fault::NoSingleTypes,
    Fault::AlwaysMembers,
    Fault::EmptyIs404,
    Fault::HidesInactive,
    Fault::NoPathlessPatch,
    Fault::IgnoresEmptyPush,
    Fault::RemoveNeedsAValue,
    Fault::Strict(Leniency::BooleanText),
    Fault::Strict(Leniency::ReplaceCreates),
    Fault::Strict(Leniency::PathKeys),
    Fault::Strict(Leniency::PlainReference),
    Fault::Strict(Leniency::RemoveListed),
];

impl Host {
    fn with(fault: Option<Fault>) -> Self {
        let compat = match fault {
            Some(Fault::Strict(leniency)) => Compat::default().without(leniency),
            _ => Compat::default(),
        };
        let store = MemoryStore::new();
        let service = Service::builder("https://scim.example.com/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
            .resource(Group::resource_type(), store)
            .compat(compat)
            .build();
        Self { service: service.unwrap(), fault }
    }
}

impl ServiceFixture for Host {
    async fn new() -> Self {
        Self::with(None)
    }

    async fn call(&self, tenant: Tenant, mut request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let tenant = if self.fault == Some(Fault::OneTenant) { Tenant::A } else { tenant };
        let tenant = TenantId::new(format!("{tenant:?}")).unwrap();
        if let Some(answer) = self.fault.and_then(|fault| before(fault, &mut request)) {
            return answer;
        }
        let (method, target) = (request.method().clone(), request.uri().to_string());
        let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let mut response = self.service.call(&tenant, request).await;
        if let Some(fault) = self.fault {
            after(fault, &method, &target, &sent, &mut response);
        }
        response
    }
}

service_conformance!(tokio::test, Host);

/// What goes wrong on the way in.
fn before(fault: Fault, request: &mut Request<Vec<u8>>) -> Option<Response<Vec<u8>>> {
    let target = request.uri().to_string();
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let operations = body["Operations"].as_array().cloned().unwrap_or_default();
    let patches = |test: &dyn Fn(&Value) -> bool| operations.iter().any(test);
    let empty = |op: &Value| op["path"] == "members" && op["value"] == json!([]);
    let bare = |op: &Value| op["op"] == "remove" && op["path"] == "members" && op["value"].is_null();
    let answer = |status| Some(status_only(status));
    match fault {
        Fault::IgnoresIfNoneMatch => drop(request.headers_mut().remove("if-none-match")),
        Fault::IgnoresIfMatch => drop(request.headers_mut().remove("if-match")),
        Fault::IgnoresAttributes if target.starts_with("/Users/") => {
            *request.uri_mut() = target.split('?').next().unwrap().parse().unwrap();
        }
        Fault::AlwaysMembers => *request.uri_mut() = target.replace("excludedAttributes=members&", "").parse().unwrap(),
        Fault::EveryFilter if target.ends_with("eq") => *request.uri_mut() = "/Users".parse().unwrap(),
        Fault::RefusesReadOnly if request.method() == Method::PUT && body["groups"][0].is_object() => {
            return answer(StatusCode::BAD_REQUEST);
        }
        Fault::NoPathlessPatch if patches(&|op| op["path"].is_null()) => return answer(StatusCode::BAD_REQUEST),
        Fault::IgnoresEmptyPush if patches(&empty) => return answer(StatusCode::NO_CONTENT),
        Fault::RemoveNeedsAValue if patches(&bare) => return answer(StatusCode::BAD_REQUEST),
        _ => {}
    }
    None
}

/// What goes wrong on the way out.
fn after(fault: Fault, method: &Method, target: &str, sent: &Value, response: &mut Response<Vec<u8>>) {
    let mut body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let status = response.status();
    match fault {
        Fault::UnknownIdIs400 if status == 404 && target.starts_with("/Users/") && method == Method::GET => {
            *response = status_only(StatusCode::BAD_REQUEST);
        }
        Fault::UnknownEndpointIs200 if target == "/Unicorns" => *response = status_only(StatusCode::OK),
        Fault::NoAllow => drop(response.headers_mut().remove("allow")),
        Fault::NoLocation => drop(response.headers_mut().remove("location")),
        Fault::TextJson => media_type(response, "application/scim+json", "text/json"),
        Fault::ScimJsonOnly => media_type(response, "application/json", "application/scim+json"),
        Fault::NoScimType if status == 400 && method == Method::POST => {
            drop(body.as_object_mut().unwrap().remove("scimType"))
        }
        Fault::ConflictIs400 if status == 409 && method == Method::PUT => {
            *response = status_only(StatusCode::BAD_REQUEST)
        }
        Fault::EveryPageIsTheFirst if body["startIndex"].is_u64() => body["startIndex"] = json!(1),
        Fault::DeletesTwice if status == 404 && method == Method::DELETE => {
            *response = status_only(StatusCode::NO_CONTENT)
        }
        Fault::ShowsPasswords if sent["password"].is_string() => body["password"] = sent["password"].clone(),
        Fault::NoBulkLimits if body["bulk"].is_object() => body["bulk"] = json!({"supported": false}),
        Fault::NoSingleTypes if target.starts_with("/ResourceTypes/") => *response = status_only(StatusCode::NOT_FOUND),
        Fault::EmptyIs404 if body["totalResults"] == 0 => *response = status_only(StatusCode::NOT_FOUND),
        Fault::HidesInactive if target.contains("filter") && body["Resources"][0]["active"] == false => {
            body["totalResults"] = json!(0);
            body["Resources"] = json!([]);
        }
        _ => {}
    }
    if !response.body().is_empty() {
        *response.body_mut() = body.to_string().into_bytes();
    }
}

fn status_only(status: StatusCode) -> Response<Vec<u8>> {
    Response::builder().status(status).body(Vec::new()).unwrap()
}

fn media_type(response: &mut Response<Vec<u8>>, from: &str, to: &'static str) {
    if let Some(value) = response.headers_mut().get_mut("content-type").filter(|value| *value == from) {
        *value = http::HeaderValue::from_static(to);
    }
}

#[tokio::test]
async fn each_case_is_failed_by_a_wrong_service() {
    let mut caught: BTreeMap<&str, Vec<String>> = service_cases::<Host>().iter().map(|c| (c.name(), vec![])).collect();
    for fault in ALL {
        let mut failed = BTreeSet::new();
        for case in service_cases::<Host>() {
            if let Err(Stop::Failed(_)) = case.run(&Host::with(Some(fault))).await {
                failed.insert(case.name());
            }
        }
        assert!(!failed.is_empty(), "no case fails {fault:?}");
        let alone = if failed.len() == 1 { "*" } else { "" };
        for case in failed {
            caught.entry(case).or_default().push(format!("{fault:?}{alone}"));
        }
    }
    let table: String = caught.iter().map(|(case, faults)| format!("{case}: {}\n", faults.join(", "))).collect();
    let blind: Vec<&&str> = caught.iter().filter(|(_, faults)| faults.is_empty()).map(|(case, _)| case).collect();
    assert!(blind.is_empty(), "no wrong service fails {blind:#?}\n{table}");
    let written = include_str!("caught_by_service_cases.txt").split_once("\n\n").unwrap().1;
    assert_eq!(table, written, "caught_by_service_cases.txt says otherwise; the table is now\n{table}");
}
