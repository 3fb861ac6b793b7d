//! `POST /token/refresh`: a new pair of tokens. A cookie session has none: every request keeps it alive, this one
//! too, and the answer says how long it lives.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::refresh::{Family, RefreshToken, Rotation, judge};
use screensort_auth::session::{State, state};
use screensort_http::member::{
    SESSION_COOKIE, identify, invalid_token, life, split_session_id, unauthenticated,
};
use screensort_http::{Anyone, Authority, Code, Endpoint, Input, Opening, Problem, Reply, Whence, log};
use screensort_routes::TOKEN_REFRESH;
use screensort_runtime::Stack;
use screensort_store::To;
use serde::Deserialize;

use crate::ask::{Secret, Whole, refused};
use crate::person::letter;
use crate::start::{LoginAnswer, User, tokens};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("token_refresh").route(TOKEN_REFRESH, refresh)
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Refresh")]
struct Body {
    /// Left out in a cookie session.
    refresh_token: Option<Secret>,
}

struct Ask {
    token: Option<Secret>,
    whole: Whole,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whole = Whole::open(o)?;
        Some(Self { token: o.optional_body::<Body>()?.refresh_token, whole })
    }
}

async fn refresh(_: Anyone, ask: Ask, stack: Stack) -> Result<Reply<LoginAnswer>, Problem> {
    match &ask.token {
        Some(token) => rotate(token, &ask.whole.whence, &stack).await,
        None => prolong(&ask.whole, &stack).await,
    }
}

/// Keeps a cookie session alive. Looking who it is has done so.
async fn prolong(whole: &Whole, stack: &Stack) -> Result<Reply<LoginAnswer>, Problem> {
    let missing = || refused("/refresh_token", "missing_field", "give the refresh token");
    if whole.whence.cookie(SESSION_COOKIE).is_none() {
        return Err(missing());
    }
    let who = identify(&whole.request, stack).await?.filter(|who| who.session.cookie.is_some());
    let who = who.ok_or_else(missing)?;
    Ok(Reply::ok(LoginAnswer {
        user: Some(User::of(&who.account)),
        expires_in: Some(who.expires_at.duration_since(stack.clock().now()).as_secs()),
        ..LoginAnswer::default()
    }))
}

async fn rotate(token: &Secret, whence: &Whence, stack: &Stack) -> Result<Reply<LoginAnswer>, Problem> {
    let now = stack.clock().now();
    let macs = stack.mac_ring().await?;
    let Ok(shown) = RefreshToken::parse(&macs, token.expose()) else {
        stack.witness(&whence.trail(Event::TokenRefused, None, None, now)?).await;
        return Err(invalid_token());
    };
    let (owner, name) = split_session_id(shown.session()).ok_or_else(invalid_token)?;
    // Two looks: whoever loses the race against the same token finds it rotated a moment ago.
    for _ in 0..3 {
        let found = stack.sessions().with_account(owner, name).await?;
        let (account, session) = found.ok_or_else(invalid_token)?;
        let alive = !account.disabled && account.generation == session.generation && session.cookie.is_none();
        if !alive {
            return Err(invalid_token());
        }
        if !matches!(state(&life(&session), now), State::Live { .. }) {
            return Err(unauthenticated(Code::SessionExpired));
        }
        let family = Family { counter: session.refresh, rotated_at: session.rotated_at };
        match judge(&family, shown.counter(), now) {
            Rotation::Current => {
                if !stack.sessions().rotate(owner, name, shown.counter(), now).await? {
                    continue;
                }
            }
            Rotation::Predecessor => {}
            Rotation::Reuse => {
                let trail = whence.trail(Event::TokenReused, None, Some(owner), now)?;
                // One of the two who have the token is not its owner, and nobody can tell which: the session ends,
                // and its owner hears of it where a thief of sessions does not read.
                let to = To::Account(owner.to_owned());
                let notice = letter("token_reused", to, Some(session.device.clone()), now)?;
                if stack.sessions().end(owner, name, Some(&notice), &trail).await? {
                    log(&trail);
                }
                return Err(unauthenticated(Code::TokenReuse));
            }
        }
        let successor = shown.successor(&macs)?;
        return Ok(Reply::ok(tokens(stack, &account, &session, &successor).await?));
    }
    Err(invalid_token())
}
