//! `/mfa/totp`: enrol an authenticator (POST, then PUT with its first code), remove it (DELETE with a code).

use http::header::SET_COOKIE;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_auth::recovery::RecoveryCode;
use screensort_auth::totp::{Step, TotpSecret};
use screensort_http::{Code, Endpoint, Member, Problem, Recent, Reply, Whence, log};
use screensort_routes::{MFA_TOTP_BEGIN, MFA_TOTP_CONFIRM, MFA_TOTP_REMOVE};
use screensort_runtime::Stack;
use screensort_store::To;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Secret};
use crate::guard::{self, MFA_AGAIN};
use crate::person::{data_key, letter, open, seal, whole};
use crate::reauthenticate::check_code;
use crate::start::Raised;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("mfa_totp")
        .route(MFA_TOTP_BEGIN, begin)
        .route(MFA_TOTP_CONFIRM, confirm)
        .route(MFA_TOTP_REMOVE, remove)
}

/// The service's name in authenticators.
pub(crate) const ISSUER: &str = "ScreenSort";

/// What an authenticator needs. Shown once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TotpEnrolment")]
struct Begun {
    /// For a QR code.
    otpauth_uri: String,
    /// To type in: base32.
    secret: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TotpCode")]
struct Body {
    /// The six digits that the authenticator shows.
    code: Secret,
}

async fn begin(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<Begun>, Problem> {
    let person = whole(&stack, &who).await?;
    let secret = TotpSecret::generate()?;
    let key = data_key(&stack, &person).await?;
    let sealed = seal(&key, who.id(), "totp", secret.as_bytes())?;
    let trail = whence.own(Event::MfaBegun, who.id(), stack.clock().now())?;
    if !stack.accounts().begin_totp(who.id(), &sealed, &trail).await? {
        return Err(
            Problem::new(Code::Conflict).with_detail("An authenticator is enrolled: remove it first.")
        );
    }
    log(&trail);
    let name = &person.account.username;
    Ok(Reply::ok(Begun {
        otpauth_uri: secret.otpauth_uri(ISSUER, name).to_string(),
        secret: secret.to_base32().to_string(),
    }))
}

/// Codes for when the authenticator is lost, each good for one login. Shown once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecoveryCodes")]
pub(crate) struct Codes {
    recovery_codes: Vec<String>,
}

/// The recovery codes, and the session that takes the place of the one that asked: from now on it has a second
/// factor. A cookie session gets its new cookie instead of tokens, and needs a new CSRF token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TotpEnrolled")]
struct Enrolled {
    /// For when the authenticator is lost, each good for one login. Shown once.
    recovery_codes: Vec<String>,
    /// A JWT for five minutes; not in a cookie session.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// Seconds until the access token ends; in a cookie session, until the session does.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    /// For `/token/refresh`. Not in a cookie session.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// Ten new codes: as they are shown, and as they are kept.
pub(crate) async fn codes(stack: &Stack, account: &str) -> Result<(Codes, Vec<String>), Problem> {
    let lasting = stack.lasting_ring().await?;
    let set = RecoveryCode::generate_set()?;
    let hashes = set.iter().map(|code| code.hash(&lasting, account).as_str().to_owned()).collect();
    Ok((Codes { recovery_codes: set.iter().map(|code| code.to_text().to_string()).collect() }, hashes))
}

async fn confirm(
    Member { who, .. }: Member<may::AccountWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Enrolled>, Problem> {
    let now = stack.clock().now();
    let person = whole(&stack, &who).await?;
    let nothing = || Problem::new(Code::Conflict).with_detail("No authenticator waits for its first code.");
    let sealed = person.credentials.totp_pending.clone().ok_or_else(nothing)?;
    let counted = guard::attempt(&stack, who.id(), MFA_AGAIN, &ask.whence).await?;
    let key = data_key(&stack, &person).await?;
    let secret = TotpSecret::from_bytes(&open(&key, who.id(), "totp", &sealed)?)?;
    let Some(Step(step)) = secret.verify(ask.body.code.expose(), now, None) else {
        let trail = ask.whence.own(Event::MfaFailed, who.id(), now)?;
        guard::failed(&stack, &ask.whence, &trail).await?;
        return Err(Problem::new(Code::WrongCode));
    };
    let (shown, kept) = codes(&stack, who.id()).await?;
    let notice = letter("mfa_enabled", To::Account(who.id().to_owned()), None, now)?;
    // What one proves with has changed, so the session gets another name: nothing that was learnt of the weaker
    // one, such as its cookie or its tokens, opens the stronger one.
    let raised = Raised::of(&who, now)?;
    let trail = ask.whence.own(Event::MfaEnabled, who.id(), now)?;
    let sessions = (who.session.name.as_str(), &raised.session);
    if !stack.accounts().confirm_totp(&person, &sealed, step, &kept, sessions, &notice, &trail).await? {
        return Err(nothing());
    }
    guard::forgive(&stack, &counted).await?;
    log(&trail);
    let (tokens, cookie) = raised.handed_out(&stack, &who.account).await?;
    let reply = Reply::ok(Enrolled {
        recovery_codes: shown.recovery_codes,
        access_token: tokens.access_token,
        token_type: tokens.token_type,
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh_token,
    });
    Ok(match cookie {
        Some(cookie) => reply.with_header(SET_COOKIE, &cookie),
        None => reply,
    })
}

async fn remove(
    Recent { who, .. }: Recent<may::AccountWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let person = whole(&stack, &who).await?;
    if person.credentials.totp.is_none() {
        return Err(Problem::new(Code::Conflict).with_detail("There is no authenticator to remove."));
    }
    let step = check_code(&stack, &person, &ask.body.code, &ask.whence).await?;
    let to = To::Account(who.id().to_owned());
    let notice = letter("mfa_disabled", to, None, stack.clock().now())?;
    let trail = ask.whence.own(Event::MfaDisabled, who.id(), stack.clock().now())?;
    // What is left to prove with is the password: the session that stays shows no more than that.
    let (session, amr) = (who.session.name.as_str(), ["pwd".to_owned()]);
    if !stack.accounts().remove_totp(&person, step, (session, &amr), &notice, &trail).await? {
        return Err(Problem::new(Code::WrongCode));
    }
    log(&trail);
    Ok(Reply::done())
}
