//! The gateway's event, in and out.

use std::net::IpAddr;

use bytes::Bytes;
use http::HeaderMap;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Body, Request, RequestExt, Response};
use screensort_http::{Answer, Checked, Incoming};
use screensort_routes::Route;
use serde_json::{Value, json};

/// What of an HTTP request goes into an API Gateway event: for the local server and for tests.
#[derive(Debug)]
pub struct Event<'e> {
    /// The route it leads to.
    pub route: &'e Route,
    /// The path under the stage, as sent.
    pub path: &'e str,
    /// Path parameters, as sent.
    pub path_parameters: &'e [(&'e str, &'e str)],
    /// Query parameters, decoded, each as often as it was sent.
    pub query: &'e [(String, String)],
    /// Headers as sent.
    pub headers: &'e HeaderMap,
    /// The body.
    pub body: &'e [u8],
    /// The caller's address.
    pub source: IpAddr,
    /// The request's id.
    pub request_id: &'e str,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// The event as API Gateway's REST proxy integration writes it (payload version 1.0).
pub fn event(event: &Event<'_>) -> Value {
    let mut headers = serde_json::Map::new();
    let mut all_headers = serde_json::Map::new();
    for name in event.headers.keys() {
        // The gateway passes text only; what is not text is dropped, as a proxy may.
        let values: Vec<&str> = event.headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        if let Some(last) = values.last() {
            headers.insert(name.to_string(), json!(last));
            all_headers.insert(name.to_string(), json!(values));
        }
    }
    let mut query = serde_json::Map::new();
    for (name, value) in event.query {
        let list = query.entry(name.clone()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(json!(value));
        }
    }
    let last: serde_json::Map<String, Value> = query
        .iter()
        .map(|(name, values)| (name.clone(), values.as_array().and_then(|v| v.last()).cloned().into()))
        .collect();
    let path: serde_json::Map<String, Value> =
        event.path_parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let (body, base64) = match std::str::from_utf8(event.body) {
        Ok("") => (Value::Null, false),
        Ok(text) => (json!(text), false),
        Err(_) => (json!(base64_of(event.body)), true),
    };
    let or_null = |map: serde_json::Map<String, Value>| if map.is_empty() { Value::Null } else { map.into() };
    json!({
        "resource": event.route.path,
        "path": event.path,
        "httpMethod": event.route.method.as_str(),
        "headers": headers,
        "multiValueHeaders": all_headers,
        "queryStringParameters": or_null(last),
        "multiValueQueryStringParameters": or_null(query),
        "pathParameters": or_null(path),
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "resourceId": event.route.binary,
            "resourcePath": event.route.path,
            "httpMethod": event.route.method.as_str(),
            "path": format!("/v1{}", event.path),
            "protocol": "HTTP/1.1",
            "requestId": event.request_id,
            "requestTimeEpoch": event.at_ms,
            "stage": "v1",
            "identity": {"sourceIp": event.source.to_string()},
        },
        "body": body,
        "isBase64Encoded": base64,
    })
}

fn base64_of(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(bytes)
}

/// The gateway's event as a request. Headers that were sent several times keep all their values.
///
/// # Errors
/// If it is not an event of the gateway.
pub fn request(event: &str) -> Result<Request, serde_json::Error> {
    serde_json::from_str(event).map(|event| keep_repeated(event).into())
}

/// The event lists headers twice: with all values, and with the last one. Whoever joins the two lists keeps the
/// last of a repeated header, as if there had been one; without it in the second list, all stay.
pub(crate) fn keep_repeated(mut event: LambdaRequest) -> LambdaRequest {
    #[allow(irrefutable_let_patterns, reason = "other events exist only if another crate turns them on")]
    if let LambdaRequest::ApiGatewayV1(event) = &mut event {
        let all = &event.multi_value_headers;
        let repeated: Vec<_> =
            all.keys().filter(|name| all.get_all(*name).iter().nth(1).is_some()).cloned().collect();
        for name in repeated {
            event.headers.remove(name);
        }
    }
    event
}

/// A Lambda request as the product sees it, with the path as the route table writes it. `None` if the event
/// is not the gateway's: no route, no source address.
pub(crate) fn incoming(request: Request) -> Option<(String, Incoming)> {
    let context = request.request_context_ref()?;
    #[allow(irrefutable_let_patterns, reason = "other events exist only if another crate turns them on")]
    let RequestContext::ApiGatewayV1(context) = context else { return None };
    let route_path = context.resource_path.clone()?;
    let source = context.identity.source_ip.as_deref()?.parse().ok()?;
    let request_id = context.request_id.clone()?;
    let path = below_the_stage(request.raw_http_path(), &route_path).to_owned();
    let path_parameters = pairs(request.path_parameters_ref());
    let query = pairs(request.query_string_parameters_ref());
    let (parts, body) = request.into_parts();
    let body = match body {
        Body::Empty => Bytes::new(),
        Body::Text(text) => text.into(),
        Body::Binary(bytes) => bytes.into(),
        _ => return None,
    };
    let incoming = Incoming {
        method: parts.method,
        path,
        path_parameters,
        query,
        headers: parts.headers,
        body,
        source,
        request_id,
        checked: Checked::default(),
    };
    Some((route_path, incoming))
}

/// The path as callers of the gateway's own name send it. Under a name of the product's own the stage is not in the
/// address: the mapping of `v1` stands in its place, and the event's path begins with that.
fn below_the_stage<'p>(path: &'p str, route_path: &str) -> &'p str {
    match path.strip_prefix("/v1") {
        Some(below) if below.starts_with('/') && !route_path.starts_with("/v1/") => below,
        _ => path,
    }
}

fn pairs(map: Option<&lambda_http::aws_lambda_events::query_map::QueryMap>) -> Vec<(String, String)> {
    map.map(|map| map.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        .unwrap_or_default()
}

/// An answer as Lambda sends it.
pub(crate) fn response(answer: Answer) -> Response<Body> {
    let body = match String::from_utf8(answer.body.to_vec()) {
        Ok(text) if text.is_empty() => Body::Empty,
        Ok(text) => Body::Text(text),
        Err(error) => Body::Binary(error.into_bytes()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

#[cfg(test)]
mod tests {
    use super::{incoming, request};

    fn read(name: &str) -> String {
        let place = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(place).unwrap()
    }

    /// Everything that is bound to the path (what the blocklist lets by, cursors, idempotency keys, the problem's
    /// `instance`) must be the same under either name.
    #[test]
    fn a_name_of_our_own_leads_to_the_path_that_the_gateways_name_leads_to() {
        let ours = request(&read("own-name-login")).unwrap();
        let gateways = request(&read("login")).unwrap();
        assert_eq!(lambda_http::RequestExt::raw_http_path(&ours), "/v1/login");
        let (route, ours) = incoming(ours).unwrap();
        let (same, gateways) = incoming(gateways).unwrap();
        assert_eq!((route.as_str(), ours.path.as_str()), ("/login", "/login"));
        assert_eq!((route, ours.path), (same, gateways.path));
    }

    #[test]
    fn only_the_mapping_is_taken_off_a_path() {
        let taken = |path, route| super::below_the_stage(path, route).to_owned();
        assert_eq!(taken("/v1/movies/v1", "/movies/{id}"), "/movies/v1");
        assert_eq!(
            taken("/v1/v1/x", "/v1/{id}"),
            "/v1/v1/x",
            "a route that begins like the mapping keeps what it is"
        );
        assert_eq!(taken("/v10/x", "/{a}/x"), "/v10/x");
        assert_eq!(taken("/movies", "/movies"), "/movies");
    }
}
