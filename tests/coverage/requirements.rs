//! `docs/requirements.md`: every requirement once, and the tests that show it exist.

use std::collections::{BTreeMap, BTreeSet};

use crate::{assert_none, read, root, rust_sources};

/// Where it is said what became of each requirement.
const TABLE: &str = "docs/requirements.md";

/// Every id of the requirements: a section, and its first and last number.
const IDS: [(&str, u32, u32); 8] = [
    ("S1.", 1, 21),
    ("S2.", 1, 23),
    ("S3.", 1, 18),
    ("S4.", 1, 30),
    ("S5.", 0, 40),
    ("S6.", 1, 26),
    ("S7.", 1, 1),
    ("O", 1, 21),
];

fn ids() -> impl Iterator<Item = String> {
    IDS.iter()
        .flat_map(|(section, first, last)| (*first..=*last).map(move |number| format!("{section}{number}")))
}

/// The cells of a table's row.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The table's rows by id, with what stands in the column called "test".
fn rows(text: &str) -> Vec<(String, String)> {
    let known: BTreeSet<String> = ids().collect();
    let (mut column, mut rows) = (None, Vec::new());
    for cells in text.lines().filter_map(cells) {
        let id = cells[0].trim_matches('*').to_owned();
        if let Some(at) =
            cells.iter().position(|cell| ["test", "tests"].contains(&cell.to_lowercase().as_str()))
        {
            column = Some(at);
        } else if known.contains(&id) {
            let at = column.expect("a row stands under a head with a column `test`");
            rows.push((id, cells.get(at).copied().unwrap_or_default().to_owned()));
        }
    }
    rows
}

#[test]
fn every_requirement_stands_in_the_table_once() {
    let mut counts: BTreeMap<String, u32> = ids().map(|id| (id, 0)).collect();
    for (id, _) in rows(&read(TABLE)) {
        *counts.entry(id).or_default() += 1;
    }
    let wrong = counts.into_iter().filter(|(_, count)| *count != 1);
    assert_none(
        wrong.map(|(id, count)| format!("{id} stands in docs/requirements.md {count} times")).collect(),
    );
}

#[test]
fn every_test_that_the_table_names_exists() {
    let sources = rust_sources(&["shared", "functions", "local", "tests"]);
    // What is asked of templates and of deployments is tested where those are.
    let scripts = std::fs::read_dir(root().join("tests/infra")).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<String> = scripts
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let in_rust = sources.iter().flat_map(|(_, source)| source.split("fn ").skip(1));
    let in_python = scripts.iter().flat_map(|source| source.split("def ").skip(1));
    let functions: BTreeSet<&str> = in_rust
        .chain(in_python)
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default())
        .collect();
    let mut faults = Vec::new();
    for (id, tests) in rows(&read(TABLE)) {
        for name in tests.split('`').skip(1).step_by(2) {
            // A script or a file is named by its path, a test by its name, with or without its module's.
            let exists = if name.contains('/') {
                root().join(name.split([' ', ':']).next().unwrap_or_default()).exists()
            } else {
                functions.contains(name.rsplit("::").next().unwrap_or_default())
            };
            if !exists {
                faults.push(format!("{id}: there is no test {name}"));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn a_table_is_read_by_its_head() {
    let text = "| Id | Where | Test | State |\n|---|---|---|---|\n| S1.1 | `store` | `a`, `b` | done |\n\
                | **O21** | | | not yet |\n| S9.9 | not one | `x` | |\nS1.2 in passing\n";
    let expected = [("S1.1", "`a`, `b`"), ("O21", "")];
    assert_eq!(rows(text), expected.map(|(id, tests)| (id.to_owned(), tests.to_owned())));
    assert_eq!(ids().count(), 181);
}
