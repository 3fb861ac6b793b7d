//! `DELETE /profile`: be forgotten. The account is closed at once; `deletion_worker` does the rest.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::member::standing;
use screensort_http::{Code, Endpoint, Member, Problem, Reply, log};
use screensort_routes::PROFILE_DELETE;
use screensort_runtime::Stack;
use screensort_store::Deletion;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Secret, refused};
use crate::login::wrong;
use crate::person::whole;
use crate::reauthenticate::{check_code, check_password};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("profile_delete").accepting(PROFILE_DELETE, delete)
}

/// What becomes of published reviews.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Reviews {
    /// They go, too.
    #[default]
    Remove,
    /// They stay, without a name.
    Anonymise,
}

/// Proof that it is the owner who asks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProfileDeletion")]
struct Body {
    password: Secret,
    /// The authenticator's code, where there is one.
    code: Option<Secret>,
    #[serde(default)]
    reviews: Reviews,
}

/// It is under way; a mail says when it is done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Deleting")]
struct Answer {
    /// Always `deleting`.
    status: &'static str,
}

async fn delete(
    Member { who, .. }: Member<may::ProfileDeleteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let person = whole(&stack, &who).await?;
    check_password(&stack, &person, &ask.body.password, &ask.whence).await?;
    if person.credentials.totp.is_some() {
        let needed = || refused("/code", "missing_field", "the authenticator's code is needed");
        let code = ask.body.code.as_ref().ok_or_else(needed)?;
        let step = check_code(&stack, &person, code, &ask.whence).await?;
        if !stack.accounts().use_step(who.id(), step).await? {
            return Err(wrong());
        }
    }
    let deletion = Deletion {
        account: who.account.id.clone(),
        keeps_reviews: ask.body.reviews == Reviews::Anonymise,
        request: ask.whence.request_id.clone(),
        asked_at: stack.clock().now(),
        told: false,
    };
    let administers = standing(&person.account)?.is_administering();
    let trail = ask.whence.own(Event::PersonLeaving, who.id(), deletion.asked_at)?;
    if !stack.accounts().begin_deletion(&person.account, &deletion, administers, &trail).await? {
        return Err(Problem::new(Code::Conflict).with_detail("The last administrator stays."));
    }
    log(&trail);
    Ok(Reply::ok(Answer { status: "deleting" }))
}
