//! The route table against everything that must have a part for each route.

use std::collections::{BTreeMap, BTreeSet};

use screensort::product;
use screensort_routes::{Route, TABLE};

use crate::{assert_none, read, root};

/// `movie_operators` as the template names its function: `MovieOperatorsFunction`.
fn logical_id(binary: &str) -> String {
    let words = binary.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<String>() + "Function"
}

fn shown(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// Every binary, with the folder under `functions/` that it belongs to.
fn binaries() -> BTreeMap<&'static str, &'static str> {
    let endpoints = TABLE.iter().map(|route| (route.binary, route.area.name()));
    endpoints.chain(screensort_jobs::NAMES.map(|job| (job, "jobs"))).collect()
}

#[test]
fn every_route_is_served_by_one_endpoint_of_its_name_for_whom_the_table_says() {
    let endpoints = product::endpoints();
    let mut faults = Vec::new();
    for route in TABLE {
        let serving: Vec<_> = endpoints
            .iter()
            .flat_map(|endpoint| {
                endpoint.operations().iter().map(move |operation| (endpoint.name, operation))
            })
            .filter(|(_, operation)| {
                std::ptr::eq(operation.route, *route) || shown(operation.route) == shown(route)
            })
            .collect();
        match serving.as_slice() {
            [(name, operation)] if *name != route.binary => {
                faults.push(format!("{}: served by {name}, not by {}", shown(operation.route), route.binary));
            }
            [(_, operation)] if operation.access != route.access => faults.push(format!(
                "{}: the table says {:?}, the handler demands {:?}",
                shown(route),
                route.access,
                operation.access
            )),
            [_] => {}
            other => faults.push(format!("{}: served by {} endpoints", shown(route), other.len())),
        }
    }
    assert_none(faults);
}

#[test]
fn every_operation_of_an_endpoint_is_in_the_table() {
    let table: BTreeSet<String> = TABLE.iter().map(|route| shown(route)).collect();
    let endpoints = product::endpoints();
    let names: BTreeSet<&str> = endpoints.iter().map(|endpoint| endpoint.name).collect();
    assert_eq!(names.len(), endpoints.len(), "two endpoints share a name");
    let unknown = endpoints.iter().flat_map(|endpoint| endpoint.operations()).map(|o| shown(o.route));
    assert_none(unknown.filter(|route| !table.contains(route)).collect());
}

#[test]
fn every_binary_has_a_source_of_a_few_lines() {
    let mut faults = Vec::new();
    for (binary, area) in binaries() {
        let path = format!("functions/{area}/src/bin/{binary}.rs");
        match std::fs::read_to_string(root().join(&path)) {
            Ok(text) if text.lines().count() <= 12 => {}
            Ok(_) => faults.push(format!("{path} decides something: a binary only wires")),
            Err(_) => faults.push(format!("{path} is missing")),
        }
        let manifest = read(&format!("functions/{area}/Cargo.toml"));
        if !manifest.contains(&format!("name = \"{binary}\"")) {
            faults.push(format!("functions/{area}/Cargo.toml does not list the binary {binary}"));
        }
    }
    assert_none(faults);
}

#[test]
fn every_binary_source_belongs_to_a_route_or_a_job() {
    let known = binaries();
    let mut faults = Vec::new();
    for area in std::fs::read_dir(root().join("functions")).unwrap().map(Result::unwrap) {
        let Ok(folder) = std::fs::read_dir(area.path().join("src/bin")) else { continue };
        for file in folder.map(Result::unwrap) {
            let path = file.path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if known.get(name) != Some(&area.file_name().to_str().unwrap()) {
                faults.push(format!("{} serves no route of the table and is no job", path.display()));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn every_binary_has_a_function_in_the_template_and_the_other_way_round() {
    let folder = std::fs::read_dir(root().join("infra/stacks")).unwrap();
    let stacks: Vec<String> =
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let declared: BTreeSet<&str> = stacks
        .iter()
        .flat_map(|stack| stack.lines())
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        // `Function` alone is the section of Globals.
        .filter(|id| id.ends_with("Function") && *id != "Function" && !id.starts_with(' '))
        .collect();
    let needed: BTreeSet<String> = binaries().keys().map(|binary| logical_id(binary)).collect();
    let missing = needed.iter().filter(|id| !declared.contains(id.as_str()));
    let left_over = declared.iter().filter(|id| !needed.contains(**id));
    let missing = missing.map(|id| format!("infra/stacks has no {id}: run infra/generate.py"));
    assert_none(missing.chain(left_over.map(|id| format!("{id} in infra/stacks serves nothing"))).collect());
}

#[test]
fn the_committed_document_describes_the_endpoints_as_they_are() {
    let committed = read("functions/system/openapi.json");
    let now = product::openapi();
    let differ = committed.lines().zip(now.lines()).position(|(old, new)| old != new);
    let line = differ.unwrap_or_else(|| committed.lines().count().min(now.lines().count())) + 1;
    assert!(
        committed == now,
        "functions/system/openapi.json is not what the endpoints say, from line {line} on. Look at the change, and \
         if it is meant: cargo run -- openapi > openapi.json && mv openapi.json functions/system/openapi.json"
    );
}

#[test]
fn every_route_is_in_the_document_with_a_summary_and_an_id_of_its_own() {
    let document: serde_json::Value = serde_json::from_str(&product::openapi()).unwrap();
    let mut ids = BTreeSet::new();
    for route in TABLE {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        assert_eq!(operation["summary"], route.summary, "{}", shown(route));
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{}", shown(route));
        let path: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(path, route.parameters().collect(), "{}", shown(route));
    }
}
