use screensort_model::Thumb;
use screensort_runtime::Stack;
use serde_json::Value;

use crate::product::Product;
use crate::world::films;

async fn publish(stack: &Stack, version: &str, file: Vec<u8>) {
    stack.models().publish(version, file, stack.clock().now()).await.unwrap();
    stack.model_changed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_foreign_model_is_refused_and_the_one_before_served_on() {
    let product = Product::with_films().await;
    let stack = &product.stand.stack;
    let ann = product.somebody("ann").await;
    product.thumb(&ann, 348, Some(Thumb::Up)).await;
    let before = product.page(&ann, "").await;
    let good = stack.models().load(&stack.models().current().await.unwrap().unwrap()).await.unwrap().to_vec();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let damages = [
        ("cut", good[..middle].to_vec()),
        ("flipped", flipped),
        ("foreign", b"PK\x03\x04 a zip".to_vec()),
        ("none", Vec::new()),
    ];
    for (name, file) in damages {
        publish(stack, name, file).await;
        assert_eq!(product.page(&ann, "").await, before, "{name}");
    }
    // A function that starts cold finds nothing usable: it still answers.
    let cold = Stack::new(stack.settings().clone(), product.clock.clone());
    assert!(cold.model().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_everybody_gets_a_general_page_without_what_they_do_not_want() {
    let product = Product::start().await;
    let (sample, operators) = screensort::import::sample(product.clock.now()).unwrap();
    screensort::import::keep(&product.stand.stack, &sample, &operators, |_| {}).await.unwrap();
    let ann = product.somebody("ann").await;
    let first = product.page(&ann, "").await;
    assert_eq!(
        (films(&first).len(), &first["general"], &first["model_version"]),
        (20, &true.into(), &Value::Null)
    );
    product.thumb(&ann, films(&first)[0], Some(Thumb::Down)).await;
    product.thumb(&ann, films(&first)[1], Some(Thumb::Up)).await;
    product.hide(&ann, films(&first)[2]).await;
    let second = product.page(&ann, "?limit=100").await;
    assert!(films(&first)[..3].iter().all(|film| !films(&second).contains(film)));
    let why =
        product.get(&ann, &format!("/recommendation/{}/why", films(&second)[0])).await.expect(200, "").body;
    assert_eq!(why["score"], why["reasons"][0]["weight"]);
    // Nothing was published: asking again within five minutes asks nobody.
    product.train().await;
    assert_eq!(product.page(&ann, "").await["general"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn films_that_are_newer_than_the_model_fill_a_page_and_those_that_left_are_not_shown() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let (sample, _) = screensort::import::sample(product.clock.now()).unwrap();
    screensort::import::keep(stack, &sample[..30], &[], |_| {}).await.unwrap();
    product.train().await;
    screensort::import::keep(stack, &sample[30..60], &[], |_| {}).await.unwrap();
    stack.catalogue().forget(sample[3].id).await.unwrap();
    screensort_jobs::publish_catalog::run(stack, true).await.unwrap();
    let ann = product.somebody("ann").await;
    product.thumb(&ann, u64::from(sample[0].id.get()), Some(Thumb::Up)).await;
    let page = product.page(&ann, "?limit=100").await;
    assert_eq!(films(&page).len(), 58, "all but the liked one and the one that left");
    assert!(!films(&page).contains(&u64::from(sample[3].id.get())));
}
