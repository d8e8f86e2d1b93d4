//! What must hold for any bytes, and where to start looking for bytes for which it does not.

mod laws;
mod mutate;
mod seeds;

pub use laws::{bulk, cursor, filter, patch, path, query, request, resource};
pub use mutate::Mutator;

/// A law with the inputs to start from.
pub struct Target {
    pub name: &'static str,
    pub law: fn(&[u8]),
    pub seeds: fn(&seeds::Cases) -> Vec<Vec<u8>>,
}

impl Target {
    /// The seeds from the cases, then the files of a folder such as `seeds` or `regressions`.
    pub fn inputs(&self, cases: &seeds::Cases) -> Vec<Vec<u8>> {
        let mut inputs = seeds::files("regressions", self.name);
        inputs.extend(seeds::files("seeds", self.name));
        inputs.extend((self.seeds)(cases));
        inputs
    }
}

pub use seeds::Cases;

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "filter", law: filter, seeds: Cases::filters },
    Target { name: "path", law: path, seeds: Cases::paths },
    Target { name: "patch", law: patch, seeds: Cases::patches },
    Target { name: "resource", law: resource, seeds: Cases::resources },
    Target { name: "query", law: query, seeds: Cases::queries },
    Target { name: "request", law: request, seeds: Cases::requests },
    Target { name: "bulk", law: bulk, seeds: Cases::bulks },
    Target { name: "cursor", law: cursor, seeds: Cases::cursors },
];
