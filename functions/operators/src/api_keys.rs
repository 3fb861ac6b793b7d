//! `GET` and `POST /api_keys`: keys of service clients.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::{Permission, Role, may};
use screensort_crypto::OneTimeToken;
use screensort_http::member::session_id;
use screensort_http::{
    Ask, Authority, Code, Endpoint, FieldError, Owner, Page, PageAsk, Problem, Recent, Reply, Spent, log,
};
use screensort_model::text::is_deceptive;
use screensort_routes::{API_KEY_MAKE, API_KEYS};
use screensort_runtime::Stack;
use screensort_store::{ApiKey, Letter, To};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("api_keys").route(API_KEYS, keys).creating_secret(API_KEY_MAKE, make)
}

/// The purpose under which a key is hashed.
pub const PURPOSE: &str = "api_key";
/// What every key begins with, so that scanners of leaked secrets know one.
pub const MARK: &str = "ssk_";
/// Characters of the secret that are shown afterwards: 48 of 256 bits.
const SHOWN: usize = 8;
/// The longest that a key works, in days, and how long it works unless that is said.
const LONGEST: u32 = 365;
const USUAL: u32 = 90;
/// The longest id, in bytes.
const ID: usize = 26;
/// The longest that a key works beside the one that replaces it, in hours, and how long unless that is said.
const LONGEST_OVERLAP: u32 = 7 * 24;
const USUAL_OVERLAP: u32 = 24;

/// A key, without the key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
struct Shown {
    id: String,
    name: String,
    /// What a client calls itself when it asks for a token.
    client_id: String,
    /// The first characters of the key.
    prefix: String,
    scopes: Vec<String>,
    /// Calls that it has in a minute; null if only its account's quota bounds it.
    calls_per_minute: Option<u32>,
    /// Calls that it has in a day; null if only its account's quota bounds it.
    calls_per_day: Option<u32>,
    /// `active`, `replaced` while it still works beside the one in its place, or `expired`.
    status: &'static str,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Timestamp,
    /// When a token was last issued for it.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    last_used_at: Option<Timestamp>,
    /// The key that takes its place.
    replaced_by: Option<String>,
}

impl Shown {
    fn of(key: ApiKey, now: Timestamp) -> Self {
        let status = match &key.replaced_by {
            _ if key.expires_at <= now => "expired",
            Some(_) => "replaced",
            None => "active",
        };
        Self {
            client_id: session_id(&key.owner, &key.id),
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            calls_per_minute: key.calls_per_minute,
            calls_per_day: key.calls_per_day,
            status,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            replaced_by: key.replaced_by,
        }
    }
}

