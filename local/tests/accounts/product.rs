//! The whole product in memory and a client to it.

use std::time::Duration;

use screensort::gateway::Gateway;
use screensort::product;
use screensort::server::Server;
use screensort::stand::{Choices, Stand};
use screensort_accounts::FirstAdmin;
use screensort_auth::password::Cost;
use screensort_auth::totp::{Step, TotpSecret};
use screensort_model::Clock;
use screensort_runtime::Stack;
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "Violet-kettle7 hums";

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn str(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.text)).to_owned()
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let all = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let pairs = all.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
        pairs.filter(|(theirs, _)| *theirs == name).map(|(_, value)| value.to_owned()).next()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        self
    }
}

/// A product of one's own, with a clock that stands until it is moved.
pub(crate) struct Product {
    pub(crate) stand: Stand,
    pub(crate) gateway: std::sync::Arc<Gateway>,
    pub(crate) clock: Clock,
    pub(crate) admin: Option<FirstAdmin>,
    server: Server,
    pub(crate) client: reqwest::Client,
}

impl Product {
    pub(crate) async fn start() -> Self {
        Self::start_with(Choices::default()).await
    }

    pub(crate) async fn start_with(choices: Choices) -> Self {
        let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
        let choices = Choices {
            password_cost: Some(Cost::FLOOR),
            cors_origins: vec!["https://app.example".to_owned()],
            ..choices
        };
        let stand = Stand::set_up(choices, clock.clone()).await.unwrap();
        let gateway = Gateway::new(product::endpoints(), stand.stack.clone(), false, false);
        gateway.show_mail(stand.cloud.mailbox());
        gateway.follow(&stand.cloud).await;
        let admin = screensort_accounts::first_admin(&stand.stack, "admin", "admin@screensort.example").await;
        let server = Server::start(gateway.clone(), 0, None).await.unwrap();
        // The client wants to know how to speak TLS even where it does not. A second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        Self { stand, gateway, clock, admin: admin.unwrap(), server, client }
    }

    /// A product that asks a stand-in for TMDb, as fast as it can.
    #[allow(dead_code, reason = "for tests of other areas")]
    pub(crate) async fn with_tmdb(
        tmdb: &screensort_testkit::tmdb_standin::Standin,
        choices: Choices,
    ) -> Self {
        let choices = Choices {
            tmdb_url: Some(tmdb.url()),
            tmdb_exports_url: Some(tmdb.exports_url()),
            tmdb_requests_per_second: Some(1_000),
            ..choices
        };
        let product = Self::start_with(choices).await;
        product.stand.set_tmdb_token(tmdb.token()).await.unwrap();
        product
    }

    /// The same product under other settings, beside this one.
    pub(crate) async fn beside(&self, stack: Stack) -> Beside {
        let gateway = Gateway::new(product::endpoints(), stack, false, false);
        let server = Server::start(gateway, 0, None).await.unwrap();
        Beside { server, client: self.client.clone() }
    }

