//! `POST /thumbs_action`: give a film a thumb, or take it back.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Ask, Endpoint, Member, Problem, Reply};
use screensort_model::{MovieId, Thumb};
use screensort_routes::THUMBS_ACTION;
use screensort_runtime::Stack;
use serde::{Deserialize, Serialize};

use crate::film::{change, living, nothing_there};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("thumbs_action").route(THUMBS_ACTION, act)
}

/// What to do.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    ThumbsUp,
    ThumbsDown,
    Clear,
}

/// Whose thumb it is comes from the session: there is no field for it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ThumbsAction")]
struct Body {
    movie_id: MovieId,
    action: Action,
}

/// The thumb as it is now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ThumbState")]
struct Answer {
    movie_id: MovieId,
    thumb: Option<Thumb>,
}

async fn act(
    Member { who, .. }: Member<may::ThumbsWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let change = change(&who, &ask.whence, &stack);
    let thumb = match ask.body.action {
        Action::ThumbsUp => Some(Thumb::Up),
        Action::ThumbsDown => Some(Thumb::Down),
        Action::Clear => None,
    };
    let movie = match thumb {
        Some(_) => living(&stack, ask.body.movie_id).await?,
        None => ask.body.movie_id,
    };
    let changed = stack.library().set_thumb(&change, movie, thumb).await?;
    if !changed && thumb.is_none() {
        nothing_there(&stack, movie).await?;
    }
    Ok(Reply::ok(Answer { movie_id: movie, thumb }))
}
