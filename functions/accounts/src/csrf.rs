//! `GET /csrf`: the token that a cookie session sends back with every unsafe call.

use schemars::JsonSchema;
use screensort_auth::browser::csrf_token;
use screensort_auth::may;
use screensort_http::member::session_id;
use screensort_http::{Endpoint, Member, Problem, Reply};
use screensort_routes::CSRF;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("csrf").route(CSRF, csrf)
}

/// Good for two hours, in this session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CsrfToken")]
struct Answer {
    csrf_token: String,
}

async fn csrf(
    Member { who, .. }: Member<may::AccountReadOwn>,
    (): (),
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let macs = stack.mac_ring().await?;
    let binding = session_id(who.id(), &who.session.name);
    Ok(Reply::ok(Answer { csrf_token: csrf_token(&macs, &binding, stack.clock().now())? }))
}