    /// Where it listens.
    #[allow(dead_code, reason = "for tests of other areas")]
    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// Closes everything, so that what is on disk can be opened again.
    #[allow(dead_code, reason = "for tests of other areas")]
    pub(crate) async fn stop(self) {
        let Self { stand, gateway, server, .. } = self;
        server.stop().await;
        drop(gateway);
        stand.cloud.shutdown().await.unwrap();
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A request with headers, and a body unless it is null.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Got {
        send(&self.client, &self.server.url, method, path, headers, body).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        self.ask("POST", path, &[], body).await
    }

    /// A request with an access token.
    pub(crate) async fn with(&self, token: &str, method: &str, path: &str, body: Value) -> Got {
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// From a network of its own, so that limits by network do not meet.
    pub(crate) async fn post_from(&self, source: &str, path: &str, body: Value) -> Got {
        self.ask("POST", path, &[("x-local-source", source)], body).await
    }

    /// A read of the catalogue, as a guest.
    #[allow(dead_code, reason = "for tests of other areas")]
    pub(crate) async fn ask_open(&self, path: &str) -> Value {
        self.ask_local(path).await
    }

    pub(crate) async fn mails(&self) -> Vec<Value> {
        self.ask_local("/_local/mail").await["items"].as_array().unwrap().clone()
    }

    async fn ask_local(&self, path: &str) -> Value {
        let text = self.client.get(format!("{}{path}", self.server.url)).send().await.unwrap();
        serde_json::from_str(&text.text().await.unwrap()).unwrap()
    }

    /// The secret in the newest mail to an address whose subject holds `about`.
    pub(crate) async fn mailed(&self, to: &str, about: &str) -> String {
        let mails = self.mails().await;
        let mail = mails.iter().find(|mail| {
            mail["to"] == to && mail["subject"].as_str().unwrap().contains(about) && mail["token"].is_string()
        });
        mail.unwrap_or_else(|| panic!("no {about} to {to} in {mails:?}"))["token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A verified account.
    pub(crate) async fn person(&self, name: &str) -> String {
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        self.post("/register", body).await.expect(202, "");
        let token = self.mailed(&email, "Verify").await;
        self.post("/register/verify", json!({"token": token})).await.expect(204, "");
        email
    }

    /// A login by address; 200 is expected.
    pub(crate) async fn login(&self, email: &str) -> Got {
        self.post("/login", json!({"email": email, "password": PASSWORD})).await.expect(200, "")
    }

    /// A verified account's access and refresh tokens.
    pub(crate) async fn signed_in(&self, name: &str) -> (String, String) {
        let email = self.person(name).await;
        let got = self.login(&email).await;
        (got.str("access_token"), got.str("refresh_token"))
    }

    /// How many requests to the store the last request of an endpoint took.
    pub(crate) fn store_requests(&self, endpoint: &str) -> u32 {
        let records = self.gateway.records();
        records.iter().find(|record| record.endpoint == endpoint).unwrap().store_requests
    }

    /// Requests to the store that the last request of an endpoint took, and steps, in which they waited for one
    /// another.
    pub(crate) fn store_cost(&self, endpoint: &str) -> (u32, u32) {
        let records = self.gateway.records();
        let record = records.iter().find(|record| record.endpoint == endpoint).unwrap();
        (record.store_requests, record.store_steps)
    }

    /// What an authenticator with this secret shows now.
    pub(crate) fn code(&self, secret: &TotpSecret) -> String {
        secret.code(Step::at(self.clock.now())).to_string()
    }

    /// Enrols an authenticator; its secret, the recovery codes and the access token of the raised session.
    pub(crate) async fn enrol(&self, token: &str) -> (TotpSecret, Vec<String>, String) {
        let begun = self.with(token, "POST", "/mfa/totp", Value::Null).await.expect(200, "");
        let secret = secret_of(&begun.str("secret"));
        assert!(begun.str("otpauth_uri").contains(&begun.str("secret")));
        let confirm = json!({"code": self.code(&secret)});
        let confirmed = self.with(token, "PUT", "/mfa/totp", confirm).await.expect(200, "");
        let codes = confirmed.body["recovery_codes"].as_array().unwrap();
        let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        (secret, codes, confirmed.str("access_token"))
    }

    /// The administrator's access token, second factor shown.
    pub(crate) async fn admin_token(&self) -> String {
        let admin = self.admin.as_ref().unwrap();
        let body = json!({"email": admin.email, "password": admin.password});
        let first = self.post("/login", body).await.expect(200, "");
        let uri = &admin.otpauth_uri;
        let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
        let code = self.code(&secret_of(secret));
        let body = json!({"mfa_token": first.str("mfa_token"), "code": code});
        self.post("/login/mfa", body).await.expect(200, "").str("access_token")
    }
}

/// The product under other settings.
pub(crate) struct Beside {
    server: Server,
    client: reqwest::Client,
}

impl Beside {
    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        send(&self.client, &self.server.url, "POST", path, &[], body).await
    }

    #[allow(dead_code, reason = "for tests of other areas")]
    pub(crate) async fn get(&self, token: &str, path: &str) -> Got {
        let headers = [("authorization", &*format!("Bearer {token}"))];
        send(&self.client, &self.server.url, "GET", path, &headers, Value::Null).await
    }
}

async fn send(
    client: &reqwest::Client,
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Got {
    let method = method.parse().unwrap();
    let mut request = client.request(method, format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_null() {
        request = request.body(body.to_string());
        if headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/json");
        }
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    assert_eq!(headers["x-content-type-options"], "nosniff");
    if path.contains("jwks") || path.starts_with("/_local/") {
        return Got { status, headers, body, text };
    }
    assert!(headers["cache-control"].to_str().unwrap().contains("no-store"), "{path}");
    for cookie in headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        for part in ["__Host-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
            assert!(cookie.contains(part), "{part} is missing in {cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }
    Got { status, headers, body, text }
}

/// Reads base32 as an authenticator does.
pub(crate) fn secret_of(base32: &str) -> TotpSecret {
    let mut bits = String::new();
    for character in base32.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(character).unwrap();
        bits.push_str(&format!("{value:05b}"));
    }
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
        .collect();
    TotpSecret::from_bytes(&bytes).unwrap()
}
