//! What the caller decides: addresses, the key, and how polite, patient and bounded the client is.

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use crate::Error;

/// TMDb's API read access token. It never prints, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Wraps a token. Surrounding white space, which secrets pasted by people tend to have, is dropped.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(SecretString::from(token.trim()))
    }

    /// The `Authorization` header, marked as sensitive so that no HTTP layer prints it.
    pub(crate) fn header(&self) -> Result<reqwest::header::HeaderValue, Error> {
        let token = self.0.expose_secret();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::KeyMissing);
        }
        let bearer = SecretString::from(format!("Bearer {token}"));
        let mut value =
            reqwest::header::HeaderValue::from_str(bearer.expose_secret()).map_err(|_| Error::KeyMissing)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// How fast the client may be.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// Requests per second in the long run. TMDb allows about 40.
    pub per_second: u32,
    /// Requests that may leave at once after a quiet moment.
    pub burst: u32,
    /// Requests in flight at a time.
    pub concurrent: u32,
    /// The longest pause TMDb may impose. A longer one is [`Error::Throttled`] at once: whoever runs the job decides.
    pub max_pause: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { per_second: 20, burst: 8, concurrent: 8, max_pause: Duration::from_secs(60) }
    }
}

/// How patient the client is.
#[derive(Clone, Copy, Debug)]
pub struct Persistence {
    /// Tries per call, the first one included.
    pub tries: u32,
    /// The first back-off; it doubles from try to try. Half of it is fixed, half random.
    pub backoff: Duration,
    /// The longest back-off.
    pub max_backoff: Duration,
    /// Time to open a connection.
    pub connect_timeout: Duration,
    /// Time for one try, from sending to the answer's last byte.
    pub timeout: Duration,
    /// Time for a whole export.
    pub export_timeout: Duration,
    /// Consecutive failures that open the circuit breaker.
    pub breaker_failures: u32,
    /// How long the breaker stays open before one probe is let through.
    pub breaker_rest: Duration,
}

impl Default for Persistence {
    fn default() -> Self {
        Self {
            tries: 4,
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            export_timeout: Duration::from_secs(600),
            breaker_failures: 10,
            breaker_rest: Duration::from_secs(30),
        }
    }
}

/// Caps in bytes. For answers they hold both as sent and decompressed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A film's details. The largest recorded composite has 375 KB.
    pub detail: usize,
    /// Any list, page or error body.
    pub list: usize,
    /// An export as sent.
    pub export: u64,
    /// An export decompressed.
    pub export_unpacked: u64,
    /// One line of an export.
    pub export_line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            detail: 4 << 20,
            list: 1 << 20,
            export: 256 << 20,
            export_unpacked: 1 << 30,
            export_line: 16 << 10,
        }
    }
}

/// Everything a [`Client`](crate::Client) needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The API's address with its version, `https://api.themoviedb.org/3`. Plain `http` only on loopback.
    pub base_url: String,
    /// The exports' folder, `https://files.tmdb.org/p/exports`. Plain `http` only on loopback.
    pub exports_base_url: String,
    /// The API read access token.
    pub token: Token,
    /// A label for the key in use, for instance a secret's version id. It is logged: it must not be secret.
    pub key_version: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// How fast.
    pub pacing: Pacing,
    /// How patient.
    pub persistence: Persistence,
    /// How much.
    pub limits: Limits,
    /// Requests this run may send, retries included; `None` for no limit.
    pub budget: Option<u32>,
    /// Whether [`Client::movie`](crate::Client::movie) asks for translations as well (about 60 KB more an answer).
    pub translations: bool,
    /// Seed of the back-off's jitter; `None` takes one from the system.
    pub jitter_seed: Option<u64>,
    /// Who is told of each request when it has ended, beside the log.
    pub told: Option<fn(&Told)>,
}

/// A request that has ended, as the log has it: nothing that was sent, nothing that TMDb sent.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The route as a template.
    pub route: &'static str,
    /// The status; 0 if there was no answer.
    pub status: u16,
    /// Why it failed, in a word.
    pub failure: Option<&'static str>,
    /// How long it took.
    pub took: Duration,
}

impl Config {
    /// TMDb's own addresses and the default politeness.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            base_url: "https://api.themoviedb.org/3".to_owned(),
            exports_base_url: "https://files.tmdb.org/p/exports".to_owned(),
            token,
            key_version: None,
            user_agent: concat!("ScreenSort/", env!("CARGO_PKG_VERSION")).to_owned(),
            pacing: Pacing::default(),
            persistence: Persistence::default(),
            limits: Limits::default(),
            budget: None,
            translations: false,
            jitter_seed: None,
            told: None,
        }
    }
}

/// Checks an address: `https`, or `http` on loopback; no user, query or fragment. The answer has no trailing slash.
pub(crate) fn endpoint(address: &str) -> Result<Url, Error> {
    let refuse = |why| Error::BadAddress { why };
    let mut url = Url::parse(address).map_err(|_| refuse("not a URL"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(refuse("no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(refuse("plain http is for loopback only")),
        _ => return Err(refuse("neither https nor http")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it names a user"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in
            ["https://api.themoviedb.org/3", "http://127.0.0.1:8/3/", "http://[::1]/3", "http://localhost:1"]
        {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.themoviedb.org/3",
            "http://127.0.0.1.example.org/3",
            "http://localhost.example.org/3",
            "https://me:secret@api.themoviedb.org/3",
            "https://api.themoviedb.org/3?api_key=x",
            "file:///etc/passwd",
            "api.themoviedb.org",
            "",
        ] {
            assert!(matches!(endpoint(bad), Err(Error::BadAddress { .. })), "{bad}");
        }
    }

    #[test]
    fn a_token_never_prints_and_an_impossible_one_is_missing() {
        let config = Config::new(Token::new(" planted-secret\n"));
        assert!(!format!("{config:?}").contains("planted"));
        assert!(!format!("{:?}", config.token.header()).contains("planted"));
        for bad in ["", "  ", "two words", "caf\u{e9}", "line\nbreak"] {
            assert!(matches!(Token::new(bad).header(), Err(Error::KeyMissing)), "{bad:?}");
        }
    }
}
