//! Somebody signed in: proven on every request, from a bearer token or a cookie, by the session itself.
//!
//! A token or a cookie only says which session is meant. Whether it lives, whose it is and what its owner may do
//! is read from the store each time, in one request: what ends a session or takes a right away acts at once.

use std::marker::PhantomData;
use std::sync::Arc;

use http::Method;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use jiff::Timestamp;
use screensort_auth::event::Event;
use screensort_auth::session::{Life, State, is_recent};
use screensort_auth::token::Verifier;
use screensort_auth::{Demand, Permission, Permissions, browser, role, session};
use screensort_crypto::{KeyRing, MacKey, OneTimeToken};
use screensort_routes::Access;
use screensort_store::{Account, ApiKeys, Audit, Session, Sessions};

use crate::{Actor, Code, Incoming, Problem, Whence, bearer};

/// The cookie of a cookie session. The prefix makes browsers refuse it unless it is `Secure`, for this host only
/// and for all paths.
pub const SESSION_COOKIE: &str = "__Host-session";
/// The purpose under which the cookie's secret is hashed.
pub const COOKIE_PURPOSE: &str = "session.cookie";
/// What a session's `amr` says of an authenticator or a recovery code.
pub const STRONG: &str = "mfa";

/// What proving a person takes; the context of handlers provides it.
pub trait Authority: Sync {
    /// What verifies access tokens.
    ///
    /// # Errors
    /// 503 if the keys cannot be read.
    fn verifier(&self) -> impl Future<Output = Result<Arc<Verifier>, Problem>> + Send;

    /// The keys of what browsers carry.
    ///
    /// # Errors
    /// 503 if the keys cannot be read.
    fn macs(&self) -> impl Future<Output = Result<Arc<KeyRing<MacKey>>, Problem>> + Send;

    /// The sessions.
    fn sessions(&self) -> Sessions;

    /// The trail.
    fn audit(&self) -> Audit;

    /// The keys of service clients.
    fn api_keys(&self) -> ApiKeys;

    /// The time.
    fn now(&self) -> Timestamp;

    /// Origins that may call from a browser.
    fn origins(&self) -> &[String];
}

/// A person and the session that they come with.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account as it is now.
    pub account: Account,
    /// The session as it is now.
    pub session: Session,
    /// What they may do, now, with what they have shown.
    pub permissions: Permissions,
    /// When the session ends whatever happens.
    pub expires_at: Timestamp,
    /// When it ends if nothing happens.
    pub idle_expires_at: Timestamp,
}

impl SignedIn {
    /// The account's id.
    pub fn id(&self) -> &str {
        &self.account.id
    }

    /// Whether an authenticator or a recovery code was shown.
    pub fn is_strong(&self) -> bool {
        self.session.amr.iter().any(|means| means == STRONG)
    }

    /// How strongly they proved who they are.
    pub fn acr(&self) -> &'static str {
        if self.is_strong() { "aal2" } else { "aal1" }
    }

    /// Whether they proved it in the last ten minutes.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        is_recent(self.session.authenticated_at, now)
    }
}

/// The standing of an account.
///
/// # Errors
/// 500 if the account names a role or a permission that this release does not know: nobody guesses rights.
pub fn standing(account: &Account) -> Result<role::Standing, Problem> {
    let unknown =
        |_| Problem::internal("an account has a role or permission that this release does not know");
    let set =
        |words: &[String]| words.iter().map(|word| word.parse::<Permission>()).collect::<Result<_, _>>();
    Ok(role::Standing {
        roles: account.roles.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(unknown)?,
        grants: set(&account.grants).map_err(unknown)?,
        denials: set(&account.denials).map_err(unknown)?,
        disabled: account.disabled,
    })
}

/// A keyed hash of an account's standing: who knows a standing can tell whether it was this one.
pub fn standing_hash(ring: &KeyRing<MacKey>, account: &Account) -> String {
    let words = [&account.roles, &account.grants, &account.denials].map(|words| words.join(" "));
    let state = if account.disabled { "disabled" } else { "open" };
    let parts = [words[0].as_bytes(), words[1].as_bytes(), words[2].as_bytes(), state.as_bytes()];
    ring.tag("audit.standing", &parts).1.to_text()
}

