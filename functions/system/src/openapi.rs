//! `GET /openapi.json`: the reference as an OpenAPI 3.1 document.

use bytes::Bytes;
use screensort_http::{Anyone, Endpoint, File, Problem, Reply};
use screensort_routes::OPENAPI;
use screensort_runtime::Stack;

/// The document, written by `cargo run -- openapi` and compared in a test.
pub const DOCUMENT: &str = include_str!("../openapi.json");

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("openapi").file(OPENAPI, openapi)
}

async fn openapi(_: Anyone, (): (), _: Stack) -> Result<Reply<File>, Problem> {
    Ok(Reply::ok(File {
        content_type: "application/json; charset=utf-8",
        bytes: Bytes::from_static(DOCUMENT.as_bytes()),
        policy: None,
    }))
}
