use screensort::demo;
use screensort_auth::event::Event;
use screensort_jobs::train_recommender::{self, Choices};
use screensort_model::Thumb;
use screensort_recommend::Card;
use serde_json::{Value, json};

use crate::product::Product;
use crate::world::films;

impl Product {
    async fn card(&self) -> Card {
        let current = self.stand.stack.models().current().await.unwrap().unwrap();
        serde_json::from_value(current.about).unwrap()
    }

    async fn train_with(&self, choices: Choices) -> u64 {
        let outcome = train_recommender::run(&self.stand.stack, choices, |_| {}).await.unwrap();
        outcome.counts.get("refused").copied().unwrap_or(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_are_young_or_unverified_or_closed_have_no_say() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    product.thumb(&ann, 348, Some(Thumb::Up)).await;
    let body = json!({"username": "eve", "email": "eve@example.org", "password": crate::product::PASSWORD});
    product.post("/register", body).await.expect(202, "");
    assert_eq!(product.train().await.counts.get("without_a_say"), Some(&1));
    assert_eq!(product.card().await.people, 0);
    product.wait(25 * 3_600);
    product.train().await;
    assert_eq!(product.card().await.people, 1);
    let admin = product.admin_token().await;
    let path = format!("/admin/users/{}", ann.id);
    product.with(&admin, "PATCH", &path, json!({"disabled": true})).await.expect(200, "");
    product.train().await;
    assert_eq!(product.card().await.people, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_table_one_person_and_everybody_on_one_film_all_give_a_model() {
    let empty = Product::start().await;
    assert!(empty.train().await.counts.is_empty(), "no films, no model, no failure");
    assert!(empty.stand.stack.models().current().await.unwrap().is_none());
    let product = Product::with_films().await;
    let mut people = Vec::new();
    for name in ["ann", "bob", "cat"] {
        people.push((product.somebody(name).await, name));
    }
    product.thumb(&people[0].0, 348, Some(Thumb::Up)).await;
    product.wait(25 * 3_600);
    product.train().await;
    assert_eq!(product.card().await.people, 1);
    for (who, name) in &mut people {
        product.again(who, name).await;
        product.thumb(who, 348, Some(Thumb::Up)).await;
        product.stray_thumb(who, 999_999_999).await;
    }
    let counts = product.train().await.counts;
    assert_eq!((counts["people"], counts["films_liked"]), (3, 1));
    for (who, _) in &people {
        assert_eq!(films(&product.page(who, "").await).len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_trains_a_judged_model_that_is_the_same_for_the_same_seed() {
    let product = Product::with_films().await;
    let stack = &product.stand.stack;
    let (similar, window) = ("/movies/299536/similar?limit=20", "/movies?limit=20");
    let before = (product.ask_open(similar).await, product.ask_open(window).await);
    let guests = demo::run(stack, 7, |_| {}).await.unwrap();
    assert!(matches!(demo::run(stack, 7, |_| {}).await, Err(demo::Error::Done)));
    let first = product.card().await;
    // Before anybody says anything more.
    product.train_with(Choices { force: true, ..Choices::default() }).await;
    let again = product.card().await;
    assert_eq!((again.settings, again.quality), (first.settings, first.quality), "deterministic for a seed");
    let quality = first.quality.unwrap();
    assert!(first.people >= 300 && quality.people > 20, "{first:?}");
    let sign_in = async |at: usize| {
        let body = json!({"email": guests[at].email, "password": guests[at].password});
        product.post("/login", body).await.expect(200, "").str("access_token")
    };
    let page = async |token: &str, query: &str| {
        let path = format!("/recommendation{query}");
        product.with(token, "GET", &path, Value::Null).await.expect(200, "").body
    };
    let (space, romance, new) = (sign_in(0).await, sign_in(1).await, sign_in(2).await);
    let of = |page: &Value, genre: u64| crate::world::of_genre(page, genre);
    let (a, b) = (page(&space, "").await, page(&romance, "").await);
    assert!(of(&a, 878) > of(&b, 878) && of(&b, 10749) > of(&a, 10749), "tastes show");
    assert_eq!(page(&new, "").await["general"], true);
    for film in crate::reacts::KIND {
        let body = json!({"movie_id": film, "action": "thumbs_up"});
        product.with(&new, "POST", "/thumbs_action", body).await.expect(200, "");
    }
    let turned = page(&new, "").await;
    assert!(of(&turned, 878) >= 10, "{} of science fiction", of(&turned, 878));
    // What else people leave behind: a history, a watchlist, a link, reviews that are shown and that wait.
    let list = async |token: &str, path: &str| {
        let got = product.with(token, "GET", path, Value::Null).await.expect(200, "").body;
        got["items"].as_array().unwrap().clone()
    };
    assert!(list(&space, "/history").await.len() >= 5 && list(&space, "/watchlist").await.len() == 6);
    assert_eq!(list(&romance, "/links").await[0]["status"], "active");
    assert!(list(&new, "/history").await.is_empty());
    let waiting = stack.library().reviews_waiting(None, 100).await.unwrap();
    assert!(waiting.iter().any(|(_, review)| review.reports > 0), "{waiting:?}");
    assert!(waiting.iter().any(|(_, review)| review.reports == 0));
    let (_, reported) = waiting.iter().find(|(_, review)| review.reports > 0).unwrap();
    let film = product.ask_open(&format!("/movies/{}", reported.movie)).await;
    assert!(
        film["community"]["reviews"].as_u64() >= Some(1) && film["community"]["thumbs_up"].as_u64() > Some(0)
    );
    // Where there is feedback, films like a film come from it, and so does the shop window.
    let after = (product.ask_open(similar).await, product.ask_open(window).await);
    assert!(before.0 != after.0 && before.1 != after.1);
    assert!(films(&after.0).contains(&299_534), "Endgame goes with Infinity War: {:?}", films(&after.0));
    let mut all = std::collections::BTreeSet::new();
    let mut path = "/movies?limit=100".to_owned();
    loop {
        let page = product.ask_open(&path).await;
        let items = page["items"].as_array().unwrap().iter();
        all.extend(items.map(|item| item["id"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/movies?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(all.len(), stack.catalog().await.unwrap().len(), "every film once");
    // A model that is worse by far does not replace it; going back does.
    let good = stack.models().current().await.unwrap().unwrap();
    let mut about = good.about.clone();
    about["quality"]["ndcg_at_100"]["mean"] = 0.99.into();
    let file = stack.models().load(&good).await.unwrap().to_vec();
    stack.models().publish_with("too-good", file, product.clock.now(), about).await.unwrap();
    assert_eq!(product.train_with(Choices::default()).await, 1);
    assert_eq!(stack.models().current().await.unwrap().unwrap().version, "too-good");
    let today = product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let records = screensort_http::Authority::audit(stack).day(today, None, 10_000).await.unwrap();
    let refused = records.iter().filter(|record| record.action == Event::RecommendationModelRefused.name());
    assert_eq!(refused.count(), 1);
    let back = train_recommender::roll_back(stack, None).await.unwrap();
    assert_eq!(back.version, good.version);
    assert_eq!(stack.model().await.unwrap().card().model_version, good.version);
    assert!(train_recommender::roll_back(stack, Some("never")).await.is_err());
    for round in 0..6 {
        stack.models().publish(&format!("v{round}"), vec![round], product.clock.now()).await.unwrap();
    }
    let kept: Vec<String> = stack.models().versions().await.unwrap().into_iter().map(|v| v.version).collect();
    assert_eq!(kept, ["v5", "v4", "v3", "v2", "v1"]);
}
