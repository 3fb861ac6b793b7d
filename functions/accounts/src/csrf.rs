//! `GET /csrf`: the token that a page sends back with every unsafe call of its cookie session, and with the login
//! that begins one.

use http::StatusCode;
use http::header::SET_COOKIE;
use schemars::JsonSchema;
use screensort_auth::browser::csrf_token;
use screensort_crypto::OneTimeToken;
use screensort_http::member::{identify, session_id};
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_routes::CSRF;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::ask::Whole;
use crate::form::{FORM_COOKIE, binding};
use crate::start::cookie;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("csrf").route(CSRF, csrf)
}

/// Good for two hours: in this session or, without one, for a form of the browser that asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CsrfToken")]
struct Answer {
    csrf_token: String,
}

async fn csrf(_: Anyone, ask: Whole, stack: Stack) -> Result<Reply<Answer>, Problem> {
    // A page that asks for a login's token may still bring the cookie of a session that is over.
    let who = match identify(&ask.request, &stack).await {
        Err(problem) if problem.code().status() == StatusCode::UNAUTHORIZED => None,
        other => other?,
    };
    let macs = stack.mac_ring().await?;
    let now = stack.clock().now();
    if let Some(who) = who {
        let session = session_id(who.id(), &who.session.name);
        return Ok(Reply::ok(Answer { csrf_token: csrf_token(&macs, &session, now)? }));
    }
    // Two pages of one browser share the cookie, so that neither makes the other's token worthless.
    let given = ask.whence.cookie(FORM_COOKIE).filter(|text| OneTimeToken::parse(text).is_ok());
    let value = match given {
        Some(text) => text.to_owned(),
        None => OneTimeToken::generate()?.to_text().to_string(),
    };
    let answer = Answer { csrf_token: csrf_token(&macs, &binding(&value), now)? };
    Ok(Reply::ok(answer).with_header(SET_COOKIE, &cookie(FORM_COOKIE, &value, None)))
}
