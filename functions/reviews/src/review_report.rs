//! `POST /reviews/{rid}/report`: report a review. It counts once per person.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Member, Problem, Reply, log};
use screensort_routes::REVIEW_REPORT;
use screensort_runtime::Stack;
use screensort_store::{Change, ReviewState};
use serde::Deserialize;

use crate::{About, unknown};

/// How often a report that met another one is tried again.
const MEETINGS: usize = 5;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("review_report").route(REVIEW_REPORT, report)
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

async fn report(
    Member { who, .. }: Member<may::ReviewsReport>,
    ask: About<Body>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let library = stack.library();
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    let trail = ask.whence.trail(Event::ReviewReported, Some(who.id()), Some(&ask.id), change.at)?;
    for _ in 0..MEETINGS {
        let review = library.review_by_id(&ask.id).await?.ok_or_else(unknown)?;
        // What only its author and editors see is not there for anybody else.
        if review.state != ReviewState::Published {
            return Err(unknown());
        }
        if review.account == who.id() {
            return Err(Problem::new(Code::Conflict).with_detail("This review is your own: delete it."));
        }
        if library.report_review(&change, &review, ask.body.reason.name(), &trail).await? {
            log(&trail);
            return Ok(Reply::done());
        }
        if library.has_reported(who.id(), &review.id).await? {
            return Ok(Reply::done());
        }
    }
    Err(Problem::new(Code::Conflict))
}
