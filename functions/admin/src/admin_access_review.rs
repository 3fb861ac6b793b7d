//! `GET /admin/access_review`: the last review of who may do what.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Member, Problem, Reply, Whence};
use screensort_routes::ADMIN_ACCESS_REVIEW;
use screensort_runtime::{ACCESS_REVIEW, Stack};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_access_review").route(ADMIN_ACCESS_REVIEW, review)
}

/// Who may do what, and what of it is a reason to look. Accounts are named by id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccessReview")]
struct Answer {
    /// When it was written.
    at: String,
    /// The page for people, by its name in the artifacts' bucket.
    report: String,
    accounts: u64,
    disabled: u64,
    /// Who has a role besides `user`.
    staff: Vec<Staff>,
    /// Staff who have not signed in for 30 days.
    dormant_staff: Vec<Dormant>,
    /// Others who have not for 90 days.
    dormant: Vec<Dormant>,
    /// Staff whose role asks for a second factor that they do not have.
    without_second_factor: Vec<Roles>,
    /// Rights on top of a role.
    grants: Vec<Grants>,
    /// What else is to be looked at.
    findings: Vec<String>,
    /// What each role may do.
    matrix: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccessReviewStaff")]
struct Staff {
    id: String,
    roles: Vec<String>,
    disabled: bool,
    second_factor: bool,
    last_login: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccessReviewDormant")]
struct Dormant {
    id: String,
    roles: Vec<String>,
    since: String,
    never_signed_in: bool,
    verified: bool,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccessReviewRoles")]
struct Roles {
    id: String,
    roles: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccessReviewGrants")]
struct Grants {
    id: String,
    grants: Vec<String>,
}

async fn review(
    Member { who, .. }: Member<may::AccessReviewRead>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let trail = whence.trail(Event::AuditRead, Some(who.id()), Some("access_review"), stack.clock().now())?;
    let reports = stack.reports();
    let ((), found) = futures::join!(stack.witness(&trail), reports.get(ACCESS_REVIEW));
    let text = found?.ok_or_else(|| {
        Problem::new(Code::NotFound).with_detail("No review was written yet: the job access_review does.")
    })?;
    let answer = serde_json::from_slice(&text)
        .map_err(|e| Problem::internal("the last access review cannot be read").caused_by(e))?;
    Ok(Reply::ok(answer))
}
