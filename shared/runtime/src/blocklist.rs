//! The blocklist in memory, and what is noted of callers for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use screensort_auth::probe::is_probe;
use screensort_auth::suspects::{forgotten_at, window};
use screensort_http::{Answer, Incoming};
use screensort_model::Network;
use screensort_store::{Blocked, Blocklist, Meter, Seen};

use crate::Stack;

/// How long the list in memory is believed.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How long a request waits for a newer one.
const PATIENCE: Duration = Duration::from_secs(1);
/// So many deeds are noted together.
const TOGETHER: u32 = 5;
/// The most networks of which something is noted at once.
const MOST: usize = 10_000;
/// The most of a body that is looked at.
const LOOKED_AT: usize = 2_048;

/// What a process knows.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    list: tokio::sync::Mutex<List>,
    seen: Mutex<HashMap<Network, Seen>>,
}

#[derive(Debug, Default)]
struct List {
    checked_at: Option<Timestamp>,
    entries: Arc<Vec<Blocked>>,
}

/// What of a request its deeds depend on, taken before it is answered.
pub(crate) struct Suspicion {
    source: IpAddr,
    /// Whether it carries what is meant for an interpreter.
    pub(crate) is_probe: bool,
    /// Whether a page of another site made a browser send it: whoever sits before that browser did nothing.
    is_led: bool,
    tried: Option<u16>,
}

impl Suspicion {
    pub(crate) fn of(request: &Incoming) -> Self {
        let body = &request.body[..request.body.len().min(LOOKED_AT)];
        let body = String::from_utf8_lossy(body);
        let query = request.query.iter().any(|(name, value)| is_probe(name) || is_probe(value));
        Self {
            source: request.source,
            is_probe: query || is_probe(&request.path) || is_probe(&body),
            is_led: is_led(request),
            // The whole of it, whatever it is padded with: the gateway lets no more through than the route takes.
            tried: (request.path == "/login").then(|| mark(&request.body)),
        }
    }

    /// What the answer makes of it; `None` for what is nobody's business.
    fn deeds(&self, answer: &Answer) -> Option<Seen> {
        let status = answer.status.as_u16();
        let mut seen = Seen::default();
        match (answer.problem, status) {
            // Who is shut out already makes it no worse.
            (Some("blocked"), _) => return None,
            _ if self.is_led => return None,
            (Some("invalid_credentials" | "challenge_required" | "too_many_attempts"), _) => {
                seen.logins = 1;
                seen.accounts = self.tried.into_iter().collect();
            }
            (_, 401 | 403) => seen.refused = 1,
            _ => {}
        }
        if self.is_probe && (400..500).contains(&status) {
            seen.probes = 1;
        }
        (seen != Seen::default()).then_some(seen)
    }
}

/// Whether a page of another site may have made a browser send it. Such a page sends JSON only where it is allowed to
/// (browsers ask first), so whoever tries passwords is never excused by it.
fn is_led(request: &Incoming) -> bool {
    let foreign = matches!(request.header("sec-fetch-site"), Some("cross-site" | "same-site"));
    let json =
        request.header("content-type").is_some_and(|kind| kind.trim_start().starts_with("application/json"));
    foreign && (request.method == Method::GET || !json)
}

/// A few bits of whom a login names: enough to count different ones, too few to tell who.
fn mark(body: &[u8]) -> u16 {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let name = ["email", "username"].into_iter().find_map(|field| body.get(field)?.as_str());
    let digest = ring::digest::digest(
        &ring::digest::SHA256,
        name.unwrap_or_default().trim().to_lowercase().as_bytes(),
    );
    u16::from_be_bytes([digest.as_ref()[0], digest.as_ref()[1]]) & 0x0FFF
}

impl Stack {
    /// The blocklist.
    pub fn blocklist(&self) -> Blocklist {
        let (client, table) = self.auth_table();
        Blocklist::new(client, table, self.trail_table())
    }

    /// Makes the next request look for a newer list at once.
    pub async fn blocklist_changed(&self) {
        self.edge().watched.list.lock().await.checked_at = None;
    }

