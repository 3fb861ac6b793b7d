//! `GET /session`: who is signed in.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_http::{Endpoint, Problem, Reply, Visitor};
use screensort_routes::SESSION;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::start::User;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("session").route(SESSION, session)
}

/// Who is signed in; `user` is null for a guest, and the rest is left out.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CurrentSession")]
struct Answer {
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
    /// What they may do with what they have shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    idle_expires_at: Option<Timestamp>,
    /// `aal1` for a password, `aal2` with an authenticator.
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
}

async fn session(Visitor(who): Visitor, (): (), _: Stack) -> Result<Reply<Answer>, Problem> {
    Ok(Reply::ok(match who {
        None => Answer {
            user: None,
            roles: None,
            permissions: None,
            expires_at: None,
            idle_expires_at: None,
            acr: None,
        },
        Some(who) => Answer {
            user: Some(User::of(&who.account)),
            roles: Some(who.account.roles.clone()),
            permissions: Some(who.permissions.iter().map(|permission| permission.as_str()).collect()),
            expires_at: Some(who.expires_at),
            idle_expires_at: Some(who.idle_expires_at),
            acr: Some(who.acr()),
        },
    }))
}