/// The kind of session that a name in the store means.
pub fn session_kind(name: &str) -> session::Kind {
    match name {
        "remembered" => session::Kind::Remembered,
        "admin" => session::Kind::Admin,
        _ => session::Kind::Normal,
    }
}

/// The life of a session, for the policy.
pub fn life(session: &Session) -> Life {
    Life { kind: session_kind(&session.kind), created_at: session.created_at, last_seen: session.last_seen }
}

/// The id of a session as tokens carry it: its owner's id, a hyphen, its name.
pub fn session_id(account: &str, name: &str) -> String {
    format!("{account}-{name}")
}

/// Splits what [`session_id`] joined.
pub fn split_session_id(id: &str) -> Option<(&str, &str)> {
    let is_ulid = |text: &str| text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    id.split_once('-').filter(|(account, name)| is_ulid(account) && is_ulid(name))
}

enum Shown {
    Bearer(String),
    Cookie(String),
}

/// Who sends `request`; `None` without credentials.
///
/// # Errors
/// 401 for credentials that do not lead to a live session; 403 `csrf` for an unsafe call of a cookie session that
/// its page did not make.
pub async fn identify<C: Authority>(request: &Incoming, context: &C) -> Result<Option<SignedIn>, Problem> {
    let whence = Whence::of(request);
    let now = context.now();
    let shown = if request.headers.contains_key(AUTHORIZATION) {
        Shown::Bearer(request.bearer().ok_or_else(invalid_token)?.to_owned())
    } else if let Some(cookie) = whence.cookie(SESSION_COOKIE) {
        Shown::Cookie(cookie.to_owned())
    } else {
        return Ok(None);
    };
    let id = match &shown {
        Shown::Bearer(token) => {
            let claims = bearer::access(request, token, context).await?;
            claims.map_err(|e| invalid_token().caused_by(e))?.sid
        }
        Shown::Cookie(cookie) => cookie.split_once('.').map(|(id, _)| id.to_owned()).unwrap_or_default(),
    };
    let (owner, name) = split_session_id(&id).ok_or_else(invalid_token)?;
    let found = context.sessions().with_account(owner, name).await?;
    let (account, session) = found.ok_or_else(invalid_token)?;
    match &shown {
        Shown::Bearer(_) if session.cookie.is_none() => {}
        Shown::Cookie(cookie) if opens(&session, cookie) => {}
        _ => return Err(invalid_token()),
    }
    let signed_in = alive(account, session, now)?;
    if matches!(shown, Shown::Cookie(_)) {
        check_page(request, &whence, &id, context, now).await?;
    }
    note_use(context, signed_in, now).await.map(Some)
}

/// Whether the secret in a cookie is the session's.
fn opens(session: &Session, cookie: &str) -> bool {
    let secret = cookie.split_once('.').map_or("", |(_, secret)| secret);
    let hash = OneTimeToken::parse(secret).map(|token| token.hash(COOKIE_PURPOSE));
    let stored = session.cookie.as_deref().map(screensort_crypto::TokenHash::from_stored);
    hash.ok().zip(stored).is_some_and(|(theirs, ours)| theirs == ours)
}

fn alive(account: Account, session: Session, now: Timestamp) -> Result<SignedIn, Problem> {
    if account.disabled || session.generation != account.generation {
        return Err(invalid_token());
    }
    let State::Live { expires_at, idle_expires_at, .. } = session::state(&life(&session), now) else {
        return Err(unauthenticated(Code::SessionExpired));
    };
    let standing = standing(&account)?;
    let strong = session.amr.iter().any(|means| means == STRONG);
    let permissions = if strong {
        standing.permissions()
    } else {
        Permissions::without_second_factor(&standing.roles, standing.grants, standing.denials)
    };
    Ok(SignedIn { account, session, permissions, expires_at, idle_expires_at })
}

