//! Beginning a session: what is written with it, and what its owner gets.

use http::header::SET_COOKIE;
use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::attempts::address_prefix;
use screensort_auth::browser::{DEVICE_LIFETIME, DeviceId};
use screensort_auth::event::Event;
use screensort_auth::refresh::RefreshToken;
use screensort_auth::session::{Kind, to_evict};
use screensort_auth::token::{AccessGrant, LIFETIME};
use screensort_auth::{Permission, Role};
use screensort_crypto::OneTimeToken;
use screensort_http::member::{
    COOKIE_PURPOSE, SESSION_COOKIE, STRONG, life, session_id, session_kind, standing,
};
use screensort_http::{Authority, Problem, Reply, SignedIn, Whence, log, new_id};
use screensort_runtime::Stack;
use screensort_store::{Account, Login, Opened, Opening, Person, Proof, Session, To};
use serde::Serialize;

use crate::person::letter;

/// The cookie by which a device is known after its first login.
pub(crate) const DEVICE_COOKIE: &str = "__Host-device";

/// Somebody, as they see themselves.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct User {
    id: String,
    username: String,
    roles: Vec<String>,
}

impl User {
    /// Of an account.
    pub(crate) fn of(account: &Account) -> Self {
        Self { id: account.id.clone(), username: account.username.clone(), roles: account.roles.clone() }
    }
}

/// What a login answers: a session, or that the second factor is missing.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "Login")]
pub(crate) struct LoginAnswer {
    /// A JWT for five minutes; not in a cookie session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// Seconds until the access token ends; in a cookie session, until the session does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    /// For `/token/refresh`; works once. Not in a cookie session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// True if the second factor is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_required: Option<bool>,
    /// For `/login/mfa`; ten minutes, five tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_token: Option<String>,
    /// What the second factor may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<&'static str>>,
}

/// How a session is to begin.
pub(crate) struct Start<'a> {
    pub person: &'a Person,
    pub whence: &'a Whence,
    pub remember: bool,
    pub cookie: bool,
    pub proof: Option<Proof>,
    pub ticket: Option<String>,
    /// The account's counter that the success deletes.
    pub counter: String,
    /// The device, if it has signed in to this account before.
    pub device: Option<DeviceId>,
}

/// Begins a session. `None` if what let its owner in was used up meanwhile.
pub(crate) async fn start(stack: &Stack, how: Start<'_>) -> Result<Option<Reply<LoginAnswer>>, Problem> {
    let now = stack.clock().now();
    let account = &how.person.account;
    let rights = standing(account)?;
    let is_admin =
        rights.roles.contains(&Role::Admin) || rights.permissions().contains(Permission::UsersManage);
    let kind = Kind::of(is_admin, how.remember);
    let name = new_id(now)?;
    let secret = if how.cookie { Some(OneTimeToken::generate()?) } else { None };
    let amr: &[&str] = match &how.proof {
        None => &["pwd"],
        // A code by mail shows the mailbox again, not a second thing, and a text can be led to another telephone: neither
        // counts as strong, and no more does what stands in for them.
        Some(Proof::Sent) => &["pwd", "otp"],
        Some(Proof::Recovery(_)) if how.person.credentials.totp.is_none() => &["pwd", "otp"],
        Some(_) => &["pwd", "otp", STRONG],
    };
    let session = Session {
        name: name.clone(),
        generation: account.generation,
        kind: kind_name(kind).to_owned(),
        created_at: now,
        last_seen: now,
        expires_at: now + kind.absolute(),
        refresh: 0,
        rotated_at: now,
        authenticated_at: now,
        amr: amr.iter().map(|&means| means.to_owned()).collect(),
        device: how.whence.device.clone(),
        prefix: address_prefix(how.whence.source),
        cookie: secret.as_ref().map(|secret| secret.hash(COOKIE_PURPOSE).as_str().to_owned()),
    };
    let lives: Vec<_> = how.person.sessions.iter().map(|one| (one.name.as_str(), life(one))).collect();
    let login = Login {
        at: now,
        device: session.device.clone(),
        prefix: session.prefix.clone(),
        second_factor: how.proof.is_some(),
        session: name.clone(),
    };
    let mut opening = Opening {
        evicted: to_evict(&lives, now).into_iter().map(str::to_owned).collect(),
        forgiven: vec![how.counter],
        ticket: how.ticket,
        login: Some((new_id(now)?, login)),
        letters: Vec::new(),
        proof: how.proof.clone(),
        takes_warning_back: how.person.warned,
    };
    let to = || To::Account(account.id.clone());
    let place = |place: &screensort_store::KnownPlace| place.is_of(&session.device, &session.prefix, now);
    if how.device.is_none() && !how.person.places.iter().any(place) {
        opening.letters.push(letter("new_device", to(), Some(session.device.clone()), now)?);
    }
    if matches!(how.proof, Some(Proof::Recovery(_))) {
        opening.letters.push(letter("recovery_used", to(), None, now)?);
    }
    let mut trail = how.whence.own(Event::LoginSucceeded, &account.id, now)?;
    if matches!(how.proof, Some(Proof::Recovery(_))) {
        trail = trail.and(how.whence.own(Event::RecoveryUsed, &account.id, now)?);
    }
    if stack.sessions().open(&account.id, &session, &opening, &trail).await? == Opened::Spent {
        return Ok(None);
    }
    log(&trail);
    let macs = stack.mac_ring().await?;
    let device = how.device.map_or_else(DeviceId::generate, Ok)?.cookie(&macs, &account.id, now);
    let device = cookie(DEVICE_COOKIE, &device, Some(DEVICE_LIFETIME.as_secs()));
    let (answer, session) = hand_out(stack, account, &session, secret.as_ref()).await?;
    let reply = Reply::ok(answer).with_header(SET_COOKIE, &device);
    Ok(Some(match session {
        Some(cookie) => reply.with_header(SET_COOKIE, &cookie),
        None => reply,
    }))
}

