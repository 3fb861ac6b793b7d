//! A request, and sending it as it is.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Answer;

/// A request. Its target goes out as written: nothing is normalised on the way.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Ask {
    /// `method` on a path under the stage.
    pub fn new(method: Method, path: &str) -> Self {
        Self::outside(method, &format!("/v1{path}"))
    }

    /// `GET` of a path under the stage.
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// `method` on any target.
    pub fn outside(method: Method, target: &str) -> Self {
        Self { method, target: target.to_owned(), headers: Vec::new(), body: Bytes::new() }
    }

    /// With a header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name = name.parse().unwrap_or_else(|_| panic!("{name} is no header"));
        self.headers.push((name, HeaderValue::from_str(value).expect("a header's value")));
        self
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// A header that it carries.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str().ok())
    }

    /// Whether it carries a header that tells who sent it.
    pub fn has_credentials(&self) -> bool {
        self.headers.iter().any(|(name, _)| ["authorization", "cookie", "x-api-key"].contains(&name.as_str()))
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(&self, address: &str) -> Answer {
        let stream = TcpStream::connect(address).await.expect("the product listens");
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.expect("HTTP/1.1");
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(&self.method).uri(&self.target);
        if self.headers.iter().all(|(name, _)| name != HOST) {
            request = request.header(HOST, address);
        }
        if !self.body.is_empty() {
            request = request.header(CONTENT_LENGTH, self.body.len());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body.clone()));
        let request = request.unwrap_or_else(|error| panic!("{}: {error}", self.target));
        let response = sender.send_request(request).await.unwrap_or_else(|e| panic!("{}: {e}", self.target));
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        drop(sender);
        let _ = connection.await;
        Answer { target: self.target.clone(), status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// `text` percent-encoded, whatever it holds.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
