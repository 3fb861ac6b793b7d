//! `POST /email`: change one's own address.

use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Problem, Recent, Reply, log};
use screensort_routes::EMAIL;
use screensort_runtime::Stack;
use screensort_store::To;

use crate::ask::{self, Ask};
use crate::guard::{draw, wait};
use crate::mailed::{Asked, EmailBody, mail_counter};
use crate::person::{data_key, letter, seal, terms, whole};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("email").accepting(EMAIL, change)
}

async fn change(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    ask: Ask<EmailBody>,
    stack: Stack,
) -> Result<Reply<Asked>, Problem> {
    let now = stack.clock().now();
    let email = ask::email(&ask.body.email)?;
    let terms = terms(&stack, &email).await?;
    draw(&stack, &format!("email#{}", who.id()), Limit::MAIL_PER_RECIPIENT).await?.map_err(wait)?;
    let may_mail = draw(&stack, &mail_counter("email", &terms[0]), Limit::MAIL_PER_RECIPIENT).await?.is_ok();
    let person = whole(&stack, &who).await?;
    // It is the account's already: there is nothing to confirm.
    if terms.contains(&person.account.email_term) {
        return Ok(Reply::ok(Asked { status: "accepted" }));
    }
    let key = data_key(&stack, &person).await?;
    let sealed = seal(&key, who.id(), "pending_email", email.as_str().as_bytes())?;
    // Whether somebody has the address is seen when it is confirmed, by who can read its mail.
    let kind = if may_mail { "email_confirm" } else { "none" };
    let letters = [
        letter(kind, To::Pending(who.id().to_owned()), None, now)?,
        letter("email_named", To::Account(who.id().to_owned()), None, now)?,
    ];
    let trail = ask.whence.own(Event::EmailNamed, who.id(), now)?;
    if !stack.accounts().begin_email(who.id(), &sealed, &terms[0], &letters, &trail).await? {
        return Err(Problem::new(Code::Conflict));
    }
    log(&trail);
    Ok(Reply::ok(Asked { status: "accepted" }))
}
