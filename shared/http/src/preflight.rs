//! What a browser asks before it lets a page of another origin call (Fetch, CORS preflight).

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CACHE_CONTROL, ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::{Answer, Code, Problem, allow_origin, secure};

/// The headers that a page may send.
pub const ALLOWED_HEADERS: &str =
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-CSRF-Token";
/// How long a browser may remember the answer, in seconds.
pub const MAX_AGE: &str = "600";

/// Answers `OPTIONS` on a path that has `methods`, for pages of the `allowed` origins.
///
/// # Errors
/// 405 for what is no preflight; 403 `origin_refused` for any other origin, `null` among them.
pub fn preflight(
    headers: &HeaderMap,
    methods: &[&Method],
    allowed: &[String],
    request_id: &str,
) -> Result<Answer, Problem> {
    let methods = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
    if !headers.contains_key(ORIGIN) || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return Err(Problem::new(Code::MethodNotAllowed).with_header(ALLOW, &methods));
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next().filter(|_| origins.next().is_none()).and_then(|origin| origin.to_str().ok());
    let origin = origin.filter(|origin| allowed.iter().any(|known| known == origin));
    let origin = origin.ok_or_else(|| Problem::new(Code::OriginRefused))?;
    let mut given = HeaderMap::new();
    if let Ok(methods) = methods.parse() {
        given.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    given.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    given.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    given.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    allow_origin(&mut given, origin);
    secure(&mut given, request_id);
    let status = StatusCode::NO_CONTENT;
    Ok(Answer { status, headers: given, body: Bytes::new(), problem: None, cause: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(headers: &[(&'static str, &str)]) -> Result<Answer, Code> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let allowed = ["https://app.example".to_owned()];
        let methods = [&Method::PUT, &Method::DELETE];
        preflight(&map, &methods, &allowed, "id").map_err(|problem| problem.code())
    }

    const METHOD: (&str, &str) = ("access-control-request-method", "PUT");

    #[test]
    fn only_listed_origins_are_let_in() {
        let answer = ask(&[METHOD, ("origin", "https://app.example")]).unwrap();
        assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example");
        assert_eq!(answer.headers["access-control-allow-methods"], "PUT, DELETE");
        for other in
            ["null", "*", "https://app.example.evil.example", "http://app.example", "https://APP.example"]
        {
            assert_eq!(ask(&[METHOD, ("origin", other)]).unwrap_err(), Code::OriginRefused, "{other}");
        }
        let twice = [METHOD, ("origin", "https://app.example"), ("origin", "null")];
        assert_eq!(ask(&twice).unwrap_err(), Code::OriginRefused);
        assert_eq!(ask(&[METHOD]).unwrap_err(), Code::MethodNotAllowed);
        assert_eq!(ask(&[("origin", "https://app.example")]).unwrap_err(), Code::MethodNotAllowed);
    }
}
