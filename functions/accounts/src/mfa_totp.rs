//! `/mfa/totp`: enrol an authenticator (POST, then PUT with its first code), remove it (DELETE with a code).

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
use crate::guard;
use crate::person::{data_key, letter, open, seal, whole};
use crate::reauthenticate::check_code;

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

/// Ten new codes: as they are shown, and as they are kept.
pub(crate) async fn codes(stack: &Stack, account: &str) -> Result<(Codes, Vec<String>), Problem> {
    let macs = stack.mac_ring().await?;
    let set = RecoveryCode::generate_set()?;
    let hashes = set.iter().map(|code| code.hash(&macs, account).as_str().to_owned()).collect();
    Ok((Codes { recovery_codes: set.iter().map(|code| code.to_text().to_string()).collect() }, hashes))
}

async fn confirm(
    Member { who, .. }: Member<may::AccountWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Codes>, Problem> {
    let now = stack.clock().now();
    let person = whole(&stack, &who).await?;
    let nothing = || Problem::new(Code::Conflict).with_detail("No authenticator waits for its first code.");
    let sealed = person.credentials.totp_pending.clone().ok_or_else(nothing)?;
    let counter = format!("mfa#{}", who.id());
    let reserved = guard::reserve(&stack, &counter, &[], true, &ask.whence).await?;
    let key = data_key(&stack, &person).await?;
    let secret = TotpSecret::from_bytes(&open(&key, who.id(), "totp", &sealed)?)?;
    let Some(Step(step)) = secret.verify(ask.body.code.expose(), now, None) else {
        stack.witness(&ask.whence.own(Event::MfaFailed, who.id(), now)?).await;
        return Err(Problem::new(Code::WrongCode));
    };
    let (shown, kept) = codes(&stack, who.id()).await?;
    let notice = letter("mfa_enabled", To::Account(who.id().to_owned()), None, now)?;
    let session = &who.session.name;
    let trail = ask.whence.own(Event::MfaEnabled, who.id(), now)?;
    let accounts = stack.accounts();
    if !accounts.confirm_totp(&person, &sealed, step, &kept, session, &notice, &trail).await? {
        return Err(nothing());
    }
    guard::forgive(&stack, &reserved, &ask.whence).await?;
    log(&trail);
    Ok(Reply::ok(shown))
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
    if !stack.accounts().remove_totp(&person, step, &notice, &trail).await? {
        return Err(Problem::new(Code::WrongCode));
    }
    log(&trail);
    Ok(Reply::done())
}
