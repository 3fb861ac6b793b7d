use screensort_jobs::{export_worker, import_worker};
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD};
use crate::world::World;

impl World {
    /// Exports, and fetches the file by its link alone.
    async fn exported(&self, token: &str, format: &str) -> String {
        let asked = self.product.with(token, "POST", "/profile/export", json!({"format": format})).await;
        let path = format!("/profile/export/{}", asked.expect(202, "").str("id"));
        export_worker::job(json!({}), self.product.stand.stack.clone()).await.unwrap();
        let done = self.get(token, &path).await.expect(200, "");
        assert_eq!(done.body["status"], "done");
        let got = reqwest::Client::new().get(done.str("download_url")).send().await.unwrap();
        assert_eq!(got.status().as_u16(), 200);
        got.text().await.unwrap()
    }

    async fn imported(&self, token: &str, body: Value) -> Got {
        let asked = self.product.with(token, "POST", "/imports", body).await.expect(202, "");
        import_worker::job(json!({}), self.product.stand.stack.clone()).await.unwrap();
        self.get(token, &format!("/imports/{}", asked.str("id"))).await.expect(200, "")
    }

    /// Everything in a person's lists.
    async fn everything(&self, token: &str) -> Value {
        let mut all = json!({});
        for list in ["/thumbs", "/ratings", "/hidden", "/watchlist"] {
            all[list] = json!(self.items(token, list).await);
        }
        let mut history = self.items(token, "/history").await;
        for watch in &mut history {
            watch.as_object_mut().unwrap().remove("id");
        }
        all["/history"] = json!(history);
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_exports_is_deleted_and_comes_back_finds_everything_again() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    for (at, film) in world.films[..8].iter().enumerate() {
        world.product.wait(1);
        let action = if at % 2 == 0 { "thumbs_up" } else { "thumbs_down" };
        world.thumb(&ann, *film, action).await.expect(200, "");
        world.rate(&ann, *film, 1.5 + f64::from(u8::try_from(at).unwrap())).await.expect(200, "");
        world.product.with(&ann, "POST", "/history", json!({"movie_id": film})).await.expect(201, "");
        world.product.with(&ann, "PUT", &format!("/watchlist/{film}"), Value::Null).await.expect(204, "");
    }
    let path = format!("/movies/{}/hidden", world.films[9]);
    world.product.with(&ann, "PUT", &path, Value::Null).await.expect(204, "");
    let bio = json!({"bio": "Planted bio"});
    world.product.with(&ann, "PATCH", "/profile", bio).await.expect(200, "");
    let before = world.everything(&ann).await;
    let file = world.exported(&ann, "json").await;
    assert!(file.contains("Planted bio") && file.contains("ann@example.org"));
    let csv = world.exported(&ann, "letterboxd").await;
    assert!(csv.starts_with("tmdbID,Title,Year,Rating10,WatchedDate,Rewatch\n") && csv.lines().count() == 9);
    world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    screensort_accounts::deletion_worker::run(&world.product.stand.stack).await.unwrap();
    let again = world.person("ann").await;
    assert_ne!(world.everything(&again).await, before);
    let body = json!({"source": "screensort", "content": file});
    for _ in 0..2 {
        let report = world.imported(&again, body.clone()).await;
        assert_eq!(
            (&report.body["matched"], &report.body["unmatched"]),
            (&json!(17), &json!(0)),
            "{}",
            report.text
        );
        assert_eq!(world.everything(&again).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_matches_says_what_it_could_not_and_a_dry_run_changes_nothing() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let film = world.get(&ann, &format!("/movies/{}", world.films[0])).await;
    let (title, year) = (film.str("title"), film.str("release_date")[..4].to_owned());
    let content = format!(
        "Date,Name,Year,Letterboxd URI,Rating\n2024-05-01,{title},{year},x,4.5\n2024-05-01,Nope,1901,x,1\n"
    );
    let dry = json!({"source": "letterboxd", "content": content, "dry_run": true});
    let report = world.imported(&ann, dry).await;
    let counts =
        |got: &Got| [&got.body["matched"], &got.body["ambiguous"], &got.body["unmatched"]].map(Value::clone);
    assert_eq!((report.str("status").as_str(), counts(&report)), ("done", [json!(1), json!(0), json!(1)]));
    assert!(world.items(&ann, "/ratings").await.is_empty());
    let report = world.imported(&ann, json!({"source": "letterboxd", "content": content})).await;
    assert_eq!(report.body["rows"][0]["movie_id"], world.films[0]);
    assert_eq!(
        report.body["rows"][1],
        json!({"row": 2, "title": "Nope", "result": "unmatched", "movie_id": null})
    );
    assert_eq!(world.items(&ann, "/ratings").await[0]["value"], 9.0);
    let path = format!("/imports/{}", report.str("id"));
    world.get(&bob, &path).await.expect(404, "not_found");
    let failed = world.imported(&ann, json!({"source": "trakt", "content": "not json"})).await;
    assert_eq!(
        (failed.str("status"), failed.str("failure")),
        ("failed".into(), "The file is not a JSON list.".into())
    );
    for bad in [
        json!({"source": "netflix", "content": "x"}),
        json!({"source": "imdb", "content": "  "}),
        json!({"source": "imdb", "content": "x", "account": "y"}),
    ] {
        world.product.with(&ann, "POST", "/imports", bad).await.expect(422, "invalid_body");
    }
    let big = json!({"source": "imdb", "content": "x".repeat(5 << 20)});
    world.product.with(&ann, "POST", "/imports", big).await.expect(413, "payload_too_large");
    let other = world.product.with(&ann, "POST", "/profile/export", Value::Null).await.expect(202, "");
    let path = format!("/profile/export/{}", other.str("id"));
    world.get(&bob, &path).await.expect(404, "not_found");
}
