//! What the README says about the length of this example is true.

#![allow(clippy::expect_used, reason = "these are tests: they stop at what is wrong")]

/// The files of each step, and what both have in common.
const FIRST_STEP: [&str; 2] = [include_str!("../src/deprovisioning.rs"), include_str!("../src/row.rs")];
const SECOND_STEP: [&str; 2] = [include_str!("../src/provisioning.rs"), include_str!("../src/groups.rs")];

const README: &str = include_str!("../../../README.md");

/// Lines that are neither empty nor a comment.
fn lines(files: &[&str]) -> usize {
    let lines = files.iter().flat_map(|file| file.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn the_readme_tells_how_many_lines_a_host_writes() {
    for (step, count) in [("first", lines(&FIRST_STEP)), ("second", lines(&SECOND_STEP))] {
        let told = README
            .split_once(&format!("The {step} step is "))
            .and_then(|(_, rest)| rest.split_once(" lines"))
            .expect("a sentence about the step");
        assert_eq!(told.0, count.to_string(), "the {step} step");
    }
}

#[test]
fn only_code_is_counted() {
    assert_eq!(lines(&["//! about\n\nuse a;\n    // why\nfn b() {} // here\n", "\n"]), 2);
}
