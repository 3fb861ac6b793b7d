//! Calls that create something and may be sent again: `Idempotency-Key`.
//!
//! The first answer to a key is kept for a day and given again. What decides is who calls, on which route, and
//! with which key; the rest of the call (path, query, body) has to be the same.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};
use ring::digest::{Context, SHA256};
use screensort_routes::Route;
use screensort_store::{Begun, Call, Kept};

use crate::endpoint::Rendered;
use crate::{Code, FieldError, Gate, Incoming, Problem};

/// The caller's key: any word of their own, new for everything that they want to be done.
pub const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that the answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in bytes.
const LONGEST: usize = 255;
/// The largest body that is kept: an item of the store takes 400 KB.
const LARGEST: usize = 300_000;

/// What is kept of an operation's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing: the operation is what it is, however often it is called.
    Nothing,
    /// The first answer.
    Answers,
    /// That it was done: the answer carries a secret that is shown once.
    Secrets,
}

/// Where a call stands before its handler.
pub(crate) enum Once {
    /// It is done, and nobody asks for more.
    Plain,
    /// It is the first with its key.
    First(Call),
    /// It was done before.
    Again(Rendered),
}

/// Finds out where `request` stands. Only somebody who is known can keep keys apart from others'.
///
/// # Errors
/// 400 for what is no key; 422 `idempotency_key_reused`, 409 `already_done` or `in_progress`.
pub(crate) async fn begin<C: Gate>(
    keeping: Keeping,
    route: &'static Route,
    request: &Incoming,
    account: Option<&str>,
    context: &C,
) -> Result<Once, Problem> {
    if keeping == Keeping::Nothing {
        return Ok(Once::Plain);
    }
    let (Some(key), Some(account)) = (key(request)?, account) else { return Ok(Once::Plain) };
    let call = Call {
        account: account.to_owned(),
        route: format!("{} {}", route.method, route.path),
        key: hash(&[key.as_bytes()]),
        print: fingerprint(request),
        holder: request.request_id.clone(),
    };
    match context.begin(&call).await? {
        Begun::First => Ok(Once::First(call)),
        Begun::Done(kept) => Ok(Once::Again(rendered(kept))),
        Begun::Forgotten => Err(Problem::new(Code::AlreadyDone)),
        Begun::Running(seconds) => {
            Err(Problem::new(Code::InProgress).with_header(RETRY_AFTER, &seconds.min(5).to_string()))
        }
        Begun::Other => Err(Problem::new(Code::IdempotencyKeyReused)),
    }
}

/// Notes how the first call ended. What was created stands, whether that can be noted or not.
pub(crate) async fn end<C: Gate>(
    keeping: Keeping,
    call: &Call,
    result: &Result<Rendered, Problem>,
    context: &C,
) {
    match result {
        Ok(answer) if keeping == Keeping::Answers && answer.bytes.len() <= LARGEST => {
            context.end(call, Some(Some(&kept(answer)))).await;
        }
        Ok(_) => context.end(call, Some(None)).await,
        Err(_) => context.end(call, None).await,
    }
}

/// The key; `None` without one.
fn key(request: &Incoming) -> Result<Option<&str>, Problem> {
    if !request.headers.contains_key(KEY_HEADER) {
        return Ok(None);
    }
    let fits =
        |key: &&str| (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    match request.header(KEY_HEADER.as_str()).filter(fits) {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::new(Code::BadParameter).with_errors(vec![FieldError {
            pointer: "/Idempotency-Key".to_owned(),
            code: "invalid",
            detail: "Given once: 1 to 255 visible ASCII characters.".to_owned(),
        }])),
    }
}

/// The hash of all that the call says: the path, the query, the body.
fn fingerprint(request: &Incoming) -> String {
    let mut parts: Vec<&[u8]> = vec![request.path.as_bytes()];
    for (name, value) in &request.query {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    parts.push(&request.body);
    hash(&parts)
}

fn hash(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        // The length goes first, so that no two lists of parts read the same.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}

fn kept(answer: &Rendered) -> Kept {
    let headers = answer.headers.iter().filter(|(name, _)| *name != SET_COOKIE);
    Kept {
        status: answer.status.as_u16(),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
        content_type: answer.content_type.to_owned(),
        body: answer.bytes.to_vec(),
    }
}

fn rendered(kept: Kept) -> Rendered {
    let header = |(name, value): &(String, String)| Some((name.parse().ok()?, value.parse().ok()?));
    let mut headers: Vec<(HeaderName, HeaderValue)> = kept.headers.iter().filter_map(header).collect();
    headers.push((REPLAYED, HeaderValue::from_static("true")));
    Rendered {
        status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::CREATED),
        headers,
        // Only JSON is ever created: files are read.
        content_type: "application/json; charset=utf-8",
        policy: None,
        bytes: kept.body.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::tests::get;

    fn with(keys: &[&str]) -> Incoming {
        let mut request = get("/links", &[]);
        for key in keys {
            request.headers.append(KEY_HEADER, key.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_key_is_one_word_of_visible_characters() {
        assert_eq!(key(&with(&[])).unwrap(), None);
        assert_eq!(key(&with(&["a-1"])).unwrap(), Some("a-1"));
        assert!(key(&with(&[&"k".repeat(255)])).is_ok());
        let long = "k".repeat(256);
        for bad in [vec![""], vec!["a b"], vec![long.as_str()], vec!["a", "b"]] {
            assert_eq!(key(&with(&bad)).unwrap_err().code(), Code::BadParameter, "{bad:?}");
        }
    }

    #[test]
    fn whatever_differs_is_another_call() {
        let mut one = get("/links", &[("a", "b")]);
        let other = get("/links", &[("ab", "")]);
        assert_ne!(fingerprint(&one), fingerprint(&other));
        let before = fingerprint(&one);
        one.request_id = "another".into();
        assert_eq!(fingerprint(&one), before);
        one.body = "{}".into();
        assert_ne!(fingerprint(&one), before);
    }
}
