use screensort::stand::Choices;
use screensort_runtime::Texts;
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};
use crate::world::World;

impl World {
    /// Exports, and fetches the file by its link alone.
    pub(crate) async fn exported(&self, token: &str, format: &str) -> String {
        let asked = self.product.with(token, "POST", "/profile/export", json!({"format": format})).await;
        let path = format!("/profile/export/{}", asked.expect(202, "").str("id"));
        self.product.gateway.follow_changes().await.unwrap();
        let done = self.get(token, &path).await.expect(200, "");
        assert_eq!(done.body["status"], "done");
        let got = reqwest::Client::new().get(done.str("download_url")).send().await.unwrap();
        assert_eq!(got.status().as_u16(), 200);
        got.text().await.unwrap()
    }

    pub(crate) async fn imported(&self, token: &str, body: Value) -> Got {
        let asked = self.product.with(token, "POST", "/imports", body).await.expect(202, "");
        self.product.gateway.follow_changes().await.unwrap();
        self.get(token, &format!("/imports/{}", asked.str("id"))).await.expect(200, "")
    }

    /// Everything in a person's lists.
    pub(crate) async fn everything(&self, token: &str) -> Value {
        let mut all = json!({});
        for list in ["/thumbs", "/ratings", "/hidden", "/watchlist"] {
            all[list] = json!(self.items(token, list).await);
        }
        let mut history = self.items(token, "/history").await;
        for watch in &mut history {
            watch.as_object_mut().unwrap().remove("id");
        }
        all["/history"] = json!(history);
        let mut reviews = self.items(token, "/reviews").await;
        for review in &mut reviews {
            // A file publishes nothing: an editor looks at what it brings, in the order in which it came.
            for name in ["id", "state", "note", "created_at", "updated_at"] {
                review.as_object_mut().unwrap().remove(name);
            }
        }
        reviews.sort_by_key(|review| review["movie_id"].as_u64());
        all["/reviews"] = json!(reviews);
        let mut profile = self.get(token, "/profile").await.body;
        for name in ["id", "created_at"] {
            profile.as_object_mut().unwrap().remove(name);
        }
        all["/profile"] = profile;
        all["/preferences"] = self.get(token, "/preferences").await.body;
        all
    }

