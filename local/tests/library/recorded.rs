use screensort_http::Authority;
use serde_json::{Value, json};

use crate::world::World;

const TEXT: &str = "It is long, it is loud, and I liked every minute of it.";

impl World {
    /// What the trail holds of today that begins with `prefix`, oldest first: event, actor, target.
    pub(crate) async fn trail(&self, prefix: &str) -> Vec<(String, String, String)> {
        let day = self.product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut records = self.product.stand.stack.audit().day(day, None, 10_000).await.unwrap();
        records.reverse();
        records
            .into_iter()
            .filter(|record| record.action.starts_with(prefix))
            .map(|record| (record.action, record.actor, record.target))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_review_is_recorded_with_it_and_outlives_it() {
    let world = World::start().await;
    let editor = world.editor().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let (a, b, e) = (world.id(&ann).await, world.id(&bob).await, world.id(&editor).await);
    let film = world.films[0];
    let rid = world.write(&ann, film, TEXT).await.expect(200, "").str("id");
    let steps = async |wanted: &[(&str, &str)]| {
        let got = world.trail("review.").await;
        let got: Vec<(&str, &str)> = got
            .iter()
            .filter(|(.., target)| *target == rid)
            .map(|(event, actor, _)| (event.as_str(), actor.as_str()))
            .collect();
        assert_eq!(got, wanted);
    };
    let decide = async |decision: &str| {
        world.product.wait(1);
        let path = format!("/moderation/reviews/{rid}");
        world.product.with(&editor, "POST", &path, json!({"decision": decision})).await
    };
    let (editor, ann_id, bob_id) = (e.as_str(), a.as_str(), b.as_str());
    let mut wanted = vec![("review.held", ann_id)];
    steps(&wanted).await;
    decide("publish").await.expect(200, "");
    wanted.push(("review.published", editor));
    steps(&wanted).await;
    world.product.wait(1);
    world.write(&ann, film, &format!("{TEXT}!")).await.expect(200, "");
    wanted.push(("review.changed", ann_id));
    let report = format!("/reviews/{rid}/report");
    world.product.wait(1);
    for _ in 0..3 {
        world.product.with(&bob, "POST", &report, json!({"reason": "spam"})).await.expect(204, "");
    }
    wanted.push(("review.reported", bob_id));
    steps(&wanted).await;
    decide("remove").await.expect(200, "");
    let settled = world.trail("review.report.settled").await;
    assert_eq!((settled.len(), settled[0].1.as_str()), (1, editor));
    decide("publish").await.expect(200, "");
    world.product.wait(1);
    world.product.with(&ann, "DELETE", &format!("/movies/{film}/review"), Value::Null).await.expect(204, "");
    let all = world.trail("review.").await;
    for (event, actor) in
        [("review.removed", editor), ("review.restored", editor), ("review.withdrawn", ann_id)]
    {
        let is_it = |step: &&(String, String, String)| step.0 == event;
        let found: Vec<_> = all.iter().filter(is_it).collect();
        assert_eq!((found.len(), found[0].1.as_str(), &found[0].2), (1, actor, &rid), "{event}");
    }
    // What is refused is not recorded.
    let before = world.trail("review.").await.len();
    world.write(&ann, film, "too short").await.expect(422, "invalid_body");
    world.product.with(&bob, "POST", &report, json!({"reason": "spam"})).await.expect(404, "not_found");
    decide("remove").await.expect(404, "not_found");
    assert_eq!(world.trail("review.").await.len(), before);
    // The trail holds ids, never what was written.
    assert!(!format!("{all:?}").contains("loud"));
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_and_imports_are_recorded_and_a_review_without_its_record_is_none() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let id = world.id(&ann).await;
    world.product.with(&ann, "POST", "/profile/export", Value::Null).await.expect(202, "");
    let file = json!({"source": "imdb", "content": "Const,Your Rating\ntt0133093,9\n"});
    let mut dry = file.clone();
    dry["dry_run"] = true.into();
    world.product.with(&ann, "POST", "/imports", dry).await.expect(202, "");
    world.product.with(&ann, "POST", "/imports", file).await.expect(202, "");
    let own = |event: &str| vec![(event.to_owned(), id.clone(), id.clone())];
    assert_eq!(world.trail("person.exported").await, own("person.exported"));
    assert_eq!(world.trail("person.imported").await, own("person.imported"));
    // Where nothing can be recorded, nothing is done.
    let stack = &world.product.stand.stack;
    stack.dynamodb().delete_table().table_name(&stack.settings().tables.audit).send().await.unwrap();
    let refused = world.write(&ann, world.films[0], TEXT).await;
    assert!(refused.status >= 500, "{}", refused.text);
    assert!(world.items(&ann, "/reviews").await.is_empty());
    let refused = world.product.with(&ann, "POST", "/profile/export", Value::Null).await;
    assert!(refused.status >= 500, "{}", refused.text);
    world.product.with(&ann, "GET", "/profile", Value::Null).await.expect(200, "");
}
