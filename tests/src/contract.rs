//! What every answer promises, whatever was asked.
//!
//! The headers, the form of problems, and that the committed OpenAPI document lists the answer: route, status,
//! media type and every field of the body. A field that the document does not know fails too.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;
use jsonschema::{Draft, Validator};
use screensort_http::Code;
use screensort_routes::Found;
use serde_json::{Value, json};

use crate::{Answer, Ask, ORIGIN};

/// The headers that are the same on every answer, errors included.
pub const SECURITY_HEADERS: [(&str, &str); 7] = [
    ("strict-transport-security", "max-age=63072000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-robots-tag", "noindex"),
    ("vary", "Authorization, Cookie, Origin"),
];

/// Headers that tell a stranger what runs here.
const TALKATIVE: [&str; 4] = ["server", "x-powered-by", "via", "x-amzn-trace-id"];

/// Browser features that no page of ours needs.
const FEATURES: [&str; 5] = ["camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"];

/// The committed document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(screensort_system::openapi::DOCUMENT).expect("the committed document is JSON")
});

/// Panics with the reason if `answer` breaks a promise.
pub fn check(ask: &Ask, answer: &Answer) {
    let at = || format!("{} {}", ask.method, answer.shown());
    check_headers(ask, answer, &at);
    let is_problem = answer.status >= 400 || answer.status == 301;
    if !answer.body.is_empty() || (is_problem && ask.method != Method::HEAD) {
        check_body(ask, answer, is_problem, &at);
    }
    let path = ask.path().strip_prefix("/v1").unwrap_or_default();
    if path.starts_with("/_local/") {
        return;
    }
    match screensort_routes::find(&ask.method, path) {
        Found::Route(route, _) => check_listed(&ask.method, route.path, answer, &at),
        Found::Methods(_) => assert!([405, 400].contains(&answer.status), "{}", at()),
        Found::Nothing => assert!([404, 400].contains(&answer.status), "{}", at()),
    }
}

fn check_headers(ask: &Ask, answer: &Answer, at: &dyn Fn() -> String) {
    for (name, value) in SECURITY_HEADERS {
        assert_eq!(answer.header(name), Some(value), "{name}: {}", at());
    }
    let (sharing, allowed) = (answer.header("cross-origin-resource-policy"), allowed_origin(ask));
    assert_eq!(sharing, Some(if allowed { "cross-origin" } else { "same-origin" }), "{}", at());
    let named = answer.header("access-control-allow-origin");
    assert_eq!(named, allowed.then_some(ORIGIN), "access-control-allow-origin: {}", at());
    for name in TALKATIVE {
        assert!(!answer.headers.contains_key(name), "{name}: {}", at());
    }
    let features = answer.header("permissions-policy").unwrap_or_default();
    assert!(FEATURES.iter().all(|feature| features.contains(feature)), "permissions-policy: {}", at());
    check_policy(answer, at);
    let id = answer.header("x-request-id").unwrap_or_default();
    assert!(ulid::Ulid::from_string(id).is_ok(), "x-request-id {id:?}: {}", at());
    if ask.path().starts_with("/v1/_local/") {
        return;
    }
    let caching = answer.header("cache-control").unwrap_or_default();
    let known = ["private, no-store", "no-store", "public, max-age=60", "public, max-age=3600"];
    assert!(known.contains(&caching), "cache-control {caching:?}: {}", at());
    if ask.has_credentials() {
        assert!(caching.contains("no-store"), "an answer to somebody may be kept: {}", at());
        assert!(answer.header("etag").is_none(), "an answer to somebody has a tag: {}", at());
    }
    if answer.status >= 400 && answer.status != 410 {
        assert!(caching.contains("no-store"), "a refusal may be kept: {}", at());
    }
}

/// Whether a page that may read the answer asks for something that a function answers.
fn allowed_origin(ask: &Ask) -> bool {
    let path = ask.path().strip_prefix("/v1").unwrap_or_default();
    ask.header("origin") == Some(ORIGIN)
        && matches!(screensort_routes::find(&ask.method, path), Found::Route(..))
}

