//! The OpenAPI 3.1 document, from the route table and the endpoints' own types.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use schemars::{JsonSchema, SchemaGenerator};
use screensort_routes::{Access, Caching, Quota, Route};
use serde_json::{Map, Value, json};

use crate::opening::Described;
use crate::problem::Document;
use crate::{Checked, Code, Endpoint, Gate, Incoming, Input, Keeping, Opening, Operation};

/// How an operation describes itself.
pub(crate) type Describe = fn(&mut Generators) -> Description;

/// What is sent and what is taken may differ for one type: a field that is always sent may be left out.
pub(crate) struct Generators {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

impl Generators {
    fn new() -> Self {
        let settings = || {
            let mut settings = schemars::generate::SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings
        };
        Self { answers: settings().for_serialize().into_generator(), bodies: settings().into_generator() }
    }
}

/// What an operation takes and gives.
pub(crate) struct Description {
    parameters: Vec<Described>,
    body: Option<Value>,
    content: Value,
}

pub(crate) fn json<I: Input, T: JsonSchema>(generators: &mut Generators) -> Description {
    let schema = generators.answers.subschema_for::<T>();
    describe::<I>(generators, json!({"application/json": {"schema": schema}}))
}

pub(crate) fn file<I: Input>(generators: &mut Generators) -> Description {
    describe::<I>(generators, json!({"*/*": {}}))
}

fn describe<I: Input>(generators: &mut Generators, content: Value) -> Description {
    let empty = Incoming {
        method: Method::GET,
        path: String::new(),
        path_parameters: Vec::new(),
        query: Vec::new(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        source: [127, 0, 0, 1].into(),
        request_id: String::new(),
        checked: Checked::default(),
    };
    let mut opening = Opening::describing(&empty);
    // Describing yields no input: only what was asked for counts.
    let _ = I::open(&mut opening);
    let body = opening.body_schema.map(|schema| schema(&mut generators.bodies).to_value());
    Description { parameters: opening.described, body, content }
}

/// The document over all `endpoints`.
pub fn document<C: Gate>(endpoints: &[Endpoint<C>], version: &str) -> Value {
    let mut generators = Generators::new();
    let problem = generators.answers.subschema_for::<Document>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in endpoints.iter().flat_map(Endpoint::operations) {
        let description = (operation.describe)(&mut generators);
        let value = operation_object(operation, description, &problem.clone().to_value());
        let method = operation.route.method.as_str().to_lowercase();
        paths.entry(operation.route.path).or_default().insert(method, value);
    }
    let answers = generators.answers.take_definitions(true);
    let mut schemas = tell_apart(generators.bodies.take_definitions(true), &answers, &mut paths);
    schemas.extend(answers);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ScreenSort",
            "version": version,
            "summary": "Films to browse, search and be recommended.",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/v1"}],
        "tags": [
            {"name": "accounts", "description": "Registration, sessions, credentials."},
            {"name": "admin", "description": "What administrators do."},
            {"name": "movies", "description": "Films, lists, people and search."},
            {"name": "system", "description": "Health, documents, attribution."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "service": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": crate::member::SESSION_COOKIE},
            },
        },
    })
}

/// The definitions of bodies. One that differs from an answer's of the same name gets a name of its own: what an
/// answer always has, a body may leave out, and two areas may call different things by one word.
fn tell_apart(
    mut bodies: Map<String, Value>,
    answers: &Map<String, Value>,
    paths: &mut BTreeMap<&str, Map<String, Value>>,
) -> Map<String, Value> {
    let clash = |bodies: &Map<String, Value>| {
        let differ =
            |(name, schema): &(&String, &Value)| answers.get(*name).is_some_and(|other| other != *schema);
        bodies.iter().find(differ).map(|(name, _)| name.clone())
    };
    // Whatever refers to a renamed one differs from then on, too, and gets its turn.
    while let Some(name) = clash(&bodies) {
        let given = format!("{name}Given");
        let schema = bodies.remove(&name).unwrap_or_default();
        bodies.insert(given.clone(), schema);
        let (old, new) = (format!("#/components/schemas/{name}"), format!("#/components/schemas/{given}"));
        let asked = paths.values_mut().flat_map(|methods| methods.values_mut());
        let asked = asked.filter_map(|operation| operation.get_mut("requestBody"));
        for value in asked.chain(bodies.values_mut()) {
            point(value, &old, &new);
        }
    }
    bodies
}

/// Lets what refers to `old` refer to `new`.
fn point(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "$ref" && text.as_str() == old => new.clone_into(text),
                    other => point(other, old, new),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| point(value, old, new)),
        _ => {}
    }
}

const INTRODUCTION: &str = "Answers are JSON; errors are problem documents (RFC 9457) with a stable `code`. \
Lists come in pages: give `next_cursor` back as `cursor`. Unknown, repeated, malformed or out-of-range \
parameters are refused and named. This product uses the TMDB API but is not endorsed or certified by TMDB; \
where a film can be watched comes from JustWatch.";

/// The headers that operations refer to.
fn headers() -> Value {
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "RateLimit-Policy": text("The policies that the call draws on: name, calls (q) and window in seconds (w)."),
        "RateLimit": text("What is left of each: calls (r), and seconds until the window ends (t)."),
        "Retry-After": text("Seconds to wait."),
        "ETag": text("Which version this is: give it back in If-Match."),
        "Idempotency-Replayed": text("true if the answer is the first one again."),
    })
}

fn refer(names: &[&str]) -> Value {
    let one = |name: &&str| (name.to_string(), json!({"$ref": format!("#/components/headers/{name}")}));
    names.iter().map(one).collect::<Map<_, _>>().into()
}

