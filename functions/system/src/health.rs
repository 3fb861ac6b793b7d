//! `GET /health`: whether the product is up.

use schemars::JsonSchema;
use screensort_http::{Anyone, Code, Endpoint, Input, Opening, Problem, Reply};
use screensort_routes::HEALTH;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("health").route(HEALTH, health)
}

struct Ask {
    deep: bool,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let deep = o.query("deep", "Also look at what the product depends on; for administrators.");
        Some(Self { deep: deep.unwrap_or(false) })
    }
}

/// It answers, so it is up.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
struct Answer {
    /// Always `ok`: a product that is down does not answer.
    status: &'static str,
    /// This release.
    version: &'static str,
}

async fn health(_: Anyone, ask: Ask, _: Stack) -> Result<Reply<Answer>, Problem> {
    if ask.deep {
        // What the product depends on is nobody's business but an administrator's, and none can sign in yet.
        return Err(Problem::new(Code::Unauthorized).with_header(http::header::WWW_AUTHENTICATE, "Bearer"));
    }
    Ok(Reply::ok(Answer { status: "ok", version: crate::VERSION }))
}
