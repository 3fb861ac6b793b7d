//! `POST /token/refresh`: a new pair of tokens.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::refresh::{Family, RefreshToken, Rotation, judge};
use screensort_auth::session::{State, state};
use screensort_http::member::{invalid_token, life, split_session_id, unauthenticated};
use screensort_http::{Anyone, Authority, Code, Endpoint, Problem, Reply, log};
use screensort_routes::TOKEN_REFRESH;
use screensort_runtime::Stack;
use serde::Deserialize;

use crate::ask::{Ask, Secret};
use crate::start::{LoginAnswer, tokens};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("token_refresh").route(TOKEN_REFRESH, refresh)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Refresh")]
struct Body {
    refresh_token: Secret,
}

async fn refresh(_: Anyone, ask: Ask<Body>, stack: Stack) -> Result<Reply<LoginAnswer>, Problem> {
    let now = stack.clock().now();
    let macs = stack.mac_ring().await?;
    let Ok(shown) = RefreshToken::parse(&macs, ask.body.refresh_token.expose()) else {
        stack.witness(&ask.whence.trail(Event::TokenRefused, None, None, now)?).await;
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
                let trail = ask.whence.trail(Event::TokenReused, None, Some(owner), now)?;
                if stack.sessions().end(owner, name, &trail).await? {
                    log(&trail);
                }
                return Err(unauthenticated(Code::TokenReuse));
            }
        }
        let successor = shown.successor(&macs)?;
        return Ok(Reply::ok(tokens(&stack, &account, &session, &successor).await?));
    }
    Err(invalid_token())
}
