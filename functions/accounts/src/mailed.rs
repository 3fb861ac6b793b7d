//! What comes back from a mail or a text, and what asks for one.

use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::mail_code::{Outcome, Waiting};
use screensort_crypto::{OneTimeToken, TokenHash};
use screensort_http::{Authority, Code, Problem, Reply, Whence, log};
use screensort_runtime::Stack;
use screensort_store::{Ticket, To, Trail};
use serde::{Deserialize, Serialize};

use crate::ask::{self, Secret};
use crate::guard::{draw, draw_by_prefix};
use crate::person::{letter, terms};

/// A mailed token.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenBody {
    /// As the mail says it.
    pub token: Secret,
}

/// An address to write to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailBody {
    /// The address.
    pub email: String,
}

/// Whether a mail was sent is for the owner of the address to see.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Asked")]
pub(crate) struct Asked {
    /// Always `accepted`.
    pub status: &'static str,
}

/// 410: the token was used, is too old, or never was.
pub(crate) fn gone() -> Problem {
    Problem::new(Code::Gone).with_detail("The token was used or is too old. Ask for a new mail.")
}

/// Counts letters of one kind to one address. Each kind has its own: who asks for letters that are of no use to
/// them cannot use up those that their victim needs.
pub(crate) fn mail_counter(kind: &str, term: &str) -> String {
    format!("mail#{kind}#{term}")
}

/// The hash under which a token is kept.
pub(crate) fn hashed(token: &Secret, purpose: &str) -> Result<String, Problem> {
    let token = OneTimeToken::parse(token.expose()).map_err(|_| gone())?;
    Ok(token.hash(purpose).as_str().to_owned())
}

/// Posts a letter of `kind` to whoever has the address, if anybody. Nothing is looked up: this costs the same and
/// answers the same for every address.
pub(crate) async fn ask_for(
    stack: &Stack,
    kind: &str,
    email: &str,
    whence: &Whence,
    trail: Option<&Trail>,
) -> Result<Reply<Asked>, Problem> {
    let email = ask::email(email)?;
    draw_by_prefix(stack, "mail", Limit::MAIL_PER_PREFIX, whence).await?;
    let terms = terms(stack, &email).await?;
    let may_mail = draw(stack, &mail_counter(kind, &terms[0]), Limit::MAIL_PER_RECIPIENT).await?.is_ok();
    let kind = if may_mail { kind } else { "none" };
    let letter = letter(kind, To::Terms(terms), None, stack.clock().now())?;
    match trail {
        Some(trail) => {
            stack.outbox().post_with(&letter, &stack.audit(), trail).await?;
            log(trail);
        }
        None => stack.outbox().post(&letter).await?,
    }
    Ok(Reply::ok(Asked { status: "accepted" }))
}

/// Whether `code` is the one that was sent for the ticket `hash`.
pub(crate) async fn is_right(
    stack: &Stack,
    ticket: &Ticket,
    hash: &str,
    code: &Secret,
) -> Result<bool, Problem> {
    let Some((sent, sent_at)) = ticket.code.as_ref().zip(ticket.code_sent_at) else { return Ok(false) };
    let macs = stack.mac_ring().await?;
    let waiting = Waiting { hash: TokenHash::from_stored(sent), sent_at, tries: ticket.tries };
    Ok(waiting.check(&macs, hash, code.expose(), stack.clock().now()) == Outcome::Right)
}
