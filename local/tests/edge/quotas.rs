use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use screensort::stand::{Choices, Stand};
use screensort_http::quota::{Policy, Standing};
use screensort_http::{Gate, Incoming, Limits};
use screensort_model::Clock;
use screensort_routes::{Access, Area, Caching, Quota, Route};
use screensort_store::Window;
use serde_json::Value;

use crate::product::{Got, PASSWORD, Product};

const WRITE: &Route = &Route {
    method: Method::PUT,
    path: "/hidden",
    binary: "hidden",
    area: Area::Library,
    access: Access::Member(screensort_auth::Permission::HiddenWriteOwn),
    quota: Quota::Write,
    caching: Caching::NoStore,
    summary: "Something to write.",
};

fn request(token: &str) -> Incoming {
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    Incoming {
        method: Method::PUT,
        path: "/hidden".to_owned(),
        path_parameters: Vec::new(),
        query: Vec::new(),
        headers,
        body: bytes::Bytes::new(),
        source: [203, 0, 113, 7].into(),
        request_id: "request".to_owned(),
        checked: Default::default(),
    }
}

fn limits(writes_per_minute: u32, writes_per_day: u32) -> Limits {
    Limits { writes_per_minute, writes_per_day, ..Limits::default() }
}

async fn with_limits(limits: Limits) -> Product {
    Product::start_with(Choices { limits: Some(limits), ..Choices::default() }).await
}

