//! The blocklist as the firewall has it.

use screensort_model::Network;
use screensort_runtime::{Mirrored, Stack};
use serde_json::{Value, json};

use crate::product::{Got, Product};

async fn feed(product: &Product) -> Got {
    product.ask("POST", "/_local/jobs/feed_blocklist", &[], Value::Null).await
}

async fn block(product: &Product, admin: &str, cidr: &str, body: Value) {
    product.with(admin, "PUT", &format!("/admin/blocklist/{cidr}"), body).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_firewall_holds_what_the_list_says_and_lets_go_of_it() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let reason = json!({"reason": "Scanning"});
    block(&product, &admin, "198.51.100.0-24", reason.clone()).await;
    block(&product, &admin, "2001:db8:0:1::-64", reason).await;
    let soon = json!({"reason": "For five minutes", "expires_at": "2026-11-22T12:05:00Z"});
    block(&product, &admin, "203.0.113.9", soon).await;
    let fed = feed(&product).await.expect(200, "");
    assert_eq!(
        (&fed.body["counts"]["mirrored"], &fed.body["counts"]["sets_changed"]),
        (&json!(3), &json!(2))
    );
    let held = || product.stand.cloud.walled_off();
    let [mut v4, v6] = held();
    v4.sort();
    assert_eq!(
        (v4, v6),
        (vec!["198.51.100.0/24".into(), "203.0.113.9/32".into()], vec!["2001:db8:0:1::/64".into()])
    );
    // Nothing changed, nothing is written.
    let fed = feed(&product).await.expect(200, "");
    assert_eq!(fed.body["counts"]["sets_changed"], 0);
    product.wait(5 * 60);
    feed(&product).await.expect(200, "");
    assert_eq!(held()[0], ["198.51.100.0/24"], "what has expired is out");
    product.with(&admin, "DELETE", "/admin/blocklist/198.51.100.0-24", Value::Null).await.expect(204, "");
    feed(&product).await.expect(200, "");
    assert_eq!(held(), [vec![], vec!["2001:db8:0:1::/64".to_owned()]]);
    // An attack gets into the firewall by itself.
    for n in 0..25 {
        let body = json!({"email": format!("p{n}@example.org"), "password": "Violet-kettle8 hums"});
        product.post_from("192.0.2.66", "/login", body).await;
    }
    feed(&product).await.expect(200, "");
    assert_eq!(held()[0], ["192.0.2.66/32"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_change_in_between_is_met_and_a_firewall_that_refuses_leaves_the_list_as_it_is() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    block(&product, &admin, "198.51.100.0-24", json!({"reason": "Scanning"})).await;
    product.stand.cloud.meddle_with_walls(3);
    feed(&product).await.expect(200, "");
    assert_eq!(product.stand.cloud.walled_off()[0], ["198.51.100.0/24"]);
    block(&product, &admin, "203.0.113.9", json!({"reason": "Scanning"})).await;
    product.stand.cloud.meddle_with_walls(100);
    let failed = feed(&product).await;
    assert_eq!(failed.status, 503, "{}", failed.text);
    assert!(failed.text.contains("the blocklist cannot be mirrored to the firewall"), "{}", failed.text);
    assert_eq!(product.stand.cloud.walled_off()[0], ["198.51.100.0/24"]);
    let refused = product.ask("GET", "/session", &[("x-local-source", "203.0.113.9")], Value::Null).await;
    refused.expect(403, "blocked");
    product.stand.cloud.meddle_with_walls(0);
    feed(&product).await.expect(200, "");
    assert_eq!(product.stand.cloud.walled_off()[0].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_at_once_agree_and_no_set_holds_more_than_it_can() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let networks: Vec<Network> = (0..10_001_u32)
        .map(|n| Network::new(std::net::Ipv4Addr::from_bits(0x0B00_0000 + n).into(), 32).unwrap())
        .collect();
    let mirrored = stack.firewall().unwrap().hold(&networks).await.unwrap();
    assert_eq!(mirrored, Mirrored { held: 10_000, changed: 1, left_out: 1 });
    let held = &product.stand.cloud.walled_off()[0];
    assert!(
        held.len() == 10_000 && !held.contains(&networks[10_000].to_string()),
        "the last one is left out"
    );
    let runs = (0..8).map(|_| {
        let (stack, networks) = (stack.clone(), networks[..50].to_vec());
        tokio::spawn(async move { stack.firewall().unwrap().hold(&networks).await.unwrap().changed })
    });
    let changed: usize = futures::future::join_all(runs).await.into_iter().map(Result::unwrap).sum();
    assert!(changed >= 1);
    assert_eq!(product.stand.cloud.walled_off()[0].len(), 50);
    // Without sets there is no firewall, and the job has nothing to mirror to.
    let mut settings = stack.settings().clone();
    settings.address_sets = None;
    let alone = Stack::new(settings.clone(), product.clock.clone());
    assert!(alone.firewall().is_none());
    let fed = screensort_jobs::feed_blocklist::run(&alone).await.unwrap();
    assert!(!fed.counts.contains_key("mirrored"));
    // A set that is not there is said so.
    let gone: [screensort_runtime::AddressSet; 2] = ["v4", "v6"]
        .map(|name| format!("arn:aws:wafv2:us-east-1:1:regional/ipset/{name}/1").parse().unwrap());
    let [v4, v6] = gone;
    settings.address_sets = Some(screensort_runtime::AddressSets { v4, v6 });
    let lost = Stack::new(settings, product.clock.clone());
    let error = lost.firewall().unwrap().hold(&networks[..1]).await.unwrap_err();
    assert!(error.to_string().contains("v4 cannot be used"), "{error}");
}
