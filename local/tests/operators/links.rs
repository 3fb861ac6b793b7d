use screensort_auth::event::Event;
use screensort_http::trail_of;
use screensort_store::Invitation;
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};
use crate::{login, with_films};

async fn ask(product: &Product, token: &str, email: &str, scopes: Value) -> Got {
    product.with(token, "POST", "/links", json!({"email": email, "scopes": scopes})).await
}

async fn confirm(product: &Product, token: &str, mailed: &str) -> Got {
    product.with(token, "POST", "/links/confirm", json!({"token": mailed})).await
}

async fn status(product: &Product, token: &str, id: &str) -> Option<String> {
    let got = product.get(token, "/links").await.expect(200, "");
    let items = got.body["items"].as_array().unwrap();
    items.iter().find(|item| item["id"] == id).map(|item| item["status"].as_str().unwrap().to_owned())
}

const MAIL: &str = "yours too";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_holds_once_the_other_account_confirms_and_until_either_ends_it() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let asked = ask(&product, &ann, "BOB@example.org", json!(["ratings", "history"])).await.expect(202, "");
    assert_eq!(status(&product, &ann, &asked.str("id")).await.as_deref(), Some("pending"));
    let mailed = product.mailed("bob@example.org", MAIL).await;
    let mails = product.mails().await;
    let mail = mails.iter().find(|m| m["subject"].as_str().unwrap().contains(MAIL)).unwrap();
    assert!(
        mail["text"].as_str().unwrap().contains("It was ann, who asks to read: history, ratings."),
        "{mail}"
    );
    assert!(mails.iter().any(|m| m["to"] == "ann@example.org" && m["subject"] == "You asked for a link"));
    // Who was asked sees it, and who asks.
    let seen = product.get(&bob, "/links").await.expect(200, "");
    assert_eq!(
        (&seen.body["items"][0]["with"], &seen.body["items"][0]["status"]),
        (&json!("ann"), &json!("pending"))
    );
    let confirmed = confirm(&product, &bob, &mailed).await.expect(200, "");
    assert_eq!((confirmed.str("status"), confirmed.str("side")), ("active".into(), "asked".into()));
    assert_eq!(confirmed.body["scopes"], json!(["history", "ratings"]));
    let id = asked.str("id");
    for token in [&ann, &bob] {
        assert_eq!(status(&product, token, &id).await.as_deref(), Some("active"));
    }
    let own = product.get(&ann, "/links").await;
    assert_eq!(
        (&own.body["items"][0]["with"], &own.body["items"][0]["side"]),
        (&json!("bob"), &json!("asker"))
    );
    let mails = product.mails().await;
    for to in ["ann@example.org", "bob@example.org"] {
        assert!(mails.iter().any(|m| m["to"] == to && m["subject"] == "Two accounts are linked"), "{to}");
    }
    // A used token is no token.
    confirm(&product, &bob, &mailed).await.expect(404, "not_found");
    product.with(&bob, "DELETE", &format!("/links/{id}"), Value::Null).await.expect(204, "");
    for token in [&ann, &bob] {
        assert_eq!(status(&product, token, &id).await.as_deref(), Some("ended"));
        product.with(token, "DELETE", &format!("/links/{id}"), Value::Null).await.expect(404, "not_found");
    }
    let mails = product.mails().await;
    for to in ["ann@example.org", "bob@example.org"] {
        assert!(mails.iter().any(|m| m["to"] == to && m["subject"] == "A link has ended"), "{to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_tells_nothing_about_an_address() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    product.person("bob").await;
    // An account whose address was never verified.
    let body = json!({"username": "carl", "email": "carl@example.org", "password": PASSWORD});
    product.post("/register", body).await.expect(202, "");
    let mut shapes = std::collections::BTreeSet::new();
    for email in ["bob@example.org", "nobody@example.org", "carl@example.org", "ann@example.org"] {
        let got = ask(&product, &ann, email, json!(["history"])).await.expect(202, "");
        let fields: Vec<&String> = got.body.as_object().unwrap().keys().collect();
        let requests = product.store_requests("links");
        shapes.insert(format!("{fields:?} {} {} {requests}", got.body["status"], got.body["expires_at"]));
        assert_eq!(status(&product, &ann, &got.str("id")).await.as_deref(), Some("pending"));
    }
    assert_eq!(shapes.len(), 1, "{shapes:?}");
    let mails = product.mails().await;
    let asked = mails.iter().filter(|mail| mail["subject"].as_str().unwrap().contains(MAIL));
    let to: Vec<&str> = asked.map(|mail| mail["to"].as_str().unwrap()).collect();
    assert_eq!(to, ["bob@example.org"], "neither strangers, the unverified nor oneself are written to");
    for (body, code) in [
        (json!({"email": "bob@example.org", "scopes": []}), "invalid_body"),
        (json!({"email": "bob@example.org", "scopes": ["history", "history"]}), "invalid_body"),
        (json!({"email": "bob@example.org", "scopes": ["everything"]}), "invalid_body"),
        (json!({"email": "bob", "scopes": ["history"]}), "invalid_body"),
        (json!({"email": "bob@example.org", "scopes": ["history"], "asker": "x"}), "invalid_body"),
    ] {
        product.with(&ann, "POST", "/links", body).await.expect(422, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_account_that_was_mailed_to_confirms() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, refresh) = product.signed_in("bob").await;
    let (eve, _) = product.signed_in("eve").await;
    let asked = ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    product.post("/links/confirm", json!({"token": mailed})).await.expect(401, "unauthorized");
    for stranger in [&eve, &ann] {
        confirm(&product, stranger, &mailed).await.expect(404, "not_found");
    }
    // Strangers' tries end nothing, and nobody else can end it.
    for _ in 0..6 {
        confirm(&product, &eve, &mailed).await.expect(404, "not_found");
    }
    let path = format!("/links/{}", asked.str("id"));
    product.with(&eve, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    // Ten minutes after signing in, who one is has to be proven again: for both sides.
    product.wait(10 * 60);
    let (bob, _) = {
        let _ = bob;
        product.refreshed(&refresh).await
    };
    confirm(&product, &bob, &mailed).await.expect(403, "reauthentication_required");
    product.with(&bob, "POST", "/reauthenticate", json!({"password": PASSWORD})).await.expect(204, "");
    confirm(&product, &bob, &mailed).await.expect(200, "");
    let (old, refresh) = product.signed_in("dora").await;
    product.wait(10 * 60);
    let (dora, _) = {
        let _ = old;
        product.refreshed(&refresh).await
    };
    ask(&product, &dora, "bob@example.org", json!(["history"]))
        .await
        .expect(403, "reauthentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_for_half_an_hour() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    product.person("bob").await;
    let asked = ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    product.wait(30 * 60);
    let bob = product.login("bob@example.org").await.str("access_token");
    confirm(&product, &bob, &mailed).await.expect(404, "not_found");
    assert_eq!(product.get(&bob, "/links").await.body["items"], json!([]));
    let ann = product.login("ann@example.org").await.str("access_token");
    assert_eq!(status(&product, &ann, &asked.str("id")).await.as_deref(), Some("ended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_that_expired_and_still_lie_there_hide_no_new_one() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let bobs = product.get(&bob, "/session").await.body["user"]["id"].as_str().unwrap().to_owned();
    let links = product.stand.stack.links();
    let then = product.clock.now() - jiff::SignedDuration::from_mins(31);
    for n in 0..110 {
        let invitation = Invitation {
            link: format!("01ARZ3NDEKTSV4RRFFQ69G5{n:03}"),
            asker: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            asker_name: "eve".to_owned(),
            scopes: vec!["history".to_owned()],
            token_hash: format!("{n}"),
            term: String::new(),
            tries: 0,
            created_at: then,
            expires_at: then + jiff::SignedDuration::from_mins(30),
        };
        let trail = trail_of(Event::LinkInvited, "eve", &invitation.link, "test", then).unwrap();
        links.invite(&bobs, &invitation, &trail).await.unwrap();
    }
    let asked = ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    assert_eq!(status(&product, &bob, &asked.str("id")).await.as_deref(), Some("pending"));
    confirm(&product, &bob, &mailed).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_tokens_end_the_link_and_many_at_once_are_no_more() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let asked = ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    let wrong = |n: usize| format!("{n:0>2}{}", &mailed[2..]);
    for n in 0..4 {
        confirm(&product, &bob, &wrong(n)).await.expect(404, "not_found");
    }
    assert_eq!(status(&product, &ann, &asked.str("id")).await.as_deref(), Some("pending"));
    confirm(&product, &bob, "x").await.expect(404, "not_found");
    confirm(&product, &bob, &mailed).await.expect(404, "not_found");
    assert_eq!(status(&product, &ann, &asked.str("id")).await.as_deref(), Some("ended"));
    // The right token among the first five of two invitations does no harm to the other.
    let (carl, _) = product.signed_in("carl").await;
    ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let first = product.mailed("bob@example.org", MAIL).await;
    ask(&product, &carl, "bob@example.org", json!(["ratings"])).await.expect(202, "");
    let second = product.mailed("bob@example.org", MAIL).await;
    assert_ne!(first, second);
    confirm(&product, &bob, &first).await.expect(200, "");
    let guesses = (0..30).map(|n| {
        let (product, bob, guess) = (&product, &bob, wrong(n));
        async move { confirm(product, bob, &guess).await }
    });
    let answers = futures::future::join_all(guesses).await;
    assert!(answers.iter().all(|got| got.status == 404), "{answers:?}");
    confirm(&product, &bob, &second).await.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_confirmed_many_times_at_once_makes_one_link() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    let answers = futures::future::join_all((0..8).map(|_| confirm(&product, &bob, &mailed))).await;
    assert_eq!(answers.iter().filter(|got| got.status == 200).count(), 1, "{answers:?}");
    assert_eq!(product.get(&bob, "/links").await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_may_give_less_decline_or_have_moved() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    ask(&product, &ann, "bob@example.org", json!(["history", "ratings"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    let give = |scopes: Value| {
        let body = json!({"token": mailed, "scopes": scopes});
        let (product, bob) = (&product, &bob);
        async move { product.with(bob, "POST", "/links/confirm", body).await }
    };
    give(json!(["watchlist"])).await.expect(403, "forbidden");
    let confirmed = give(json!(["ratings"])).await.expect(200, "");
    assert_eq!(confirmed.body["scopes"], json!(["ratings"]));
    assert_eq!(product.get(&ann, "/links").await.body["items"][0]["scopes"], json!(["ratings"]));
    // Declined: the token is void, and who asked is not told.
    let asked = ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    let path = format!("/links/{}", asked.str("id"));
    product.with(&bob, "DELETE", &path, Value::Null).await.expect(204, "");
    confirm(&product, &bob, &mailed).await.expect(404, "not_found");
    assert_eq!(status(&product, &ann, &asked.str("id")).await.as_deref(), Some("pending"));
    // Taken back by who asked.
    let asked = ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    let path = format!("/links/{}", asked.str("id"));
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    confirm(&product, &bob, &mailed).await.expect(404, "not_found");
    // The address is another account's by now: its old owner has no token for it.
    ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    product.with(&bob, "POST", "/email", json!({"email": "new@example.org"})).await.expect(202, "");
    let token = product.mailed("new@example.org", "Confirm").await;
    product.with(&bob, "POST", "/email/confirm", json!({"token": token})).await.expect(204, "");
    confirm(&product, &bob, &mailed).await.expect(404, "not_found");
    product.post("/login", login("new@example.org")).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_is_limited_and_no_token_or_address_is_in_the_tables() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    product.person("bob").await;
    for _ in 0..10 {
        ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(202, "");
    }
    let got =
        ask(&product, &ann, "bob@example.org", json!(["history"])).await.expect(429, "too_many_attempts");
    assert!(got.headers.contains_key("retry-after"));
    let mails = product.mails().await;
    assert!(mails.iter().filter(|mail| mail["to"] == "bob@example.org").count() <= 6, "{mails:?}");
    let token = product.mailed("bob@example.org", MAIL).await;
    let client = product.stand.stack.dynamodb();
    let mut dump = String::new();
    for table in client.list_tables().send().await.unwrap().table_names() {
        let items = client.scan().table_name(table).send().await.unwrap();
        dump.push_str(&format!("{:?}", items.items()));
    }
    assert!(dump.contains("INVITED#") && dump.contains("LINK#"));
    for planted in [token.as_str(), "bob@example.org"] {
        assert!(!dump.contains(planted), "{planted} is in the dump");
    }
}

/// A film of the sample catalogue in everything that a link can open.
async fn with_library(product: &Product, token: &str) {
    for (method, path, body) in [
        ("PUT", "/movies/27205/rating", json!({"value": 9.5})),
        ("PUT", "/watchlist/27205", Value::Null),
        ("POST", "/history", json!({"movie_id": 27205})),
        ("PUT", "/movies/550/rating", json!({"value": 4})),
    ] {
        let got = product.with(token, method, path, body).await;
        assert!(got.status < 300, "{method} {path}: {}", got.text);
        product.wait(1);
    }
}

async fn linked(product: &Product, ann: &str, bob: &str, scopes: Value) -> String {
    let asked = ask(product, ann, "bob@example.org", scopes).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", MAIL).await;
    confirm(product, bob, &mailed).await.expect(200, "");
    asked.str("id")
}

const PARTS: [&str; 3] = ["history", "ratings", "watchlist"];

#[tokio::test(flavor = "multi_thread")]
async fn through_a_link_one_reads_what_it_says_until_it_ends() {
    let product = with_films().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let (eve, _) = product.signed_in("eve").await;
    with_library(&product, &bob).await;
    let id = linked(&product, &ann, &bob, json!(PARTS)).await;
    let history = product.get(&ann, &format!("/links/{id}/history")).await.expect(200, "");
    assert_eq!(history.body["items"][0]["movie_id"], 27205, "{}", history.text);
    assert_eq!(history.body["items"][0]["movie"]["id"], 27205);
    let ratings = product.get(&ann, &format!("/links/{id}/ratings?limit=1")).await.expect(200, "");
    assert_eq!(
        (&ratings.body["items"][0]["movie_id"], &ratings.body["items"][0]["value"]),
        (&json!(550), &json!(4.0))
    );
    let cursor = ratings.str("next_cursor");
    let second =
        product.get(&ann, &format!("/links/{id}/ratings?limit=1&cursor={cursor}")).await.expect(200, "");
    assert_eq!(
        (&second.body["items"][0]["value"], second.body["next_cursor"].is_null()),
        (&json!(9.5), true)
    );
    let watchlist = product.get(&ann, &format!("/links/{id}/watchlist")).await.expect(200, "");
    assert_eq!(watchlist.body["items"].as_array().unwrap().len(), 1);
    assert!(!history.text.contains("bob") && !ratings.text.contains("example.org"));
    for part in PARTS {
        let path = format!("/links/{id}/{part}");
        // Who is read reads nothing back, and nobody else has such a link.
        product.get(&bob, &path).await.expect(404, "not_found");
        product.get(&eve, &path).await.expect(404, "not_found");
        product.ask("GET", &path, &[], Value::Null).await.expect(401, "unauthorized");
    }
    product.get(&ann, "/links/unknown/history").await.expect(404, "not_found");
    product.with(&ann, "DELETE", &format!("/links/{id}"), Value::Null).await.expect(204, "");
    for part in PARTS {
        product.get(&ann, &format!("/links/{id}/{part}")).await.expect(404, "not_found");
        product
            .get(&ann, &format!("/links/{id}/ratings?limit=1&cursor={cursor}"))
            .await
            .expect(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_no_more_than_its_scopes_and_nothing_before_it_is_confirmed() {
    let product = with_films().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    with_library(&product, &bob).await;
    for scope in PARTS {
        let asked = ask(&product, &ann, "bob@example.org", json!([scope])).await.expect(202, "");
        let id = asked.str("id");
        let mailed = product.mailed("bob@example.org", MAIL).await;
        product.get(&ann, &format!("/links/{id}/{scope}")).await.expect(404, "not_found");
        confirm(&product, &bob, &mailed).await.expect(200, "");
        for part in PARTS {
            let got = product.get(&ann, &format!("/links/{id}/{part}")).await;
            assert_eq!(got.status, if part == scope { 200 } else { 404 }, "{scope}: {part}");
        }
        product.with(&bob, "DELETE", &format!("/links/{id}"), Value::Null).await.expect(204, "");
        product.get(&ann, &format!("/links/{id}/{scope}")).await.expect(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_of_who_was_closed_is_unverified_or_leaves() {
    let product = with_films().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    with_library(&product, &bob).await;
    let id = linked(&product, &ann, &bob, json!(PARTS)).await;
    let reads = async |status: u16| {
        for part in PARTS {
            let got = product.get(&ann, &format!("/links/{id}/{part}")).await;
            assert_eq!(got.status, status, "{part}: {}", got.text);
            // One's own side beside the session, then the other side with its account beside the library. Once one's own
            // side says that the link has ended, nothing more is asked.
            let cost = product.store_cost(&format!("link_{part}"));
            assert!(cost == (4, 2) || (status, cost) == (404, (2, 1)), "{part}: {cost:?}");
        }
    };
    // The first list of a process waits for the key of cursors.
    for part in PARTS {
        product.get(&ann, &format!("/links/{id}/{part}")).await.expect(200, "");
    }
    reads(200).await;
    let who = product.get(&bob, "/session").await.body["user"]["id"].as_str().unwrap().to_owned();
    let admin = product.admin_token().await;
    let path = format!("/admin/users/{who}");
    for (disabled, status) in [(true, 404), (false, 200)] {
        product.with(&admin, "PATCH", &path, json!({"disabled": disabled})).await.expect(200, "");
        reads(status).await;
    }
    // No way of the product leads back to an address that is not verified; if one ever did, nothing would be shown.
    let stack = &product.stand.stack;
    let account = |change: &'static str| {
        let key = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
        let at = stack.dynamodb().update_item().table_name(&stack.settings().tables.auth);
        let at = at.key("pk", key(format!("ACCOUNT#{who}"))).key("sk", key("ACCOUNT".to_owned()));
        at.update_expression(change)
    };
    account("REMOVE verified_at").send().await.unwrap();
    reads(404).await;
    let now = aws_sdk_dynamodb::types::AttributeValue::S(product.clock.now().to_string());
    account("SET verified_at = :now").expression_attribute_values(":now", now).send().await.unwrap();
    reads(200).await;
    let bob = product.login("bob@example.org").await.str("access_token");
    product.with(&bob, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    reads(404).await;
}
