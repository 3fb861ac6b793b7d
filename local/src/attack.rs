//! `screensort attack`: attacks on a server of this machine, so that whoever is on call has seen what each looks like
//! before it happens. Only loopback addresses are attacked.

use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::tz::TimeZone;
use reqwest::{Client, Method, StatusCode, Url};
use screensort_http::Authority;
use screensort_runtime::Stack;
use serde_json::{Value, json};

use crate::command::Failure;

/// The password of the accounts that an attack makes for itself.
const PASSWORD: &str = "Violet-kettle7 hums";
/// Where the attacker of each kind comes from: a network of its own, so that one that is shut out does not hide the next
/// (benchmarking networks, RFC 2544).
fn source(kind: Kind) -> String {
    format!("198.18.{}.7", kind as u8 + 1)
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A list of stolen names and passwords from one network: threat.credentials.stuffed.
    Stuffing,
    /// One common password on many accounts from many networks: threat.passwords.sprayed.
    Spraying,
    /// One account guessed again and again: threat.account.brute_forced.
    BruteForce,
    /// A plain user at every administrator's door: threat.privilege.attempted.
    Escalation,
    /// Statements and scripts in searches: threat.injection.probed.
    Injection,
    /// The catalogue read over the quota, minute after minute; takes five: threat.catalogue.scraped.
    Scraping,
    /// One account changes very much; takes two minutes: threat.data.mass_changed.
    MassChange,
    /// Many people take copies of their data from one network: threat.people.exported.
    Exports,
    /// Routes that do not exist: the network is shut out.
    Scan,
    /// Many people ask to be forgotten from one network: threat.people.deleted.
    Deletions,
    /// API keys are guessed from one network: threat.keys.abused.
    Keys,
    /// Somebody signs in as a person who is signed in elsewhere: threat.login.displaced.
    Displaced,
    /// A record of the trail is changed in this machine's table, while the server is stopped: audit verify names it.
    Tamper,
}

/// An attacker's view of a server.
struct Attack {
    client: Client,
    url: String,
    /// Where the attacker comes from.
    source: String,
    /// Distinguishes the accounts of one run from those of another.
    run: String,
}

struct Answer {
    status: StatusCode,
    body: Value,
}

/// The server's address, if it is on this machine; the API is under /v1, whether or not it was said.
fn loopback(url: &str) -> Result<Url, Failure> {
    let refused =
        || Failure::new("only a server on this machine may be attacked: --url http://127.0.0.1:3000/v1");
    let mut url: Url = url.trim_end_matches('/').parse().map_err(|_| refused())?;
    if url.path() == "/" {
        url.set_path("/v1");
    }
    let is_ours = match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    };
    if is_ours && url.scheme() == "http" && url.username().is_empty() { Ok(url) } else { Err(refused()) }
}

/// Attacks, has the server look at once, and says what it found.
///
/// # Errors
/// If the address is not of this machine, or nothing answers there.
pub(crate) async fn run(kind: Kind, url: &str, detect: bool) -> Result<String, Failure> {
    let url = loopback(url)?;
    // The client wants to know how to speak TLS even where it does not. A second installation changes nothing.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()?;
    let run = ulid::Ulid::new().to_string().to_lowercase()[16..].to_owned();
    let attack = Attack { client, url: url.to_string(), source: source(kind), run };
    attack.ask(Method::GET, "/health", &attack.source, None, Value::Null).await?;
    let mut lines = vec![match kind {
        Kind::Stuffing => attack.stuffing().await?,
        Kind::Spraying => attack.spraying().await?,
        Kind::BruteForce => attack.brute_force().await?,
        Kind::Escalation => attack.escalation().await?,
        Kind::Injection => attack.injection().await?,
        Kind::Scraping => attack.scraping().await?,
        Kind::MassChange => attack.mass_change().await?,
        Kind::Exports => attack.exports().await?,
        Kind::Scan => attack.scan().await?,
        Kind::Deletions => attack.deletions().await?,
        Kind::Keys => attack.keys().await?,
        Kind::Displaced => attack.displaced().await?,
        Kind::Tamper => return Err(Failure::new("a table is tampered with at rest: stop the server first")),
    }];
    if detect {
        for job in ["capture_changes", "detect", "feed_blocklist"] {
            let answer = attack.local(Method::POST, &format!("/_local/jobs/{job}")).await?;
            lines.push(format!("{job}: {answer}"));
        }
    }
    lines.push(format!("Look: curl '{}/_local/events?event=threat.'", attack.url));
    Ok(lines.join("\n"))
}

