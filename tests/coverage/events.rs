//! The recorded events: one for each binary, and hostile ones.

use std::collections::BTreeSet;

use screensort::product;
use screensort_jobs::NAMES;
use screensort_routes::{Access, TABLE};
use screensort_runtime::handle;
use screensort_tests::{apart, shared};

use crate::{assert_none, read, root};

/// The names of the files in `events/`.
fn events() -> BTreeSet<String> {
    let folder = std::fs::read_dir(root().join("events")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect()
}

/// The answer of `binary` to an event: its status, or `None` if it is not an event that Lambda takes.
async fn answer(binary: &'static str, event: String) -> Option<(u16, String)> {
    let product = shared().await;
    apart(async move {
        let endpoint = product::endpoints().into_iter().find(|endpoint| endpoint.name == binary).unwrap();
        // The Lambda library itself panics over a body whose base64 is none, which no gateway sends.
        let request = std::panic::catch_unwind(|| lambda_http::request::from_str(&event)).ok()?.ok()?;
        let (response, record) = handle(&endpoint, request, product.stack()).await;
        Some((response.status().as_u16(), record.cause.unwrap_or_default()))
    })
    .await
}

#[test]
fn every_binary_has_an_event_and_every_event_a_binary() {
    let needed: BTreeSet<&str> = TABLE.iter().map(|route| route.binary).chain(NAMES).collect();
    let there = events();
    let missing = needed
        .iter()
        .filter(|name| !there.contains(**name))
        .map(|name| format!("events/{name}.json is missing"));
    let extra = |name: &str| name.starts_with("hostile-") || name.starts_with("own-name-");
    let left_over = there.iter().filter(|name| !needed.contains(name.as_str()) && !extra(name));
    assert_none(missing.chain(left_over.map(|name| format!("events/{name}.json is nobody's"))).collect());
}

#[tokio::test]
async fn each_endpoint_answers_its_event() {
    let mut binaries: Vec<&str> = TABLE.iter().map(|route| route.binary).collect();
    binaries.dedup();
    for binary in binaries {
        let event = read(&format!("events/{binary}.json"));
        let parsed: serde_json::Value = serde_json::from_str(&event).unwrap();
        let (path, method) = (parsed["resource"].as_str(), parsed["httpMethod"].as_str());
        let route =
            TABLE.iter().find(|route| Some(route.path) == path && Some(route.method.as_str()) == method);
        assert_eq!(
            route.map(|route| route.binary),
            Some(binary),
            "events/{binary}.json: the resource is another's"
        );
        assert_eq!(parsed["resource"], parsed["requestContext"]["resourcePath"], "{binary}");
        let answered = answer(binary, event).await;
        let (status, cause) = answered.unwrap_or_else(|| panic!("events/{binary}.json is not the gateway's"));
        let expected: &[u16] = match route.map(|route| (&route.access, &route.method)) {
            // The film of an event may not be in the sample.
            Some((Access::Anyone, &http::Method::GET)) => &[200, 404],
            // Tokens and codes of an event are nobody's; its account has just been made and is not verified.
            Some((Access::Anyone, _)) => &[200, 202, 401, 403, 410],
            _ => &[401],
        };
        assert!(expected.contains(&status), "{binary} answered {status}: {cause}");
    }
}

#[test]
fn each_job_has_an_event_that_it_can_read() {
    for name in NAMES {
        let event: serde_json::Value = serde_json::from_str(&read(&format!("events/{name}.json"))).unwrap();
        assert!(event.is_object(), "events/{name}.json is no object");
        assert!(screensort_jobs::by_name(name).is_some());
    }
}

#[tokio::test]
async fn no_event_makes_an_endpoint_panic() {
    let hostile: Vec<String> = events().into_iter().filter(|name| name.starts_with("hostile-")).collect();
    assert!(!hostile.is_empty());
    for name in hostile {
        let event = read(&format!("events/{name}.json"));
        for binary in ["movies", "movie", "similar", "search", "docs", "health"] {
            if let Some((status, cause)) = answer(binary, event.clone()).await {
                assert!(!cause.starts_with("panic"), "{name} to {binary}: {cause}");
                let is_event = cause != "not an event of the gateway";
                assert!(status < 500 || !is_event, "{name} to {binary} answered {status}: {cause}");
            }
        }
    }
}
