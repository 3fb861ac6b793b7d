//! `POST /login/mfa`: finish a login with the second factor.

use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::browser::DeviceId;
use screensort_auth::event::Event;
use screensort_auth::recovery::RecoveryCode;
use screensort_auth::totp::Step;
use screensort_crypto::{OneTimeToken, TokenHash};
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_routes::LOGIN_MFA;
use screensort_runtime::Stack;
use screensort_store::{Person, Proof, Ticket, Tried};
use serde::Deserialize;

use crate::ask::{Ask, Secret, refused};
use crate::form;
use crate::guard::{self, Counted};
use crate::login::{TICKET, wrong};
use crate::mailed::is_right;
use crate::person::totp_secret;
use crate::start::{DEVICE_COOKIE, LoginAnswer, Start, start};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("login_mfa").route(LOGIN_MFA, finish)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LoginSecondFactor")]
struct Body {
    /// Of the login's answer.
    mfa_token: Secret,
    /// The code that the authenticator shows, or that was mailed or texted.
    code: Option<Secret>,
    /// One of the recovery codes.
    recovery_code: Option<Secret>,
}

async fn finish(_: Anyone, ask: Ask<Body>, stack: Stack) -> Result<Reply<LoginAnswer>, Problem> {
    let (body, whence, now) = (&ask.body, &ask.whence, stack.clock().now());
    if body.code.is_some() == body.recovery_code.is_some() {
        return Err(refused("/code", "missing_field", "give either code or recovery_code"));
    }
    let token = OneTimeToken::parse(body.mfa_token.expose()).map_err(|_| wrong())?;
    let hash = token.hash(TICKET).as_str().to_owned();
    // Counted before anything is compared, twice: five codes a ticket, and the account's own limit over tickets.
    let most = Limit::CODES_PER_TICKET.max;
    let one_time = stack.one_time();
    let (tried, seen) =
        futures::future::join(one_time.try_ticket(&hash, most, now), guard::survey(&stack, &[], whence))
            .await;
    let Tried::Counted(ticket) = tried? else { return Err(wrong()) };
    if ticket.cookie {
        form::check(&stack, whence).await?;
    }
    let mut seen = seen?;
    seen.account = Some(ticket.account.clone());
    let macs = stack.mac_ring().await?;
    let device = whence.cookie(DEVICE_COOKIE);
    let device = device.and_then(|text| DeviceId::from_cookie(&macs, &ticket.account, text, now).ok());
    // As with passwords: a stranger who knows one cannot lock the owner's own browser out of the second step.
    let name = device.as_ref().map_or_else(|| "mfa".to_owned(), |device| format!("mfa#{}", device.as_str()));
    let counted = Counted { subject: ticket.account.clone(), name };
    let accounts = stack.accounts();
    let (reserved, person) = futures::future::join(
        guard::reserve(&stack, &seen, &counted, true, whence),
        accounts.person(&ticket.account),
    )
    .await;
    reserved?;
    let person = person?.ok_or_else(wrong)?;
    if person.account.disabled || person.account.generation != ticket.generation {
        return Err(wrong());
    }
    let Some(proof) = prove(&stack, &person, &ticket, &hash, body).await? else {
        let trail = whence.trail(Event::MfaFailed, None, Some(&ticket.account), now)?;
        guard::failed(&stack, whence, &trail).await?;
        return Err(wrong());
    };
    let how = Start {
        person: &person,
        whence,
        remember: ticket.remember,
        cookie: ticket.cookie,
        proof: Some(proof),
        ticket: Some(hash),
        counter: counted.name,
        device,
    };
    start(&stack, how).await?.ok_or_else(wrong)
}

/// What the code proves, if it is right.
async fn prove(
    stack: &Stack,
    person: &Person,
    ticket: &Ticket,
    hash: &str,
    body: &Body,
) -> Result<Option<Proof>, Problem> {
    let now = stack.clock().now();
    if let Some(code) = &body.recovery_code {
        // They stand in for an authenticator or a telephone: where there is none any more, nothing is left to stand in for.
        if !person.credentials.has_spares() {
            return Ok(None);
        }
        let lasting = stack.lasting_ring().await?;
        let stored: Vec<TokenHash> = person.recovery.iter().map(TokenHash::from_stored).collect();
        let found = RecoveryCode::parse(code.expose()).ok();
        let found = found.and_then(|code| code.find(&lasting, &person.account.id, &stored).cloned());
        return Ok(found.map(|hash| Proof::Recovery(hash.as_str().to_owned())));
    }
    let Some(code) = &body.code else { return Ok(None) };
    if let Some(secret) = totp_secret(stack, person).await? {
        let used = person.credentials.totp_step.map(Step);
        return Ok(secret.verify(code.expose(), now, used).map(|Step(step)| Proof::Step(step)));
    }
    Ok((person.credentials.gets_codes() && is_right(stack, ticket, hash, code).await?).then_some(Proof::Sent))
}
