//! The rules of the house that no compiler checks: who may name whom, the names of files, the six dependencies,
//! no panics. Each check is a function that is also shown something bad, so that it can fail.

mod layers;
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use layers::Layers;
use source::Source;

/// All that the library depends on.
const DEPENDENCIES: [&str; 6] = ["chrono", "http", "nom", "serde", "serde_json", "thiserror"];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 4] = ["util", "helper", "manager", "common"];

/// What ends a process or by-passes the compiler.
const FORBIDDEN: [&str; 8] =
    [".unwrap()", ".expect(\"", "panic!", "unreachable!", "todo!", "unimplemented!", "unsafe", "dbg!"];

/// Words that are written into the host's own tests, by the macros of the conformance kit.
const WRITTEN_FOR_HOSTS: [(&str, &str); 1] = [("conformance/list.rs", "panic!")];

#[test]
fn no_module_names_a_higher_layer() {
    let layers = Layers::new(&library());
    let complaints = layers.complaints(&library());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn files_have_names_that_say_something() {
    let complaints = file_complaints(&library());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_library_depends_on_six_crates() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert_eq!(dependencies(&manifest), DEPENDENCIES);
}

#[test]
fn nothing_in_the_library_can_panic_on_purpose() {
    let complaints = forbidden(&library());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A reader who follows the README runs what the checks run.
#[test]
fn the_readme_names_the_test_command_of_the_checks() {
    const COMMAND: &str = "cargo test --workspace --all-features";
    for file in ["README.md", "CONTRIBUTING.md", ".ci/run"] {
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let named = text.lines().any(|line| line.split('#').next().is_some_and(|command| command.trim() == COMMAND));
        assert!(named, "{file} has no line `{COMMAND}`");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of `src`, by their path from there.
fn library() -> BTreeMap<String, Source> {
    let mut files: BTreeMap<String, Source> = BTreeMap::new();
    let source = root().join("src");
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&source).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, Source::new(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.contains_key("lib.rs"), "found only {:?}", files.keys());
    blank_test_files(&mut files);
    files
}

/// A file that its parent declares under `#[cfg(test)]` ships no code.
fn blank_test_files(files: &mut BTreeMap<String, Source>) {
    let mut tests = Vec::new();
    for (name, source) in files.iter() {
        let folder = match name.rsplit_once('/') {
            _ if name == "lib.rs" => String::new(),
            Some((folder, "mod.rs")) => format!("{folder}/"),
            _ => format!("{}/", name.trim_end_matches(".rs")),
        };
        for module in &source.test_modules {
            tests.extend([format!("{folder}{module}.rs"), format!("{folder}{module}/mod.rs")]);
        }
    }
    for (name, source) in files {
        if tests.contains(name) {
            source.code.clear();
        }
    }
}

fn file_complaints(files: &BTreeMap<String, Source>) -> Vec<String> {
    let empty = |name: &&String| EMPTY_NAMES.into_iter().find(|empty| name.contains(empty));
    let named = files.keys().filter_map(|name| empty(&name).map(|empty| (name, empty)));
    named.map(|(name, empty)| format!("{name}: `{empty}` says nothing about what is inside")).collect()
}

/// The names under `[dependencies]` and its kin (`[target.….dependencies]`, `[dependencies.name]`), sorted.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == "dependencies" || header.ends_with(".dependencies");
            if header.starts_with("workspace.") {
                inside = false;
            } else if let Some((_, name)) = header.split_once("dependencies.").filter(|(kind, _)| !kind.ends_with('-'))
            {
                names.push(name);
            }
        } else if inside && !line.starts_with('#') {
            names.extend(line.split_once(['=', '.']).map(|(name, _)| name.trim()));
        }
    }
    names.sort_unstable();
    names
}

