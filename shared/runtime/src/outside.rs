//! Services that are not AWS's, where the settings name one: a list of breached passwords, a site that verifies
//! challenges, a collector of traces. Nothing here knows what is asked about, and nothing of it is logged.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::{ClientConfig, RootCertStore};

use crate::{Stack, spans};

/// How long a service may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest answer that is read: the longest ranges have about 100 KB.
const LONGEST: usize = 1 << 20;

/// Why a service gave no answer. It never names what was asked.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The client could not be built.
    #[error("the client for services outside could not be built")]
    Setup,
    /// Nobody answered in time, or the connection broke.
    #[error("no answer")]
    Unanswered(#[source] reqwest::Error),
    /// It answered with another status than 200.
    #[error("the service answered {0}")]
    Status(u16),
    /// The answer is longer than any that makes sense, or no text.
    #[error("the answer is not what such a service answers")]
    Unreadable,
}

/// The client, built when it is first needed.
#[derive(Default)]
pub(crate) struct Outside(OnceLock<Option<reqwest::Client>>);

impl Outside {
    fn client(&self) -> Result<&reqwest::Client, OutsideError> {
        self.0.get_or_init(build).as_ref().ok_or(OutsideError::Setup)
    }
}

/// The public roots are compiled in: loading the system's would be most of a cold start.
fn build() -> Option<reqwest::Client> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let versions = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(versions.with_root_certificates(roots).with_no_client_auth())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .timeout(PATIENCE)
        .build()
        .ok()
}

impl Stack {
    /// What the service of breached passwords answers to the first five digits of one's SHA-1; `None` if no
    /// service is set.
    ///
    /// # Errors
    /// [`OutsideError`]; the caller decides whether that matters.
    pub async fn password_range(&self, prefix: &str) -> Result<Option<String>, OutsideError> {
        let Some(base) = self.settings().password_range_url.as_deref() else { return Ok(None) };
        let url = format!("{}/{prefix}", base.trim_end_matches('/'));
        // Padding: the answer's length tells a listener nothing.
        let ask = self.people().outside.client()?.get(url).header("add-padding", "true");
        told("password_range", "/{prefix}", text(ask)).await.map(Some)
    }

    /// What the site that verifies challenges answers to a visitor's `response`.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub async fn site_verdict(
        &self,
        url: &str,
        secret: &str,
        response: &str,
    ) -> Result<String, OutsideError> {
        let form = [("secret", secret), ("response", response)];
        let body = form.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
        let ask = self.people().outside.client()?.post(url);
        let ask = ask.header("content-type", "application/x-www-form-urlencoded").body(body);
        told("siteverify", "/", text(ask)).await
    }

    /// Gives a document of JSON to a service that has no answer for us.
    ///
    /// # Errors
    /// [`OutsideError`], at the latest after `patience`.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        document: String,
        patience: Duration,
    ) -> Result<(), OutsideError> {
        let ask = self.people().outside.client()?.post(url).timeout(patience);
        // A connection that sleeps with a function is dead more often than not when it is needed again.
        let ask = ask.header("connection", "close").header("content-type", "application/json");
        let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        text(ask.body(document)).await.map(drop)
    }
}

/// Notes in the trace how a service answered.
async fn told<T>(
    service: &'static str,
    route: &'static str,
    asking: impl Future<Output = Result<T, OutsideError>>,
) -> Result<T, OutsideError> {
    let began = Instant::now();
    let answer = asking.await;
    let (status, failure) = match &answer {
        Ok(_) => (200, None),
        Err(OutsideError::Status(status)) => (*status, Some("status")),
        Err(OutsideError::Unreadable) => (200, Some("unreadable")),
        Err(OutsideError::Setup | OutsideError::Unanswered(_)) => (0, Some("no_answer")),
    };
    spans::called(service, route, status, failure, began.elapsed());
    answer
}

async fn text(ask: reqwest::RequestBuilder) -> Result<String, OutsideError> {
    let unanswered = |error: reqwest::Error| OutsideError::Unanswered(error.without_url());
    let mut answer = ask.send().await.map_err(unanswered)?;
    if answer.status().as_u16() != 200 {
        return Err(OutsideError::Status(answer.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(OutsideError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| OutsideError::Unreadable)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
