//! What a handler gives back, and what leaves.

use crate::quota::Standing;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// A handler's answer: a body and, where it differs from the route's usual, status and headers.
#[derive(Debug)]
pub struct Reply<T> {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: T,
}

/// What answers are unless they say otherwise.
const JSON: &str = "application/json; charset=utf-8";

impl<T> Reply<T> {
    /// 200 with `body`.
    pub fn ok(body: T) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), content_type: JSON, body }
    }

    /// Done, and nothing to say: the route's status without content.
    pub fn done() -> Self
    where
        T: Default,
    {
        Self::ok(T::default())
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with another body.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            status: self.status,
            headers: self.headers,
            content_type: self.content_type,
            body: change(self.body),
        }
    }

    /// The same as JSON of another type.
    #[must_use]
    pub fn with_content_type(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// Says what is left of a quota besides the route's own: the fields are lists, and may stand twice.
    #[must_use]
    pub fn with_standing(mut self, standing: &Standing) -> Self {
        self.headers.extend(standing.headers());
        self
    }

    /// Adds a header. A value that no header can hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.push((name, value));
        }
        self
    }
}

/// A body that is not JSON: a page, a script, a text.
#[derive(Debug)]
pub struct File {
    /// With its charset.
    pub content_type: &'static str,
    /// The bytes, as committed or computed.
    pub bytes: Bytes,
    /// A Content-Security-Policy of its own, for pages.
    pub policy: Option<&'static str>,
}

/// What leaves the product, complete with headers.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Every header but `Content-Length`.
    pub headers: HeaderMap,
    /// The body; empty for 204 and 304.
    pub body: Bytes,
    /// The problem's code, if it is one.
    pub problem: Option<&'static str>,
    /// What only the log may say of the problem.
    pub cause: Option<String>,
}
