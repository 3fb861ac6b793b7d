//! Who may depend on whom: inward only, and AWS behind few doors.

use std::process::Command;

use serde_json::Value;

use crate::{assert_none, root};

/// The crates from the innermost outward. A crate may depend on crates of rows above its own only.
const ROWS: [&[&str]; 9] = [
    &["model", "search", "crypto", "cloud", "testkit"],
    &["auth", "catalog", "tmdb"],
    &["routes", "store", "recommend"],
    &["http"],
    &["runtime"],
    // Everything under functions/ stands here.
    &[],
    // Jobs finish what endpoints began: mail, exports, imports.
    &["jobs"],
    // The local server, called just `screensort`.
    &[""],
    &["tests"],
];

/// The row of what lies under `functions/`.
const FUNCTIONS: usize = 5;

/// Who may speak to AWS.
const AWS: [&str; 5] = ["store", "crypto", "runtime", "cloud", ""];

/// What may never reach a Lambda build.
const STAND_INS: [&str; 2] = ["cloud", "testkit"];

struct Package {
    /// Without the product's name in front; empty for the local server.
    name: String,
    is_function: bool,
    /// Names and kinds (`normal`, `dev` or `build`).
    dependencies: Vec<(String, &'static str)>,
}

fn short(name: &str) -> Option<String> {
    match name.strip_prefix("screensort")? {
        "" => Some(String::new()),
        rest => rest.strip_prefix('-').map(str::to_owned),
    }
}

fn packages() -> Vec<Package> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let functions = root().join("functions");
    let package = |package: &Value| Package {
        name: short(package["name"].as_str().unwrap()).expect("a package of ours is named after the product"),
        is_function: std::path::Path::new(package["manifest_path"].as_str().unwrap()).starts_with(&functions),
        dependencies: package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dependency| {
                let kind = match dependency["kind"].as_str() {
                    Some("dev") => "dev",
                    Some("build") => "build",
                    _ => "normal",
                };
                (dependency["name"].as_str().unwrap().to_owned(), kind)
            })
            .collect(),
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn row(package: &Package) -> Option<usize> {
    let named = ROWS.iter().position(|row| row.contains(&package.name.as_str()));
    named.or_else(|| package.is_function.then_some(FUNCTIONS))
}

fn shown(name: &str) -> &str {
    if name.is_empty() { "local" } else { name }
}

#[test]
fn every_crate_has_its_row() {
    let without = packages().into_iter().filter(|package| row(package).is_none());
    assert_none(without.map(|package| format!("{}: say in ROWS how far in it lies", package.name)).collect());
}

#[test]
fn dependencies_point_inward() {
    let packages = packages();
    let mut faults = Vec::new();
    for package in &packages {
        let own = row(package).unwrap_or(0);
        for (name, _) in package.dependencies.iter().filter(|(_, kind)| *kind != "dev") {
            let Some(other) = short(name).and_then(|short| packages.iter().find(|p| p.name == short)) else {
                continue;
            };
            // The jobs are a library of the sync besides: what an administrator starts is theirs.
            if (package.name.as_str(), other.name.as_str()) == ("admin", "jobs") {
                continue;
            }
            if row(other).is_none_or(|row| row >= own) {
                faults.push(format!("{} must not depend on {}", shown(&package.name), shown(&other.name)));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn the_model_depends_on_no_other_crate_of_ours() {
    let packages = packages();
    let model = packages.iter().find(|package| package.name == "model").unwrap();
    assert_none(model.dependencies.iter().filter_map(|(name, _)| short(name)).collect());
}

#[test]
fn aws_is_spoken_to_behind_few_doors() {
    let mut faults = Vec::new();
    for package in packages().iter().filter(|package| !AWS.contains(&package.name.as_str())) {
        for (name, kind) in &package.dependencies {
            if *kind != "dev" && (name.starts_with("aws-sdk-") || name == "aws-config") {
                faults.push(format!("{} must not depend on {name}", package.name));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn stand_ins_reach_no_lambda_build() {
    let mut faults = Vec::new();
    for package in packages().iter().filter(|package| !["", "tests"].contains(&package.name.as_str())) {
        for (name, kind) in &package.dependencies {
            let is_stand_in = short(name).is_some_and(|short| STAND_INS.contains(&short.as_str()));
            let is_foreign = name.starts_with("winterbaume-") || name.starts_with("dynoxide");
            if *kind != "dev" && (is_stand_in || (is_foreign && package.name != "cloud")) {
                faults.push(format!("{} must not depend on {name}", package.name));
            }
        }
    }
    assert_none(faults);
}