async fn keys(
    who: Owner<may::ApiKeysReadOwn>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Shown>>, Problem> {
    let cursors = stack.cursors().await?;
    let before: Option<String> = page.start(&cursors, who.id())?;
    let now = stack.clock().now();
    let mut found = stack.api_keys().page(who.id(), before.as_deref(), page.limit + 1).await?;
    let next = page.cut(&mut found, |key| key.id.clone());
    let items = found.into_iter().map(|key| Shown::of(key, now)).collect();
    page.reply(&cursors, who.id(), items, next.as_ref())
}

/// A key that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApiKeyWanted")]
struct Body {
    /// What to call it; when it replaces another one, that one's name unless given.
    name: Option<String>,
    /// What it is good for; when it replaces another one, that one's scopes unless given.
    scopes: Option<Vec<String>>,
    /// Calls that it has in a minute, at most its account's; when it replaces another one, that one's unless given.
    calls_per_minute: Option<u32>,
    /// Calls that it has in a day, at most its account's; when it replaces another one, that one's unless given.
    calls_per_day: Option<u32>,
    /// How many days it works: 1 to 365; 90 unless given.
    expires_in_days: Option<u32>,
    /// The id of a key of one's own that it takes the place of.
    replaces: Option<String>,
    /// How many hours that one still works: 0 to 168; 24 unless given.
    overlap_hours: Option<u32>,
}

/// A new key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKeyMade")]
struct Made {
    /// The key itself. It is shown this once and cannot be read again.
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

async fn make(
    Recent { who, .. }: Recent<may::ApiKeysWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Made>, Problem> {
    let now = stack.clock().now();
    let body = ask.body;
    let old = match &body.replaces {
        Some(id) => Some(replaced(&stack, who.id(), id, now).await?),
        None => None,
    };
    let name = body.name.or_else(|| old.as_ref().map(|old| old.name.clone()));
    let scopes = body.scopes.or_else(|| old.as_ref().map(|old| old.scopes.clone()));
    let days = within("/expires_in_days", body.expires_in_days.unwrap_or(USUAL), 1, LONGEST)?;
    let hours = within("/overlap_hours", body.overlap_hours.unwrap_or(USUAL_OVERLAP), 0, LONGEST_OVERLAP)?;
    let limits = stack.settings().limits;
    let own =
        |pointer, given: Option<u32>, most| given.map(|given| within(pointer, given, 1, most)).transpose();
    let a_minute = own("/calls_per_minute", body.calls_per_minute, limits.client_calls_per_minute)?;
    let a_day = own("/calls_per_day", body.calls_per_day, limits.client_calls_per_day)?;
    let scopes = checked_scopes(scopes, who.permissions)?;
    let name = checked_name(name)?;
    let wait = |spent: Spent| spent.refused(Code::TooManyAttempts);
    stack.draw(&format!("api_keys#{}", who.id()), Limit::KEYS).await?.map_err(wait)?;
    let secret = OneTimeToken::generate()?;
    let text = secret.to_text();
    let key = ApiKey {
        id: stack.new_id()?,
        owner: who.id().to_owned(),
        name,
        prefix: format!("{MARK}{}", text.get(..SHOWN).unwrap_or_default()),
        hash: secret.hash(PURPOSE).as_str().to_owned(),
        scopes,
        calls_per_minute: a_minute.or(old.as_ref().and_then(|old| old.calls_per_minute)),
        calls_per_day: a_day.or(old.as_ref().and_then(|old| old.calls_per_day)),
        created_at: now,
        expires_at: now + SignedDuration::from_hours(i64::from(days) * 24),
        last_used_at: None,
        network: None,
        replaced_by: None,
        warned_at: None,
    };
    // A key never works longer because another one takes its place.
    let until = |old: &ApiKey| old.expires_at.min(now + SignedDuration::from_hours(i64::from(hours)));
    let replaces = old.as_ref().map(|old| (old.id.as_str(), until(old)));
    let letter = Letter {
        id: stack.new_id()?,
        kind: "api_key_made".to_owned(),
        to: To::Account(who.id().to_owned()),
        about: Some(key.prefix.clone()),
        posted_at: now,
    };
    let record = |event, key: &str| ask.whence.trail(event, Some(who.id()), Some(key), now);
    let mut trail = record(Event::KeyMade, &key.id)?;
    if let Some(old) = &old {
        trail = trail.and(record(Event::KeyReplaced, &old.id)?);
    }
    if !stack.api_keys().make(&key, replaces, &letter, &trail).await? {
        return Err(Problem::new(Code::Conflict).with_detail("The key was replaced or revoked meanwhile."));
    }
    log(&trail);
    let made = Made { key: format!("{MARK}{}", *text), shown: Shown::of(key, now) };
    Ok(Reply::ok(made))
}

/// The key that is to be replaced.
async fn replaced(stack: &Stack, owner: &str, id: &str, now: Timestamp) -> Result<ApiKey, Problem> {
    let unknown = || refused("/replaces", "unknown_value", "There is no such key of yours.");
    // The store takes no longer key than 1,024 bytes to look for; ids are ULIDs.
    if id.len() > ID {
        return Err(unknown());
    }
    let found = stack.api_keys().with_owner(owner, id).await?.map(|(_, key)| key);
    let key = found.filter(|key| now < key.expires_at).ok_or_else(unknown)?;
    if key.replaced_by.is_some() {
        return Err(Problem::new(Code::Conflict).with_detail("Another key has its place already."));
    }
    Ok(key)
}

fn checked_name(name: Option<String>) -> Result<String, Problem> {
    let name = name.ok_or_else(|| refused("/name", "missing_field", "This field is needed."))?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 60 || name.chars().any(is_deceptive) {
        return Err(refused("/name", "invalid", "1 to 60 characters, none of them a control character."));
    }
    Ok(name.to_owned())
}

/// Scopes that a program may have and its owner has.
fn checked_scopes(
    scopes: Option<Vec<String>>,
    own: screensort_auth::Permissions,
) -> Result<Vec<String>, Problem> {
    let scopes = scopes.ok_or_else(|| refused("/scopes", "missing_field", "This field is needed."))?;
    let mut known: Vec<String> = Vec::new();
    for (at, scope) in scopes.iter().enumerate() {
        let fits = |permission: &Permission| {
            Role::Service.permissions().contains(*permission) && own.contains(*permission)
        };
        let permission = scope.parse::<Permission>().ok().filter(fits);
        let permission = permission.ok_or_else(|| {
            let all: Vec<&str> = Role::Service.permissions().iter().map(Permission::as_str).collect();
            refused(&format!("/scopes/{at}"), "unknown_value", &format!("One of {}.", all.join(", ")))
        })?;
        if !known.iter().any(|one| one == permission.as_str()) {
            known.push(permission.as_str().to_owned());
        }
    }
    if known.is_empty() {
        return Err(refused("/scopes", "too_short", "At least one scope."));
    }
    Ok(known)
}

fn within(pointer: &str, value: u32, least: u32, most: u32) -> Result<u32, Problem> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(refused(pointer, "invalid", &format!("A whole number from {least} to {most}.")))
}

fn refused(pointer: &str, code: &'static str, detail: &str) -> Problem {
    let error = FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() };
    Problem::new(Code::InvalidBody).with_errors(vec![error])
}
