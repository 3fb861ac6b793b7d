//! `POST /password/reset`: set a new password with the mailed token.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::password::Context;
use screensort_http::{Anyone, Endpoint, Problem, Reply, log};
use screensort_routes::PASSWORD_RESET;
use screensort_runtime::Stack;
use screensort_store::To;
use serde::Deserialize;

use crate::ask::{Ask, Secret, new_password};
use crate::mailed::{gone, hashed};
use crate::person::{data_key, hash, letter, name, open_email};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("password_reset").route(PASSWORD_RESET, reset)
}

/// The purpose of the token.
pub const PURPOSE: &str = "password.reset";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PasswordReset")]
struct Body {
    /// As the mail says it.
    token: Secret,
    new_password: Secret,
}

async fn reset(_: Anyone, ask: Ask<Body>, stack: Stack) -> Result<Reply<()>, Problem> {
    let now = stack.clock().now();
    let burnt = hashed(&ask.body.token, PURPOSE)?;
    let token = stack.one_time().token(&burnt, now).await?.ok_or_else(gone)?;
    let person = stack.accounts().person(&token.account).await?.ok_or_else(gone)?;
    let of_address = token.subject.as_deref().is_some_and(|term| person.account.is_under(term));
    if person.account.generation != token.generation || !of_address {
        return Err(gone());
    }
    // A password under the policy leaves the token good for another try.
    let key = data_key(&stack, &person).await?;
    let email = open_email(&key, &person.account.id, "email", &person.account.email)?;
    let name = name(&person.account)?;
    let context = Context { email: Some(&email), username: Some(&name) };
    let password = new_password(&stack, "/new_password", &ask.body.new_password, &context).await?;
    let hashed = hash(&stack, &password).await?;
    let notice = letter("password_changed", To::Account(token.account.clone()), None, now)?;
    let trail = ask.whence.own(Event::PasswordReset, &token.account, now)?;
    if !stack.accounts().reset(&person.account, &burnt, &hashed, now, &notice, &trail).await? {
        return Err(gone());
    }
    log(&trail);
    Ok(Reply::done())
}
