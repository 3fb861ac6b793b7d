//! `POST /reviews/{rid}/report`: report a review. It counts once per person.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Member, Owner, Problem, Reply, log};
use screensort_model::MovieId;
use screensort_routes::REVIEW_REPORT;
use screensort_runtime::Stack;
use screensort_store::{Change, Reported};
use serde::Deserialize;

use crate::{About, unknown};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("review_report").looking(REVIEW_REPORT, place, report)
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Reason {
    Spam,
    Abuse,
    Spoiler,
    Other,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Abuse => "abuse",
            Self::Spoiler => "spoiler",
            Self::Other => "other",
        }
    }
}

/// What is wrong with it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReviewReport")]
struct Body {
    reason: Reason,
}

/// Where the review lies.
type Place = Option<(String, MovieId)>;

async fn place(
    _: Owner<may::ReviewsReport>,
    ask: About<Body>,
    stack: Stack,
) -> Result<(About<Body>, Place), Problem> {
    let place = stack.library().review_place(&ask.id).await?;
    Ok((ask, place))
}

async fn report(
    Member { who, .. }: Member<may::ReviewsReport>,
    (ask, place): (About<Body>, Place),
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let place = place.ok_or_else(unknown)?;
    if place.0 == who.id() {
        return Err(Problem::new(Code::Conflict).with_detail("This review is your own: delete it."));
    }
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    let trail = ask.whence.trail(Event::ReviewReported, Some(who.id()), Some(&ask.id), change.at)?;
    let reason = ask.body.reason.name();
    match stack.library().report_review(&change, (&ask.id, &place), reason, &trail).await? {
        Reported::Now => log(&trail),
        Reported::Before => {}
        // What only its author and editors see is not there for anybody else.
        Reported::Unknown => return Err(unknown()),
    }
    Ok(Reply::done())
}
