//! The headers of every answer, errors included.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    CACHE_CONTROL, CONTENT_SECURITY_POLICY as CSP, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use screensort_routes::Caching;

/// The policy of everything that is not a page: nothing may load, frame or be submitted.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const FIXED: [(HeaderName, &str); 10] = [
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains; preload"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CSP, CONTENT_SECURITY_POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), \
         payment=(), usb=(), interest-cohort=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
    (VARY, "Authorization, Cookie, Origin"),
];

/// Sets the security headers and the request id. Used for every answer, the gateway's own included.
pub fn secure(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
}

/// Lets a page of `origin`, which the configuration names, read the answer.
pub fn allow_origin(headers: &mut HeaderMap, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        let readable = "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(readable));
        // The page is of another origin by definition, and is let in.
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
}

/// Says how the answer may be kept.
pub(crate) fn cache(headers: &mut HeaderMap, caching: Caching, has_credentials: bool) {
    let value = match caching {
        _ if has_credentials => "private, no-store",
        Caching::NoStore => "no-store",
        Caching::Catalogue => "public, max-age=60",
        Caching::Document => "public, max-age=3600",
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_origin_may_read_and_the_fixed_headers_stay() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, "id-1");
        allow_origin(&mut headers, "https://app.example.org");
        assert_eq!(headers["access-control-allow-origin"], "https://app.example.org");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-request-id"], "id-1");
    }
}
