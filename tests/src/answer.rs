//! An answer, and the usual questions about it.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked for.
    pub target: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A header that is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().expect("a header in ASCII");
        assert!(values.next().is_none(), "{}: {name} is there twice", self.target);
        Some(first)
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| panic!("{}: not UTF-8", self.target))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}", self.shown()))
    }

    /// The body of an answer that must be 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.shown());
        self.json()
    }

    /// The items of a list that must be 200.
    pub fn items(&self) -> Vec<Value> {
        self.ok()["items"].as_array().expect("a list has items").clone()
    }

    /// The document of an answer that must be this problem.
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let document = if self.body.is_empty() { Value::Null } else { self.json() };
        assert_eq!((self.status, document["code"].as_str()), (status, Some(code)), "{}", self.shown());
        document
    }

    /// Asserts that the answer refuses the parameter `name`, by name.
    pub fn refuses(&self, name: &str) {
        let document = self.refused(400, "bad_parameter");
        let errors = document["errors"].as_array().unwrap_or_else(|| panic!("no errors: {}", self.shown()));
        let pointer = format!("/{name}");
        assert!(errors.iter().any(|e| e["pointer"] == pointer.as_str()), "{pointer}: {}", self.shown());
    }

    /// The answer in a line, for a test that fails.
    pub fn shown(&self) -> String {
        let target: String = self.target.chars().take(200).collect();
        let body: String = String::from_utf8_lossy(&self.body).chars().take(600).collect();
        format!("{target} answered {}: {body}", self.status)
    }
}