/// A browser sends its cookies along with whatever any page makes it send. An unsafe call must come from a page
/// that may, and carry the token that only such a page can read.
async fn check_page<C: Authority>(
    request: &Incoming,
    whence: &Whence,
    session: &str,
    context: &C,
    now: Timestamp,
) -> Result<(), Problem> {
    if matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let refused = || Problem::new(Code::Csrf);
    if whence.is_cross_site(context.origins()) {
        return Err(refused());
    }
    let token = request.header("x-csrf-token").ok_or_else(refused)?;
    let macs = context.macs().await?;
    browser::check_csrf(&macs, session, token, now).map_err(|e| refused().caused_by(e))
}

/// Writes down, at most once a minute, that the session is in use.
async fn note_use<C: Authority>(context: &C, mut who: SignedIn, now: Timestamp) -> Result<SignedIn, Problem> {
    let due = matches!(session::state(&life(&who.session), now), State::Live { write_last_seen: true, .. });
    if due {
        if !context.sessions().seen(&who.account.id, &who.session.name, now).await? {
            return Err(invalid_token());
        }
        who.session.last_seen = now;
    }
    Ok(who)
}

/// 401 for credentials that are not good, whatever is wrong with them.
pub fn invalid_token() -> Problem {
    unauthenticated(Code::Unauthorized)
        .with_header(WWW_AUTHENTICATE, "Bearer realm=\"screensort\", error=\"invalid_token\"")
}

/// 401 with the challenge that HTTP asks for.
pub fn unauthenticated(code: Code) -> Problem {
    Problem::new(code).with_header(WWW_AUTHENTICATE, "Bearer realm=\"screensort\"")
}

/// Somebody signed in who has the permission `P`.
#[derive(Debug, Clone)]
pub struct Member<P> {
    /// Who.
    pub who: SignedIn,
    permission: PhantomData<fn() -> P>,
}

impl<P: Demand, C: Authority> Actor<C> for Member<P> {
    const ACCESS: Access = Access::Member(P::PERMISSION);

    async fn prove(request: &Incoming, context: &C) -> Result<Self, Problem> {
        let who = identify(request, context).await?;
        let who = who.ok_or_else(|| unauthenticated(Code::Unauthorized))?;
        if !who.permissions.contains(P::PERMISSION) {
            denied(request, context, &who).await;
            return Err(Problem::new(Code::Forbidden));
        }
        Ok(Self { who, permission: PhantomData })
    }
}

/// Keeps that somebody was refused what their rights do not allow. The refusal stands whether or not it is kept.
async fn denied<C: Authority>(request: &Incoming, context: &C, who: &SignedIn) {
    let trail = Whence::of(request).own(Event::AccessDenied, who.id(), context.now());
    if let Ok(trail) = trail {
        if let Err(error) = context.audit().keep(&trail).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(name: "audit.unwritten", error, "a record of the trail could not be kept");
        }
        crate::log(&trail);
    }
}

/// A [`Member`] who proved in the last ten minutes who they are.
#[derive(Debug, Clone)]
pub struct Recent<P> {
    /// Who.
    pub who: SignedIn,
    permission: PhantomData<fn() -> P>,
}

impl<P: Demand, C: Authority> Actor<C> for Recent<P> {
    const ACCESS: Access = Access::Recent(P::PERMISSION);

    async fn prove(request: &Incoming, context: &C) -> Result<Self, Problem> {
        let Member { who, .. } = Member::<P>::prove(request, context).await?;
        if !who.is_recent(context.now()) {
            return Err(Problem::new(Code::ReauthenticationRequired));
        }
        Ok(Self { who, permission: PhantomData })
    }
}

/// Anybody; who they are, if they are signed in.
#[derive(Debug, Clone)]
pub struct Visitor(pub Option<SignedIn>);

impl<C: Authority> Actor<C> for Visitor {
    const ACCESS: Access = Access::Anyone;

    async fn prove(request: &Incoming, context: &C) -> Result<Self, Problem> {
        identify(request, context).await.map(Self)
    }
}
