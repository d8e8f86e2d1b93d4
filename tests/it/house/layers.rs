//! Who may name whom: a module names only its own layer and those below it.

use std::collections::BTreeMap;

use super::source::Source;

/// From the lowest to the highest. A module stands in one of them; `lib.rs` in none.
const LAYERS: [&[&str]; 9] = [
    &["error", "attr", "budget", "compat", "etag", "limits", "password", "percent", "time", "unassigned"],
    &["schema"],
    &["resource", "messages"],
    &["filter"],
    &["patch"],
    &["cursor", "query", "sort"],
    &["store"],
    &["service"],
    &["conformance"],
];

/// The layers, and from which module `lib.rs` re-exports which name.
pub(super) struct Layers {
    exports: BTreeMap<String, String>,
}

impl Layers {
    pub(super) fn new(files: &BTreeMap<String, Source>) -> Self {
        let mut exports = BTreeMap::new();
        for path in used_paths(&files["lib.rs"].code) {
            if let [module, .., name] = path.as_slice() {
                exports.insert(name.clone(), module.clone());
            }
        }
        Self { exports }
    }

    /// What is against the layers, a line each.
    pub(super) fn complaints(&self, files: &BTreeMap<String, Source>) -> Vec<String> {
        let mut complaints = Vec::new();
        for (file, source) in files.iter().filter(|(file, _)| *file != "lib.rs") {
            let module = module_of(file);
            let Some(own) = layer_of(&module[0]) else {
                complaints.push(format!("src/{file}: `{}` stands in no layer", module[0]));
                continue;
            };
            for (through, path) in named_paths(&source.code, &module) {
                let Some(first) = path.first() else { continue };
                // an exported macro stands at the root wherever it is written; such names are for macros alone
                if first.starts_with("__") {
                    continue;
                }
                let named = if layer_of(first).is_some() { first } else { self.exports.get(first).unwrap_or(first) };
                match layer_of(named) {
                    Some(layer) if layer > own => {
                        complaints.push(format!("src/{file}: `{}` names the higher `{}`", module[0], path.join("::")));
                    }
                    Some(_) => {}
                    // An inline module's `super` is its file, whose names are of its own layer.
                    None if through == "super::" => {}
                    None => complaints.push(format!("src/{file}: `crate::{first}` stands in no layer")),
                }
            }
        }
        complaints.sort();
        complaints.dedup();
        complaints
    }
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// `filter/eval.rs` is `filter::eval`, `filter/mod.rs` is `filter`.
fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The paths after `pub use`, from the crate's root.
fn used_paths(code: &str) -> Vec<Vec<String>> {
    code.match_indices("use ")
        .filter(|(at, _)| code[..*at].trim_end().ends_with(['b', ')']))
        .flat_map(|(at, word)| expand(&code[at + word.len()..], &[]))
        .map(|path| path.into_iter().filter(|step| step != "crate" && step != "self").collect())
        .collect()
}

/// All paths that a module names through `crate::` or `super::`, and through which, from the crate's root.
fn named_paths(code: &str, module: &[String]) -> Vec<(&'static str, Vec<String>)> {
    let is_name = |char: char| char.is_alphanumeric() || char == '_';
    let mut paths = Vec::new();
    for (word, base) in [("crate::", &[][..]), ("super::", module)] {
        for (at, _) in code.match_indices(word) {
            // Inside a longer name, or in the middle of a path: seen from its start.
            if code[..at].ends_with(is_name) || code[..at].ends_with("::") {
                continue;
            }
            let mut base = base;
            let mut rest = &code[at..];
            while let Some(after) = rest.strip_prefix("super::") {
                base = &base[..base.len().saturating_sub(1)];
                rest = after;
            }
            let expanded = expand(rest.strip_prefix("crate::").unwrap_or(rest), base);
            paths.extend(expanded.into_iter().map(|path| (word, path)));
        }
    }
    paths
}

/// `a::{b, c::d} …` as `a::b` and `a::c::d`, each after `base`.
fn expand(code: &str, base: &[String]) -> Vec<Vec<String>> {
    let mut path = base.to_vec();
    let mut rest = code.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            return members(group).into_iter().flat_map(|member| expand(member, &path)).collect();
        }
        let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len());
        if end == 0 {
            return vec![path];
        }
        path.push(rest[..end].to_owned());
        match rest[end..].strip_prefix("::") {
            Some(after) => rest = after.trim_start(),
            None => return vec![path],
        }
    }
}

/// The members of a group, up to its closing brace.
fn members(group: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(group[start..at].trim());
                start = at + 1;
                if char == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, text: &str) -> Vec<String> {
        let files = BTreeMap::from([
            (
                "lib.rs".to_owned(),
                Source::new("pub use error::{Error, ScimType};\npub use service::{Service, a::B};\n"),
            ),
            (file.to_owned(), Source::new(text)),
        ]);
        Layers::new(&files).complaints(&files)
    }

    #[test]
    fn a_higher_layer_is_seen_however_it_is_named() {
        for (file, text, named) in [
            ("filter/eval.rs", "use crate::service::Service;", "service::Service"),
            ("filter/eval.rs", "use crate::{error::Error, store::{self, Page}};", "store::Page"),
            ("filter/eval.rs", "use crate::Service;", "Service"),
            ("filter/eval.rs", "fn f(x: &crate::B) {}", "B"),
            ("filter/mod.rs", "use super::patch::Patch;", "patch::Patch"),
            ("filter/eval.rs", "use super::super::query;", "query"),
            ("schema/core.rs", "fn f() { crate::resource::g() }", "resource::g"),
            ("attr.rs", "use super::schema;", "schema"),
        ] {
            let found = complaints(file, text);
            assert!(
                found.iter().any(|line| line.ends_with(&format!("names the higher `{named}`"))),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn the_own_layer_and_lower_ones_are_fine() {
        for (file, text) in [
            ("filter/eval.rs", "use super::ast::Filter;\nuse super::{bind, parse};\nuse crate::{Error, schema::X};"),
            (
                "error.rs",
                "use crate::attr::fold;\n/// See [`crate::service`].\n#[cfg(test)]\nmod t { use crate::store; }",
            ),
            ("filter/mod.rs", "pub(crate) use self::parse::p;\nlet x = super_::service; let y = \"crate::service\";"),
            ("attr.rs", "struct Name;\nmod inner { use super::Name; }"),
            ("conformance/mod.rs", "use crate::{Service, error::Error};"),
        ] {
            assert_eq!(complaints(file, text), Vec::<String>::new(), "{file}: {text}");
        }
    }

    #[test]
    fn a_module_or_a_name_without_a_layer_is_seen() {
        assert_eq!(complaints("glue.rs", ""), ["src/glue.rs: `glue` stands in no layer"]);
        assert_eq!(complaints("attr.rs", "use crate::glue::x;"), ["src/attr.rs: `crate::glue` stands in no layer"]);
    }
}
