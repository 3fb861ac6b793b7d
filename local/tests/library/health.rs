//! What administrators see of the parts: of them, what waits for a job is made here.

use jiff::{SignedDuration, Timestamp};
use screensort_auth::event::Event;
use screensort_http::trail_of;
use screensort_runtime::Stack;
use screensort_store::{Change, Deletion, ErrandKind, Letter, To};
use serde_json::Value;

use crate::deleted::running;
use crate::product::Got;
use crate::world::World;

const PATH: &str = "/health?deep=1";

/// The parts that are not as they should be, and how.
fn faults(got: &Got) -> Vec<(String, String)> {
    let parts = got.body["parts"].as_array().unwrap().iter();
    let named = parts.map(|part| (part["part"].as_str().unwrap(), part["state"].as_str().unwrap()));
    named
        .filter(|(_, state)| *state != "ok")
        .map(|(part, state)| (part.to_owned(), state.to_owned()))
        .collect()
}

fn list(faults: &[(&str, &str)]) -> Vec<(String, String)> {
    faults.iter().map(|(part, state)| ((*part).to_owned(), (*state).to_owned())).collect()
}

/// Everything that can wait, of somebody's, and that nobody comes for since `then`.
async fn plant(world: &World, id: &str, then: Timestamp) {
    let stack = &world.product.stand.stack;
    let (accounts, library) = (stack.accounts(), stack.library());
    let letter = Letter {
        id: stack.new_id().unwrap(),
        kind: "none".to_owned(),
        to: To::Account(id.to_owned()),
        about: None,
        posted_at: then,
    };
    stack.outbox().post(&letter).await.unwrap();
    let change = Change { account: id, request: "late", at: then };
    for kind in [ErrandKind::Export, ErrandKind::Import] {
        let errand = running(stack.new_id().unwrap(), then);
        library.begin_errand(&change, kind, &errand, None).await.unwrap();
    }
    let account = accounts.person(id).await.unwrap().unwrap().account;
    let deletion = Deletion {
        account: id.to_owned(),
        keeps_reviews: false,
        request: "late".to_owned(),
        asked_at: then,
        told: true,
    };
    let trail = trail_of(Event::PersonDeleted, id, id, "late", then).unwrap();
    assert!(accounts.begin_deletion(&account, &deletion, false, &trail).await.unwrap());
    let name = format!("aws/lambda/x/shard/{}-x", then.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"));
    stack.letters().put(&name, "application/json", "{}").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_how_each_part_is_and_nobody_else_does() {
    let world = World::start().await;
    let product = &world.product;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let admin = product.admin_token().await;
    product.gateway.follow_changes().await.unwrap();
    product.mails().await;
    let got = world.get(&admin, PATH).await.expect(200, "");
    assert_eq!(got.str("status"), "degraded", "{}", got.text);
    assert_eq!(faults(&got), list(&[("model", "missing")]), "nothing was learnt yet: {}", got.text);
    let names: Vec<&str> =
        got.body["parts"].as_array().unwrap().iter().map(|part| part["part"].as_str().unwrap()).collect();
    let all = [
        "store",
        "secrets",
        "catalogue",
        "model",
        "outbox",
        "deletions",
        "exports",
        "imports",
        "dead_letters",
    ];
    assert_eq!(names, all);
    world.get(&ann, PATH).await.expect(403, "forbidden");
    product.ask("GET", PATH, &[], Value::Null).await.expect(401, "unauthorized");
    product.ask("GET", "/health?deep=true", &[], Value::Null).await.expect(401, "unauthorized");
    // Whoever asks for no more is not asked who they are, whatever they send along.
    let stale = [("authorization", "Bearer nonsense")];
    let plain = product.ask("GET", "/health", &stale, Value::Null).await.expect(200, "");
    assert_eq!((plain.str("status").as_str(), plain.body.as_object().unwrap().len()), ("ok", 2));
    // What nobody does is seen, and since when it waits.
    plant(&world, &world.id(&bob).await, product.clock.now() - SignedDuration::from_hours(2)).await;
    let got = world.get(&admin, PATH).await.expect(200, "");
    let late = ["outbox", "deletions", "exports", "imports", "dead_letters"].map(|part| (part, "late"));
    assert_eq!(faults(&got), list(&[&[("model", "missing")], &late[..]].concat()), "{}", got.text);
    let parts = got.body["parts"].as_array().unwrap();
    assert!(parts[4..].iter().all(|part| part["age_seconds"] == 7_200), "{}", got.text);
    product.wait(2 * 24 * 60 * 60);
    let admin = product.admin_token().await;
    let got = world.get(&admin, PATH).await.expect(200, "");
    assert!(faults(&got).contains(&("catalogue".to_owned(), "late".to_owned())), "{}", got.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_cannot_be_reached_is_said_and_hides_no_other() {
    let world = World::start().await;
    let admin = world.product.admin_token().await;
    // A minute later it is noted that the session is in use.
    world.product.wait(61);
    world.get(&admin, PATH).await.expect(200, "");
    let mut settings = world.product.stand.stack.settings().clone();
    settings.tables.library = "screensort-nowhere".to_owned();
    let beside = world.product.beside(Stack::new(settings, world.product.clock.clone())).await;
    let got = beside.get(&admin, PATH).await.expect(200, "");
    let lost = ["store", "exports", "imports"].map(|part| (part, "unreachable"));
    let mut expected = list(&[&lost[..], &[("model", "missing")]].concat());
    expected.sort();
    let mut seen = faults(&got);
    seen.sort();
    assert_eq!(seen, expected, "{}", got.text);
    assert!(!got.text.contains("nowhere"), "what went wrong is in the log");
}
