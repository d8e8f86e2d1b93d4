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
