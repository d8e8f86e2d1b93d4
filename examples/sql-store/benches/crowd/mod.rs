//! Users who come and go between the pages of a list.

use std::collections::{HashSet, VecDeque};

use serde_json::{Value, json};

use super::{Host, Step};

/// Users who are listed while some of them go and others come.
pub(crate) struct Crowd {
    tenant: &'static str,
    listed: usize,
    seen: HashSet<String>,
    /// the last that was shown, of which the cursor was made
    last: String,
    pub(crate) gone: HashSet<String>,
    newcomers: VecDeque<String>,
    pub(crate) came: usize,
    random: usize,
}

impl Crowd {
    pub(crate) fn new(tenant: &'static str, listed: usize) -> Self {
        let seen = HashSet::with_capacity(listed);
        let (gone, newcomers) = (HashSet::new(), VecDeque::new());
        Self { tenant, listed, seen, last: String::new(), gone, newcomers, came: 0, random: 7 }
    }

    pub(crate) fn meet(&mut self, body: &Value) {
        for user in body["Resources"].as_array().into_iter().flatten() {
            let id = user["id"].as_str().unwrap();
            assert!(!self.gone.contains(id), "{id} is shown and gone");
            assert!(self.seen.insert(id.to_owned()), "{id} is shown twice");
            id.clone_into(&mut self.last);
        }
    }

    /// Somebody comes, anywhere in the order, and stays for some pages at least. Somebody goes, in turns: who was shown, who was
    /// not, whom the cursor was made of, and who came before.
    pub(crate) async fn come_and_go(&mut self, host: &Host) {
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
        let name = format!("user{}-{}", self.any(), self.came);
        let body = json!({"schemas": schemas, "userName": name});
        let create = Step { tenant: self.tenant, method: "POST", path: "/Users".to_owned(), body };
        self.newcomers.push_back(host.send(&create).await.0["id"].as_str().unwrap().to_owned());
        self.came += 1;
        let id = match self.came % 4 {
            0 => self.one_who(true),
            1 => self.one_who(false),
            2 => Some(self.last.clone()).filter(|last| !self.gone.contains(last)),
            _ => (self.newcomers.len() > 3).then(|| self.newcomers.pop_front()).flatten(),
        };
        let Some(id) = id.filter(|id| !self.gone.contains(id)) else { return };
        let path = format!("/Users/{id}");
        host.send(&Step { tenant: self.tenant, method: "DELETE", path, body: Value::Null }).await;
        self.newcomers.retain(|newcomer| *newcomer != id);
        self.gone.insert(id);
    }

    /// One of those who were there at first and still are, shown or not yet.
    fn one_who(&mut self, shown: bool) -> Option<String> {
        (0..10_000).find_map(|_| {
            let id = format!("user-{}", self.any());
            (self.seen.contains(&id) == shown && !self.gone.contains(&id)).then_some(id)
        })
    }

    fn any(&mut self) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % self.listed
    }

    pub(crate) fn check(&self) {
        let stayed = (0..self.listed).map(|n| format!("user-{n}")).filter(|id| !self.gone.contains(id));
        let missed: Vec<String> = stayed.filter(|id| !self.seen.contains(id)).take(3).collect();
        assert!(missed.is_empty(), "users were missed: {missed:?}");
    }
}
