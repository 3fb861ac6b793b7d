use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use screensort::recent::Noting;
use serde_json::{Value, json};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::product::{PASSWORD, Product};

/// What the process logs, as a Lambda function writes it.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn captured() -> &'static Captured {
    static CAPTURED: OnceLock<Captured> = OnceLock::new();
    CAPTURED.get_or_init(|| {
        let captured = Captured::default();
        let writer = captured.clone();
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(move || writer.clone());
        // Every call of a service is in it too: none of them may say what it carried.
        let filter = "info,dynoxide=error,screensort_runtime::logged=debug,screensort_store=debug";
        tracing_subscriber::registry()
            .with(lines.with_filter(tracing_subscriber::EnvFilter::new(filter)))
            .with(Noting { prints: false }.with_filter(tracing_subscriber::EnvFilter::new("info")))
            .init();
        captured
    })
}

/// The lines of a request.
fn lines_of(text: &str, request_id: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines
        .filter(|line| {
            let places = [&line["fields"]["request_id"], &line["request_id"], &line["span"]["request_id"]];
            places.into_iter().any(|place| place == request_id)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_session_holds_no_secret_and_each_request_can_be_followed() {
    let log = captured();
    let product = Product::start().await;
    let email = product.person("planted-ann").await;
    let verify = product.mails().await;
    let wrong = "Planted-wrong7 words";
    product
        .post("/login", json!({"email": email, "password": wrong}))
        .await
        .expect(401, "invalid_credentials");
    let got = product.login(&email).await;
    let (token, refresh) = (got.str("access_token"), got.str("refresh_token"));
    product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
    let (secret, codes, token) = product.enrol(&token).await;
    let asked = product.post("/password/forgot", json!({"email": email})).await.expect(202, "");
    let reset = product.mailed(&email, "Set a new").await;
    // What is meant for an interpreter or for whoever reads the log.
    let probe = product.ask("GET", "/search?q=%3Cscript%3Eplanted()", &[], Value::Null).await;
    product.ask("GET", "/movies/planted%0d%0aforged%1b[31m", &[], Value::Null).await;
    let agent = [("user-agent", "planted-agent"), ("x-forwarded-for", "planted-for")];
    product.ask("GET", "/health", &agent, Value::Null).await.expect(200, "");
    let admin = product.admin_token().await;
    product.with(&admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    product.with(&token, "POST", "/logout", json!({})).await;
    let mut text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for record in product.gateway.records() {
        text.push_str(&record.json());
        text.push('\n');
    }
    let of_admin = product.admin.as_ref().unwrap();
    let base32 = secret.to_base32().to_string();
    let mut planted = vec![
        "planted",
        PASSWORD,
        wrong,
        &email,
        &token,
        &refresh,
        &reset,
        &admin,
        &base32,
        &codes[0],
        &of_admin.password,
        &of_admin.email,
        &of_admin.otpauth_uri,
    ];
    let mailed: Vec<String> =
        verify.iter().filter_map(|mail| mail["token"].as_str().map(str::to_owned)).collect();
    planted.extend(mailed.iter().map(String::as_str));
    for secret in planted {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    for line in text.lines() {
        assert!(!line.chars().any(|c| c.is_control()), "{line:?}");
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    // One line that can be read alone for each request, and everything else about it under the same id.
    for record in product.gateway.records() {
        let lines = lines_of(&text, &record.request_id);
        let answered: Vec<_> = lines.iter().filter(|line| line["event"] == "request.answered").collect();
        assert_eq!(answered.len(), 1);
        for field in ["endpoint", "method", "route", "status", "source", "DurationMs"] {
            assert!(!answered[0][field].is_null(), "{field}");
        }
    }
    let request = asked.headers["x-request-id"].to_str().unwrap();
    let lines = lines_of(&text, request);
    let has = |event: &str| lines.iter().any(|line| line["fields"]["event"] == event);
    assert!(has("auth.password.forgotten") && has("mail.handled"), "{lines:?}");
    // What it asked of AWS is among them, each with its time and without what it said.
    let calls: Vec<_> = lines.iter().filter(|line| line["fields"]["operation"].is_string()).collect();
    let asked = calls.iter().find(|line| line["fields"]["service"] == "DynamoDB");
    let asked = asked.unwrap_or_else(|| panic!("no call in {lines:?}"));
    assert!(
        asked["fields"]["duration_ms"].as_f64().unwrap() > 0.0 && asked["fields"]["status"] == 200,
        "{asked}"
    );
    let request = probe.headers["x-request-id"].to_str().unwrap();
    assert!(lines_of(&text, request).iter().any(|line| line["fields"]["event"] == "threat.injection.probed"));
}
