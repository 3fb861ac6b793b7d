//! The client itself: built once, shared by clones, and the loop that tries again.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::header::HeaderValue;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::{
    Config, Error, Limits, Persistence, Told,
    backoff::Backoff,
    breaker::{Admission, Breaker, millis},
    budget::Budget,
    config::endpoint,
    exchange::{Answer, Ask, Seen, exchange},
    pace::{Pace, wait_until},
};

/// A client of TMDb. Clones are cheap and share connections, pace, pause, breaker and budget.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    budget: Arc<Budget>,
}

pub(crate) struct Shared {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) exports: Url,
    pub(crate) key: HeaderValue,
    pub(crate) limits: Limits,
    pub(crate) persistence: Persistence,
    pub(crate) translations: bool,
    key_version: String,
    pace: Pace,
    breaker: Breaker,
    backoff: Backoff,
    told: Option<fn(&Told)>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.shared.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds a client. Nothing is sent; [`Client::check_key`] does that.
    ///
    /// TLS is rustls over `ring` and trusts the public roots compiled in, whatever the machine trusts. Redirects and
    /// proxies are not followed: the key goes to the configured host or nowhere.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::BadAddress`] or [`Error::Setup`].
    pub fn new(config: Config) -> Result<Self, Error> {
        let base = endpoint(&config.base_url)?;
        let exports = endpoint(&config.exports_base_url)?;
        let key = config.token.header()?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .https_only(base.scheme() == "https" && exports.scheme() == "https")
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(&config.user_agent)
            .connect_timeout(config.persistence.connect_timeout)
            .pool_max_idle_per_host(config.pacing.concurrent as usize)
            .build()
            .map_err(|error| Error::Setup(error.into()))?;
        let shared = Shared {
            http,
            base,
            exports,
            key,
            limits: config.limits,
            persistence: config.persistence,
            translations: config.translations,
            key_version: crate::text::line(config.key_version.as_deref().unwrap_or_default(), 64),
            pace: Pace::new(&config.pacing),
            breaker: Breaker::new(config.persistence.breaker_failures, config.persistence.breaker_rest),
            backoff: Backoff::new(&config.persistence, config.jitter_seed),
            told: config.told,
        };
        Ok(Self { shared: Arc::new(shared), budget: Arc::new(Budget::new(config.budget)) })
    }

    /// The same client with a budget of its own: what a job takes at the start of each run.
    #[must_use]
    pub fn with_budget(&self, requests: u32) -> Self {
        Self { shared: Arc::clone(&self.shared), budget: Arc::new(Budget::new(Some(requests))) }
    }

    /// Requests left in this run's budget; `None` without a limit.
    #[must_use]
    pub fn budget_left(&self) -> Option<u32> {
        self.budget.left()
    }

    /// Asks until there is an answer that `read` accepts, or an error that another try would not cure.
    pub(crate) async fn fetch<T>(
        &self,
        ask: &Ask,
        limit: usize,
        read: impl Fn(&Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut attempt = Attempt::first();
        loop {
            let leave = self.leave(&mut attempt).await?;
            let started = Instant::now();
            let mut seen = Seen::default();
            let asked = exchange(&self.shared.http, ask, limit, &mut seen);
            let result = timeout(self.shared.persistence.timeout, asked)
                .await
                .unwrap_or(Err(Error::TimedOut { route: ask.route }))
                .and_then(|answer| read(&answer));
            self.report(ask.route, attempt.number, started.elapsed(), &seen, result.as_ref().err());
            leave.settle(result.as_ref().err());
            match result {
                Ok(answer) => return Ok(answer),
                Err(error) => self.recover(&mut attempt, error).await?,
            }
        }
    }

    /// Waits for pace, breaker and budget, in this order: a budget is not spent on a request that does not leave.
    pub(crate) async fn leave(&self, attempt: &mut Attempt) -> Result<Leave<'_>, Error> {
        let permit = self.shared.pace.admit().await?;
        // When the breaker opens between two tries, the last failure says more than "open".
        let admission = self.shared.breaker.admit().map_err(|open| attempt.last.take().unwrap_or(open))?;
        self.budget.take()?;
        Ok(Leave { _permit: permit, admission })
    }

    /// Waits before the next try, or gives the error back when there is none.
    pub(crate) async fn recover(&self, attempt: &mut Attempt, error: Error) -> Result<(), Error> {
        let backoff = self.shared.backoff.after(attempt.number);
        if let Error::Throttled { retry_after } = error {
            // The pause holds for every caller, whether this one tries again or not.
            self.shared.pace.pause(retry_after.max(backoff));
        }
        if !error.is_transient() || attempt.number >= self.shared.persistence.tries {
            return Err(error);
        }
        if !matches!(error, Error::Throttled { .. }) {
            wait_until(Instant::now() + backoff, "backoff").await;
        }
        attempt.number += 1;
        attempt.last = Some(error);
        Ok(())
    }

    /// Logs one request, and tells whoever wants to know. The route is a template; nothing TMDb sent is repeated.
    pub(crate) fn report(
        &self,
        route: &'static str,
        attempt: u32,
        took: Duration,
        seen: &Seen,
        error: Option<&Error>,
    ) {
        let (status, bytes, duration_ms) = (seen.status, seen.bytes, millis(took));
        let key_version = self.shared.key_version.as_str();
        if let Some(told) = self.shared.told {
            told(&Told { route, status, failure: error.map(Error::outcome), took });
        }
        match error {
            None => tracing::info!(
                name: "tmdb.request", route, status, duration_ms, bytes, attempt, key_version, outcome = "ok",
                "tmdb.request"
            ),
            Some(error) => tracing::warn!(
                name: "tmdb.request", route, status, duration_ms, bytes, attempt, key_version,
                outcome = error.outcome(), "tmdb.request"
            ),
        }
        if matches!(error, Some(Error::KeyRejected { .. })) {
            tracing::error!(name: "tmdb.key_rejected", route, status, key_version, "tmdb.key_rejected");
        }
    }
}

/// Which try of a call this is, and how the one before ended.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    last: Option<Error>,
}

impl Attempt {
    pub(crate) fn first() -> Self {
        Self { number: 1, last: None }
    }
}

/// Leave to send one request; holds its place in flight.
pub(crate) struct Leave<'a> {
    _permit: tokio::sync::SemaphorePermit<'a>,
    admission: Admission<'a>,
}

impl Leave<'_> {
    /// Tells the breaker how it went. A 429 says nothing about health.
    pub(crate) fn settle(self, error: Option<&Error>) {
        match error {
            Some(Error::Throttled { .. }) => {}
            Some(error) => self.admission.settle(!error.is_ill_health()),
            None => self.admission.settle(true),
        }
    }
}

fn tls() -> Result<ClientConfig, Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Setup(error.into()))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
