//! Every event of the catalogue is produced here by doing the thing, over HTTP and by running the jobs: an event that
//! nothing produces is no event.

use std::collections::BTreeSet;

use screensort::stand::Choices;
use screensort_auth::challenge::{self, Challenge};
use screensort_auth::event::Event;
use screensort_auth::password::Cost;
use screensort_http::Limits;
use screensort_runtime::Stack;
use screensort_store::Record;
use screensort_testkit::tmdb_standin::Standin;
use serde_json::{Value, json};

use crate::logged::captured;
use crate::product::{PASSWORD, Product};
use crate::recorded::records;

/// Events whose doing takes more than a few calls, with the test that does it and names it.
const ELSEWHERE: [(Event, &str); 31] = [
    (Event::AccountLapsed, "local/tests/accounts/strangers.rs"),
    (Event::SigningKeyPublished, "local/tests/trail/jobs.rs"),
    (Event::SigningKeyRotated, "local/tests/trail/jobs.rs"),
    (Event::SigningKeyRetired, "local/tests/trail/jobs.rs"),
    (Event::RingKeyPublished, "local/tests/trail/rings.rs"),
    (Event::RingKeyRotated, "local/tests/trail/rings.rs"),
    (Event::RingKeyRetired, "local/tests/trail/rings.rs"),
    (Event::EmailReindexed, "local/tests/trail/rings.rs"),
    (Event::EmailLapsed, "local/tests/trail/rings.rs"),
    (Event::ErrorCritical, "local/tests/trail/watched.rs"),
    (Event::AccessDormant, "local/tests/trail/dormant.rs"),
    (Event::ThreatScraping, "local/tests/trail/watched.rs"),
    (Event::ThreatMassChange, "local/tests/trail/rules.rs"),
    (Event::ThreatSpraying, "local/tests/trail/rules.rs"),
    (Event::ThreatDeletions, "local/tests/trail/rules.rs"),
    (Event::ThreatBrowsing, "local/tests/trail/rules.rs"),
    (Event::ThreatModeration, "local/tests/trail/rules.rs"),
    (Event::ThreatKeys, "local/tests/trail/rules.rs"),
    (Event::PersonImported, "local/tests/library/recorded.rs"),
    (Event::ReviewHeld, "local/tests/library/recorded.rs"),
    (Event::ReviewPublished, "local/tests/library/recorded.rs"),
    (Event::ReviewChanged, "local/tests/library/recorded.rs"),
    (Event::ReviewReported, "local/tests/library/recorded.rs"),
    (Event::ReviewReportSettled, "local/tests/library/recorded.rs"),
    (Event::ReviewRemoved, "local/tests/library/recorded.rs"),
    (Event::ReviewRestored, "local/tests/library/recorded.rs"),
    (Event::ReviewWithdrawn, "local/tests/library/recorded.rs"),
    (Event::LinkNarrowed, "local/tests/operators/recorded.rs"),
    (Event::LinkRefused, "local/tests/operators/recorded.rs"),
    (Event::KeyReplaced, "local/tests/operators/recorded.rs"),
    (Event::RecommendationModelRefused, "local/tests/recommend/trained.rs"),
];

/// The event of a rule that is proven over the trail's records alone, in `shared/auth/src/detect.rs`: it takes twenty
/// thousand requests.
const RULES: [Event; 1] = [Event::ThreatTmdbSpike];

async fn job(product: &Product, name: &str) -> Value {
    let job = screensort_jobs::by_name(name).unwrap();
    job(json!({}), product.stand.stack.clone()).await.unwrap_or_default()
}

