//! `POST /moderation/reviews/{rid}`: publish a review, or remove it.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, FieldError, Problem, Recent, Reply};
use screensort_model::text::prose;
use screensort_routes::MODERATION_REVIEW;
use screensort_runtime::Stack;
use screensort_store::{Change, Review, ReviewState};
use serde::Deserialize;

use crate::shown::Moderated;
use crate::{About, unknown};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("moderation_review").route(MODERATION_REVIEW, decide)
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Publish,
    Remove,
}

/// A decision; reports made until now are settled by it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReviewDecision")]
struct Body {
    decision: Decision,
    /// Why, for the author: 1 to 500 characters.
    note: Option<String>,
}

async fn decide(
    Recent { who, .. }: Recent<may::ReviewsModerate>,
    ask: About<Body>,
    stack: Stack,
) -> Result<Reply<Moderated>, Problem> {
    let note = ask.body.note.as_deref().map(noted).transpose()?;
    let before = stack.library().review_by_id(&ask.id).await?.ok_or_else(unknown)?;
    if before.account == who.id() {
        return Err(Problem::new(Code::Forbidden).with_detail("Nobody decides about their own review."));
    }
    let state = match ask.body.decision {
        Decision::Publish => ReviewState::Published,
        Decision::Remove => ReviewState::Removed,
    };
    let after = Review { state, note, reports: 0, version: before.version + 1, ..before.clone() };
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    if !stack.library().decide_review(&change, &before, &after).await? {
        return Err(Problem::new(Code::Conflict));
    }
    Ok(Reply::ok(Moderated::of(after)))
}

fn noted(note: &str) -> Result<String, Problem> {
    prose(note, 1..=500, true).map_err(|why| {
        let detail = format!("Expected {why}.");
        let error = FieldError { pointer: "/note".to_owned(), code: "invalid", detail };
        Problem::new(Code::InvalidBody).with_errors(vec![error])
    })
}
