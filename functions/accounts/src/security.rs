//! `GET /security`: how safe one's account is.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_auth::session::{State, state};
use screensort_http::member::{invalid_token, life};
use screensort_http::{Authority, Endpoint, Member, Owner, Problem, Reply};
use screensort_routes::SECURITY;
use screensort_runtime::Stack;
use screensort_store::Person;
use serde::Serialize;

/// Logins that are shown; `/logins` has them all.
const RECENT: usize = 5;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("security").looking(SECURITY, there, security)
}

/// How safe an account is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Security")]
struct Answer {
    #[schemars(with = "String", extend("format" = "date-time"))]
    password_changed_at: Timestamp,
    password_age_days: i64,
    mfa: Mfa,
    /// Sessions that live.
    sessions: usize,
    /// The last five, newest first.
    recent_logins: Vec<Login>,
}

/// The second factor.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SecondFactor")]
struct Mfa {
    /// An authenticator.
    totp: bool,
    /// One-time codes by mail.
    email: bool,
    /// One-time codes by text message.
    sms: bool,
    /// Recovery codes that are left.
    recovery_codes_left: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecentLogin")]
struct Login {
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: Timestamp,
    /// Browser and system, in words.
    browser: String,
    /// The network that it came from.
    network: String,
}

/// Everything of a person, and how they signed in of late, each with its id.
type There = (Option<Person>, Vec<(String, screensort_store::Login)>);

async fn there(who: Owner<may::AccountReadOwn>, (): (), stack: Stack) -> Result<There, Problem> {
    let (accounts, sessions) = (stack.accounts(), stack.sessions());
    Ok(futures::try_join!(accounts.person(who.id()), sessions.logins(who.id(), None, RECENT))?)
}

async fn security(
    _: Member<may::AccountReadOwn>,
    (person, logins): There,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let now = stack.clock().now();
    let person = person.ok_or_else(invalid_token)?;
    let generation = person.account.generation;
    let lives = |one: &&screensort_store::Session| {
        one.generation == generation && matches!(state(&life(one), now), State::Live { .. })
    };
    let changed_at = person.credentials.password_changed_at;
    let login = |(_, login): (String, screensort_store::Login)| Login {
        at: login.at,
        browser: login.device,
        network: login.prefix,
    };
    Ok(Reply::ok(Answer {
        password_changed_at: changed_at,
        password_age_days: now.duration_since(changed_at).as_hours() / 24,
        mfa: Mfa {
            totp: person.credentials.totp.is_some(),
            email: person.credentials.mail_factor,
            sms: person.credentials.phone.is_some(),
            recovery_codes_left: person.recovery.len(),
        },
        sessions: person.sessions.iter().filter(lives).count(),
        recent_logins: logins.into_iter().map(login).collect(),
    }))
}