/// The standings of `callers` calls at once.
async fn at_once(product: &Product, token: &str, callers: usize) -> Vec<Standing> {
    let calls = (0..callers).map(|_| {
        let (stack, request) = (product.stand.stack.clone(), request(token));
        tokio::spawn(async move { stack.count(WRITE, &request).await.unwrap().standing })
    });
    futures::future::join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

fn let_in(standings: &[Standing]) -> usize {
    standings.iter().filter(|standing| !standing.refused).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_at_once_get_exactly_the_quota() {
    let product = with_limits(limits(30, 50)).await;
    let (token, _) = product.signed_in("ann").await;
    let first = at_once(&product, &token, 100).await;
    assert_eq!(let_in(&first), 30);
    // Each who got in was told another number.
    let left: BTreeSet<u32> = first.iter().filter(|s| !s.refused).map(|s| s.lines[0].left).collect();
    assert_eq!(left.len(), 30);
    let refused = first.into_iter().find(|standing| standing.refused).unwrap();
    let problem = refused.admitted().unwrap_err();
    assert_eq!(problem.code().word(), "too_many_requests");
    // The next minute begins with everybody at once, and the day's quota is met in it.
    product.wait(60);
    assert_eq!(let_in(&at_once(&product, &token, 100).await), 20);
    product.wait(60);
    assert_eq!(let_in(&at_once(&product, &token, 10).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_the_call_after_the_last_is_refused_whoever_comes_at_once() {
    let product = with_limits(limits(7, 9)).await;
    let admin = product.admin_token().await;
    let add = || product.with(&admin, "POST", "/admin/add_movie", serde_json::json!({"title": "Ferry"}));
    let got = futures::future::join_all((0..100).map(|_| add())).await;
    assert_eq!(got.iter().filter(|got| got.status == 201).count(), 7);
    let refused = got.into_iter().find(|got| got.status != 201).unwrap().expect(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(refused.headers["ratelimit"], "\"writes-minute\";r=0;t=60, \"writes-day\";r=2;t=43200");
    product.wait(60);
    add().await.expect(201, "");
    add().await.expect(201, "");
    let last = add().await.expect(429, "too_many_requests");
    assert_eq!(last.headers["retry-after"], "43140");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_begins_at_midnight_utc() {
    let product = with_limits(limits(2, 3)).await;
    // Two seconds before midnight.
    product.wait(12 * 3_600 - 2);
    let (token, _) = product.signed_in("ann").await;
    assert_eq!(let_in(&at_once(&product, &token, 3).await), 2);
    let standing = at_once(&product, &token, 1).await.remove(0);
    assert_eq!(standing.lines.iter().map(|line| line.reset).collect::<Vec<_>>(), [2, 2]);
    product.wait(2);
    assert_eq!(let_in(&at_once(&product, &token, 3).await), 2, "a new day and a new minute");
    product.wait(60);
    assert_eq!(let_in(&at_once(&product, &token, 3).await), 1, "the day's third");
    let standing = at_once(&product, &token, 1).await.remove(0);
    let retry = format!("{:?}", standing.admitted().unwrap_err());
    assert!(retry.contains("86340"), "midnight is to be waited for: {retry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_costs_one_request_and_one_more_when_a_minute_begins() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let mut spent = Vec::new();
    for wait in [0, 0, 60, 0] {
        product.wait(wait);
        let (stack, request) = (&product.stand.stack, request(&token));
        let (_, cost) = screensort_store::Meter::watch(stack.count(WRITE, &request)).await;
        spent.push(cost.requests);
    }
    assert_eq!(spent, [1, 1, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_foreign_token_draws_on_nobodys_quota() {
    let product = with_limits(limits(1, 1)).await;
    let (ann, _) = product.signed_in("ann").await;
    let (head, _) = ann.rsplit_once('.').unwrap();
    let counted = product.stand.stack.count(WRITE, &request(&format!("{head}.AAAA"))).await.unwrap();
    assert_eq!(counted.account, None);
    // A cookie without a token that its page alone can read names somebody, and vouches for nothing.
    let id = product.with(&ann, "GET", "/session", Value::Null).await;
    let id = id.body["user"]["id"].as_str().unwrap().to_owned();
    let mut cookie = request("x");
    cookie.headers.remove("authorization");
    let session = format!("__Host-session={id}-{id}.secret");
    cookie.headers.insert("cookie", session.parse().unwrap());
    cookie.headers.insert("x-csrf-token", "forged".parse().unwrap());
    assert_eq!(product.stand.stack.count(WRITE, &cookie).await.unwrap().account, None);
    assert_eq!(let_in(&at_once(&product, &ann, 1).await), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signed_in_answer_says_what_is_left() {
    let product = with_limits(Limits { reads_per_minute: 3, reads_per_day: 5, ..Limits::default() }).await;
    let (token, _) = product.signed_in("ann").await;
    for left in [2, 1, 0] {
        let got = product.with(&token, "GET", "/sessions", Value::Null).await.expect(200, "");
        assert_eq!(got.headers["ratelimit-policy"], "\"reads-minute\";q=3;w=60, \"reads-day\";q=5;w=86400");
        let says = format!("\"reads-minute\";r={left};t=60, \"reads-day\";r={};t=43200", left + 2);
        assert_eq!(got.headers["ratelimit"], says);
    }
    let got = product.with(&token, "GET", "/sessions", Value::Null).await.expect(429, "too_many_requests");
    assert_eq!(got.headers["retry-after"], "60");
    assert_eq!(got.headers["ratelimit"], "\"reads-minute\";r=0;t=60, \"reads-day\";r=2;t=43200");
    let (bob, _) = product.signed_in("bob").await;
    product.with(&bob, "GET", "/sessions", Value::Null).await.expect(200, "");
    // Who is not let in is told nothing of anybody's standing; who lacks a permission is.
    let got = product.with("no-token", "GET", "/sessions", Value::Null).await.expect(401, "unauthorized");
    assert!(!got.headers.contains_key("ratelimit"));
    let got = product.with(&bob, "GET", "/admin/users", Value::Null).await.expect(403, "forbidden");
    assert!(got.headers.contains_key("ratelimit"));
    product.wait(60);
    for status in [200, 200, 429] {
        let got = product.with(&token, "GET", "/sessions", Value::Null).await;
        assert_eq!(got.status, status);
        assert_eq!(
            got.headers.get("retry-after").map(|wait| wait.to_str().unwrap()),
            (status == 429).then_some("43140")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_counted_by_their_network() {
    let limits = Limits { guest_reads_per_minute: 2, guest_reads_per_day: 3, ..Limits::default() };
    let product = with_limits(limits).await;
    let from = |source: &'static str| {
        let product = &product;
        async move { product.ask("GET", "/session", &[("x-local-source", source)], Value::Null).await.status }
    };
    assert_eq!([from("198.51.100.1").await, from("198.51.100.9").await], [200, 200]);
    assert_eq!([from("198.51.100.200").await, from("198.51.101.1").await], [429, 200]);
    // The day goes on where the minute begins anew, and ends at midnight.
    product.wait(60);
    assert_eq!([from("198.51.100.1").await, from("198.51.100.9").await], [200, 429]);
    product.wait(12 * 3_600);
    assert_eq!(from("198.51.100.1").await, 200);
}

/// A key that is wanted, with `more` besides a name and scopes.
fn wanted(more: Value) -> Value {
    let mut wanted = serde_json::json!({"name": "query tool", "scopes": ["operators:read"]});
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wanted
}

async fn token_of(product: &Product, key: &Got) -> String {
    let asking = serde_json::json!({"grant_type": "client_credentials", "client_id": key.str("client_id"),
        "client_secret": key.str("key")});
    product.post("/token", asking).await.expect(200, "").str("access_token")
}

/// The token of a new client of `owner`.
async fn service(product: &Product, owner: &str, more: Value) -> String {
    let key = product.with(owner, "POST", "/api_keys", wanted(more)).await.expect(201, "");
    token_of(product, &key).await
}

async fn a_hundred(product: &Product, token: &str) -> Vec<Got> {
    let calls = (0..100).map(|_| product.with(token, "GET", "/modes", Value::Null));
    futures::future::join_all(calls).await
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_and_readers_of_the_directory_have_their_day() {
    let limits = Limits { client_calls_per_day: 7, directory_calls_per_day: 4, ..Limits::default() };
    let product = with_limits(limits).await;
    let (ann, _) = product.signed_in("ann").await;
    let bearer = format!("Bearer {ann}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "key-1")];
    let wanted = wanted(serde_json::json!({}));
    let key = product.ask("POST", "/api_keys", &headers, wanted.clone()).await.expect(201, "");
    // A key is shown once: asked for again, it is neither made twice nor shown again.
    product.ask("POST", "/api_keys", &headers, wanted).await.expect(409, "already_done");
    let service = token_of(&product, &key).await;
    for (token, quota, left) in [(&service, 7, 593), (&ann, 4, 296)] {
        let calls = (0..30).map(|_| product.with(token, "GET", "/operators/unknown", Value::Null));
        let got = futures::future::join_all(calls).await;
        assert_eq!(got.iter().filter(|got| got.status == 429).count(), 30 - quota);
        let refused = got.into_iter().find(|got| got.status == 429).unwrap();
        assert_eq!(refused.code(), "too_many_requests");
        assert_eq!(refused.headers["retry-after"], "43200");
        let says = format!("\"calls-minute\";r={left};t=60, \"calls-day\";r=0;t=43200");
        assert_eq!(refused.headers["ratelimit"], says);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_and_readers_of_the_directory_have_their_minute() {
    let limits = Limits { client_calls_per_minute: 6, directory_calls_per_minute: 3, ..Limits::default() };
    let product = with_limits(limits).await;
    let (ann, _) = product.signed_in("ann").await;
    let service = service(&product, &ann, serde_json::json!({})).await;
    // Before the minute ends, and at once when the next one has begun.
    product.wait(59);
    for wait in [0, 1, 60] {
        product.wait(wait);
        for (token, quota) in [(&service, 6), (&ann, 3)] {
            let got = a_hundred(&product, token).await;
            assert_eq!(got.iter().filter(|got| got.status == 200).count(), quota);
            let refused = got.into_iter().find(|got| got.status != 200).unwrap();
            let minute = if wait == 0 { "1" } else { "60" };
            assert_eq!(refused.expect(429, "too_many_requests").headers["retry-after"], minute);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_draws_on_its_persons_quota_of_the_directory_like_a_program() {
    let limits = Limits { directory_calls_per_day: 6, ..Limits::default() };
    let product = with_limits(limits).await;
    let (ann, _) = product.signed_in("ann").await;
    let body = serde_json::json!({"email": "ann@example.org", "password": PASSWORD, "session": "cookie"});
    let page = product.post("/login", body).await.expect(200, "");
    let cookie = format!("__Host-session={}", page.cookie("__Host-session").unwrap());
    let headers = [("cookie", cookie.as_str())];
    let calls = (0..20).map(|_| product.ask("GET", "/modes", &headers, Value::Null));
    let got = futures::future::join_all(calls).await;
    assert_eq!(got.iter().filter(|got| got.status == 200).count(), 6);
    assert_eq!(got.iter().filter(|got| got.code() == "too_many_requests").count(), 14);
    product.with(&ann, "GET", "/modes", Value::Null).await.expect(429, "too_many_requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_have_less_than_its_account_and_never_more() {
    let limits = Limits { client_calls_per_minute: 12, client_calls_per_day: 20, ..Limits::default() };
    let product = with_limits(limits).await;
    let (ann, _) = product.signed_in("ann").await;
    for more in [serde_json::json!({"calls_per_minute": 13}), serde_json::json!({"calls_per_day": 0})] {
        let wanted = wanted(more);
        product.with(&ann, "POST", "/api_keys", wanted).await.expect(422, "invalid_body");
    }
    let small = service(&product, &ann, serde_json::json!({"calls_per_minute": 5, "calls_per_day": 8})).await;
    let other = service(&product, &ann, serde_json::json!({})).await;
    let let_in =
        async |token: &str| a_hundred(&product, token).await.iter().filter(|got| got.status == 200).count();
    assert_eq!(let_in(&small).await, 5);
    let refused = product.with(&small, "GET", "/modes", Value::Null).await.expect(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], "60");
    let policy = "\"key-minute\";q=5;w=60, \"key-day\";q=8;w=86400, \
                  \"calls-minute\";q=12;w=60, \"calls-day\";q=20;w=86400";
    assert_eq!(refused.headers["ratelimit-policy"], policy);
    // What one key has used is the account's: the other gets the rest of the minute, and of the day.
    assert_eq!(let_in(&other).await, 7);
    product.wait(60);
    let (first, second) = futures::join!(let_in(&small), let_in(&other));
    assert!(first <= 3 && first + second == 8, "{first} and {second}");
    product.wait(60);
    assert_eq!((let_in(&small).await, let_in(&other).await), (0, 0));
    let refused = product.with(&small, "GET", "/modes", Value::Null).await.expect(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], "43080");
    // Who replaces a key keeps its quota.
    let keys = product.with(&ann, "GET", "/api_keys", Value::Null).await.expect(200, "");
    let old = keys.body["items"].as_array().unwrap().iter().find(|key| key["calls_per_day"] == 8).unwrap();
    let new = serde_json::json!({"replaces": old["id"], "calls_per_day": 2});
    let new = product.with(&ann, "POST", "/api_keys", new).await.expect(201, "");
    assert_eq!((&new.body["calls_per_minute"], &new.body["calls_per_day"]), (&5.into(), &2.into()));
}

/// Policies of a client, by minute and day.
fn client(name: &str, per_minute: u32, per_day: u32) -> Vec<Policy> {
    let policy =
        |name_of, window, quota| Policy { name: name_of, subject: format!("client#{name}"), quota, window };
    vec![policy("minute", Window::Minute, per_minute), policy("day", Window::Day, per_day)]
}

#[tokio::test(flavor = "multi_thread")]
async fn leased_blocks_are_never_more_than_the_quota_in_total() {
    let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
    let stand = Stand::set_up(Choices::default(), clock.clone()).await.unwrap();
    // Four processes: four memories over one table.
    let stacks: Vec<_> = (0..4)
        .map(|_| screensort_runtime::Stack::new(stand.stack.settings().clone(), clock.clone()))
        .collect();
    let draw_out = async |per_minute| {
        let calls = (0..400).map(|n| {
            let (stack, policies) = (stacks[n % 4].clone(), client("1", per_minute, 330));
            tokio::spawn(async move { stack.draw_calls(&policies).await.unwrap() })
        });
        let standings = futures::future::join_all(calls).await;
        let first = let_in(&standings.into_iter().map(Result::unwrap).collect::<Vec<_>>());
        assert!(first <= 330, "{first}");
        // What is left is in somebody's hands: whoever has it gives it away.
        let mut all = first;
        for stack in stacks.iter().cycle().take(80) {
            all += usize::from(!stack.draw_calls(&client("1", per_minute, 330)).await.unwrap().refused);
        }
        all
    };
    assert_eq!(draw_out(130).await, 130);
    clock.advance(Duration::from_secs(60));
    assert_eq!(draw_out(130).await, 130);
    clock.advance(Duration::from_secs(60));
    assert_eq!(draw_out(130).await, 70, "the day is used up, and nothing of it was lost with the minutes");
    assert!(!stacks[0].draw_calls(&client("2", 130, 330)).await.unwrap().refused);
    clock.advance(Duration::from_secs(12 * 3_600));
    assert!(!stacks[0].draw_calls(&client("1", 130, 330)).await.unwrap().refused, "a new day");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_clock_is_behind_lets_nobody_in_twice() {
    let now = "2026-11-22T12:00:59Z".parse().unwrap();
    let stand = Stand::set_up(Choices::default(), Clock::fixed(now)).await.unwrap();
    let stack = |clock| screensort_runtime::Stack::new(stand.stack.settings().clone(), clock);
    let (behind, ahead) = (stack(Clock::fixed(now)), Clock::fixed(now));
    ahead.advance(Duration::from_secs(2));
    let ahead = stack(ahead);
    let policies = client("1", 1, 9);
    assert!(!ahead.draw_calls(&policies).await.unwrap().refused);
    let refused = behind.draw_calls(&policies).await.unwrap();
    assert!(refused.refused && refused.lines[0].left == 0, "its minute is over for everybody else");
    assert!(ahead.draw_calls(&policies).await.unwrap().refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_costs_a_count_for_a_block_of_calls_and_none_for_the_others() {
    let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
    let stand = Stand::set_up(Choices::default(), clock.clone()).await.unwrap();
    let mut spent = 0;
    for _ in 0..1_000 {
        let policies = client("1", 60_000, 1_000_000);
        let (_, cost) = screensort_store::Meter::watch(stand.stack.draw_calls(&policies)).await;
        spent += cost.requests;
    }
    assert_eq!(spent, 20, "a hundred calls a block, of the minute and of the day");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_session_that_has_ended_draws_on_nobodys_quota() {
    let limits = Limits { writes_per_minute: 5, writes_per_day: 9, ..Limits::default() };
    let limits = Limits { directory_calls_per_minute: 4, client_calls_per_minute: 4, ..limits };
    let product = with_limits(limits).await;
    let (old, _) = product.signed_in("ann").await;
    product.with(&old, "POST", "/logout", Value::Null).await.expect(204, "");
    let ann = product.login("ann@example.org").await.str("access_token");
    let key = product.with(&ann, "POST", "/api_keys", wanted(serde_json::json!({}))).await.expect(201, "");
    let revoked = token_of(&product, &key).await;
    let other = service(&product, &ann, serde_json::json!({})).await;
    let path = format!("/api_keys/{}", key.str("id"));
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    for wait in [0, 60, 60] {
        product.wait(wait);
        for _ in 0..7 {
            let rating = serde_json::json!({"value": 8});
            product.with(&old, "PUT", "/movies/550/rating", rating).await.expect(401, "unauthorized");
            product.with(&old, "GET", "/modes", Value::Null).await.expect(401, "unauthorized");
            product.with(&revoked, "GET", "/modes", Value::Null).await.expect(401, "unauthorized");
        }
    }
    assert_eq!(let_in(&at_once(&product, &ann, 100).await), 5);
    product.wait(60);
    let rest = let_in(&at_once(&product, &ann, 100).await);
    assert!(rest <= 4, "what was given back is not given twice: {rest}");
    for token in [&ann, &other] {
        let got = a_hundred(&product, token).await;
        assert_eq!(got.iter().filter(|got| got.status == 200).count(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_given_back_after_its_minute_is_given_back_to_the_day() {
    let product = with_limits(limits(2, 3)).await;
    let (ann, _) = product.signed_in("ann").await;
    let stack = &product.stand.stack;
    let late = stack.count(WRITE, &request(&ann)).await.unwrap();
    product.wait(60);
    assert_eq!(let_in(&at_once(&product, &ann, 2).await), 2);
    stack.uncount(&late).await;
    assert_eq!(let_in(&at_once(&product, &ann, 1).await), 0, "the minute is as full as it was");
    product.wait(60);
    assert_eq!(let_in(&at_once(&product, &ann, 100).await), 1);
    // One that was refused was not counted, and is not given back.
    let refused = stack.count(WRITE, &request(&ann)).await.unwrap();
    stack.uncount(&refused).await;
    assert_eq!(let_in(&at_once(&product, &ann, 1).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_of_a_client_get_its_quota_before_midnight_and_again_after_it() {
    let limits = Limits { client_calls_per_day: 37, ..Limits::default() };
    let product = with_limits(limits).await;
    let (ann, _) = product.signed_in("ann").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted(serde_json::json!({}))).await.expect(201, "");
    // Two seconds before midnight: the token lives into the new day.
    product.wait(12 * 3_600 - 2);
    let service = token_of(&product, &key).await;
    let let_in = async || {
        let got = a_hundred(&product, &service).await;
        assert!(got.iter().all(|got| [200, 429].contains(&got.status)));
        got.iter().filter(|got| got.status == 200).count()
    };
    assert_eq!(let_in().await, 37);
    assert_eq!(let_in().await, 0);
    product.wait(2);
    assert_eq!(let_in().await, 37, "a new day, and nothing of the old one's blocks is left in any hand");
    assert_eq!(let_in().await, 0);
}
