//! `/mfa/email`: one-time codes by mail as the second factor, for those who have no authenticator.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Problem, Recent, Reply, Whence, log};
use screensort_routes::{MFA_EMAIL_OFF, MFA_EMAIL_ON};
use screensort_runtime::Stack;
use screensort_store::To;

use crate::person::{letter, whole};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("mfa_email").route(MFA_EMAIL_ON, on).route(MFA_EMAIL_OFF, off)
}

async fn on(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let person = whole(&stack, &who).await?;
    if person.credentials.totp.is_some() {
        return Err(Problem::new(Code::Conflict).with_detail("The authenticator is the second factor."));
    }
    if person.credentials.phone.is_some() {
        return Err(Problem::new(Code::Conflict).with_detail("Codes by text message are the second factor."));
    }
    let notice = letter("mfa_enabled", To::Account(who.id().to_owned()), None, stack.clock().now())?;
    let trail = whence.own(Event::MfaEnabled, who.id(), stack.clock().now())?;
    if !stack.accounts().set_mail_factor(who.id(), true, &notice, &trail).await? {
        return Err(Problem::new(Code::Conflict).with_detail("Another second factor was chosen meanwhile."));
    }
    log(&trail);
    Ok(Reply::done())
}

async fn off(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let notice = letter("mfa_disabled", To::Account(who.id().to_owned()), None, stack.clock().now())?;
    let trail = whence.own(Event::MfaDisabled, who.id(), stack.clock().now())?;
    stack.accounts().set_mail_factor(who.id(), false, &notice, &trail).await?;
    log(&trail);
    Ok(Reply::done())
}