/// Signing in, and all that goes wrong with it.
async fn accounts() -> Vec<Record> {
    let product = Product::start().await;
    let ann = product.person("ann").await;
    product.post("/register", json!({"username": "ann2", "email": ann, "password": PASSWORD})).await;
    let token = product.login(&ann).await.str("access_token");
    let (secret, codes, token) = product.enrol(&token).await;
    product.with(&token, "POST", "/mfa/recovery_codes", Value::Null).await.expect(200, "");
    let first = product.login(&ann).await.str("mfa_token");
    product.post("/login/mfa", json!({"mfa_token": first, "code": "000000"})).await;
    assert_eq!(codes.len(), 10);
    product.wait(61);
    product.with(&token, "POST", "/reauthenticate", json!({"password": PASSWORD})).await;
    product.with(&token, "POST", "/email", json!({"email": "new@example.org"})).await.expect(202, "");
    let confirm = product.mailed("new@example.org", "Confirm").await;
    product.with(&token, "POST", "/email/confirm", json!({"token": confirm})).await.expect(204, "");
    let change = json!({"current_password": PASSWORD, "new_password": "Quiet-harbor9 sings"});
    product.with(&token, "PUT", "/password", change).await.expect(204, "");
    product.wait(31);
    product.with(&token, "DELETE", "/mfa/totp", json!({"code": product.code(&secret)})).await.expect(204, "");
    product.post("/password/forgot", json!({"email": "new@example.org"})).await.expect(202, "");
    let reset = product.mailed("new@example.org", "Set a new").await;
    product.post("/password/reset", json!({"token": reset, "new_password": PASSWORD})).await.expect(204, "");
    // A recovery code, a session ended from another one, tokens twice and wrong.
    let (bob, refresh) = product.signed_in("bob").await;
    let other = product.login("bob@example.org").await.str("access_token");
    let list = product.with(&other, "GET", "/sessions", Value::Null).await.expect(200, "");
    let sessions = list.body["items"].as_array().unwrap().clone();
    let old = sessions.iter().find(|session| session["current"] != true).unwrap();
    let path = format!("/sessions/{}", old["id"].as_str().unwrap());
    product.with(&other, "DELETE", &path, Value::Null).await.expect(204, "");
    product.post("/token/refresh", json!({"refresh_token": refresh})).await;
    product.with(&format!("{bob}x"), "GET", "/thumbs", Value::Null).await;
    let (cid, refresh) = product.signed_in("cid").await;
    product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
    product.wait(60);
    product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(401, "token_reuse");
    drop(cid);
    let (dan, _) = product.signed_in("dan").await;
    let (_, codes, dan) = product.enrol(&dan).await;
    let first = product.login("dan@example.org").await.str("mfa_token");
    product.post("/login/mfa", json!({"mfa_token": first, "recovery_code": codes[0]})).await.expect(200, "");
    drop(dan);
    product.wait(60);
    let (ivy, _) = product.signed_in("ivy").await;
    product.with(&ivy, "POST", "/logout", json!({"all": true})).await.expect(204, "");
    product.post("/token/refresh", json!({"refresh_token": "srt_nonsense"})).await;
    // Guessing until it is held back, challenged and found.
    let eve = product.person("eve").await;
    for n in 0..26 {
        let wrong = json!({"email": eve, "password": format!("Wrong-guess {n}")});
        product.post_from(&format!("192.0.{n}.9"), "/login", wrong).await;
        let stolen = json!({"email": format!("stolen{n}@example.org"), "password": PASSWORD});
        product.post_from("198.51.100.7", "/login", stolen).await;
    }
    job(&product, "detect").await;
    product.ask("GET", "/health", &[("x-local-source", "198.51.100.7")], Value::Null).await;
    product.wait(2 * 3600);
    job(&product, "feed_blocklist").await;
    let (fay, _) = product.signed_in("fay").await;
    product.with(&fay, "POST", "/logout", json!({})).await;
    product.with(&fay, "DELETE", "/profile", json!({"password": PASSWORD})).await;
    // A login under a higher cost hashes the password again.
    let mut settings = product.stand.stack.settings().clone();
    settings.password_cost = Cost::new(20 * 1024, 2, 1).unwrap();
    let beside = product.beside(Stack::new(settings, product.clock.clone())).await;
    let body = json!({"email": "bob@example.org", "password": PASSWORD});
    beside.post("/login", body).await.expect(200, "");
    let (gil, _) = product.signed_in("gil").await;
    product.with(&gil, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    job(&product, "deletion_worker").await;
    // Guessing on although each guess has to be paid for.
    let hal = product.person("hal").await;
    for n in 0..8 {
        let got = product.ask("GET", "/login/challenge", &[], Value::Null).await.expect(200, "");
        let asked: Challenge = serde_json::from_value(got.body).unwrap();
        let number = challenge::solve(&asked).unwrap();
        let paid = challenge::answer(&asked, number).unwrap();
        let body = json!({"email": hal, "password": format!("Wrong-guess {n}"), "challenge": paid});
        product.post("/login", body).await;
    }
    records(&product).await
}

/// What people keep, and what administrators do with it.
async fn people() -> Vec<Record> {
    let limits = Limits { reads_per_minute: 20, ..Limits::default() };
    let product = Product::start_with(Choices { limits: Some(limits), ..Choices::default() }).await;
    let stack = &product.stand.stack;
    let (films, operators) = screensort::import::sample(product.clock.now()).unwrap();
    screensort::import::keep(stack, &films[..60], &operators, |_| {}).await.unwrap();
    product.gateway.follow_all(&product.stand.cloud).await;
    let (film, other) = (films[0].id, films[1].id);
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let id = |got: &crate::product::Got| got.body["user"]["id"].as_str().unwrap().to_owned();
    let bob_id = id(&product.with(&bob, "GET", "/session", Value::Null).await);
    let thumb = json!({"movie_id": film, "action": "thumbs_up"});
    product.with(&ann, "POST", "/thumbs_action", thumb).await.expect(200, "");
    product.with(&ann, "PUT", "/preferences", json!({"region": "GB"})).await.expect(200, "");
    let text = json!({"text": "It is long, it is loud, and I liked every minute of it.", "language": "en"});
    let review = format!("/movies/{film}/review");
    product.with(&ann, "PUT", &review, text).await.expect(200, "");
    let more = json!({"text": "It is long, it is loud, and I liked every second of it.", "language": "en"});
    product.with(&ann, "PUT", &review, more).await;
    product.with(&ann, "DELETE", &review, Value::Null).await;
    for n in 0..10 {
        let email = product.person(&format!("one{n}")).await;
        let token = product.login(&email).await.str("access_token");
        product.with(&token, "POST", "/profile/export", json!({})).await;
    }
    let link = json!({"email": "bob@example.org", "scopes": ["ratings"]});
    let asked = product.with(&ann, "POST", "/links", link.clone()).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", "yours too").await;
    product.with(&bob, "POST", "/links/confirm", json!({"token": mailed})).await.expect(200, "");
    product.with(&bob, "DELETE", &format!("/links/{}", asked.str("id")), Value::Null).await.expect(204, "");
    let (cat, _) = product.signed_in("cat").await;
    product.with(&cat, "POST", "/links", link).await.expect(202, "");
    // The letter is what invites.
    product.mails().await;
    let waiting = product.with(&bob, "GET", "/links", Value::Null).await.expect(200, "");
    let pending = waiting.body["items"].as_array().unwrap().iter().find(|link| link["status"] == "pending");
    let pending = pending.unwrap_or_else(|| panic!("no invitation in {}", waiting.text));
    let path = format!("/links/{}", pending["id"].as_str().unwrap());
    product.with(&bob, "DELETE", &path, Value::Null).await.expect(204, "");
    // Programs.
    let wanted = json!({"name": "query tool", "scopes": ["operators:read"]});
    let key = product.with(&ann, "POST", "/api_keys", wanted).await.expect(201, "");
    let asking = |secret: &str| json!({"grant_type": "client_credentials", "client_id": key.str("client_id"), "client_secret": secret});
    for source in ["203.0.113.1", "198.51.100.1"] {
        product.post_from(source, "/token", asking(&key.str("key"))).await;
    }
    product.post("/token", asking("ssk_wrong")).await;
    let id = key.body["id"].as_str().map_or_else(|| key.str("client_id"), str::to_owned);
    product.with(&ann, "DELETE", &format!("/api_keys/{id}"), Value::Null).await;
    // Administrators.
    let admin = product.admin_token().await;
    let does = |method: &'static str, path: String, body: Value| {
        let admin = admin.clone();
        let product = &product;
        async move { product.with(&admin, method, &path, body).await }
    };
    does("GET", "/admin/users".into(), Value::Null).await;
    does("GET", format!("/admin/recommendations/{bob_id}"), Value::Null).await;
    does("GET", "/admin/audit".into(), Value::Null).await;
    does("PATCH", format!("/admin/users/{bob_id}"), json!({"disabled": true})).await;
    does("PATCH", format!("/admin/users/{bob_id}"), json!({"disabled": false})).await;
    does("PATCH", format!("/admin/users/{bob_id}"), json!({"roles": ["user", "editor"]})).await;
    let bearer = format!("Bearer {admin}");
    let with_tag = async |method: &str, path: &str, tag: &str, body: Value| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        product.ask(method, path, &headers, body).await
    };
    let tag = |got: &crate::product::Got| got.headers["etag"].to_str().unwrap().to_owned();
    does("POST", "/admin/add_movie".into(), json!({"title": "Ferry"})).await;
    does("PATCH", format!("/admin/movies/{other}"), json!({"title": "Changed"})).await;
    does("DELETE", format!("/admin/movies/{film}"), Value::Null).await;
    does("POST", "/admin/sync".into(), json!({"what": "publish"})).await;
    let operator = screensort_model::OperatorId::derived("hand", "catalogue");
    let path = format!("/admin/operators/{operator}");
    let whole = json!({"kind": "transport", "name": "By hand", "modes": ["train"]});
    let made = does("PUT", path.clone(), whole).await;
    if made.headers.contains_key("etag") {
        let changed = json!({"kind": "transport", "name": "By another hand", "modes": ["train"]});
        with_tag("PUT", &path, &tag(&made), changed).await;
    }
    does("DELETE", path, Value::Null).await;
    does("PUT", "/admin/blocklist/198.51.100.0-24".into(), json!({"reason": "a test"})).await;
    product.wait(61);
    product.ask("GET", "/health", &[("x-local-source", "198.51.100.9")], Value::Null).await;
    does("DELETE", "/admin/blocklist/198.51.100.0-24".into(), Value::Null).await;
    for _ in 0..25 {
        product.with(&ann, "GET", "/thumbs", Value::Null).await;
        product.with(&ann, "GET", "/admin/audit", Value::Null).await;
    }
    let headers = [("x-local-source", "203.0.113.77"), ("user-agent", "curl/8 Linux")];
    product.ask("POST", "/login", &headers, json!({"email": "ann@example.org", "password": PASSWORD})).await;
    product.ask("GET", "/thumbs?q=%3Cscript%3E", &[], Value::Null).await;
    for name in ["detect", "access_review", "security_audit", "sessions_cleanup"] {
        job(&product, name).await;
    }
    screensort_jobs::train_recommender::run(stack, Default::default(), |_| {}).await.unwrap();
    product.gateway.feed(None).await.unwrap();
    job(&product, "ship_audit").await;
    // A link that was changed: the next run finds it.
    let audit = stack.settings().tables.audit.clone();
    let value = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    for shard in 0..4 {
        let update = stack.dynamodb().update_item().table_name(&audit);
        let update = update.key("pk", value(&format!("CHAIN#{shard}"))).key("sk", value("000000000001"));
        let update = update.update_expression("SET #h = :h").expression_attribute_names("#h", "hash");
        update.expression_attribute_values(":h", value("forged")).send().await.unwrap();
        let head = screensort_http::Authority::audit(stack).head(shard).await.unwrap().unwrap();
        let update = stack.dynamodb().update_item().table_name(&audit);
        let update = update.key("pk", value(&format!("CHAIN#{shard}")));
        let update = update.key("sk", value(&format!("{:012}", head.seq)));
        let update = update.update_expression("SET #h = :h").expression_attribute_names("#h", "hash");
        update.expression_attribute_values(":h", value("forged")).send().await.unwrap();
    }
    product.login("cat@example.org").await;
    job(&product, "ship_audit").await;
    records(&product).await
}

