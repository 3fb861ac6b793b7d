//! What tables' streams bring, however they bring it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use screensort::letters;
use screensort::streams::Follower;
use screensort_auth::event::Event;
use screensort_jobs::capture_changes;
use screensort_jobs::ship_audit::{self, Source};
use screensort_model::{MovieId, Thumb};
use screensort_runtime::{JobError, Stack};
use screensort_store::Change;
use serde_json::{Value, json};

use crate::product::Product;

type Running = Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>>;

/// How often, in a row, each film was thumbed.
const THUMBS: u32 = 4;

/// People thumb films, up and down in turn, so that each call is a change.
async fn act(product: &Product, people: &[&str], films: u32) {
    let library = product.stand.stack.library();
    for person in people {
        for film in 1..=films {
            for turn in 0..THUMBS {
                let request = format!("{person}-{film}-{turn}");
                let change = Change { account: person, request: &request, at: product.clock.now() };
                let thumb = if turn % 2 == 0 { Thumb::Up } else { Thumb::Down };
                library.set_thumb(&change, MovieId::new(film).unwrap(), Some(thumb)).await.unwrap();
            }
        }
    }
}

/// What was recorded of people's films: (request, id), in the order of ids. The stream's times are the machine's, so
/// the whole table is looked at.
async fn captured(product: &Product) -> Vec<(String, String)> {
    let stack = &product.stand.stack;
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let scan = stack.dynamodb().scan().table_name(&stack.settings().tables.audit);
        let page = scan.set_exclusive_start_key(from).send().await.unwrap();
        let text = |item: &std::collections::HashMap<String, AttributeValue>, name: &str| {
            item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
        };
        for item in page.items() {
            if text(item, "action") == Event::FilmNoted.name() && text(item, "pk").starts_with("DAY#") {
                found.push((text(item, "request_id"), text(item, "id")));
            }
        }
        from = page.last_evaluated_key().cloned();
        if from.is_none() {
            break;
        }
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found
}

/// Every change once, and those of one film in their order.
async fn assert_whole(product: &Product, people: &[&str], films: u32) {
    let captured = captured(product).await;
    let mut turns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (request, _) in &captured {
        let (of, turn) = request.rsplit_once('-').unwrap();
        turns.entry(of.to_owned()).or_default().push(turn.to_owned());
    }
    assert_eq!(turns.len(), people.len() * films as usize);
    let whole: Vec<String> = (0..THUMBS).map(|turn| turn.to_string()).collect();
    for (of, turns) in turns {
        assert_eq!(turns, whole, "{of}");
    }
}