/// Everything but a page forbids everything; a page may load from its own host.
fn check_policy(answer: &Answer, at: &dyn Fn() -> String) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
        assert!(policy.contains(part), "content-security-policy {policy:?}: {}", at());
    }
    let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    for part in ["unsafe-", "*", "http:", "https:"] {
        assert!(!policy.contains(part), "content-security-policy {policy:?}: {}", at());
    }
    let is_conditional = answer.status == 304;
    assert!(is_page || is_conditional || !policy.contains("script-src"), "{policy:?}: {}", at());
}

fn check_body(ask: &Ask, answer: &Answer, is_problem: bool, at: &dyn Fn() -> String) {
    let kind = answer.header("content-type").unwrap_or_else(|| panic!("no content type: {}", at()));
    if !is_problem {
        assert!(kind.ends_with("; charset=utf-8"), "{kind}: {}", at());
        let is_document = ask.path() == "/v1/openapi.json";
        if kind.starts_with("application/json") && !is_document {
            let markup = answer.body.iter().any(|byte| b"<>&".contains(byte));
            assert!(!markup, "JSON that a browser may take for markup: {}", at());
            answer.json();
        }
        return;
    }
    assert_eq!(kind, "application/problem+json", "{}", at());
    assert!(!answer.body.iter().any(|byte| b"<>&".contains(byte)), "markup: {}", at());
    let problem = answer.json();
    let word = problem["code"].as_str().unwrap_or_default();
    let code = Code::ALL.iter().find(|code| code.word() == word);
    let code = code.unwrap_or_else(|| panic!("the code is none of ours: {}", at()));
    assert_eq!(problem["type"], json!(format!("/v1/problems/{word}")), "{}", at());
    assert_eq!(problem["title"], json!(code.title()), "{}", at());
    assert_eq!(problem["status"], json!(code.status().as_u16()), "{}", at());
    assert_eq!(problem["status"], json!(answer.status), "{}", at());
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{}", at());
    assert_eq!(problem["instance"], json!(ask.path()), "{}", at());
    assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"), "{}", at());
    check_schema(&json!({"$ref": "#/components/schemas/Problem"}), &problem, at);
}

/// That the document lists this answer of this route.
fn check_listed(method: &Method, route: &str, answer: &Answer, at: &dyn Fn() -> String) {
    let operation = &DOCUMENT["paths"][route][method.as_str().to_lowercase()];
    assert!(operation.is_object(), "the document does not know {method} {route}: {}", at());
    let listed = &operation["responses"][answer.status.to_string()];
    assert!(listed.is_object(), "the document does not list {} for {route}: {}", answer.status, at());
    if answer.body.is_empty() {
        return;
    }
    let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let content = &listed["content"];
    if content.get("*/*").is_some() {
        return;
    }
    let media = content.get(kind);
    let media = media.unwrap_or_else(|| panic!("the document does not list {kind} for {route}: {}", at()));
    check_schema(&media["schema"], &answer.json(), at);
}

/// One validator for each schema that some answer has.
static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    close(&mut components["schemas"]);
    let mut validators = HashMap::new();
    let operations = DOCUMENT["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    for operation in operations.filter_map(Value::as_object).flat_map(|methods| methods.values()) {
        let responses = operation["responses"].as_object().into_iter().flat_map(|all| all.values());
        for media in responses.filter_map(|r| r["content"].as_object()).flat_map(|content| content.values()) {
            if let Some(schema) = media.get("schema") {
                validators.entry(schema.to_string()).or_insert_with(|| validator(&components, schema));
            }
        }
    }
    validators
});

fn validator(components: &Value, schema: &Value) -> Validator {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": components,
        "allOf": [schema],
    });
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&whole).unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
}

/// Makes every object refuse fields that it does not list.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) && fields.contains_key("type") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn check_schema(schema: &Value, body: &Value, at: &dyn Fn() -> String) {
    let validator = VALIDATORS.get(&schema.to_string());
    let validator = validator.unwrap_or_else(|| panic!("no answer has the schema {schema}: {}", at()));
    let faults: Vec<String> =
        validator.iter_errors(body).take(3).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(faults.is_empty(), "not as the document says: {}: {}", faults.join("; "), at());
}
