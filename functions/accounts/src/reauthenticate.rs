//! `POST /reauthenticate`: prove again who one is.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_auth::password::{Password, Verdict};
use screensort_auth::totp::Step;
use screensort_http::member::invalid_token;
use screensort_http::{Authority, Endpoint, Member, Problem, Reply, Whence, log};
use screensort_routes::REAUTHENTICATE;
use screensort_runtime::Stack;
use screensort_store::Person;
use serde::Deserialize;

use crate::ask::{Ask, Secret, refused};
use crate::guard::{self, MFA_AGAIN};
use crate::login::wrong;
use crate::person::{check, totp_secret, whole};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("reauthenticate").route(REAUTHENTICATE, reauthenticate)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reauthentication")]
struct Body {
    /// The password; or give `code`.
    password: Option<Secret>,
    /// The authenticator's code; or give `password`.
    code: Option<Secret>,
}

async fn reauthenticate(
    Member { who, .. }: Member<may::AccountReadOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let person = whole(&stack, &who).await?;
    match (&ask.body.password, &ask.body.code) {
        (Some(password), None) => check_password(&stack, &person, password, &ask.whence).await?,
        (None, Some(code)) => {
            let step = check_code(&stack, &person, code, &ask.whence).await?;
            if !stack.accounts().use_step(who.id(), step).await? {
                return Err(wrong());
            }
        }
        _ => return Err(refused("/password", "missing_field", "give either password or code")),
    }
    let now = stack.clock().now();
    let trail = ask.whence.own(Event::Reauthenticated, who.id(), now)?;
    if !stack.sessions().proven(who.id(), &who.session.name, now, &trail).await? {
        return Err(invalid_token());
    }
    log(&trail);
    Ok(Reply::done())
}

/// Checks the password of somebody signed in; such attempts are counted too, by account.
pub(crate) async fn check_password(
    stack: &Stack,
    person: &Person,
    password: &Secret,
    whence: &Whence,
) -> Result<(), Problem> {
    let counted = guard::attempt(stack, &person.account.id, "again", whence).await?;
    let right = match Password::parse(password.expose()) {
        Ok(typed) => check(stack, &typed, Some(&person.credentials.password)).await? != Verdict::Wrong,
        Err(_) => false,
    };
    if !right {
        let trail = whence.own(Event::LoginFailed, &person.account.id, stack.clock().now())?;
        guard::failed(stack, whence, &trail).await?;
        return Err(wrong());
    }
    guard::forgive(stack, &counted).await
}

/// Checks an authenticator's code of somebody signed in. Its step, which the caller has to use up.
pub(crate) async fn check_code(
    stack: &Stack,
    person: &Person,
    code: &Secret,
    whence: &Whence,
) -> Result<i64, Problem> {
    let counted = guard::attempt(stack, &person.account.id, MFA_AGAIN, whence).await?;
    let used = person.credentials.totp_step.map(Step);
    let secret = totp_secret(stack, person).await?;
    let step = secret.and_then(|secret| secret.verify(code.expose(), stack.clock().now(), used));
    let Some(Step(step)) = step else {
        let trail = whence.own(Event::MfaFailed, &person.account.id, stack.clock().now())?;
        guard::failed(stack, whence, &trail).await?;
        return Err(wrong());
    };
    guard::forgive(stack, &counted).await?;
    Ok(step)
}
