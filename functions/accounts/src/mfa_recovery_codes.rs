//! `POST /mfa/recovery_codes`: ten new recovery codes.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Problem, Recent, Reply, Whence, log};
use screensort_routes::MFA_RECOVERY_CODES;
use screensort_runtime::Stack;
use screensort_store::To;

use crate::mfa_totp::{Codes, codes};
use crate::person::{letter, whole};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("mfa_recovery_codes").route(MFA_RECOVERY_CODES, renew)
}

async fn renew(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<Codes>, Problem> {
    let person = whole(&stack, &who).await?;
    if !person.credentials.has_spares() {
        return Err(Problem::new(Code::Conflict)
            .with_detail("Recovery codes come with an authenticator or a telephone number."));
    }
    let (shown, kept) = codes(&stack, who.id()).await?;
    let notice = letter("recovery_renewed", To::Account(who.id().to_owned()), None, stack.clock().now())?;
    let trail = whence.own(Event::RecoveryRenewed, who.id(), stack.clock().now())?;
    if !stack.accounts().renew_recovery(&person, &kept, &notice, &trail).await? {
        return Err(Problem::new(Code::Conflict));
    }
    log(&trail);
    Ok(Reply::ok(shown))
}