/// What jobs say of TMDb.
async fn tmdb() -> Vec<Record> {
    let tmdb = Standin::start().await;
    let choices = Choices { tmdb_url: Some(tmdb.url()), ..Choices::default() };
    let product = Product::start_with(choices).await;
    product.stand.set_tmdb_token(tmdb.token()).await.unwrap();
    job(&product, "sync_lists").await;
    product.stand.set_tmdb_token("not.the.key").await.unwrap();
    job(&product, "sync_lists").await;
    records(&product).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_the_catalogue_is_produced_by_doing_the_thing() {
    let log = captured();
    let (one, two, three) = tokio::join!(Box::pin(accounts()), Box::pin(people()), Box::pin(tmdb()));
    let (lines, kept) = (log.lines(), [one, two, three].concat());
    let logged = lines.iter().filter_map(|line| line["fields"]["event"].as_str());
    let produced: BTreeSet<&str> = logged.chain(kept.iter().map(|record| record.action.as_str())).collect();
    let sources = |place: &str| -> String {
        let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(place);
        if place.is_file() {
            return std::fs::read_to_string(place).unwrap();
        }
        let files = std::fs::read_dir(place).unwrap().map(|file| file.unwrap().path());
        files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
    };
    let is_named = |event: Event, place: &str| {
        let text = sources(place);
        text.contains(&format!("Event::{event:?}")) || text.contains(&format!("\"{}\"", event.name()))
    };
    let mut missing = Vec::new();
    for event in Event::ALL.iter().filter(|event| !produced.contains(event.name())) {
        let elsewhere = ELSEWHERE.iter().find(|(of, _)| of == event);
        let proven = elsewhere.is_some_and(|(_, place)| is_named(*event, place))
            || (RULES.contains(event) && is_named(*event, "shared/auth/src/detect.rs"));
        if !proven {
            missing.push(event.name());
        }
    }
    assert!(missing.is_empty(), "nothing produces {missing:?}: do the thing in this file");
}