/// Everything that the library's stream has.
fn all(product: &Product) -> Vec<Value> {
    let mut changes = product.stand.cloud.changes(&product.stand.stack.settings().tables.library);
    let mut all = Vec::new();
    loop {
        let more = changes.next_batch().unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

fn library(product: &Product, name: &'static str, job: screensort_runtime::Job) -> Follower {
    let table = &product.stand.stack.settings().tables.library;
    Follower::new(name, job, product.stand.cloud.changes(table)).impatient()
}

/// A small generator, so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_come_late_twice_and_in_any_order_are_recorded_once_in_theirs() {
    let product = Product::start().await;
    let people = ["ann", "bob", "cid"];
    act(&product, &people, 8).await;
    let mut records = all(&product);
    let mut dice = Dice(7);
    let again: Vec<Value> = (0..records.len()).map(|_| records[dice.roll(records.len())].clone()).collect();
    records.extend(again);
    for at in (1..records.len()).rev() {
        records.swap(at, dice.roll(at + 1));
    }
    let batches: Vec<Value> = records.chunks(17).map(|batch| json!({"Records": batch})).collect();
    for pair in batches.chunks(2) {
        let stack = &product.stand.stack;
        let runs = pair.iter().map(|batch| capture_changes::job(batch.clone(), stack.clone()));
        for run in futures::future::join_all(runs).await {
            run.unwrap();
        }
    }
    assert_whole(&product, &people, 8).await;
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Fails two times in three: before its work, and after it, as a function whose answer is lost; sometimes it panics.
fn unreliable(event: Value, stack: Stack) -> Running {
    Box::pin(async move {
        match CALLS.fetch_add(1, Ordering::Relaxed) % 6 {
            0 => Err("no room".into()),
            1 => panic!("planted"),
            2 | 4 => capture_changes::job(event, stack).await,
            _ => {
                capture_changes::job(event, stack).await?;
                Err("the answer was lost".into())
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_again_and_again_loses_and_doubles_nothing() {
    let product = Product::start().await;
    let people = ["ann", "bob"];
    let mut follower = library(&product, "capture_changes", unreliable);
    let mut dead = 0;
    for films in [3, 9, 20] {
        act(&product, &people, films).await;
        dead += follower.feed(&product.stand.stack).await.unwrap().dead;
    }
    assert_eq!(dead, 0, "a third try has always been enough");
    let captured = captured(&product).await;
    // The first films were thumbed three times over.
    assert_eq!(captured.len(), people.len() * THUMBS as usize * (3 + 9 + 20));
}

/// Cannot take what `eve` did.
fn poisoned(event: Value, stack: Stack) -> Running {
    Box::pin(async move {
        if event.to_string().contains("PERSON#eve") {
            return Err("a change that cannot be taken".into());
        }
        capture_changes::job(event, stack).await
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_be_taken_is_put_aside_and_replayed_later() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    act(&product, &["ann"], 6).await;
    act(&product, &["eve"], 2).await;
    act(&product, &["bob"], 6).await;
    let fed = library(&product, "capture_changes", poisoned).feed(stack).await.unwrap();
    let eves = 2 * THUMBS as usize;
    assert_eq!(fed.dead, eves);
    assert_whole(&product, &["ann", "bob"], 6).await;
    let waiting = letters::list(stack, None).await.unwrap();
    assert_eq!(waiting.len(), eves);
    assert!(waiting.iter().all(|letter| letter.job == Some("capture_changes") && letter.changes() == 1));
    assert_eq!(waiting[0].why, "a change that cannot be taken");
    assert!(letters::list(stack, Some("ship_audit")).await.unwrap().is_empty());
    // Over HTTP, as on the day when it is mended.
    let done = product.ask("POST", "/_local/streams/replay", &[], Value::Null).await.expect(200, "");
    assert_eq!(done.body, json!({"replayed": eves, "changes": eves, "left": []}));
    assert_eq!(captured(&product).await.len(), 14 * THUMBS as usize);
    let again = product.ask("POST", "/_local/streams/replay", &[], Value::Null).await.expect(200, "");
    assert_eq!(again.body["replayed"], 0);
    product.ask("GET", "/_local/streams/replay", &[], Value::Null).await.expect(405, "method_not_allowed");
    // What is no letter of ours is named and stays.
    stack.letters().put("aws/lambda/x/y/z", "application/json", "{\"payload\": \"not json\"}").await.unwrap();
    let left = letters::replay(stack, None).await.unwrap().left;
    assert_eq!(left, ["aws/lambda/x/y/z: not a letter of a function of ours"]);
}

/// Works on the first three changes and is killed.
fn killed_half_way(mut event: Value, stack: Stack) -> Running {
    Box::pin(async move {
        event["Records"].as_array_mut().unwrap().truncate(3);
        capture_changes::job(event, stack).await?;
        std::future::pending().await
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_killed_half_way_is_gone_on_with() {
    let product = Product::start().await;
    act(&product, &["ann", "bob"], 6).await;
    let stack = product.stand.stack.clone();
    let mut follower = library(&product, "capture_changes", killed_half_way);
    let feeding = tokio::spawn(async move { follower.feed(&stack).await.map(drop) });
    while captured(&product).await.len() < 3 {
        tokio::task::yield_now().await;
    }
    feeding.abort();
    assert!(feeding.await.unwrap_err().is_cancelled());
    assert_eq!(captured(&product).await.len(), 3);
    library(&product, "capture_changes", capture_changes::job).feed(&product.stand.stack).await.unwrap();
    assert_whole(&product, &["ann", "bob"], 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_shipped_by_its_own_stream_whatever_is_delivered_twice() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let table = &stack.settings().tables.audit;
    let stream = || Follower::new("ship_audit", ship_audit::job, product.stand.cloud.changes(table));
    product.gateway.attach(stream()).await;
    for name in ["ann", "bob", "cid"] {
        product.signed_in(name).await;
        product.gateway.feed(None).await.unwrap();
    }
    let all = crate::recorded::records(&product).await.len();
    let verified = async |source| ship_audit::verify(stack, source).await.map_err(|error| error.to_string());
    assert_eq!(verified(Source::Shipped).await, Ok(all));
    assert_eq!(verified(Source::Table).await, Ok(all));
    // From the beginning, beside the sweep of the schedule and another one of the same.
    product.login("ann@example.org").await;
    let (mut first, mut second) = (stream(), stream());
    let swept = ship_audit::job(json!({}), stack.clone());
    let (one, other, swept) = tokio::join!(first.feed(stack), second.feed(stack), swept);
    let laid = |answers: &[Value]| -> u64 { answers.iter().filter_map(|a| a["laid"].as_u64()).sum() };
    let laid = laid(&one.unwrap().answers) + laid(&other.unwrap().answers) + laid(&[swept.unwrap()]);
    assert_eq!(laid, 1, "one of the three lays what is new");
    assert_eq!(verified(Source::Shipped).await, Ok(all + 1));
    assert_eq!(verified(Source::Table).await, Ok(all + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_records_follow_the_same_stream_each_at_its_own_pace() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    product.gateway.attach(library(&product, "capture_changes", poisoned)).await;
    act(&product, &["eve"], 1).await;
    // One function's trouble is not the other one's.
    let fed = product.gateway.feed(Some("capture_changes")).await.unwrap();
    assert_eq!(fed[0].dead, THUMBS as usize);
    product.gateway.count_films().await.unwrap();
    let film = stack.catalogue().film(MovieId::new(1).unwrap()).await.unwrap();
    assert_eq!((film.counters.thumbs_up, film.counters.thumbs_down), (0, 1));
}
