//! `POST /logout`: end this session, or all of one's own.

use http::HeaderName;
use http::header::SET_COOKIE;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::member::SESSION_COOKIE;
use screensort_http::{Authority, Endpoint, Input, Member, Opening, Problem, Reply, Whence, log};
use screensort_routes::LOGOUT;
use screensort_runtime::Stack;
use serde::Deserialize;

use crate::start::cookie;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("logout").route(LOGOUT, logout)
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Logout")]
struct Body {
    /// Every session, on all devices.
    #[serde(default)]
    all: bool,
}

struct Ask {
    all: bool,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        Some(Self { all: o.optional_body::<Body>()?.all, whence })
    }
}

async fn logout(
    Member { who, .. }: Member<may::SessionsEndOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let trail = ask.whence.own(Event::LoggedOut, who.id(), stack.clock().now())?;
    if ask.all {
        let all = ask.whence.own(Event::SessionsEnded, who.id(), stack.clock().now())?;
        stack.accounts().end_all(who.id(), &trail.clone().and(all)).await?;
    } else {
        stack.sessions().end(who.id(), &who.session.name, None, &trail).await?;
    }
    log(&trail);
    // The device stays known: it is what keeps strangers from locking its owner out.
    Ok(Reply::done()
        .with_header(SET_COOKIE, &cookie(SESSION_COOKIE, "", Some(0)))
        .with_header(HeaderName::from_static("clear-site-data"), "\"cache\", \"storage\""))
}
