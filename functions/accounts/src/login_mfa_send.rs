//! `POST /login/mfa/send`: mail or text the one-time code of a login.

use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_crypto::OneTimeToken;
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_routes::LOGIN_MFA_SEND;
use screensort_runtime::Stack;
use screensort_store::To;
use serde::Deserialize;

use crate::ask::{Ask, Secret};
use crate::guard;
use crate::login::{TICKET, wrong};
use crate::mailed::Asked;
use crate::person::letter;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("login_mfa_send").accepting(LOGIN_MFA_SEND, send)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SecondFactorTicket")]
struct Body {
    /// Of the login's answer.
    mfa_token: Secret,
}

async fn send(_: Anyone, ask: Ask<Body>, stack: Stack) -> Result<Reply<Asked>, Problem> {
    let token = OneTimeToken::parse(ask.body.mfa_token.expose()).map_err(|_| wrong())?;
    let hash = token.hash(TICKET).as_str().to_owned();
    let now = stack.clock().now();
    let ticket = stack.one_time().ticket(&hash, now).await?.ok_or_else(wrong)?;
    let name = format!("mail-code#{}", ticket.account);
    guard::draw(&stack, &name, Limit::MAIL_PER_RECIPIENT).await?.map_err(guard::wait)?;
    if ticket.texted {
        let name = format!("texts#{}", ticket.account);
        guard::draw(&stack, &name, Limit::TEXTS_PER_ACCOUNT).await?.map_err(guard::wait)?;
        guard::draw_by_prefix(&stack, "sms", Limit::MAIL_PER_PREFIX, &ask.whence).await?;
    }
    // The mailer draws the code: no code waits in the table. Those who chose another factor get none.
    stack.outbox().post(&letter("code", To::Account(ticket.account), Some(hash), now)?).await?;
    Ok(Reply::ok(Asked { status: "accepted" }))
}
