//! `POST /moderation/reviews/{rid}`: publish a review, or remove it.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, FieldError, Problem, Recent, Reply, Whence, log};
use screensort_model::text::prose;
use screensort_routes::MODERATION_REVIEW;
use screensort_runtime::Stack;
use screensort_store::{Change, Review, ReviewState, Trail};
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
    let trail = trail(&ask.whence, who.id(), &before, &after, change.at)?;
    if !stack.library().decide_review(&change, &before, &after, &trail).await? {
        return Err(Problem::new(Code::Conflict));
    }
    log(&trail);
    Ok(Reply::ok(Moderated::of(after)))
}

/// What was decided, and that reports were settled by it.
fn trail(
    whence: &Whence,
    editor: &str,
    before: &Review,
    after: &Review,
    now: Timestamp,
) -> Result<Trail, Problem> {
    let of = |event| whence.trail(event, Some(editor), Some(&after.id), now);
    let decided = match (before.state, after.state) {
        (_, ReviewState::Removed) => Some(Event::ReviewRemoved),
        (ReviewState::Removed, _) => Some(Event::ReviewRestored),
        (ReviewState::Pending, _) => Some(Event::ReviewPublished),
        (ReviewState::Published, _) => None,
    };
    let Some(decided) = decided else { return of(Event::ReviewReportSettled) };
    let decided = of(decided)?;
    if before.reports > 0 { Ok(decided.and(of(Event::ReviewReportSettled)?)) } else { Ok(decided) }
}

fn noted(note: &str) -> Result<String, Problem> {
    prose(note, 1..=500, true).map_err(|why| {
        let detail = format!("Expected {why}.");
        let error = FieldError { pointer: "/note".to_owned(), code: "invalid", detail };
        Problem::new(Code::InvalidBody).with_errors(vec![error])
    })
}