fn operation_object<C>(operation: &Operation<C>, mut description: Description, problem: &Value) -> Value {
    let (route, success) = (operation.route, operation.success);
    let is_creating = operation.keeping != Keeping::Nothing;
    let is_conditional = description.parameters.iter().any(|parameter| parameter.name == "If-Match");
    if is_creating {
        description.parameters.push(Described {
            name: "Idempotency-Key",
            place: "header",
            required: false,
            about: "A word of your own: the same call with the same key is done once, for 24 hours.",
            schema: json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}),
            list: false,
        });
    }
    let mut responses = Map::new();
    let (said, content) = match success {
        http::StatusCode::NO_CONTENT => ("Done.", None),
        http::StatusCode::ACCEPTED => ("Accepted: it happens soon.", Some(description.content)),
        http::StatusCode::CREATED => ("Created.", Some(description.content)),
        _ => ("As asked.", Some(description.content)),
    };
    let mut answered = json!({"description": said});
    if let Some(mut content) = content {
        if matches!(route.binary, "operators" | "operator" | "modes") {
            // By content negotiation.
            content["application/vnd.hypercat.catalogue+json"] = content["application/json"].clone();
        }
        answered["content"] = content;
    }
    let is_counted = !matches!(route.quota, Quota::Free);
    let shown = [
        (is_counted, ["RateLimit-Policy", "RateLimit"].as_slice()),
        (is_conditional, &["ETag"]),
        (is_creating, &["Idempotency-Replayed"]),
    ];
    let shown: Vec<&str> =
        shown.iter().filter(|(is, _)| *is).flat_map(|(_, names)| *names).copied().collect();
    if !shown.is_empty() {
        answered["headers"] = refer(&shown);
    }
    responses.insert(success.as_str().to_owned(), answered);
    if route.caching != Caching::NoStore {
        responses.insert("304".into(), json!({"description": "What If-None-Match names is still current."}));
    }
    let parameters: Vec<Value> = description.parameters.iter().map(parameter).collect();
    let mut codes = refusals(route, !parameters.is_empty(), description.body.is_some());
    if is_creating {
        codes.extend([Code::InProgress, Code::IdempotencyKeyReused]);
    }
    if is_conditional {
        codes.push(Code::PreconditionFailed);
    }
    for code in codes {
        let status = code.status().as_str().to_owned();
        responses.entry(status).or_insert_with(|| {
            let content = json!({"application/problem+json": {"schema": problem}});
            let mut response = json!({"description": code.title(), "content": content});
            if code == Code::TooManyRequests {
                response["headers"] = refer(&["Retry-After", "RateLimit-Policy", "RateLimit"]);
            }
            response
        });
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [route.area.name()],
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = description.body {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": body}}});
    }
    match route.access {
        Access::Anyone => operation["security"] = json!([]),
        Access::Member(permission) | Access::Recent(permission) => {
            operation["security"] = json!([{"bearer": []}, {"cookie": []}]);
            operation["x-permission"] = json!(permission.as_str());
            operation["x-recent-authentication"] = json!(matches!(route.access, Access::Recent(_)));
        }
        Access::Caller(permission) => {
            operation["security"] = json!([{"bearer": []}, {"cookie": []}, {"service": []}]);
            operation["x-permission"] = json!(permission.as_str());
            operation["x-recent-authentication"] = json!(false);
        }
    }
    operation
}

/// The binary's name, with the method in front where the binary serves several.
fn operation_id(route: &Route) -> String {
    let shared = screensort_routes::TABLE.iter().filter(|other| other.binary == route.binary).count() > 1;
    if shared {
        let parameter = route.parameters().next().map(|name| format!("_{name}")).unwrap_or_default();
        format!("{}_{}{parameter}", route.method.as_str().to_lowercase(), route.binary)
    } else {
        route.binary.to_owned()
    }
}

/// The problems that a route may answer with beyond its own.
fn refusals(route: &Route, has_parameters: bool, has_body: bool) -> Vec<Code> {
    let mut codes =
        vec![Code::BadParameter, Code::Blocked, Code::TooManyRequests, Code::Internal, Code::Unavailable];
    if has_parameters || route.parameters().next().is_some() {
        codes.extend([Code::NotFound]);
    }
    if route.binary == "movie" || route.path.starts_with("/movies/{id}") {
        codes.extend([Code::Moved, Code::Gone]);
    }
    if ["health", "movies", "movie"].contains(&route.binary) {
        // A deep look is for administrators; a film and lists show more to who is signed in.
        codes.push(Code::Unauthorized);
    }
    if !matches!(route.access, Access::Anyone) {
        codes.extend([Code::Unauthorized, Code::Forbidden]);
    }
    if matches!(route.area, screensort_routes::Area::Operators | screensort_routes::Area::Links) {
        codes.extend([Code::Unauthorized, Code::Conflict, Code::InvalidBody, Code::NotAcceptable]);
    }
    if matches!(route.area, screensort_routes::Area::Accounts | screensort_routes::Area::Admin) {
        codes.extend([Code::Unauthorized, Code::Forbidden, Code::Conflict, Code::Gone, Code::InvalidBody]);
    }
    if has_body {
        codes.extend([Code::TooLarge, Code::UnsupportedMediaType, Code::InvalidBody]);
    }
    codes
}

fn parameter(described: &Described) -> Value {
    let mut value = json!({
        "name": described.name,
        "in": described.place,
        "required": described.required,
        "description": described.about,
        "schema": described.schema,
    });
    if described.list {
        value["schema"] = json!({"type": "array", "items": described.schema, "minItems": 1});
        value["style"] = json!("form");
        value["explode"] = json!(false);
    }
    value
}
