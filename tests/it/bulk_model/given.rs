//! Long bulk requests from a seed, and a model that says what has to come of them. `benches/bulk.rs` measures the same ones.
//!
//! The model knows no bulk code: it is a list of users who have a name, a title and a version, worked through in the order of the
//! request. What refers to a creation that does not succeed does not succeed either.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// How many users there are before. The first half is changed and deleted, the third quarter gets managers, and nobody touches
/// the names of the last.
pub(crate) const BEFORE: usize = 200;

pub(crate) fn name_before(n: usize) -> String {
    format!("before-{n}")
}

/// An operation. Operations are known by their number; one beyond the last creates nothing.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create {
        name: String,
        manager: Option<usize>,
    },
    Group {
        members: Vec<usize>,
    },
    Manage {
        who: usize,
        by: usize,
    },
    /// of a user that an operation creates
    Retitle {
        made: usize,
    },
    Title {
        who: usize,
        version: Option<u64>,
    },
    Replace {
        who: usize,
        name: String,
        version: Option<u64>,
    },
    Delete {
        who: usize,
        version: Option<u64>,
    },
    /// something that is wrong by itself, with its status
    Wrong(u16),
}

/// A user of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    pub(crate) title: Option<String>,
    /// the name of the manager
    pub(crate) manager: Option<String>,
}

/// What there is after a request: users by name, and the members of groups by name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct After {
    pub(crate) users: BTreeMap<String, Person>,
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
}

struct Model {
    /// the users who were there before: name and version, or `None` when they are deleted
    before: Vec<Option<(String, u64)>>,
    users: BTreeMap<String, Person>,
}

impl Model {
    fn new() -> Self {
        let before: Vec<_> = (0..BEFORE).map(|n| Some((name_before(n), 1))).collect();
        let users = before.iter().flatten().map(|(name, _)| (name.clone(), Person::default())).collect();
        Self { before, users }
    }

    /// The status of an operation that refers to nothing, or whose references lead somewhere.
    fn step(&mut self, number: usize, step: &Step) -> u16 {
        let found = |before: &[Option<(String, u64)>], who: usize, version: Option<u64>| match &before[who] {
            None => Err(404),
            Some((_, current)) if version.is_some_and(|version| version != *current) => Err(412),
            Some((name, _)) => Ok(name.clone()),
        };
        let outcome = match step {
            Step::Create { name, .. } if self.users.contains_key(name) => Err(409),
            Step::Create { name, .. } => {
                self.users.insert(name.clone(), Person::default());
                Ok(201)
            }
            Step::Group { .. } => Ok(201),
            Step::Manage { .. } | Step::Retitle { .. } => Ok(200),
            Step::Title { who, version } => found(&self.before, *who, *version).map(|name| {
                self.users.entry(name).or_default().title = Some(format!("title {number}"));
                self.before[*who].iter_mut().for_each(|(_, version)| *version += 1);
                200
            }),
            Step::Replace { who, name, version } => found(&self.before, *who, *version).and_then(|old| {
                if *name != old && self.users.contains_key(name) {
                    return Err(409);
                }
                self.users.remove(&old);
                let title = Some(format!("replaced {number}"));
                self.users.insert(name.clone(), Person { title, manager: None });
                self.before[*who] = self.before[*who].take().map(|(_, version)| (name.clone(), version + 1));
                Ok(200)
            }),
            Step::Delete { who, version } => found(&self.before, *who, *version).map(|name| {
                self.users.remove(&name);
                self.before[*who] = None;
                204
            }),
            Step::Wrong(status) => Err(*status),
        };
        outcome.unwrap_or_else(|status| status)
    }
}

/// The operations that a step refers to.
fn references(step: &Step) -> Vec<usize> {
    match step {
        Step::Create { manager, .. } => manager.iter().copied().collect(),
        Step::Group { members } => members.clone(),
        Step::Manage { by, .. } => vec![*by],
        Step::Retitle { made } => vec![*made],
        _ => Vec::new(),
    }
}

/// The status of each operation, and what there is after all of them.
pub(crate) fn predicted(steps: &[Step]) -> (Vec<u16>, After) {
    let mut model = Model::new();
    let own: Vec<u16> = steps.iter().enumerate().map(|(number, step)| model.step(number, step)).collect();
    let mut statuses = own.clone();
    loop {
        let next: Vec<u16> = (0..steps.len())
            .map(|number| {
                let of = |other: &usize| statuses.get(*other).copied();
                let needs = references(&steps[number]);
                match own[number] {
                    _ if needs.iter().any(|other| of(other).is_none()) => 400,
                    _ if needs.iter().filter_map(of).any(|status| status >= 400) => 409,
                    own => own,
                }
            })
            .collect();
        if next == statuses {
            break;
        }
        statuses = next;
    }
    let name_of = |number: usize| match &steps[number] {
        Step::Create { name, .. } => name.clone(),
        other => panic!("{other:?} creates no user"),
    };
    let mut after = After { users: model.users, groups: BTreeMap::new() };
    for (number, step) in steps.iter().enumerate() {
        let succeeded = statuses[number] < 400;
        match step {
            Step::Create { name, .. } if !succeeded && own[number] < 400 => drop(after.users.remove(name)),
            _ if !succeeded => {}
            Step::Create { name, manager } => {
                after.users.entry(name.clone()).or_default().manager = manager.map(name_of);
            }
            Step::Manage { who, by } => {
                after.users.entry(name_before(*who)).or_default().manager = Some(name_of(*by));
            }
            Step::Retitle { made } => {
                after.users.entry(name_of(*made)).or_default().title = Some(format!("title {number}"));
            }
            Step::Group { members } => {
                drop(after.groups.insert(format!("group-{number}"), members.iter().copied().map(name_of).collect()));
            }
            _ => {}
        }
    }
    (statuses, after)
}

