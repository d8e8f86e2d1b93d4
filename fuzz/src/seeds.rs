//! Inputs to start from: the cases of the integration tests, and files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// `tests/data/cases`.
pub struct Cases {
    filters: Value,
    patches: Value,
    hostile: Value,
}

impl Cases {
    pub fn load() -> Self {
        let load = |name: &str| {
            let path = folder().join("../tests/data/cases").join(name);
            let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Self { filters: load("filters.json"), patches: load("patches.json"), hostile: load("hostile.json") }
    }

    pub fn filters(&self) -> Vec<Vec<u8>> {
        let mut seeds = texts(&self.filters["cases"], |case| case.get("filter"));
        seeds.extend(self.hostile("filter"));
        seeds
    }

    pub fn paths(&self) -> Vec<Vec<u8>> {
        let mut seeds = self.hostile("path");
        for case in array(&self.patches["cases"]) {
            seeds.extend(texts(&case["patch"]["Operations"], |operation| operation.get("path")));
        }
        seeds
    }

    pub fn patches(&self) -> Vec<Vec<u8>> {
        let mut seeds = documents(&self.patches["cases"], |case| case.get("patch"));
        seeds.extend(self.hostile("patch"));
        seeds
    }

    pub fn resources(&self) -> Vec<Vec<u8>> {
        let mut seeds = documents(&self.filters["documents"], |document| Some(document));
        seeds.extend(documents(&self.patches["cases"], |case| case.get("before")));
        seeds.extend(self.hostile("json-body"));
        seeds
    }

    pub fn queries(&self) -> Vec<Vec<u8>> {
        let mut seeds = self.hostile("query");
        let filters = self.filters();
        seeds.extend(filters.iter().map(|filter| [b"filter=", percent_encoded(filter).as_bytes()].concat()));
        for query in ["startIndex=2&count=1", "sortBy=userName&sortOrder=descending", "attributes=emails.value,name"] {
            seeds.push(query.as_bytes().to_vec());
        }
        seeds
    }

    pub fn requests(&self) -> Vec<Vec<u8>> {
        let request = |head: &str, body: &[u8]| {
            [head.as_bytes(), b"\tContent-Type\tapplication/scim+json\tIf-Match\tW/\"1\"\n", body].concat()
        };
        let mut seeds: Vec<Vec<u8>> = [
            "/Users",
            "/Groups/{group}",
            "/Users/{user}?attributes=name",
            "/ServiceProviderConfig",
            "/Schemas",
            "/ResourceTypes",
            "/Me",
        ]
        .iter()
        .map(|target| request(&["GET\t", target].concat(), b""))
        .collect();
        seeds.extend(self.patches().iter().map(|body| request("PATCH\t/Users/{user}", body)));
        seeds.extend(self.resources().iter().map(|body| request("POST\t/Users", body)));
        seeds.extend(self.resources().iter().map(|body| request("PUT\t/Users/{user}", body)));
        seeds.extend(self.patches().iter().map(|body| request("PATCH\t/Groups/{group}", body)));
        seeds.push(request("DELETE\t/Users/{user}", b""));
        seeds.extend(self.hostile("bulk").iter().map(|body| request("POST\t/Bulk", body)));
        let search = b"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"],\"filter\":\"title pr\"}";
        seeds.push(request("POST\t/Users/.search", search));
        seeds
    }

    /// Bulk requests: what is hostile, and what refers ahead, back, in circles and from PATCHes.
    pub fn bulks(&self) -> Vec<Vec<u8>> {
        let mut seeds = self.hostile("bulk");
        seeds.push(
            br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":3,"Operations":[
{"method":"POST","path":"/Groups","bulkId":"a","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"a","members":[{"value":"bulkId:b"}]}},
{"method":"POST","path":"/Groups","bulkId":"b","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"b","members":[{"value":"bulkId:a"},{"value":"bulkId:u"}]}},
{"method":"PATCH","path":"/Groups/{group}","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"bulkId:u\"]"},{"op":"add","path":"members","value":[{"value":"bulkId:u"}]}]}},
{"method":"POST","path":"/Users","bulkId":"u","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u","manager":{"value":"bulkId:u"}}},
{"method":"PATCH","path":"/Users/{user}","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"manager":"bulkId:u"}},{"op":"add","value":{"manager.value":"bulkId:u"}}]}},
{"method":"PUT","path":"/Users/bulkId:u","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"v"}},
{"method":"DELETE","path":"/Users/{user}","version":"W/\"1\""}]}"#
                .to_vec(),
        );
        seeds
    }

    /// Cursors, the empty one included.
    pub fn cursors(&self) -> Vec<Vec<u8>> {
        [&b""[..], b"A", b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"-_-_", b"%00", b"\xff"]
            .map(<[u8]>::to_vec)
            .into()
    }

    /// The inputs of one layer that are written out, as texts or as JSON.
    fn hostile(&self, layer: &str) -> Vec<Vec<u8>> {
        let items = array(&self.hostile["items"]).iter().filter(|item| item["layer"] == layer);
        items
            .filter_map(|item| match &item["input"] {
                Value::String(text) => Some(text.clone().into_bytes()),
                recipe => recipe.get("json").map(|json| json.to_string().into_bytes()),
            })
            .collect()
    }
}

/// The files of `fuzz/<kind>/<target>`, by name.
pub fn files(kind: &str, target: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder().join(kind).join(target)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(values: &Value, pick: impl Fn(&Value) -> Option<&Value>) -> Vec<Vec<u8>> {
    array(values).iter().filter_map(|value| Some(pick(value)?.as_str()?.as_bytes().to_vec())).collect()
}

fn documents(values: &Value, pick: impl Fn(&Value) -> Option<&Value>) -> Vec<Vec<u8>> {
    array(values).iter().filter_map(|value| Some(pick(value)?.to_string().into_bytes())).collect()
}
