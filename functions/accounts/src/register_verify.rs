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
    let trail = ask.whence.own(Event::AccountVerified, &token.account, now)?;
    if !stack.accounts().verify(&token.account, &hash, now, &trail).await? {
        return Err(gone());
    }
    log(&trail);
    Ok(Reply::done())
}