/// So many operations. References lead to operations anywhere, or to earlier ones only.
pub(crate) fn steps(seed: u64, count: usize, ahead: bool) -> Vec<Step> {
    let mut state = seed;
    let mut below = move |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % end.max(1)
    };
    let kinds: Vec<usize> = (0..count).map(|_| below(16)).collect();
    let made: Vec<usize> = (0..count).filter(|n| kinds[*n] < 4).collect();
    let (mut model, mut steps) = (Model::new(), Vec::with_capacity(count));
    for (number, kind) in kinds.iter().copied().enumerate() {
        let usable = if ahead { made.len() } else { made.partition_point(|other| *other < number) };
        let any = |below: &mut dyn FnMut(usize) -> usize| match usable {
            0 => count,
            _ if below(30) == 0 => count,
            usable => made[below(usable)],
        };
        let who = below(BEFORE / 2);
        let current = model.before[who].as_ref().map_or(1, |(_, version)| *version);
        let version = [None, None, Some(current), Some(current + 7)][below(4)];
        let untouched = BEFORE - 1 - below(BEFORE / 4);
        let step = match kind {
            0 | 1 => Step::Create { name: format!("new-{number}"), manager: None },
            2 => Step::Create { name: format!("new-{number}"), manager: Some(any(&mut below)) },
            // a name that is taken, or was until somebody was deleted or renamed
            3 => Step::Create { name: name_before(if below(2) == 0 { who } else { untouched }), manager: None },
            4 => Step::Group { members: (0..below(4)).map(|_| any(&mut below)).collect() },
            5 | 6 => Step::Manage { who: BEFORE / 2 + below(BEFORE / 4), by: any(&mut below) },
            7 => Step::Retitle { made: any(&mut below) },
            8 => Step::Replace { who, name: name_before(untouched), version },
            9 => Step::Replace { who, name: format!("renamed-{number}"), version },
            10 => Step::Delete { who, version },
            11 => Step::Wrong([400, 404][below(2)]),
            _ => Step::Title { who, version },
        };
        model.step(number, &step);
        steps.push(step);
    }
    steps
}

/// An operation as it is sent: method, path, body, and version.
pub(crate) fn sent(number: usize, step: &Step, ids: &[String]) -> (&'static str, String, Value, Option<String>) {
    let reference = |other: &usize| json!({"value": format!("bulkId:{other}")});
    let patch = |operation: Value| json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let title = || patch(json!({"op": "replace", "path": "title", "value": format!("title {number}")}));
    let at = |who: usize| format!("/Users/{}", ids[who]);
    let tag = |version: &Option<u64>| version.map(|version| format!("W/\"{version}\""));
    match step {
        Step::Create { name, manager } => {
            let mut data = json!({"schemas": [USER], "userName": name});
            if let Some(manager) = manager {
                data[ENTERPRISE] = json!({"manager": reference(manager)});
            }
            ("POST", "/Users".to_owned(), data, None)
        }
        Step::Group { members } => {
            let members: Vec<Value> = members.iter().map(reference).collect();
            let data = json!({"schemas": [GROUP], "displayName": format!("group-{number}"), "members": members});
            ("POST", "/Groups".to_owned(), data, None)
        }
        Step::Manage { who, by } => {
            let operation = match number % 2 {
                0 => json!({"op": "add", "path": ENTERPRISE, "value": {"manager": reference(by)}}),
                _ => json!({"op": "replace", "path": "manager", "value": format!("bulkId:{by}")}),
            };
            ("PATCH", at(*who), patch(operation), None)
        }
        Step::Retitle { made } => ("PATCH", format!("/Users/bulkId:{made}"), title(), None),
        Step::Title { who, version } => ("PATCH", at(*who), title(), tag(version)),
        Step::Replace { who, name, version } => {
            let data = json!({"schemas": [USER], "userName": name, "title": format!("replaced {number}")});
            ("PUT", at(*who), data, tag(version))
        }
        Step::Delete { who, version } => ("DELETE", at(*who), Value::Null, tag(version)),
        Step::Wrong(404) => ("PATCH", format!("/Users/nobody-{number}"), title(), None),
        Step::Wrong(_) => ("PUT", at(BEFORE - 1), json!({"schemas": [USER]}), None),
    }
}

/// The same as a bulk request.
pub(crate) fn request(steps: &[Step], ids: &[String], fail_on_errors: Option<usize>) -> String {
    let operations = steps.iter().enumerate().map(|(number, step)| {
        let (method, path, data, version) = sent(number, step, ids);
        let bulk_id = (method == "POST").then(|| number.to_string());
        json!({"method": method, "path": path, "bulkId": bulk_id, "version": version, "data": data})
    });
    let operations: Vec<Value> = operations.collect();
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    json!({"schemas": [schema], "failOnErrors": fail_on_errors, "Operations": operations}).to_string()
}

/// Creations, of which a fifth are groups that contain each other in pairs.
pub(crate) fn circles(count: usize) -> Vec<Value> {
    let post = |path: &str, bulk_id: String, data: Value| json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": data});
    let users = (0..count - count / 5).map(|n| {
        let data = json!({"schemas": [USER], "userName": format!("user-{n}"), "displayName": "A name"});
        post("/Users", format!("u{n}"), data)
    });
    let groups = (0..count / 5).map(|n| {
        let members = json!([{"value": format!("bulkId:g{}", n ^ 1)}]);
        let data = json!({"schemas": [GROUP], "displayName": format!("group-{n}"), "members": members});
        post("/Groups", format!("g{n}"), data)
    });
    users.chain(groups).collect()
}
