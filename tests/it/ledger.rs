//! `tests/requirements.toml`: what the RFCs ask of a server, and which tests prove it. The file and the tests are held against
//! each other here, both ways, and the file against the list of all requirements, with their texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// Where a requirement stands.
#[derive(Debug, PartialEq)]
enum Standing {
    Tested(Vec<String>),
    Host(String),
    Declined(String),
}

/// A requirement of the file.
#[derive(Debug)]
struct Entry {
    level: String,
    /// what is required, in words
    text: String,
    standing: Standing,
}

type Ledger = BTreeMap<String, Entry>;

/// A requirement of the list.
#[derive(Clone)]
struct Requirement {
    level: String,
    whose: String,
    text: String,
}

type Required = BTreeMap<String, Requirement>;

/// Which ids each test names in the lines in front of it.
type Claims = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_ledger_and_the_tests_agree() {
    let complaints = complaints(&ledger(), &claims());
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn no_requirement_is_missing() {
    let complaints = blanks(&ledger(), &required());
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn the_readme_sums_the_ledger_up() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let sum = summary(&ledger());
    assert!(readme.contains(&sum), "README.md does not say: {sum}");
}

#[test]
fn each_disagreement_is_found() {
    let ledger = parse(
        r#"
"R-7644-1-01" = { level = "MUST", tested = ["a::one", "a::gone"] }
"R-7644-1-02" = { level = "MUST", declined = "no" }
"R-7644-1-03" = { level = "MAY", declined = "" }
"R-7644-1-04" = { level = "MUST", tested = [] }
"#,
    )
    .unwrap();
    let claims = Claims::from([
        ("a::one".to_owned(), BTreeSet::new()),
        ("a::two".to_owned(), ["R-7644-1-01", "R-7644-9-09"].map(str::to_owned).into()),
    ]);
    assert_eq!(
        complaints(&ledger, &claims),
        [
            "R-7644-1-01: `a::gone` does not exist",
            "R-7644-1-01: `a::one` does not name it",
            "R-7644-1-01: `a::two` proves it and is not listed",
            "R-7644-1-02: a MUST cannot be declined",
            "R-7644-1-03: has no reason",
            "R-7644-1-04: no test is listed",
            "R-7644-9-09: `a::two` names it and it is not in the ledger",
        ]
    );
    assert!(parse("\"R-7644-1-01\" = { level = \"MUST\" }").is_err());
    assert!(parse("\"R-7644-1-01\" = { level = \"MUST\", host = \"x\" }\n".repeat(2).as_str()).is_err());
}

#[test]
fn each_blank_is_found() {
    let ledger = parse(
        r#"
# Text 01.
"R-7644-1-01" = { level = "MAY", declined = "for a reason" }
# Text 04.
"R-7644-1-04" = { level = "MAY", host = "for a reason" }
# Text 05.
"R-7644-1-05" = { level = "MAY", host = "for a reason" }

# Text 07.

"R-7644-1-06" = { level = "MAY", host = "for a reason" }
"R-7644-1-07" = { level = "MAY", host = "for a reason" }
# Text 07.
"R-7644-1-08" = { level = "MAY", host = "for a reason" }
"#,
    );
    let required = [
        ("01", "MUST", "server"),
        ("02", "MUST", "both"),
        ("03", "MUST", "client"),
        ("04", "MAY", "client"),
        ("06", "MAY", "server"),
        ("07", "MAY", "server"),
        ("08", "MAY", "server"),
    ];
    let required = required.map(|(id, level, whose)| {
        let (level, whose, text) = (level.to_owned(), whose.to_owned(), format!("Text {id}."));
        (format!("R-7644-1-{id}"), Requirement { level, whose, text })
    });
    assert_eq!(
        blanks(&ledger.unwrap(), &required.into()),
        [
            "R-7644-1-01: is a MUST and not a MAY",
            "R-7644-1-02: is missing",
            "R-7644-1-05: is nowhere required",
            "R-7644-1-06: does not say: Text 06.",
            "R-7644-1-07: does not say: Text 07.",
            "R-7644-1-08: does not say: Text 08.",
        ]
    );
}

/// What is required of a server and does not stand in the ledger, or stands there with another level or text, and what nobody
/// requires. A requirement on clients may be there, where a server can help.
fn blanks(ledger: &Ledger, required: &Required) -> Vec<String> {
    let mut complaints = Vec::new();
    for (id, Requirement { level, whose, text }) in required {
        match ledger.get(id) {
            None if whose != "client" => complaints.push(format!("{id}: is missing")),
            Some(entry) if entry.level != *level => {
                complaints.push(format!("{id}: is a {level} and not a {}", entry.level));
            }
            Some(entry) if entry.text != *text => complaints.push(format!("{id}: does not say: {text}")),
            _ => {}
        }
    }
    let invented = ledger.keys().filter(|id| !required.contains_key(*id));
    complaints.extend(invented.map(|id| format!("{id}: is nowhere required")));
    complaints.sort();
    complaints
}

fn complaints(ledger: &Ledger, claims: &Claims) -> Vec<String> {
    let mut complaints = Vec::new();
    for (id, Entry { level, standing, .. }) in ledger {
        match standing {
            Standing::Tested(tests) => {
                if tests.is_empty() {
                    complaints.push(format!("{id}: no test is listed"));
                }
                for test in tests {
                    match claims.get(test) {
                        None => complaints.push(format!("{id}: `{test}` does not exist")),
                        Some(ids) if !ids.contains(id) => complaints.push(format!("{id}: `{test}` does not name it")),
                        Some(_) => {}
                    }
                }
            }
            Standing::Declined(_) if level.eq_ignore_ascii_case("MUST") => {
                complaints.push(format!("{id}: a MUST cannot be declined"));
            }
            Standing::Host(reason) | Standing::Declined(reason) if reason.len() < 10 => {
                complaints.push(format!("{id}: has no reason"));
            }
            Standing::Host(_) | Standing::Declined(_) => {}
        }
    }
    for (test, ids) in claims {
        for id in ids {
            match ledger.get(id) {
                None => complaints.push(format!("{id}: `{test}` names it and it is not in the ledger")),
                Some(Entry { standing: Standing::Tested(tests), .. }) if tests.contains(test) => {}
                Some(_) => complaints.push(format!("{id}: `{test}` proves it and is not listed")),
            }
        }
    }
    complaints.sort();
    complaints
}

/// The sentence of the README.
fn summary(ledger: &Ledger) -> String {
    let count = |is: fn(&Standing) -> bool| ledger.values().filter(|entry| is(&entry.standing)).count();
    let tested = count(|s| matches!(s, Standing::Tested(_)));
    let host = count(|s| matches!(s, Standing::Host(_)));
    let declined = count(|s| matches!(s, Standing::Declined(_)));
    format!(
        "{} requirements, errata and ambiguities: {tested} proven by tests that name them, {host} the host's, {declined} declined",
        ledger.len()
    )
}

/// The list of all requirements: a line each, with the id, the level, whose it is, and the text.
fn required() -> Required {
    let text = fs::read_to_string(root().join("tests/data/requirements.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| line.splitn(4, ' ').map(str::to_owned).collect::<Vec<_>>());
    words
        .map(|words| <[String; 4]>::try_from(words).unwrap())
        .map(|[id, level, whose, text]| (id, Requirement { level, whose, text }))
        .collect()
}

fn ledger() -> Ledger {
    parse(&fs::read_to_string(root().join("tests/requirements.toml")).unwrap()).unwrap()
}

/// Reads the file: a requirement a line, its text on the line above.
fn parse(file: &str) -> Result<Ledger, String> {
    let entry = Regex::new(r#"^"([^"]+)" = \{ level = "(\w+)", (tested|host|declined) = (.+) \}$"#).unwrap();
    let (mut ledger, mut above) = (Ledger::new(), "");
    for line in file.lines() {
        let text = std::mem::replace(&mut above, line).strip_prefix("# ").unwrap_or_default().to_owned();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let found = entry.captures(line).ok_or_else(|| format!("no requirement: {line}"))?;
        // strings and arrays of strings are written as in JSON
        let value = |what: &str| format!("{what}: {line}");
        let standing = match &found[3] {
            "tested" => Standing::Tested(serde_json::from_str(&found[4]).map_err(|_| value("no list of tests"))?),
            "host" => Standing::Host(serde_json::from_str(&found[4]).map_err(|_| value("no text"))?),
            _ => Standing::Declined(serde_json::from_str(&found[4]).map_err(|_| value("no text"))?),
        };
        let level = found[2].to_owned();
        if ledger.insert(found[1].to_owned(), Entry { level, text, standing }).is_some() {
            return Err(format!("{} is there twice", &found[1]));
        }
    }
    Ok(ledger)
}

/// The tests of this binary and of the library, by their paths.
fn claims() -> Claims {
    let mut claims = Claims::new();
    for (folder, inner) in [("tests/it", ""), ("src", "::tests")] {
        for file in files(&root().join(folder)) {
            let path = file.strip_prefix(root().join(folder)).unwrap().with_extension("");
            let module = path.iter().map(|step| step.to_str().unwrap()).collect::<Vec<_>>().join("::");
            let module = module.strip_suffix("::mod").unwrap_or(&module).to_owned();
            let inner = if module.ends_with("tests") { "" } else { inner };
            for (name, ids) in tests(&fs::read_to_string(&file).unwrap()) {
                claims.entry(format!("{module}{inner}::{name}")).or_default().extend(ids);
            }
        }
    }
    claims
}

/// The tests of a file, with the ids in the doc lines in front of them.
fn tests(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let id = Regex::new(r"\b(?:R-\d{4}-[\w.\-]*\d|R-ROLES-\d+|[AI]-\d+|E-\d+-\d+)\b").unwrap();
    let function = Regex::new(r"^(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)").unwrap();
    let (mut found, mut ids, mut is_test) = (Vec::new(), BTreeSet::new(), false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("///") {
            ids.extend(id.find_iter(line).map(|id| id.as_str().to_owned()));
        } else if line.starts_with("#[") {
            is_test |= line.contains("test");
        } else {
            if let Some(name) = function.captures(line).filter(|_| is_test) {
                found.push((name[1].to_owned(), std::mem::take(&mut ids)));
            }
            (ids, is_test) = (BTreeSet::new(), false);
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            false if entry.extension().is_some_and(|extension| extension == "rs") => found.push(entry),
            false => {}
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
