//! Every request has an answer.

use http::{Request, Response};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scim_provider::{Key, MemoryStore, Projection, Resource, Store, UnknownAttributes};
use serde_json::{Value, json};

use super::given::{Dice, scribbled, typed_body};
use super::{DEVICES, GROUPS, USERS, inputs, now, service, tenant};

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"];

const PATHS: &[&str] = &[
    "/Users",
    "/Groups",
    "/Devices",
    "/users/",
    "/Users/{id}",
    "/Groups/{id}",
    "/Devices/{id}",
    "/Users/.search",
    "/Users/nobody",
    "/Users/%00",
    "/Users/%ff",
    "/Users/%7Bid%7D",
    "/Users/a/b",
    "/Users//",
    "/",
    "",
    "/.search",
    "/Me",
    "/Bulk",
    "/Schemas",
    "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    "/Schemas/x",
    "/ResourceTypes",
    "/ResourceTypes/User",
    "/ServiceProviderConfig",
    "/ServiceProviderConfig/x",
    "/Nothing",
    "/v2/Users",
    "*",
];

const QUERIES: &[&str] = &[
    "filter=userName%20eq%20%22a%22",
    "filter=userName%20eq",
    "filter=%5B",
    "filter=emails%5Btype%20pr%5D",
    "filter=%ff",
    "filter=members.value%20eq%20%22m-1%22",
    "attributes=userName",
    "attributes=nothing,password,,",
    "excludedAttributes=id",
    "startIndex=0",
    "startIndex=-9999999999999999999999",
    "count=99999999999999999999",
    "count=1.5",
    "count=0",
    "sortBy=meta",
    "sortBy=name.familyName",
    "sortBy=password",
    "sortOrder=descending",
    "sortOrder=x",
    "cursor",
    "cursor=AAAA&count=2",
    "cursor=&startIndex=1",
    "cursor&sortBy=userName&count=1",
    "filter=",
    "=",
    "&&",
    "x",
    "%",
    "+",
];

const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/scim+json"),
    ("accept", "text/html"),
    ("accept", "*/*;q=0"),
    ("accept", ",;"),
    ("content-type", "text/plain"),
    ("content-type", "application/json; charset=utf-8"),
    ("content-type", ";"),
    ("content-encoding", "gzip"),
    ("if-match", "*"),
    ("if-match", "W/\"1\""),
    ("if-match", "\""),
    ("if-match", ",,"),
    ("if-none-match", "*"),
    ("if-none-match", "\"1\", W/\"2\""),
    ("adscimversion", "x"),
    ("x-forwarded-host", "evil"),
];

proptest! {
    #![proptest_config(inputs())]

    /// Red when anything between the first byte and the last panics, when a store's failure shows, when an error has no
    /// SCIM body, or when a request that is accepted leaves a document behind that cannot be read again.
    #[test]
    fn every_request_is_answered_in_scim(
        (ty, body) in typed_body(),
        unknown in select(&[UnknownAttributes::Drop, UnknownAttributes::Keep, UnknownAttributes::Refuse][..]),
        seeds in vec(any::<u64>(), 1..24),
    ) {
        let store = MemoryStore::new();
        let service = service(&store, unknown);
        let mut id = "none".to_owned();
        for seed in seeds {
            let mut dice = Dice(seed);
            let text = request_body(&mut dice, &scribbled(&ty, &body, seed, seed % 3 == 0), &body);
            let Some(request) = any_request(&mut dice, ty.endpoint(), &id, text) else { continue };
            let shown = format!("{request:.3000?}");
            let method = request.method().clone();
            let response = now(service.call(&tenant(), request));
            check(&response, method == "HEAD").map_err(|wrong| TestCaseError::fail(format!("{wrong}: {shown}\n{response:?}")))?;
            let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
            if let (201, Some(new)) = (response.status().as_u16(), answer["id"].as_str()) {
                id = new.to_owned();
            }
            for ty in [&*USERS, &*GROUPS, &*DEVICES] {
                let found = now(store.get(&tenant(), Key::new(ty, &id), &Projection::everything(ty))).unwrap();
                if let Some(found) = found {
                    let again = Resource::from_stored(ty, found.as_json());
                    prop_assert_eq!(again.as_ref().map_err(ToString::to_string), Ok(&found), "{}", shown);
                }
            }
        }
    }
}

