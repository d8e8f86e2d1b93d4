//! The examples as the RFCs print them, the scenes in which they are played, and where we differ: data from `tests/data/rfc`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// Files of the folder that are no examples.
const TABLES: [&str; 3] = ["index", "scenes", "exceptions"];

/// One example, named after its document, section and line.
#[derive(Debug, Deserialize)]
pub(super) struct Example {
    pub(super) id: String,
    /// `request`, `response`, or `json` where the RFC prints a body alone
    pub(super) kind: String,
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) in_reply_to: Option<String>,
    /// whether a file with its body is there
    body: bool,
    /// whether the RFC leaves members out with "..."
    #[serde(default)]
    pub(super) elided: bool,
}

/// What goes over the wire from an empty store on, and what is to come back.
#[derive(Debug, Deserialize)]
pub(super) struct Scene {
    pub(super) name: String,
    /// what the service is like where it is not the usual one
    #[serde(default)]
    pub(super) host: String,
    pub(super) steps: Vec<Value>,
}

/// Where an answer, or a message that was read and written, is not what the RFC prints, and why.
#[derive(Debug, Deserialize)]
pub(super) struct Exception {
    pub(super) example: String,
    pub(super) because: String,
    /// `[where, printed, ours]`, with null for what is not there
    pub(super) differences: Vec<(String, Value, Value)>,
}

/// What cannot be sent as it is printed: `[where, printed, sent]`, and why.
#[derive(Debug, Deserialize)]
pub(super) struct Resent {
    pub(super) example: String,
    /// the answer that it is sent for
    pub(super) answer: Option<String>,
    pub(super) because: String,
    pub(super) at: String,
    pub(super) printed: Value,
    pub(super) sent: Value,
}

#[derive(Deserialize)]
struct Exceptions {
    requests: Vec<Resent>,
    answers: Vec<Exception>,
}

/// All of it.
pub(super) struct Catalogue {
    pub(super) examples: BTreeMap<String, Example>,
    pub(super) bodies: BTreeMap<String, Value>,
    pub(super) scenes: Vec<Scene>,
    pub(super) resent: Vec<Resent>,
    pub(super) exceptions: Vec<Exception>,
}

impl Catalogue {
    pub(super) fn load() -> Self {
        let Exceptions { requests, answers } = table("exceptions");
        let examples: Vec<Example> = table("index");
        let catalogue = Self {
            examples: examples.into_iter().map(|example| (example.id.clone(), example)).collect(),
            bodies: bodies(),
            scenes: table("scenes"),
            resent: requests,
            exceptions: answers,
        };
        let with_body = catalogue.examples.values().filter(|example| example.body);
        let with_body: BTreeSet<&str> = with_body.map(|example| example.id.as_str()).collect();
        let files: BTreeSet<&str> = catalogue.bodies.keys().map(String::as_str).collect();
        assert_eq!(with_body, files, "the index and the files do not name the same examples");
        catalogue
    }

    /// An example, or one element of it: `7643-8.6-1899#1`.
    #[track_caller]
    pub(super) fn body(&self, name: &str) -> &Value {
        let (id, element) = name.split_once('#').map_or((name, None), |(id, at)| (id, Some(at)));
        let body = self.bodies.get(id).unwrap_or_else(|| panic!("there is no example {name}"));
        element.map_or(body, |at| &body[at.parse::<usize>().unwrap()])
    }

    /// The differences from an example that are known, each with its reason.
    pub(super) fn known(&self, example: &str) -> BTreeMap<String, (Value, Value)> {
        let ours = self.exceptions.iter().filter(|exception| exception.example == example);
        ours.flat_map(|exception| &exception.differences)
            .map(|(at, printed, ours)| (at.clone(), (printed.clone(), ours.clone())))
            .collect()
    }

    pub(super) fn of_schema(&self, end: &str) -> BTreeMap<&str, &Value> {
        let named = |body: &Value| body["schemas"][0].as_str().is_some_and(|schema| schema.ends_with(end));
        self.bodies.iter().filter(|(_, body)| named(body)).map(|(id, body)| (id.as_str(), body)).collect()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc")
}

fn table<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let text = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

fn bodies() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
    })
    .filter(|(name, _)| !TABLES.contains(&name.as_str()))
    .collect()
}
