#!/usr/bin/env python3
"""seeded [NAME …]: whether the tests see mistakes. `mistakes.py` lists them, each with the tests that have to fail.

A copy of the crate gets all of them, each asleep until the environment names it, so that one build serves them all. Without a
mistake the tests pass in that copy; with one, each of its tests has to fail. Fails where a test stays green, where a mistake no
longer fits the source, or where a test is not there. With names, only those mistakes are tried.
"""
import json
import os
import shutil
import subprocess
import sys

from mistakes import MISTAKES

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
COPY = os.path.join(ROOT, "target", "seeded", "copy")
# apart: cargo does not tell the copy's artifacts from those of the crate
BUILT = os.path.join(ROOT, "target", "seeded", "built")
VARIABLE = "SCIM_SEEDED_MISTAKE"

# How the copy asks whether a mistake is awake.
AWAKE = f"""
/// Whether this mistake is to be made.
pub(crate) fn seeded(name: &str) -> bool {{
    static AWAKE: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("{VARIABLE}").ok());
    AWAKE.as_deref() == Some(name)
}}
"""


def main():
    wanted = sys.argv[1:]
    chosen = [mistake for mistake in MISTAKES if not wanted or mistake.name in wanted]
    if not chosen or len({mistake.name for mistake in MISTAKES}) != len(MISTAKES):
        sys.exit("no such mistake, or two of one name")
    copy()
    for mistake in MISTAKES:
        plant(mistake)
    tests = build()
    green = run(tests, sorted({test for mistake in chosen for test in mistake.tests}), None)
    if green:
        sys.exit(f"without a mistake fail: {green}")
    unseen = 0
    for mistake in chosen:
        failed = run(tests, mistake.tests, mistake.name)
        missed = sorted(set(mistake.tests) - set(failed))
        unseen += bool(missed)
        print(f"{'NOT SEEN by ' + ', '.join(missed) if missed else 'seen'}: {mistake.name} ({mistake.what})", flush=True)
    print(f"{len(chosen) - unseen} of {len(chosen)} mistakes seen")
    sys.exit(unseen > 0)


def copy():
    """The crate and what its tests need; the examples are members of the workspace, and not built."""
    shutil.rmtree(COPY, ignore_errors=True)
    away = shutil.ignore_patterns("target", ".git", "__pycache__", "fuzz")
    shutil.copytree(ROOT, COPY, ignore=away)
    with open(os.path.join(COPY, "src", "lib.rs"), "a") as lib:
        lib.write(AWAKE)


def plant(mistake):
    for file, right, wrong in mistake.edits:
        path = os.path.join(COPY, "src", file)
        with open(path) as source:
            text = source.read()
        if text.count(right) != 1:
            sys.exit(f"{mistake.name}: {text.count(right)} places in src/{file} read\n{right}")
        with open(path, "w") as source:
            source.write(text.replace(right, wrong.replace("SEEDED", f'crate::seeded("{mistake.name}")')))


def build():
    """The binary of `tests/it` in the copy."""
    command = ["cargo", "test", "-p", "scim-provider", "--all-features", "--test", "it", "--no-run"]
    command += ["--manifest-path", os.path.join(COPY, "Cargo.toml"), "--target-dir", BUILT]
    made = subprocess.run(command + ["--message-format", "json"], stdout=subprocess.PIPE, text=True, cwd=COPY)
    messages = [json.loads(line) for line in made.stdout.splitlines()]
    if made.returncode:
        sys.exit("\n".join(m["message"]["rendered"] for m in messages if m["reason"] == "compiler-message"))
    binaries = [m["executable"] for m in messages if m["reason"] == "compiler-artifact" and m.get("executable")]
    return binaries[-1]


def run(binary, tests, mistake):
    """Those of the tests that fail."""
    # what fails is not made smaller: that it fails is all there is to know
    environment = dict(os.environ, CARGO_MANIFEST_DIR=COPY, PROPTEST_MAX_SHRINK_ITERS="0")
    if mistake:
        environment[VARIABLE] = mistake
    ran = subprocess.run([binary, "--exact", *tests], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env=environment, cwd=COPY)
    outcomes = {test: [line for line in ran.stdout.splitlines() if line.startswith(f"test {test} ")] for test in tests}
    absent = [test for test, lines in outcomes.items() if not lines]
    if absent:
        sys.exit(f"no such test: {absent}\n{ran.stdout[-2000:]}")
    return [test for test, lines in outcomes.items() if lines[0].endswith("FAILED")]


main()
