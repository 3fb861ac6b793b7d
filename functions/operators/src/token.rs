//! `POST /token`: a short service token for an API key (RFC 6749, 4.4). The body is JSON, as everywhere here; the
//! client's id and key may stand in the body or in HTTP Basic, not in both.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use screensort_auth::Permissions;
use screensort_auth::attempts::{Limit, address_prefix};
use screensort_auth::event::Event;
use screensort_auth::token::{LIFETIME, ServiceGrant};
use screensort_crypto::{OneTimeToken, TokenHash};
use screensort_http::caller::allowed;
use screensort_http::member::{split_session_id, standing};
use screensort_http::{
    Anyone, Authority, Code, Endpoint, FieldError, Input, Opening, Problem, Reply, Spent, Whence, log,
};
use screensort_routes::TOKEN;
use screensort_runtime::Stack;
use screensort_store::ApiKey;
use serde::{Deserialize, Serialize};

use crate::api_keys::{MARK, PURPOSE};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("token").route(TOKEN, token)
}

/// What a client asks for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TokenWanted")]
struct Body {
    /// Always `client_credentials`.
    grant_type: String,
    /// The client's id, unless HTTP Basic names it.
    client_id: Option<String>,
    /// The client's API key, unless HTTP Basic brings it.
    client_secret: Option<String>,
    /// Scopes separated by spaces; all of the key's unless given.
    scope: Option<String>,
}

struct Ask {
    body: Body,
    /// Id and key from HTTP Basic; `Some(None)` for a header that is none.
    basic: Option<Option<(String, String)>>,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        let given = o.request().headers.contains_key(AUTHORIZATION);
        let basic = given.then(|| o.request().header(AUTHORIZATION.as_str()).and_then(basic));
        Some(Self { body: o.body()?, basic, whence })
    }
}

/// Reads HTTP Basic (RFC 7617). Neither ids nor keys of ours hold characters that OAuth would have encoded.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    let bytes = STANDARD.decode(text.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, key) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((id.to_owned(), key.to_owned()))
}

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServiceToken")]
struct Issued {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until it ends.
    expires_in: i64,
    /// What it is good for, separated by spaces.
    scope: String,
}

async fn token(_: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Issued>, Problem> {
    let now = stack.clock().now();
    if ask.body.grant_type != "client_credentials" {
        return Err(refused("/grant_type", "unknown_value", "client_credentials is the only grant."));
    }
    let network = address_prefix(ask.whence.source);
    let wait = |spent: Spent| spent.refused(Code::TooManyAttempts);
    stack.draw(&format!("token#{network}"), Limit::TOKENS_PER_PREFIX).await?.map_err(wait)?;
    let (key, own) = prove(&stack, &ask, now).await?;
    let granted = match &ask.body.scope {
        None => own,
        Some(scope) => Permissions::from_scope(scope)
            .ok()
            .filter(|asked| !asked.is_empty() && own.contains_all(*asked))
            .ok_or_else(|| refused("/scope", "unknown_value", "Scopes of the key, separated by spaces."))?,
    };
    if key.network.as_ref().is_some_and(|last| *last != network) {
        moved(&stack, &ask.whence, &key, &network, now).await?;
    }
    // Noted before the token leaves: a key that is revoked at this moment issues none.
    if !stack.api_keys().used(&key, now, &network).await? {
        return Err(wrong());
    }
    let client = screensort_http::member::session_id(&key.owner, &key.id);
    let scope = granted.to_scope();
    let grant = ServiceGrant {
        client: &client,
        scope: &scope,
        // The key's own quota travels in the token: calls are counted before the key is read.
        calls_per_minute: key.calls_per_minute,
        calls_per_day: key.calls_per_day,
    };
    let (access_token, _) = stack.issuer().await?.service(&grant, now)?;
    Ok(Reply::ok(Issued { access_token, token_type: "Bearer", expires_in: LIFETIME.as_secs(), scope }))
}

/// Records that a key is used from another network than before: once for each network and day, so that a client
/// that goes out by several ways does not fill the trail.
async fn moved(
    stack: &Stack,
    whence: &Whence,
    key: &ApiKey,
    network: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    let trail = whence.trail(Event::KeyMoved, Some(&key.owner), Some(&key.id), now)?;
    let day = now.to_zoned(TimeZone::UTC).date().to_string();
    if stack.audit().once(&format!("{}#{}#{network}", Event::KeyMoved.name(), key.id), &day, &trail).await? {
        log(&trail);
    }
    Ok(())
}

/// The key that was shown, and what it may do now. Whatever is wrong with it is not said.
async fn prove(stack: &Stack, ask: &Ask, now: Timestamp) -> Result<(ApiKey, Permissions), Problem> {
    let body = &ask.body;
    let (id, secret) = match (&ask.basic, &body.client_id, &body.client_secret) {
        (Some(Some((id, key))), None, None) => (id, key),
        (None, Some(id), Some(key)) => (id, key),
        _ => return Err(wrong()),
    };
    let shown = secret.strip_prefix(MARK).and_then(|text| OneTimeToken::parse(text).ok());
    // An id that cannot be one is looked up like any other, so that it takes as long.
    let (owner, name) = split_session_id(id).unwrap_or(("-", "-"));
    let found = stack.api_keys().with_owner(owner, name).await?;
    let proven = match (&found, shown) {
        (Some((account, key)), Some(shown)) => {
            let own = allowed(&key.scopes).intersection(standing(account)?.permissions());
            let lives = now < key.expires_at && !account.disabled && !own.is_empty();
            (shown.hash(PURPOSE) == TokenHash::from_stored(&key.hash) && lives).then(|| (key.clone(), own))
        }
        _ => None,
    };
    if proven.is_none() {
        let target = found.as_ref().map(|(_, key)| key.id.as_str());
        stack.witness(&ask.whence.trail(Event::KeyRefused, None, target, now)?).await;
    }
    proven.ok_or_else(wrong)
}

fn wrong() -> Problem {
    Problem::new(Code::InvalidCredentials)
        .with_detail("No such client, or not its key.")
        .with_header(WWW_AUTHENTICATE, "Basic realm=\"screensort\"")
}

fn refused(pointer: &str, code: &'static str, detail: &str) -> Problem {
    let error = FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() };
    Problem::new(Code::InvalidBody).with_errors(vec![error])
}