fn check(response: &Response<Vec<u8>>, head: bool) -> Result<(), String> {
    let status = response.status().as_u16();
    let body = response.body();
    match status {
        500 | 502.. => return Err(format!("status {status}")),
        204 | 304 => return if body.is_empty() { Ok(()) } else { Err("a body".to_owned()) },
        _ if head => return if body.is_empty() { Ok(()) } else { Err("a body".to_owned()) },
        _ => {}
    }
    let json: Value = serde_json::from_slice(body).map_err(|error| format!("no JSON: {error}"))?;
    let media = response.headers().get("content-type").map_or("", |value| value.to_str().unwrap_or_default());
    if !matches!(media, "application/scim+json" | "application/json") {
        return Err(format!("media type `{media}`"));
    }
    let is_error = json["schemas"] == json!(["urn:ietf:params:scim:api:messages:2.0:Error"]);
    match status {
        400.. if is_error && json["status"] == json!(status.to_string()) && json["detail"].is_string() => Ok(()),
        400.. => Err("no SCIM error".to_owned()),
        _ if is_error => Err("an error with a status of success".to_owned()),
        _ => Ok(()),
    }
}

/// Anything that the `http` crate lets through.
fn any_request(dice: &mut Dice, endpoint: &str, id: &str, body: Vec<u8>) -> Option<Request<Vec<u8>>> {
    let likely = dice.one_in(2);
    let method = if likely { *dice.pick(&["POST", "POST", "PUT", "PATCH", "PATCH"]) } else { *dice.pick(METHODS) };
    let path = match (likely, method) {
        (false, _) => dice.pick(PATHS).replace("{id}", id),
        (true, "POST") => endpoint.to_owned(),
        (true, _) => format!("{endpoint}/{id}"),
    };
    let mut uri = if path == "*" { path } else { format!("/v2{path}") };
    for at in 0..dice.below(3) {
        uri.push_str(if at == 0 { "?" } else { "&" });
        uri.push_str(dice.pick::<&str>(QUERIES));
    }
    let mut request = Request::builder().method(method).uri(uri);
    for _ in 0..dice.below(3) {
        let (name, value) = dice.pick(HEADERS);
        request = request.header(*name, *value);
    }
    request.body(body).ok()
}

/// A body, a PATCH of it, a search, or one of these with a few bytes changed.
fn request_body(dice: &mut Dice, text: &str, body: &Value) -> Vec<u8> {
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    let name = *dice.pick(&names);
    let path = match dice.below(4) {
        0 => format!("{name}[value eq \"m-1\"]"),
        1 => format!("{name}.value"),
        2 => format!("{name}[primary eq true].type"),
        _ => name.clone(),
    };
    let op = *dice.pick(&["add", "replace", "remove", "Replace", "move"]);
    let value = body[name].clone();
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": op, "path": path, "value": value}, {"op": "add", "value": {"zz": value, path.clone(): null}}],
    });
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": format!("{path} pr"), "count": 1,
    });
    let mut bytes = match dice.below(4) {
        0 => patch.to_string().into_bytes(),
        1 => search.to_string().into_bytes(),
        _ => text.as_bytes().to_vec(),
    };
    for _ in 0..dice.below(3) * dice.below(2) {
        let at = dice.below(bytes.len());
        match dice.below(5) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.drain(at..(at + dice.below(9)).min(bytes.len()))),
            3 => drop(bytes.splice(at..at, *b"\"$serde_json::private::Number\":")),
            _ => drop(bytes.splice(at..at, dice.pick(&["null", "{", "\"", "1e400", "\\u0000", "[[[["]).bytes())),
        }
    }
    bytes
}
