//! One request and its answer: sending, the status, and a body that is neither too large nor something else.

use std::{io::Read as _, time::Duration};

use flate2::read::GzDecoder;
use reqwest::{
    Response,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderName,
        HeaderValue, RETRY_AFTER,
    },
};
use url::Url;

use crate::{Error, backoff};

/// The longest error body that is read.
const ERROR_BODY: usize = 64 << 10;

/// What to ask.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) route: &'static str,
    pub(crate) url: Url,
    /// The `Authorization` header; exports are asked for without.
    pub(crate) key: Option<HeaderValue>,
    pub(crate) accept: &'static str,
    pub(crate) encoding: &'static str,
}

/// What the log says of an exchange, filled in as it goes, so that a time-out can be told from silence.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The HTTP status; 0 when there was none.
    pub(crate) status: u16,
    /// Bytes of body received, as sent.
    pub(crate) bytes: u64,
}

/// A complete answer: a 200, or a 404 whose meaning the route decides.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Sends a question and waits for the answer's head.
pub(crate) async fn send(http: &reqwest::Client, ask: &Ask, seen: &mut Seen) -> Result<Response, Error> {
    let mut request =
        http.get(ask.url.clone()).header(ACCEPT, ask.accept).header(ACCEPT_ENCODING, ask.encoding);
    if let Some(key) = &ask.key {
        request = request.header(AUTHORIZATION, key.clone());
    }
    let response = request.send().await.map_err(|error| transport(ask.route, error))?;
    seen.status = response.status().as_u16();
    Ok(response)
}

/// Sends a question and reads the answer, at most `limit` bytes of it.
pub(crate) async fn exchange(
    http: &reqwest::Client,
    ask: &Ask,
    limit: usize,
    seen: &mut Seen,
) -> Result<Answer, Error> {
    let route = ask.route;
    let mut response = send(http, ask, seen).await?;
    let status = seen.status;
    match status {
        200 | 404 => {
            content_type(route, &response, &["application/json"])?;
            let encoded = gzipped(route, &response)?;
            let body = body(route, &mut response, limit, seen).await?;
            Ok(Answer { status, body: if encoded { unpack(route, &body, limit)? } else { body } })
        }
        401 | 403 => Err(Error::KeyRejected { status }),
        429 => Err(Error::Throttled { retry_after: pause(&response) }),
        408 | 500..=599 => Err(Error::Unavailable { route, status }),
        _ => {
            let body = body(route, &mut response, ERROR_BODY, seen).await.unwrap_or_default();
            Err(Error::Refused { route, status, code: status_code(&body) })
        }
    }
}

/// TMDb's own code in an error body. Some old bodies lack `success`, so it is not looked at.
pub(crate) fn status_code(body: &[u8]) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Body {
        status_code: u32,
    }
    serde_json::from_slice::<Body>(body).ok().map(|body| body.status_code)
}

/// Checks that an answer says it is one of these types; parameters are ignored.
pub(crate) fn content_type(route: &'static str, response: &Response, accepted: &[&str]) -> Result<(), Error> {
    let said = header(response, &CONTENT_TYPE).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if accepted.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted)) {
        return Ok(());
    }
    Err(Error::BadAnswer { route, why: format!("its content type is not {}", accepted[0]) })
}

/// The pause a 429 asks for: never less than a second, never more than a day.
pub(crate) fn pause(response: &Response) -> Duration {
    header(response, &RETRY_AFTER)
        .and_then(|value| backoff::retry_after(value, header(response, &DATE)))
        .unwrap_or_default()
        .clamp(backoff::LEAST_PAUSE, backoff::LONGEST_PAUSE)
}

fn header<'r>(response: &'r Response, name: &HeaderName) -> Option<&'r str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

fn gzipped(route: &'static str, response: &Response) -> Result<bool, Error> {
    match header(response, &CONTENT_ENCODING) {
        None | Some("" | "identity") => Ok(false),
        Some("gzip") => Ok(true),
        Some(_) => Err(Error::BadAnswer { route, why: "its content encoding was not asked for".to_owned() }),
    }
}

async fn body(
    route: &'static str,
    response: &mut Response,
    limit: usize,
    seen: &mut Seen,
) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge { route, limit: limit as u64 };
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(too_large());
    }
    // Announced or not, memory grows with what has really arrived.
    let mut body = Vec::with_capacity((announced as usize).min(64 << 10));
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(route, error))? {
        seen.bytes += chunk.len() as u64;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unpack(route: &'static str, packed: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    // One byte more than allowed tells "exactly at the cap" from "beyond".
    match GzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut body) {
        Ok(_) if body.len() > limit => Err(Error::TooLarge { route, limit: limit as u64 }),
        Ok(_) => Ok(body),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Error::Truncated { route, source: None })
        }
        Err(_) => Err(Error::BadAnswer { route, why: "its compression is broken".to_owned() }),
    }
}

/// The connection broke before the answer's head.
fn transport(route: &'static str, error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut { route };
    }
    Error::Transport { route, source: error.without_url() }
}

/// The connection broke inside the body.
pub(crate) fn broken(route: &'static str, error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut { route };
    }
    Error::Truncated { route, source: Some(error.without_url()) }
}
