//! `POST /register/verify`: verify an address with the mailed token.

use screensort_auth::event::Event;
use screensort_http::{Anyone, Endpoint, Problem, Reply, log};
use screensort_routes::REGISTER_VERIFY;
use screensort_runtime::Stack;

use crate::ask::Ask;
use crate::mailed::{TokenBody, gone, hashed};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("register_verify").route(REGISTER_VERIFY, verify)
}

/// The purpose of the token.
pub const PURPOSE: &str = "email.verify";

async fn verify(_: Anyone, ask: Ask<TokenBody>, stack: Stack) -> Result<Reply<()>, Problem> {
    let now = stack.clock().now();
    let hash = hashed(&ask.body.token, PURPOSE)?;
    let token = stack.one_time().token(&hash, now).await?.ok_or_else(gone)?;
    let term = token.subject.as_deref().ok_or_else(gone)?;
    let trail = ask.whence.own(Event::AccountVerified, &token.account, now)?;
    // An address that was registered by more than one is nobody's by this: whoever reads its mail might give it to
    // another one's account, whose password they do not know. They are mailed a link to set it instead.
    if !stack.accounts().verify((&token.account, term), &hash, now, &trail).await? {
        return Err(gone());
    }
    log(&trail);
    Ok(Reply::done())
}