/// What the owner of a session that begins gets: tokens, or its cookie.
async fn hand_out(
    stack: &Stack,
    account: &Account,
    session: &Session,
    secret: Option<&OneTimeToken>,
) -> Result<(LoginAnswer, Option<String>), Problem> {
    let id = session_id(&account.id, &session.name);
    let Some(secret) = secret else {
        let refresh = RefreshToken::first(&*stack.mac_ring().await?, &id)?;
        return Ok((tokens(stack, account, session, &refresh).await?, None));
    };
    let left = session.expires_at.duration_since(session.last_seen).as_secs();
    let age = (session_kind(&session.kind) == Kind::Remembered).then_some(left);
    let value = format!("{id}.{}", secret.to_text().as_str());
    let answer =
        LoginAnswer { user: Some(User::of(account)), expires_in: Some(left), ..LoginAnswer::default() };
    Ok((answer, Some(cookie(SESSION_COOKIE, &value, age))))
}

/// A session that takes the place of another one because its owner has shown a second factor.
pub(crate) struct Raised {
    /// The session.
    pub session: Session,
    secret: Option<OneTimeToken>,
}

impl Raised {
    /// The stronger session of somebody signed in. It ends when the weaker one would have.
    pub(crate) fn of(who: &SignedIn, now: Timestamp) -> Result<Self, Problem> {
        let secret = who.session.cookie.is_some().then(OneTimeToken::generate).transpose()?;
        let session = Session {
            name: new_id(now)?,
            generation: who.account.generation + 1,
            last_seen: now,
            refresh: 0,
            rotated_at: now,
            amr: ["pwd", "otp", STRONG].map(str::to_owned).to_vec(),
            cookie: secret.as_ref().map(|secret| secret.hash(COOKIE_PURPOSE).as_str().to_owned()),
            ..who.session.clone()
        };
        Ok(Self { session, secret })
    }

    /// What its owner gets, once it is kept.
    pub(crate) async fn handed_out(
        &self,
        stack: &Stack,
        account: &Account,
    ) -> Result<(LoginAnswer, Option<String>), Problem> {
        hand_out(stack, account, &self.session, self.secret.as_ref()).await
    }
}

/// A pair of tokens for a session.
pub(crate) async fn tokens(
    stack: &Stack,
    account: &Account,
    session: &Session,
    refresh: &RefreshToken,
) -> Result<LoginAnswer, Problem> {
    let strong = session.amr.iter().any(|means| means == STRONG);
    let amr: Vec<&str> = session.amr.iter().map(String::as_str).collect();
    let scope = account.roles.join(" ");
    let id = session_id(&account.id, &session.name);
    let grant = AccessGrant {
        subject: &account.id,
        session: &id,
        scope: &scope,
        acr: if strong { "aal2" } else { "aal1" },
        amr: &amr,
        authenticated_at: session.authenticated_at,
    };
    let (token, _) = stack.issuer().await?.access(&grant, stack.clock().now())?;
    Ok(LoginAnswer {
        access_token: Some(token),
        token_type: Some("Bearer"),
        expires_in: Some(LIFETIME.as_secs()),
        refresh_token: Some(refresh.text().to_owned()),
        user: Some(User::of(account)),
        ..LoginAnswer::default()
    })
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "normal",
        Kind::Remembered => "remembered",
        Kind::Admin => "admin",
    }
}

/// A cookie for this host only, out of reach of scripts and of other sites' requests. Without an age it goes with
/// the browser.
pub(crate) fn cookie(name: &str, value: &str, age: Option<i64>) -> String {
    let age = age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}")
}
