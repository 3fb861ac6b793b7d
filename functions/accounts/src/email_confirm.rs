//! `POST /email/confirm`: confirm the new address with the mailed token.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Endpoint, Member, Problem, Reply, log};
use screensort_routes::EMAIL_CONFIRM;
use screensort_runtime::Stack;
use screensort_store::To;

use crate::ask::Ask;
use crate::mailed::{TokenBody, gone, hashed};
use crate::person::{data_key, letter, open_email, seal, terms, whole};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("email_confirm").route(EMAIL_CONFIRM, confirm)
}

/// The purpose of the token.
pub const PURPOSE: &str = "email.change";

async fn confirm(
    Member { who, .. }: Member<may::AccountWriteOwn>,
    ask: Ask<TokenBody>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let now = stack.clock().now();
    let burnt = hashed(&ask.body.token, PURPOSE)?;
    let token = stack.one_time().token(&burnt, now).await?.ok_or_else(gone)?;
    // Only the account that asked, and only for the address that the mail went to.
    let term = token.subject.filter(|_| token.account == who.id()).ok_or_else(gone)?;
    let person = whole(&stack, &who).await?;
    // What ended every session since, a new password above all, ends this too: it may have been a thief who asked.
    if token.generation != person.account.generation {
        return Err(gone());
    }
    let pending = person.account.pending_email.as_deref().ok_or_else(gone)?;
    let key = data_key(&stack, &person).await?;
    let email = open_email(&key, who.id(), "pending_email", pending)?;
    let sealed = seal(&key, who.id(), "email", email.as_str().as_bytes())?;
    let mut others = terms(&stack, &email).await?;
    others.retain(|other| *other != term);
    let former = To::Former(who.id().to_owned(), person.account.email.clone());
    let notice = letter("email_changed", former, None, now)?;
    let values = (person.account.email_term.clone(), term.clone());
    let trail =
        ask.whence.own(Event::EmailChanged, who.id(), now)?.with_values(Some(values.0), Some(values.1));
    let to = (term.as_str(), others.as_slice());
    if !stack.accounts().confirm_email(&person.account, &burnt, to, &sealed, &notice, &trail).await? {
        return Err(gone());
    }
    log(&trail);
    Ok(Reply::done())
}
