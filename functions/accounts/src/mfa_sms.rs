//! `/mfa/sms`: one-time codes by text message as the second factor, where the settings name the countries. The number is
//! confirmed (PUT) with a code that was texted to it (POST), and forgotten (DELETE).

use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::{Phone, may};
use screensort_http::{Code, Endpoint, Member, Problem, Recent, Reply, Whence, log};
use screensort_routes::{MFA_SMS_BEGIN, MFA_SMS_CONFIRM, MFA_SMS_OFF};
use screensort_runtime::{Stack, Texts};
use screensort_store::{Ticket, To, Tried};
use serde::Deserialize;

use crate::ask::{Ask, Secret, refused};
use crate::guard::{self, MFA_AGAIN, draw, draw_by_prefix};
use crate::login::TICKET_LIFETIME;
use crate::mailed::{Asked, is_right};
use crate::mfa_totp::{Codes, codes};
use crate::person::{data_key, letter, seal, whole};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("mfa_sms")
        .accepting(MFA_SMS_BEGIN, begin)
        .route(MFA_SMS_CONFIRM, confirm)
        .route(MFA_SMS_OFF, off)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PhoneNumber")]
struct Number {
    /// With `+` and the country code (E.164).
    phone: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TextedCode")]
struct Texted {
    /// The six digits of the text message.
    code: Secret,
}

/// The texts that may be sent; 404 where none may.
fn offered(stack: &Stack) -> Result<&Texts, Problem> {
    let none = || Problem::new(Code::NotFound).with_detail("Codes by text message are not offered here.");
    stack.settings().texts.as_ref().ok_or_else(none)
}

/// The ticket for the first code to an account's number: one at a time.
fn ticket(account: &str) -> String {
    format!("sms.{account}")
}

async fn begin(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    ask: Ask<Number>,
    stack: Stack,
) -> Result<Reply<Asked>, Problem> {
    let now = stack.clock().now();
    let texts = offered(&stack)?;
    let phone = Phone::parse(&ask.body.phone);
    let phone = phone.map_err(|fault| refused("/phone", "invalid", fault.to_string()))?;
    if !texts.reach(&phone) {
        let known = texts.countries.join(", ");
        return Err(refused(
            "/phone",
            "not_reached",
            format!("texts go to numbers that begin with {known} only"),
        ));
    }
    let person = whole(&stack, &who).await?;
    if person.credentials.totp.is_some() {
        return Err(stronger());
    }
    draw(&stack, &format!("sms#{}", who.id()), Limit::MAIL_PER_RECIPIENT).await?.map_err(guard::wait)?;
    draw_by_prefix(&stack, "sms", Limit::MAIL_PER_PREFIX, &ask.whence).await?;
    let key = data_key(&stack, &person).await?;
    let sealed = seal(&key, who.id(), "phone", phone.as_str().as_bytes())?;
    let hash = ticket(who.id());
    let kept = Ticket {
        account: who.id().to_owned(),
        generation: person.account.generation,
        expires_at: now + TICKET_LIFETIME,
        remember: false,
        cookie: false,
        tries: 0,
        texted: true,
        code: None,
        code_sent_at: None,
    };
    // The mailer draws the code and texts it: no code waits in the table.
    let wanted = letter("sms_code", To::Account(who.id().to_owned()), Some(hash.clone()), now)?;
    let trail = ask.whence.own(Event::MfaBegun, who.id(), now)?;
    if !stack.accounts().begin_phone(&sealed, (&hash, &kept), &wanted, &trail).await? {
        return Err(stronger());
    }
    log(&trail);
    Ok(Reply::ok(Asked { status: "accepted" }))
}

async fn confirm(
    Member { who, .. }: Member<may::AccountWriteOwn>,
    ask: Ask<Texted>,
    stack: Stack,
) -> Result<Reply<Codes>, Problem> {
    let now = stack.clock().now();
    offered(&stack)?;
    let person = whole(&stack, &who).await?;
    let nothing =
        || Problem::new(Code::Conflict).with_detail("No telephone number waits for its first code.");
    let sealed = person.credentials.phone_pending.clone().ok_or_else(nothing)?;
    let counted = guard::attempt(&stack, who.id(), MFA_AGAIN, &ask.whence).await?;
    let hash = ticket(who.id());
    let most = Limit::CODES_PER_TICKET.max;
    let tried = stack.one_time().try_ticket(&hash, most, now).await?;
    let right = match &tried {
        Tried::Counted(ticket) if ticket.generation == person.account.generation => {
            is_right(&stack, ticket, &hash, &ask.body.code).await?
        }
        _ => false,
    };
    if !right {
        let trail = ask.whence.own(Event::MfaFailed, who.id(), now)?;
        guard::failed(&stack, &ask.whence, &trail).await?;
        return Err(Problem::new(Code::WrongCode));
    }
    let (shown, kept) = codes(&stack, who.id()).await?;
    let notice = letter("mfa_enabled", To::Account(who.id().to_owned()), None, now)?;
    let trail = ask.whence.own(Event::MfaEnabled, who.id(), now)?;
    if !stack.accounts().confirm_phone(&person, (&sealed, &hash), &kept, &notice, &trail).await? {
        return Err(nothing());
    }
    guard::forgive(&stack, &counted).await?;
    log(&trail);
    Ok(Reply::ok(shown))
}

async fn off(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let person = whole(&stack, &who).await?;
    let notice = letter("mfa_disabled", To::Account(who.id().to_owned()), None, stack.clock().now())?;
    let trail = whence.own(Event::MfaDisabled, who.id(), stack.clock().now())?;
    if !stack.accounts().remove_phone(&person, &notice, &trail).await? {
        return Err(Problem::new(Code::Conflict).with_detail("There is no telephone number to forget."));
    }
    log(&trail);
    Ok(Reply::done())
}

/// 409: nobody gives up an authenticator for something weaker by mistake.
fn stronger() -> Problem {
    Problem::new(Code::Conflict).with_detail("The authenticator is the second factor.")
}