    /// What stands behind the wishes about recommendations.
    async fn wishes(&self, token: &str) -> screensort_store::Tuning {
        let id = self.id(token).await;
        self.product.stand.stack.library().wants(&id).await.unwrap().1
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
    let first = world.films[0];
    let again =
        json!({"movie_id": first, "rewatch": true, "mode": "rent", "watched_at": "2025-01-02T03:04:05Z"});
    for _ in 0..2 {
        world.product.with(&ann, "POST", "/history", again.clone()).await.expect(201, "");
    }
    for film in &world.films[..3] {
        world.product.wait(1);
        let path = format!("/movies/{film}/review");
        let body = json!({"text": format!("About {film}: I liked every minute of it."), "spoiler": film % 2 == 0,
            "language": "en"});
        world.product.with(&ann, "PUT", &path, body).await.expect(200, "");
    }
    let bio = json!({"bio": "Planted bio", "display_name": "Ann", "region": "GB", "birth_year": 1990});
    world.product.with(&ann, "PATCH", "/profile", bio).await.expect(200, "");
    let wanted = json!({"region": "GB", "avoid_genres": [27], "max_runtime": 150, "modes": ["rent"]});
    world.product.with(&ann, "PUT", "/preferences", wanted).await.expect(200, "");
    let wish = json!({"reason": {"type": "popular"}, "action": "less"});
    let why = format!("/recommendation/{}/why", world.films[20]);
    world.product.with(&ann, "POST", &why, wish).await.expect(200, "");
    let wishes = world.wishes(&ann).await;
    let before = world.everything(&ann).await;
    let file = world.exported(&ann, "json").await;
    assert!(file.contains("Planted bio") && file.contains("ann@example.org"));
    let csv = world.exported(&ann, "letterboxd").await;
    assert!(csv.starts_with("tmdbID,Title,Year,Rating10,WatchedDate,Rewatch,Review\n"));
    assert_eq!((csv.lines().count(), csv.matches("I liked every minute").count()), (11, 3));
    world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    screensort_accounts::deletion_worker::run(&world.product.stand.stack).await.unwrap();
    let again = world.person("ann").await;
    assert_ne!(world.everything(&again).await, before);
    let body = json!({"source": "screensort", "content": file});
    for _ in 0..2 {
        let report = world.imported(&again, body.clone()).await;
        assert_eq!(
            (&report.body["matched"], &report.body["unmatched"]),
            (&json!(22), &json!(0)),
            "{}",
            report.text
        );
        assert_eq!(world.everything(&again).await, before);
        assert_eq!(world.wishes(&again).await, wishes);
    }
    assert!(!wishes.less.is_empty());
    let states: Vec<Value> =
        world.items(&again, "/reviews").await.iter().map(|review| review["state"].clone()).collect();
    assert_eq!(states, ["pending", "pending", "pending"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exports_link_lives_fifteen_minutes_cannot_be_stretched_and_ends_with_its_owner() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let asked = world.product.with(&ann, "POST", "/profile/export", Value::Null).await.expect(202, "");
    world.product.gateway.follow_changes().await.unwrap();
    let done = world.get(&ann, &format!("/profile/export/{}", asked.str("id"))).await.expect(200, "");
    let link = done.str("download_url");
    let fetch = async |url: &str| reqwest::get(url).await.unwrap().status().as_u16();
    assert_eq!(fetch(&link).await, 200);
    assert!(link.contains("X-Amz-Expires=900"), "{link}");
    assert_eq!(fetch(&link.replace("X-Amz-Expires=900", "X-Amz-Expires=9000")).await, 403);
    let other = link.replace(&asked.str("id"), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_eq!(fetch(&other).await, 403, "it is good for one file");
    assert_eq!(fetch(link.split('?').next().unwrap()).await, 403, "and without its signature for none");
    world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    world.forgotten().await;
    assert_eq!(fetch(&link).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_everything_and_nothing_of_others() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let review = world.write(&bob, world.films[0], "Somebody else's words, long enough.").await.str("id");
    let editor = world.editor().await;
    let decide = format!("/moderation/reviews/{review}");
    world.product.with(&editor, "POST", &decide, json!({"decision": "publish"})).await.expect(200, "");
    let report = format!("/reviews/{review}/report");
    world.product.with(&ann, "POST", &report, json!({"reason": "spam"})).await.expect(204, "");
    let file: Value = serde_json::from_str(&world.exported(&ann, "json").await).unwrap();
    let mut fields: Vec<&str> = file.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "account",
            "api_keys",
            "exported_at",
            "exports_and_imports",
            "favourites",
            "films",
            "format",
            "history",
            "links",
            "logins",
            "preferences",
            "profile",
            "queries",
            "reports",
            "reviews",
            "sessions",
            "version",
            "wishes"
        ]
    );
    assert_eq!(file["reports"][0]["review_id"], review);
    assert!(!file.to_string().contains("Somebody else"));
    // Who is forgotten takes along that they reported something.
    let id = world.id(&ann).await;
    world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    world.forgotten().await;
    let stack = &world.product.stand.stack;
    assert!(stack.library().own_reports(&id).await.unwrap().is_empty());
    assert!(!world.dump().await.contains(&format!("REPORT#{id}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_number_is_in_its_owners_export_and_goes_with_the_account() {
    let texts = Texts { countries: vec!["+44".to_owned()], sender: None, per_day: 500 };
    let product = Product::start_with(Choices { texts: Some(texts), ..Choices::default() }).await;
    let world = World::on(product, 1).await;
    let (product, ann) = (&world.product, world.person("ann").await);
    let number = "+442079460123";
    product.with(&ann, "POST", "/mfa/sms", json!({"phone": number})).await.expect(202, "");
    let code = product.mailed(number, "Text message").await;
    product.with(&ann, "PUT", "/mfa/sms", json!({"code": code})).await.expect(200, "");
    let file: Value = serde_json::from_str(&world.exported(&ann, "json").await).unwrap();
    assert_eq!(file["account"]["second_factor"]["phone"], number);
    let id = world.id(&ann).await;
    let sealed =
        product.stand.stack.accounts().person(&id).await.unwrap().unwrap().credentials.phone.unwrap();
    let table = &product.stand.stack.settings().tables.auth;
    assert!(world.dump_of(table).await.contains(&sealed));
    product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    world.forgotten().await;
    assert!(!world.dump_of(table).await.contains(&sealed));
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
        json!({"row": 2, "title": "Nope", "result": "unmatched", "movie_id": null, "note": null})
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
    let big = json!({"source": "imdb", "content": "x".repeat((5 << 20) + 1)});
    world.product.with(&ann, "POST", "/imports", big).await.expect(413, "payload_too_large");
    let other = world.product.with(&ann, "POST", "/profile/export", Value::Null).await.expect(202, "");
    let path = format!("/profile/export/{}", other.str("id"));
    world.get(&bob, &path).await.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_is_asked_for_so_many_times_a_day_and_no_more() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let product = &world.product;
    let ask =
        |token: String| async move { product.with(&token, "POST", "/profile/export", Value::Null).await };
    let all = futures::future::join_all((0..25).map(|_| ask(ann.clone()))).await;
    assert_eq!(all.iter().filter(|got| got.status == 202).count(), 20);
    let refused = all.iter().find(|got| got.status != 202).unwrap();
    assert_eq!((refused.status, refused.code()), (429, "too_many_requests"));
    assert_eq!(refused.headers["retry-after"], "43200", "until midnight UTC");
    assert_eq!(ask(bob).await.status, 202, "others have their own");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_and_an_import_that_are_asked_for_again_with_their_key_are_made_once() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let bearer = format!("Bearer {ann}");
    let file = json!({"source": "imdb", "content": "Const,Your Rating\ntt1,9\n"});
    for (path, body) in [("/profile/export", json!({"format": "json"})), ("/imports", file)] {
        let ask = async |body: &Value| {
            let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
            world.product.ask("POST", path, &headers, body.clone()).await
        };
        let first = ask(&body).await.expect(202, "");
        let again = ask(&body).await.expect(202, "");
        assert_eq!(
            (&again.text, &again.headers["idempotency-replayed"]),
            (&first.text, &"true".parse().unwrap())
        );
        let other =
            if path == "/imports" { json!({"source": "imdb", "content": "Const\n"}) } else { Value::Null };
        ask(&other).await.expect(422, "idempotency_key_reused");
    }
    let library = world.product.stand.stack.library();
    assert_eq!(library.errands(&world.id(&ann).await).await.unwrap().len(), 2);
}