/// Changes who did what, in the newest record of the trail that is in the chain, as only somebody with the keys to the
/// table could.
///
/// # Errors
/// If the table fails or has no such record.
pub(crate) async fn tamper(stack: &Stack) -> Result<String, Failure> {
    let (audit, today) = (stack.audit(), stack.clock().now().to_zoned(TimeZone::UTC).date());
    let records = audit.day(today, None, 100).await?;
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let places = audit.places(&ids).await?;
    let victim = records.iter().find(|record| places.contains_key(&record.id));
    let victim =
        victim.ok_or_else(|| Failure::new("today's trail has nothing that was laid into the chain yet"))?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = stack.dynamodb().update_item().table_name(&stack.settings().tables.audit);
    let update = update.key("pk", text(&format!("DAY#{}#{}", victim.day(), victim.shard())));
    let update = update.key("sk", text(&victim.id)).update_expression("SET actor = :nobody");
    update.expression_attribute_values(":nobody", text("nobody")).send().await?;
    Ok(format!(
        "The record {} ({}) now says that nobody did it. Look: screensort audit verify --from table",
        victim.id, victim.action
    ))
}

impl Attack {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        source: &str,
        token: Option<&str>,
        body: Value,
    ) -> Result<Answer, Failure> {
        let mut request =
            self.client.request(method, format!("{}{path}", self.url)).header("x-local-source", source);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answered = request.send().await?;
        let status = answered.status();
        Ok(Answer { status, body: serde_json::from_slice(&answered.bytes().await?).unwrap_or_default() })
    }

    async fn local(&self, method: Method, path: &str) -> Result<Value, Failure> {
        let answered = self.client.request(method, format!("{}{path}", self.url)).send().await?;
        Ok(serde_json::from_slice(&answered.bytes().await?).unwrap_or_default())
    }

    /// A verified account, made from a network of its own.
    async fn account(&self, n: usize) -> Result<String, Failure> {
        let (name, source) = (format!("a{}{n}", self.run), format!("203.0.{}.{}", n % 250, n / 250 + 1));
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        let made = self.ask(Method::POST, "/register", &source, None, body).await?;
        if made.status != StatusCode::ACCEPTED {
            return Err(Failure::new(&format!("no account could be made: {}", made.body)));
        }
        let mails = self.local(Method::GET, "/_local/mail").await?;
        let mails = mails["items"].as_array().cloned().unwrap_or_default();
        let mail = mails.iter().find(|mail| mail["to"] == email.as_str() && mail["token"].is_string());
        let token = mail.map(|mail| mail["token"].clone()).unwrap_or_default();
        self.ask(Method::POST, "/register/verify", &source, None, json!({"token": token})).await?;
        Ok(email)
    }

    async fn sign_in(&self, email: &str, source: &str) -> Result<String, Failure> {
        let body = json!({"email": email, "password": PASSWORD});
        let got = self.ask(Method::POST, "/login", source, None, body).await?;
        let token = got.body["access_token"].as_str().map(str::to_owned);
        token.ok_or_else(|| Failure::new(&format!("{email} cannot sign in: {}", got.body)))
    }

    async fn guess(&self, email: &str, password: &str, source: &str) -> Result<StatusCode, Failure> {
        let body = json!({"email": email, "password": password});
        Ok(self.ask(Method::POST, "/login", source, None, body).await?.status)
    }

    async fn stuffing(&self) -> Result<String, Failure> {
        let mut refused = 0;
        for n in 0..25 {
            let name = format!("stolen{n}-{}@example.org", self.run);
            refused += usize::from(self.guess(&name, PASSWORD, &self.source).await? != StatusCode::OK);
        }
        Ok(format!("25 stolen pairs tried from {}, {refused} refused", self.source))
    }

    async fn spraying(&self) -> Result<String, Failure> {
        let mut emails = Vec::new();
        for n in 0..42 {
            emails.push(self.account(n).await?);
        }
        for (n, email) in emails.iter().enumerate() {
            self.guess(email, "Summer-2026 holidays", &format!("192.0.{}.9", n % 14)).await?;
        }
        Ok(format!("one password tried on {} accounts from 14 networks", emails.len()))
    }

    async fn brute_force(&self) -> Result<String, Failure> {
        let victim = self.account(0).await?;
        for n in 0..25 {
            self.guess(&victim, &format!("Guess-number {n}"), &format!("192.0.{n}.9")).await?;
        }
        Ok(format!("25 guesses at {victim}, each from another network"))
    }

    async fn escalation(&self) -> Result<String, Failure> {
        let email = self.account(0).await?;
        let token = self.sign_in(&email, &self.source).await?;
        let doors = ["/admin/users", "/admin/audit", "/admin/blocklist", "/admin/access_review"];
        let mut refused = 0;
        for door in doors.iter().cycle().take(12) {
            let got = self.ask(Method::GET, door, &self.source, Some(&token), Value::Null).await?;
            refused += usize::from(got.status == StatusCode::FORBIDDEN);
        }
        Ok(format!("{email} asked 12 times for what administrators may see, refused {refused} times"))
    }

    async fn injection(&self) -> Result<String, Failure> {
        let probes =
            ["%27%20OR%201=1--", "%3Cscript%3Ealert(1)", "..%2F..%2F..%2Fetc%2Fpasswd", "$%7Bjndi:ldap:x%7D"];
        for probe in probes.iter().cycle().take(16) {
            let path = format!("/search?q={probe}&limit=nonsense");
            self.ask(Method::GET, &path, &self.source, None, Value::Null).await?;
        }
        Ok(format!("16 searches with statements and scripts from {}", self.source))
    }

    async fn scraping(&self) -> Result<String, Failure> {
        let email = self.account(0).await?;
        let mut token = self.sign_in(&email, &self.source).await?;
        let (mut minutes, mut asked) = (0, 0);
        while minutes < 5 {
            let got = self.ask(Method::GET, "/watchlist", &self.source, Some(&token), Value::Null).await?;
            asked += 1;
            if got.status == StatusCode::UNAUTHORIZED {
                // A token lives for five minutes, and so does this attack.
                token = self.sign_in(&email, &self.source).await?;
            }
            if got.status == StatusCode::FORBIDDEN {
                return Ok(format!("{asked} pages asked for, until {} was shut out", self.source));
            }
            if got.status == StatusCode::TOO_MANY_REQUESTS {
                minutes += 1;
                if minutes < 5 {
                    self.wait_for_minute().await;
                }
            }
        }
        Ok(format!("{asked} pages read, over the quota in {minutes} different minutes"))
    }

    async fn mass_change(&self) -> Result<String, Failure> {
        let token = self.sign_in(&self.account(0).await?, &self.source).await?;
        let list = self.ask(Method::GET, "/movies?limit=100", &self.source, None, Value::Null).await?;
        let ids: Vec<u64> = list.body["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|film| film["id"].as_u64())
            .collect();
        let (mut changed, mut turn) = (0, 0);
        while changed < 420 && !ids.is_empty() {
            let thumb = if (turn / ids.len()).is_multiple_of(2) { "thumbs_up" } else { "thumbs_down" };
            let (path, body) =
                ("/thumbs_action", json!({"movie_id": ids[turn % ids.len()], "action": thumb}));
            let got = self.ask(Method::POST, path, &self.source, Some(&token), body).await?;
            match got.status {
                StatusCode::TOO_MANY_REQUESTS => self.wait_for_minute().await,
                status if status.is_success() => (changed, turn) = (changed + 1, turn + 1),
                _ => return Err(Failure::new(&format!("{path}: {}", got.body))),
            }
        }
        Ok(format!("{changed} films thumbed up and down by one account"))
    }

    async fn deletions(&self) -> Result<String, Failure> {
        let (mut leaving, password) = (0, json!({"password": PASSWORD}));
        for n in 0..11 {
            let token = self.sign_in(&self.account(n).await?, &self.source).await?;
            let got =
                self.ask(Method::DELETE, "/profile", &self.source, Some(&token), password.clone()).await?;
            leaving += usize::from(got.status.is_success());
        }
        Ok(format!("11 people asked to be forgotten from {}, {leaving} are", self.source))
    }

    async fn keys(&self) -> Result<String, Failure> {
        let token = self.sign_in(&self.account(0).await?, &self.source).await?;
        let wanted = json!({"name": "query tool", "scopes": ["operators:read"]});
        let key = self.ask(Method::POST, "/api_keys", &self.source, Some(&token), wanted).await?;
        let guess = json!({
            "grant_type": "client_credentials", "client_id": key.body["client_id"], "client_secret": "ssk_guessed",
        });
        let mut refused = 0;
        for _ in 0..21 {
            let got = self.ask(Method::POST, "/token", &self.source, None, guess.clone()).await?;
            refused += usize::from(got.status == StatusCode::UNAUTHORIZED);
        }
        Ok(format!("a key guessed 21 times from {}, {refused} times refused", self.source))
    }

    async fn displaced(&self) -> Result<String, Failure> {
        let email = self.account(0).await?;
        self.sign_in(&email, "203.0.113.7").await?;
        let thief = self.client.post(format!("{}/login", self.url)).header("x-local-source", &self.source);
        let thief = thief.header("user-agent", "curl/8 Linux").header("content-type", "application/json");
        let got = thief.body(json!({"email": email, "password": PASSWORD}).to_string()).send().await?;
        Ok(format!(
            "somebody is signed in, and signs in from {} with another device: {}",
            self.source,
            got.status()
        ))
    }

    async fn exports(&self) -> Result<String, Failure> {
        let mut taken = 0;
        for n in 0..11 {
            let token = self.sign_in(&self.account(n).await?, &self.source).await?;
            let got =
                self.ask(Method::POST, "/profile/export", &self.source, Some(&token), Value::Null).await?;
            taken += usize::from(got.status.is_success());
        }
        Ok(format!("11 people asked for copies of their data from {}, {taken} get one", self.source))
    }

    async fn scan(&self) -> Result<String, Failure> {
        for n in 0..110 {
            self.ask(Method::GET, &format!("/wp-admin/{n}.php"), &self.source, None, Value::Null).await?;
        }
        Ok(format!("110 routes that do not exist from {}", self.source))
    }

    /// Waits until the next minute of the clock has begun.
    async fn wait_for_minute(&self) {
        let into = screensort_runtime::clock().now().as_second().rem_euclid(60);
        tokio::time::sleep(Duration::from_secs(u64::try_from(61 - into).unwrap_or(60))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_attacked() {
        for ours in [
            "http://127.0.0.1:3000/v1",
            "http://localhost:3000/v1/",
            "http://[::1]:3000",
            "http://localhost:3000/",
        ] {
            assert_eq!(loopback(ours).ok().unwrap().path(), "/v1", "{ours}");
        }
        let others = [
            "http://example.org/v1",
            "https://127.0.0.1:3000/v1",
            "http://127.0.0.1.example.org/v1",
            "http://10.0.0.1/v1",
            "http://127.0.0.1@example.org/v1",
            "http://localhost@example.org/v1",
            "ftp://localhost/",
            "nonsense",
        ];
        for other in others {
            assert!(loopback(other).is_err(), "{other}");
        }
    }
}