fn forbidden(files: &BTreeMap<String, Source>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, source) in files {
        for (number, line) in source.code.lines().enumerate() {
            let found = FORBIDDEN
                .iter()
                .filter(|word| contains_word(line, word) && !WRITTEN_FOR_HOSTS.contains(&(name.as_str(), word)));
            complaints.extend(found.map(|word| format!("src/{name}:{}: `{word}` in `{}`", number + 1, line.trim())));
        }
    }
    complaints
}

/// Whether a line has a word that is not part of a longer one: `unsafe`, but not `unsafe_code`.
fn contains_word(line: &str, word: &str) -> bool {
    let is_name = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let joined_before = word.starts_with(is_name) && line[..at].ends_with(is_name);
        let joined_after = word.ends_with(is_name) && line[at + word.len()..].starts_with(is_name);
        !joined_before && !joined_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, Source> {
        files.iter().map(|(name, text)| ((*name).to_owned(), Source::new(text))).collect()
    }

    #[test]
    fn an_empty_name_is_seen() {
        let files = files(&[("filter/mod.rs", ""), ("string_util.rs", ""), ("attr.rs", "")]);
        assert_eq!(file_complaints(&files), ["string_util.rs: `util` says nothing about what is inside"]);
    }

    #[test]
    fn a_seventh_dependency_is_seen_wherever_it_stands() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nnom = \"8\"\n# http\nserde.workspace = true\n\n\
                        [target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n[dependencies.axum]\nversion = \"1\"\n\
                        [dev-dependencies]\ntokio = \"1\"\n[dev-dependencies.proptest]\nversion = \"1\"\n\
                        [workspace.dependencies]\nserde_json = \"1\"\n";
        assert_eq!(dependencies(manifest), ["axum", "libc", "nom", "serde"]);
    }

    #[test]
    fn a_file_of_tests_may_panic() {
        let declares = "#[cfg(test)]\nmod cases;\n#[cfg(test)] pub(crate) mod more;\nmod eval;\n";
        let bad = "fn f() { x.unwrap() }";
        let mut files = files(&[
            ("filter/mod.rs", declares),
            ("filter/cases.rs", bad),
            ("filter/more/mod.rs", bad),
            ("filter/eval.rs", bad),
        ]);
        blank_test_files(&mut files);
        assert_eq!(forbidden(&files), ["src/filter/eval.rs:1: `.unwrap()` in `fn f() { x.unwrap() }`"]);
    }

    #[test]
    fn a_panic_is_seen_in_code_and_not_in_comments_texts_or_tests() {
        let bad = "fn f() { x.unwrap(); }\nfn g() {\n    panic!(\"no\")\n}\nunsafe fn h() {}\n";
        assert_eq!(
            forbidden(&files(&[("a.rs", bad)])),
            [
                "src/a.rs:1: `.unwrap()` in `fn f() { x.unwrap(); }`",
                "src/a.rs:3: `panic!` in `panic!(\"  \")`",
                "src/a.rs:5: `unsafe` in `unsafe fn h() {}`",
            ]
        );
        let good = "// x.unwrap()\n/* todo! /* panic! */ unsafe */\nlet a = \"panic! \\\" unsafe\"; x.unwrap_or(1);\n\
                    #![forbid(unsafe_code)]\nlet b = r#\"unsafe \" todo!\"#; let c = '\"'; let d: &'static str;\n\
                    #[cfg(test)]\nmod tests {\n    fn f() { x.unwrap(); { panic!() } }\n}\nfn after() {}\n";
        assert_eq!(forbidden(&files(&[("a.rs", good)])), Vec::<String>::new());
        assert_eq!(forbidden(&files(&[("a.rs", "x.expect(\"y\"); parser.expect(b\"y\")?;")])).len(), 1);
        let after_tests = "#[cfg(test)]\nmod tests { fn f() {} }\nfn after() { x.unwrap() }\n";
        assert_eq!(forbidden(&files(&[("a.rs", after_tests)])).len(), 1);
    }
}
