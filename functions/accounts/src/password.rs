//! `PUT /password`: change one's own password.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_auth::password::Context;
use screensort_http::{Code, Endpoint, Member, Problem, Reply, log};
use screensort_routes::PASSWORD;
use screensort_runtime::Stack;
use screensort_store::To;
use serde::Deserialize;

use crate::ask::{Ask, Secret, new_password};
use crate::person::{data_key, hash, letter, name, open_email, whole};
use crate::reauthenticate::check_password;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("password").route(PASSWORD, change)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PasswordChange")]
struct Body {
    current_password: Secret,
    new_password: Secret,
}

async fn change(
    Member { who, .. }: Member<may::AccountWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let now = stack.clock().now();
    let person = whole(&stack, &who).await?;
    check_password(&stack, &person, &ask.body.current_password, &ask.whence).await?;
    let key = data_key(&stack, &person).await?;
    let email = open_email(&key, who.id(), "email", &person.account.email)?;
    let name = name(&person.account)?;
    let context = Context { email: Some(&email), username: Some(&name) };
    let password = new_password(&stack, "/new_password", &ask.body.new_password, &context)?;
    let hashed = hash(&stack, &password).await?;
    let notice = letter("password_changed", To::Account(who.id().to_owned()), None, now)?;
    let old = &person.credentials.password;
    let session = &who.session.name;
    let trail = ask.whence.own(Event::PasswordChanged, who.id(), now)?;
    let accounts = stack.accounts();
    if !accounts.change_password(&person.account, old, &hashed, session, now, &notice, &trail).await? {
        return Err(Problem::new(Code::Conflict));
    }
    log(&trail);
    Ok(Reply::done())
}
