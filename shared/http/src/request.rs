//! A request as the gateway hands it over.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::{Checked, Code, FieldError, Problem};

/// The headers that may be given once.
const SINGLE_HEADERS: [&str; 3] = ["authorization", "cookie", "idempotency-key"];

/// One request, decoded once: the only form in which the rest of the product sees it.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The HTTP method.
    pub method: Method,
    /// The path under the stage, such as `/movies/550`, percent-decoded.
    pub path: String,
    /// The path parameters, percent-decoded.
    pub path_parameters: Vec<(String, String)>,
    /// Every query parameter as often as it was given, percent-decoded.
    pub query: Vec<(String, String)>,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The body, decoded from the gateway's base64 where it was.
    pub body: Bytes,
    /// The caller's address as the gateway saw it; never taken from a header.
    pub source: IpAddr,
    /// The gateway's id of this request; the same in answers, logs, mail and audit events.
    pub request_id: String,
    /// What its access token was found to say, once somebody has asked.
    pub checked: Checked,
}

impl Incoming {
    /// A header's value if it is given exactly once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    /// Refuses a request that gives one of the headers twice that say who sends it or what it repeats: whoever
    /// looked at it before us may have read the other one.
    pub(crate) fn check_single_headers(&self) -> Result<(), Problem> {
        let repeated =
            SINGLE_HEADERS.iter().filter(|name| self.headers.get_all(**name).iter().nth(1).is_some());
        let errors: Vec<FieldError> = repeated
            .map(|name| FieldError {
                pointer: format!("/{name}"),
                code: "repeated",
                detail: "This header may be given once.".to_owned(),
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(Problem::new(Code::BadParameter).with_errors(errors)) }
    }

    /// Whether the caller sent anything that could identify them: such an answer is never kept by a cache.
    pub fn has_credentials(&self) -> bool {
        self.headers.contains_key(http::header::AUTHORIZATION)
            || self.headers.contains_key(http::header::COOKIE)
            || self.headers.contains_key("x-api-key")
    }
}
