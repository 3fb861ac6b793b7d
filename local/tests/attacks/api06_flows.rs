//! API6:2023, unrestricted access to sensitive business flows: each call is allowed, and a program makes too many of
//! them. Mails of one kind and links are attacked in `local/tests/accounts/password.rs` and
//! `local/tests/operators/links.rs`.

use serde_json::{Value, json};

use crate::product::PASSWORD;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_registers_no_more_than_a_household_would_and_holds_no_names_for_long() {
    let world = World::start().await;
    let product = &world.product;
    let register = async |n: usize, source: &str| {
        let body = json!({"username": format!("bot{n}"), "email": format!("bot{n}@example.org"), "password": PASSWORD});
        product.post_from(source, "/register", body).await
    };
    // From all addresses of one network, and of one customer's /64.
    for (at, network) in ["198.51.100", "2001:db8:7:7:"].into_iter().enumerate() {
        let mut made = 0;
        for n in 0..40 {
            let source =
                if network.contains(':') { format!("{network}:{n:x}") } else { format!("{network}.{n}") };
            let got = register(at * 100 + n, &source).await;
            assert!([202, 429].contains(&got.status), "{}", got.text);
            made += usize::from(got.status == 202);
            assert_eq!(got.status == 429, got.headers.contains_key("retry-after"));
        }
        assert_eq!(made, 20, "{network}");
    }
    // What a proxy claims is no way out.
    for n in 0..5 {
        let body = json!({"username": format!("bot9{n}"), "email": format!("bot9{n}@example.org"), "password": PASSWORD});
        let claimed = format!("203.0.113.{n}");
        let headers = [
            ("x-local-source", "198.51.100.7"),
            ("x-forwarded-for", claimed.as_str()),
            ("forwarded", &format!("for={claimed}")),
            ("x-real-ip", &claimed),
            ("true-client-ip", &claimed),
            ("cf-connecting-ip", &claimed),
        ];
        product.ask("POST", "/register", &headers, body).await.expect(429, "too_many_attempts");
    }
    // None of them gets in before an address is verified.
    product
        .post("/login", json!({"username": "bot1", "password": PASSWORD}))
        .await
        .expect(403, "email_unverified");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_from_wherever_a_mailbox_is_not_flooded() {
    let world = World::start().await;
    let product = &world.product;
    world.person("victim").await;
    let address = "victim@example.org";
    let before = product.mails().await.iter().filter(|mail| mail["to"] == address).count();
    // Six accounts, each from another network, use everything that mails an address that is not theirs.
    let mut source = 0_u32;
    let mut elsewhere = || {
        source += 1;
        std::net::Ipv4Addr::from_bits(0x0B00_0000 + source * 256).to_string()
    };
    for n in 0..6 {
        let (bot, _) = product.signed_in(&format!("bot{n}")).await;
        for round in 0..12 {
            let body = json!({"username": format!("v{n}x{round}"), "email": address, "password": PASSWORD});
            product.post_from(&elsewhere(), "/register", body).await;
            product.post_from(&elsewhere(), "/register/resend", json!({"email": address})).await;
            product.post_from(&elsewhere(), "/password/forgot", json!({"email": "Victim@Example.org"})).await;
            product.with(&bot, "POST", "/email", json!({"email": address})).await;
            product.with(&bot, "POST", "/links", json!({"email": address, "scopes": ["history"]})).await;
        }
    }
    let mails = product.mails().await;
    let mut got = std::collections::BTreeMap::<&str, usize>::new();
    for mail in mails.iter().filter(|mail| mail["to"] == address) {
        *got.entry(mail["subject"].as_str().unwrap()).or_default() += 1;
    }
    let sum = got.values().sum::<usize>() - before;
    assert!(sum <= 20, "{sum} mails in an hour: {got:?}");
    // Whoever is attacked so still gets what they ask for themselves, once the hour is over.
    product.wait(3_601);
    product.post("/password/forgot", json!({"email": address})).await.expect(202, "");
    let after = product.mails().await;
    assert_eq!(after.iter().filter(|mail| mail["to"] == address).count(), before + sum + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_earns_no_trust_by_writing_the_same_review_again_and_again() {
    let world = World::start().await;
    let text = |n: usize| json!({"text": format!("Buy now, buy cheap, buy here, number {n} of many.")});
    let bot = world.person("bot").await;
    // Written, withdrawn and written again is no more than written.
    let path = format!("/movies/{}/review", world.films[0]);
    for n in 0..6 {
        let got = world.product.with(&bot, "PUT", &path, text(n)).await.expect(200, "");
        assert_eq!(got.body["state"], "pending", "review {n}: {}", got.text);
        world.product.with(&bot, "DELETE", &path, Value::Null).await.expect(204, "");
    }
    let shown =
        world.product.ask("GET", &format!("/movies/{}/reviews", world.films[0]), &[], Value::Null).await;
    assert_eq!(shown.body["items"], json!([]), "{}", shown.text);
    let stats = world.community(world.films[0]).await;
    assert_eq!(stats, json!([0, 0, 0, 0, 0]));
}