    /// Whether `source` is shut out. The list is read at most once a minute; that read is nobody's: it is not
    /// counted among a request's. Without a store the list stays as it was.
    pub(crate) async fn is_blocked(&self, source: IpAddr) -> bool {
        let now = self.clock().now();
        let entries = {
            let mut list = self.edge().watched.list.lock().await;
            if list.checked_at.is_none_or(|at| now.duration_since(at) >= FRESH) {
                list.checked_at = Some(now);
                let blocklist = self.blocklist();
                let reading = Box::pin(Meter::watch(blocklist.all()));
                match tokio::time::timeout(PATIENCE, reading).await {
                    Ok((Ok(entries), _)) => list.entries = Arc::new(entries),
                    Ok((Err(error), _)) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(name: "blocklist.unread", error, "the blocklist stays as it was");
                    }
                    Err(_) => tracing::warn!(name: "blocklist.unread", "the blocklist stays as it was"),
                }
            }
            Arc::clone(&list.entries)
        };
        entries.iter().any(|entry| entry.cidr.contains(source) && entry.is_live(now))
    }

    /// Notes what a request and its answer say of the caller.
    pub(crate) async fn suspect(&self, suspicion: &Suspicion, answer: &Answer) {
        if let Some(seen) = suspicion.deeds(answer) {
            self.note_deeds(suspicion.source, seen).await;
        }
    }

    /// Notes that a caller asked for a route that does not exist. The gateway knows; functions never see it.
    pub async fn suspect_scan(&self, source: IpAddr) {
        self.note_deeds(source, Seen { unknown: 1, ..Seen::default() }).await;
    }

    /// Deeds are noted in memory, and in the table a few at a time: who misbehaves a lot costs a write in five.
    async fn note_deeds(&self, source: IpAddr, seen: Seen) {
        let Some(network) = Network::of_customer(source) else { return };
        let due = {
            let mut all = self.edge().watched.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MOST {
                all.clear();
            }
            let noted = all.entry(network).or_default();
            noted.logins += seen.logins;
            noted.refused += seen.refused;
            noted.probes += seen.probes;
            noted.unknown += seen.unknown;
            noted.accounts.extend(
                seen.accounts
                    .iter()
                    .filter(|mark| !noted.accounts.contains(mark))
                    .copied()
                    .collect::<Vec<_>>(),
            );
            let sum = noted.logins + noted.refused + noted.probes + noted.unknown;
            if sum >= TOGETHER { all.remove(&network) } else { None }
        };
        let Some(due) = due else { return };
        let number = window(self.clock().now());
        let blocklist = self.blocklist();
        let noting = Box::pin(Meter::watch(blocklist.suspect(&network, number, forgotten_at(number), &due)));
        if let Ok((Err(error), _)) = tokio::time::timeout(PATIENCE, noting).await {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(name: "suspect.unnoted", error, "what a caller did could not be noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_names_apart_and_not_who_they_are() {
        let of = |name: &str| mark(format!("{{\"email\": \"{name}\", \"password\": \"x\"}}").as_bytes());
        assert_eq!(of("Ann@example.org"), of("ann@example.org "));
        assert_ne!(of("ann@example.org"), of("bob@example.org"));
        assert!(of("ann@example.org") < 0x1000);
        assert_eq!(mark(b"not json"), mark(b"{}"));
    }

    #[test]
    fn a_padded_login_is_marked_by_whom_it_names_and_a_led_browser_did_nothing() {
        let request = |method: Method, path: &str, body: String, site: Option<&str>| Incoming {
            method,
            path: path.to_owned(),
            path_parameters: Vec::new(),
            query: vec![("x".to_owned(), "<script>alert(1)</script>".to_owned())],
            headers: site
                .map(|site| (http::HeaderName::from_static("sec-fetch-site"), site.parse().unwrap()))
                .into_iter()
                .collect(),
            body: body.into(),
            source: [203, 0, 113, 7].into(),
            request_id: "request".to_owned(),
            checked: Default::default(),
        };
        let padded = |name: &str| format!("{{{}\"email\": \"{name}\"}}", " ".repeat(4_000));
        let tried = |name: &str| Suspicion::of(&request(Method::POST, "/login", padded(name), None)).tried;
        assert_ne!(tried("ann@example.org"), tried("bob@example.org"));
        let answer = |status: u16| Answer {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            problem: Some("unauthorized"),
            cause: None,
        };
        let sites = [
            (None, true),
            (Some("same-origin"), true),
            (Some("same-site"), false),
            (Some("cross-site"), false),
        ];
        // A page cannot have a browser send JSON to another site without asking that site first.
        for (method, kind) in [
            (Method::GET, None),
            (Method::POST, Some("text/plain")),
            (Method::POST, Some("application/json")),
        ] {
            for (site, counts) in sites {
                let mut led = request(method.clone(), "/genres", String::new(), site);
                let json = kind == Some("application/json");
                if let Some(kind) = kind {
                    led.headers.insert("content-type", kind.parse().unwrap());
                }
                let suspicion = Suspicion::of(&led);
                assert!(suspicion.is_probe);
                assert_eq!(
                    suspicion.deeds(&answer(401)).is_some(),
                    counts || json,
                    "{method} {kind:?} {site:?}"
                );
                assert_eq!(
                    suspicion.deeds(&answer(400)).is_some(),
                    counts || json,
                    "{method} {kind:?} {site:?}"
                );
            }
        }
    }
}
