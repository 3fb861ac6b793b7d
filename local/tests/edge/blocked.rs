use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

async fn feed(product: &Product) -> Value {
    product.ask("POST", "/_local/jobs/feed_blocklist", &[], Value::Null).await.body
}

async fn status(product: &Product, source: &str) -> u16 {
    product.ask("GET", "/session", &[("x-local-source", source)], Value::Null).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_gets_itself_shut_out_an_honest_crowd_does_not_and_an_admin_lets_it_in_again() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let (ann, _) = product.signed_in("ann").await;
    let (attacker, honest) = ("198.51.100.66", "198.51.100.77");
    // Passwords sprayed over many accounts.
    for n in 0..25 {
        let body = json!({"email": format!("person{n}@example.org"), "password": "Violet-kettle8 hums"});
        product.post_from(attacker, "/login", body).await;
    }
    // A busy honest client: lots of answers, an expired token now and then, a wrong password, films that are not.
    let bearer = format!("Bearer {ann}");
    for n in 0..200 {
        let headers = [("x-local-source", honest), ("authorization", bearer.as_str())];
        product.ask("GET", "/sessions", &headers, Value::Null).await.expect(200, "");
        if n % 20 == 0 {
            let stale = [("x-local-source", honest), ("authorization", "Bearer old")];
            product.ask("GET", "/sessions", &stale, Value::Null).await.expect(401, "unauthorized");
        }
    }
    let wrong = json!({"email": "ann@example.org", "password": "Violet-kettle8 hums"});
    product.post_from(honest, "/login", wrong).await.expect(401, "invalid_credentials");
    let fed = feed(&product).await;
    assert_eq!(fed["counts"]["shut_out"], 1, "{fed}");
    // Every path is shut, unknown ones too, and the right password does not help.
    let refused =
        product.post_from(attacker, "/login", json!({"email": "ann@example.org", "password": PASSWORD}));
    let refused = refused.await.expect(403, "blocked");
    assert!(refused.headers.contains_key("x-request-id"));
    assert_eq!([status(&product, attacker).await, status(&product, honest).await], [403, 200]);
    product.ask("GET", "/nope", &[("x-local-source", attacker)], Value::Null).await.expect(403, "blocked");
    let list = product.with(&admin, "GET", "/admin/blocklist", Value::Null).await.expect(200, "");
    let entry = &list.body["items"][0];
    assert_eq!((&entry["cidr"], &entry["author"]), (&json!("198.51.100.66/32"), &json!("feed_blocklist")));
    assert!(entry["reason"].as_str().unwrap().starts_with("spraying") && entry["expires_at"].is_string());
    // Let in by hand, it is not shut out again for what it did before.
    let path = "/admin/blocklist/198.51.100.66";
    product.with(&admin, "DELETE", path, Value::Null).await.expect(204, "");
    product.with(&admin, "DELETE", path, Value::Null).await.expect(404, "not_found");
    feed(&product).await;
    assert_eq!(status(&product, attacker).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn scanning_and_probing_are_seen_and_a_block_ends_by_itself() {
    let product = Product::start().await;
    for n in 0..100 {
        let path = format!("/wp-admin/{n}");
        product
            .ask("GET", &path, &[("x-local-source", "203.0.113.1")], Value::Null)
            .await
            .expect(404, "not_found");
    }
    for _ in 0..12 {
        let path = "/sessions?limit=1%27%20OR%20%271%27=%271";
        let got = product.ask("GET", path, &[("x-local-source", "2001:db8:0:1::5")], Value::Null).await;
        got.expect(401, "unauthorized");
    }
    // From inside the house nobody is shut out, whatever they do.
    for n in 0..120 {
        product.ask("GET", &format!("/x/{n}"), &[("x-local-source", "10.0.0.9")], Value::Null).await;
    }
    assert_eq!(feed(&product).await["counts"]["shut_out"], 2);
    assert_eq!([status(&product, "203.0.113.1").await, status(&product, "203.0.113.2").await], [403, 200]);
    assert_eq!(status(&product, "2001:db8:0:1::ffff").await, 403, "the customer's whole /64");
    assert_eq!([status(&product, "2001:db8:0:2::5").await, status(&product, "10.0.0.9").await], [200, 200]);
    product.wait(3_600);
    assert_eq!(status(&product, "203.0.113.1").await, 200);
    assert_eq!(status(&product, "2001:db8:0:1::5").await, 403, "six hours for probing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_blocks_networks_but_not_themselves_nor_the_world() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let bearer = format!("Bearer {admin}");
    let put = |cidr: &'static str, body: Value| {
        let headers = [("authorization", bearer.as_str()), ("x-local-source", "203.0.113.200")];
        let (path, product) = (format!("/admin/blocklist/{cidr}"), &product);
        async move { product.ask("PUT", &path, &headers, body).await }
    };
    let reason = || json!({"reason": "Scanning"});
    let made = put("198.51.100.9%2F24", reason()).await.expect(200, "");
    assert_eq!((&made.body["cidr"], &made.body["expires_at"]), (&json!("198.51.100.0/24"), &Value::Null));
    assert_eq!(status(&product, "198.51.100.250").await, 403);
    for own in ["203.0.113.0-24", "203.0.113.200", "203.0.0.0-8"] {
        put(own, reason()).await.expect(409, "conflict");
    }
    for wrong in ["10.0.0.0-8", "0.0.0.0-0", "64.0.0.0-7", "2000::-18", "::1", "192.168.1.1"] {
        put(wrong, reason()).await.expect(409, "conflict");
    }
    for bad in ["nonsense", "1.2.3.4-33", "1.2.3"] {
        put(bad, reason()).await.expect(400, "bad_parameter");
    }
    for bad in
        [json!({}), json!({"reason": " "}), json!({"reason": "x", "expires_at": "2020-01-01T00:00:00Z"})]
    {
        put("198.51.101.0-24", bad).await.expect(422, "invalid_body");
    }
    put("198.51.102.0-24", json!({"reason": "For a minute", "expires_at": "2026-11-22T12:01:00Z"}))
        .await
        .expect(200, "");
    assert_eq!(status(&product, "198.51.102.1").await, 403);
    product.wait(60);
    assert_eq!(status(&product, "198.51.102.1").await, 200);
    let (user, _) = product.signed_in("ann").await;
    product.with(&user, "GET", "/admin/blocklist", Value::Null).await.expect(403, "forbidden");
    product.with(&user, "PUT", "/admin/blocklist/8.8.8.8", reason()).await.expect(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_knows_within_a_minute_and_a_request_pays_nothing_for_it() {
    use screensort_http::Gate;
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let other = screensort_runtime::Stack::new(product.stand.stack.settings().clone(), product.clock.clone());
    let source = "198.51.100.9".parse().unwrap();
    let (first, spent) = screensort_store::Meter::watch(other.admit(source)).await;
    assert!(first.is_ok());
    assert_eq!(spent.requests, 0);
    let body = json!({"reason": "Scanning"});
    product.with(&admin, "PUT", "/admin/blocklist/198.51.100.9", body).await.expect(200, "");
    assert!(other.admit(source).await.is_ok(), "its list is not a minute old");
    product.wait(60);
    assert_eq!(other.admit(source).await.unwrap_err().code().word(), "blocked");
    // Without a store the list stays as it was.
    let mut settings = product.stand.stack.settings().clone();
    settings.tables.auth = "no-such-table".into();
    let lost = screensort_runtime::Stack::new(settings, product.clock.clone());
    assert!(lost.admit(source).await.is_ok());
}
