//! Imports of every size and kind: large, killed, twice at once, hostile.

use aws_sdk_dynamodb::types::AttributeValue;
use screensort_jobs::import_worker;
use screensort_store::{Account, Change, Errand, ErrandKind, ErrandState, HeldErrand, Meter};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::World;

/// A Letterboxd diary: each film was watched and rated.
fn diary(films: &[(String, i16)]) -> String {
    let mut file = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n".to_owned();
    for (at, (title, year)) in films.iter().enumerate() {
        let (day, stars) = (at % 28 + 1, at % 10 + 1);
        let title = title.replace('"', "\"\"");
        let rating = f64::from(u8::try_from(stars).unwrap()) / 2.0;
        file += &format!(
            "2024-05-{day:02},\"{title}\",{year},https://boxd.it/{at},{rating},,,2024-04-{day:02}\n"
        );
    }
    file
}

impl World {
    /// Title and year of so many films that no other one shares.
    async fn titles(&self, count: usize) -> Vec<(String, i16)> {
        let catalog = self.product.stand.stack.catalog().await.unwrap();
        let mut titles = Vec::new();
        let mut seen = std::collections::BTreeMap::<(String, i16), usize>::new();
        for id in catalog.ids() {
            let screensort_catalog::Lookup::Film(film) = catalog.lookup(id) else { continue };
            let Some(year) = film.release_date().map(jiff::civil::Date::year) else { continue };
            titles.push((film.title().to_owned(), year));
            *seen.entry((film.title().to_lowercase(), year)).or_default() += 1;
        }
        titles.retain(|(title, year)| seen[&(title.to_lowercase(), *year)] == 1);
        titles.truncate(count);
        titles
    }

    /// An import that was asked for, and that no worker has heard of.
    pub(crate) async fn asked(&self, account: &str, source: &str, content: &str) -> String {
        let stack = &self.product.stand.stack;
        let id = stack.new_id().unwrap();
        let errand = Errand {
            id: id.clone(),
            form: source.to_owned(),
            to_watch: false,
            dry_run: false,
            progress: ErrandState::Running,
            counted: [0; 3],
            failure: None,
            request: "test".to_owned(),
            asked_at: self.product.clock.now(),
        };
        let file = content.as_bytes().to_vec();
        stack.parcels().put(&format!("imports/{account}/{id}"), "text/plain", file).await.unwrap();
        let change = Change { account, request: "test", at: self.product.clock.now() };
        stack.library().begin_errand(&change, ErrandKind::Import, &errand, None).await.unwrap();
        id
    }

    /// A run of the worker, as its schedule starts it; how many errands it did.
    async fn swept(&self) -> u64 {
        let run = import_worker::job(json!({}), self.product.stand.stack.clone());
        run.await.unwrap()["done"].as_u64().unwrap()
    }

    /// An item of an errand, as the table has it.
    async fn item(&self, account: &str, id: &str) -> std::collections::HashMap<String, AttributeValue> {
        let stack = &self.product.stand.stack;
        let get = stack.dynamodb().get_item().table_name(&stack.settings().tables.library);
        let get = get.key("pk", AttributeValue::S(format!("PERSON#{account}")));
        get.key("sk", AttributeValue::S(format!("I#{id}"))).send().await.unwrap().item.unwrap()
    }

    /// Takes these rights from ann, whose sessions end with that; her next one's token.
    async fn without(&self, token: &str, rights: &[&str]) -> String {
        let (stack, id) = (&self.product.stand.stack, self.id(token).await);
        let before = stack.accounts().person(&id).await.unwrap().unwrap().account;
        let denials = rights.iter().map(|right| (*right).to_owned()).collect();
        let after = Account { denials, ..before.clone() };
        let event = screensort_auth::event::Event::RoleChanged;
        let trail = screensort_http::trail_of(event, "test", &id, "test", self.product.clock.now()).unwrap();
        assert!(stack.accounts().set_standing(&before, &after, 0, None, &trail).await.unwrap());
        self.product.login("ann@example.org").await.str("access_token")
    }

    async fn progress(&self, account: &str, id: &str) -> Errand {
        let library = self.product.stand.stack.library();
        library.errand(account, ErrandKind::Import, id).await.unwrap().unwrap()
    }

    /// A request with any bytes for a body; status and answer.
    async fn raw(&self, token: &str, body: Vec<u8>) -> (u16, String) {
        let url = format!("{}/imports", self.product.url());
        let post = reqwest::Client::new().post(url).header("content-type", "application/json");
        let got = post.bearer_auth(token).body(body).send().await.unwrap();
        (got.status().as_u16(), got.text().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_of_five_mebibytes_come_in_at_once_and_one_more_byte_does_not() {
    let world = World::of(400).await;
    let ann = world.person("ann").await;
    let films = world.titles(300).await;
    let mut content = diary(&films);
    // Films that nobody knows fill the file up to what one may send.
    let rows = 10_000 - films.len();
    let width = ((5 << 20) - content.len()) / rows - 40;
    for row in 0..rows {
        content += &format!("2024-05-01,\"{row:05}{}\",1901,x,4,,,\n", "x".repeat(width));
    }
    let left = (5 << 20) - content.len();
    content.insert_str(content.len() - 20, &"y".repeat(left));
    assert_eq!((content.len(), content.lines().count()), (5 << 20, 10_001));
    let report = world.imported(&ann, json!({"source": "letterboxd", "content": content})).await;
    let counts = ["matched", "ambiguous", "unmatched"].map(|name| report.body[name].as_u64().unwrap());
    assert_eq!((counts, report.str("status").as_str()), ([300, 0, rows as u64], "done"));
    assert_eq!(report.body["rows"].as_array().unwrap().len(), 10_000);
    let library = world.product.stand.stack.library();
    let id = world.id(&ann).await;
    let all = library.of_person(&id).await.unwrap();
    assert_eq!(all.iter().filter(|film| film.rating.is_some() && film.watched_at.is_some()).count(), 300);
    let longer = json!({"source": "letterboxd", "content": format!("{content}z")});
    world.product.with(&ann, "POST", "/imports", longer).await.expect(413, "payload_too_large");
    let more = format!("Const\n{}", "tt1\n".repeat(10_001));
    let failed = world.imported(&ann, json!({"source": "imdb", "content": more})).await;
    assert_eq!(failed.str("failure"), "The file has more than 10,000 rows.");
    // A quote travels as four characters within the event: this one is too long for a function.
    let quoted = json!({"source": "letterboxd", "content": "\"".repeat(2 << 20)});
    world.product.with(&ann, "POST", "/imports", quoted).await.expect(413, "payload_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_is_found_again_and_ends_as_if_it_had_not_been() {
    let world = World::of(300).await;
    let ann = world.person("ann").await;
    let account = world.id(&ann).await;
    let content = diary(&world.titles(250).await);
    let id = world.asked(&account, "letterboxd", &content).await;
    let stack = world.product.stand.stack.clone();
    let library = stack.library();
    let worker = tokio::spawn(async move { import_worker::job(json!({}), stack).await.unwrap() });
    loop {
        let there = library.of_person(&account).await.unwrap().len();
        assert!(!worker.is_finished(), "it was to be killed half way");
        if there >= 20 {
            break;
        }
        tokio::task::yield_now().await;
    }
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    let there = library.of_person(&account).await.unwrap().len();
    assert!(
        (20..250).contains(&there) && world.progress(&account, &id).await.progress == ErrandState::Running
    );
    // Nobody takes it while its worker may still be at it.
    assert_eq!(world.swept().await, 0);
    world.product.wait(5 * 60 - 1);
    assert_eq!(world.swept().await, 0);
    assert!(!world.item(&account, &id).await.contains_key("failure"));
    world.product.wait(1);
    assert_eq!(world.swept().await, 1);
    let done = world.progress(&account, &id).await;
    assert_eq!((done.progress, done.counted), (ErrandState::Done, [250, 0, 0]));
    let history = library.history(&account, None, 1_000).await.unwrap();
    assert_eq!((history.len(), library.of_person(&account).await.unwrap().len()), (250, 250));
    assert_eq!(world.swept().await, 0, "what is done is looked for no more");
    for left in ["holder", "leased_until", "tries", "queue", "queue_order"] {
        assert!(!world.item(&account, &id).await.contains_key(left), "{left}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_thought_dead_notes_nothing_over_the_one_that_took_its_errand() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let account = world.id(&ann).await;
    let id = world.asked(&account, "letterboxd", &diary(&world.titles(3).await)).await;
    let library = world.product.stand.stack.library();
    let taken = async |holder: &str| {
        let open = library.errands_open(ErrandKind::Import, 10).await.unwrap();
        library.take_errand(ErrandKind::Import, &open[0], holder, world.product.clock.now()).await.unwrap()
    };
    let (first, errand) = taken("first").await.unwrap();
    let errand = errand.unwrap();
    assert!(taken("second").await.is_none(), "one run has it");
    let note = async |held: &HeldErrand, errand: &Errand| {
        let change = Change { account: &account, request: "test", at: world.product.clock.now() };
        library.note_errand(&change, held, errand).await.unwrap()
    };
    // Each note is a new lease.
    world.product.wait(4 * 60);
    assert!(note(&first, &errand).await);
    world.product.wait(4 * 60);
    assert!(taken("second").await.is_none());
    world.product.wait(60);
    let (second, _) = taken("second").await.unwrap();
    assert_eq!((first.tries, second.tries), (1, 2));
    let done = Errand { progress: ErrandState::Done, ..errand.clone() };
    assert!(!note(&first, &done).await && !note(&first, &errand).await);
    library.put_back_errand(&first, world.product.clock.now()).await.unwrap();
    library.give_up_errand(&first, "Not mine to say.").await.unwrap();
    assert_eq!(world.progress(&account, &id).await, errand);
    assert!(note(&second, &done).await);
    assert!(!note(&second, &done).await, "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_finds_nothing_takes_one_query() {
    let world = World::start().await;
    for name in ["export_worker", "import_worker"] {
        let job = screensort_jobs::by_name(name).unwrap();
        let (answer, spent) = Meter::watch(job(json!({}), world.product.stand.stack.clone())).await;
        assert_eq!(answer.unwrap(), json!({"done": 0, "oldest_seconds": 0}));
        assert_eq!((spent.requests, spent.units), (1, 0.5), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_errand_that_always_fails_holds_up_no_other_and_is_given_up() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let account = world.id(&ann).await;
    let content = diary(&world.titles(3).await);
    // It cannot even be read.
    let poison = world.asked(&account, "letterboxd", &content).await;
    let stack = world.product.stand.stack.clone();
    let mut item = world.item(&account, &poison).await;
    item.insert("counted".to_owned(), AttributeValue::S("planted".to_owned()));
    let put = stack.dynamodb().put_item().table_name(&stack.settings().tables.library);
    put.set_item(Some(item)).send().await.unwrap();
    let good = world.asked(&account, "letterboxd", &content).await;
    let sweep = || import_worker::job(json!({}), stack.clone());
    let failed = sweep().await.unwrap_err().to_string();
    assert!(failed.contains("1 errands could not be done"), "{failed}");
    assert_eq!(world.progress(&account, &good).await.progress, ErrandState::Done);
    // Each try waits longer than the one before, an hour at most.
    let mut waited = Vec::new();
    for _ in 2..=10 {
        let mut minutes = 0;
        loop {
            world.product.wait(60);
            minutes += 1;
            match sweep().await {
                Ok(answer) => assert!(answer["oldest_seconds"].as_i64().unwrap() >= minutes * 60),
                Err(_) => break,
            }
        }
        waited.push(minutes);
    }
    assert_eq!(waited, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    let answer = sweep().await.unwrap();
    assert_eq!(answer, json!({"done": 0, "oldest_seconds": 0}));
    let item = world.item(&account, &poison).await;
    assert_eq!(item["progress"], AttributeValue::S("failed".to_owned()));
    assert_eq!(item["failure"], AttributeValue::S("It could not be done; ask again.".to_owned()));
    assert!(!item.contains_key("queue"));
    world.product.wait(24 * 60 * 60);
    assert_eq!(world.swept().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_errand_that_kills_every_run_is_given_up_too_and_its_owner_is_told() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let account = world.id(&ann).await;
    let id = world.asked(&account, "letterboxd", &diary(&world.titles(3).await)).await;
    let library = world.product.stand.stack.library();
    for _ in 0..10 {
        // Taken, and never heard of again.
        let open = library.errands_open(ErrandKind::Import, 10).await.unwrap();
        let now = world.product.clock.now();
        assert!(library.take_errand(ErrandKind::Import, &open[0], "killed", now).await.unwrap().is_some());
        world.product.wait(5 * 60);
    }
    import_worker::job(json!({}), world.product.stand.stack.clone()).await.unwrap_err();
    let ann = world.product.login("ann@example.org").await.str("access_token");
    let told = world.get(&ann, &format!("/imports/{id}")).await.expect(200, "");
    assert_eq!(
        (told.str("status").as_str(), told.str("failure").as_str()),
        ("failed", "It could not be done; ask again.")
    );
    assert!(library.errands_open(ErrandKind::Import, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_twice_at_once_is_the_file_once_and_what_was_said_since_stays() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let account = world.id(&ann).await;
    let titles = world.titles(30).await;
    let content = diary(&titles);
    let stack = &world.product.stand.stack;
    let first = world.asked(&account, "letterboxd", &content).await;
    let second = world.asked(&account, "letterboxd", &content).await;
    let runs = [(); 4].map(|()| import_worker::job(json!({}), stack.clone()));
    let mut done = 0;
    for run in futures::future::join_all(runs).await {
        done += run.unwrap()["done"].as_u64().unwrap();
    }
    assert_eq!(done, 2, "each errand was one run's");
    for id in [first, second] {
        assert_eq!(world.progress(&account, &id).await.counted, [30, 0, 0]);
    }
    let everything = world.everything(&ann).await;
    assert_eq!(everything["/history"].as_array().unwrap().len(), 30);
    assert_eq!(everything["/ratings"].as_array().unwrap().len(), 30);
    // A rating that is given here is newer than the file.
    let film = everything["/ratings"][0]["movie_id"].as_u64().unwrap();
    world.rate(&ann, film, 0.5).await.expect(200, "");
    let before = world.everything(&ann).await;
    world.imported(&ann, json!({"source": "letterboxd", "content": content})).await;
    assert_eq!(world.everything(&ann).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn imdb_and_trakt_files_are_taken_by_their_ids() {
    let world = World::of(120).await;
    let ann = world.person("ann").await;
    let mut imdb = "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,Year\n".to_owned();
    let mut trakt = Vec::new();
    let film = async |at: usize| world.get(&ann, &format!("/movies/{}", world.films[at])).await;
    let mut by_imdb = Vec::new();
    for at in 0..60 {
        let movie = film(at).await;
        if let Some(id) = movie.body["imdb_id"].as_str() {
            imdb += &format!("{id},{},2021-03-04,Another title,x,https://x,Movie,1801\n", at % 10 + 1);
            by_imdb.push(world.films[at]);
        }
    }
    for at in 60..120 {
        trakt.push(json!({"rated_at": "2020-01-02T03:04:05.000Z", "rating": at % 10 + 1, "type": "movie",
            "movie": {"title": "Another title", "year": 1801, "ids": {"tmdb": world.films[at], "slug": "x"}}}));
    }
    trakt.push(json!({"type": "show", "show": {"title": "A series"}}));
    let got = world.imported(&ann, json!({"source": "imdb", "content": imdb})).await;
    assert_eq!(got.body["matched"], by_imdb.len());
    let content = Value::from(trakt).to_string();
    let got = world.imported(&ann, json!({"source": "trakt", "content": content})).await;
    assert_eq!(got.body["matched"], 60);
    assert_eq!(world.items(&ann, "/ratings").await.len(), 60 + by_imdb.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_text_or_refused_with_a_reason() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let [(title, year), ..] = &world.titles(1).await[..] else { panic!("a film") };
    let content = format!(
        "Date,Name,Year,Rating,Review\n2024-05-01,\"=cmd|'/c calc'!A1\",1995,4,\n2024-05-01,\"a\u{202E}b\0c\",1995,4,\n\
         2024-05-01,{title},{year},4,\"=1+1 is what I think of it, <script>alert(1)</script>\"\n\
         2024-05-01,Am\u{FFFD}lie,2001,4,\n"
    );
    let got = world.imported(&ann, json!({"source": "letterboxd", "content": content})).await;
    let rows = got.body["rows"].as_array().unwrap();
    assert_eq!(rows[0]["title"], "=cmd|'/c calc'!A1");
    assert_eq!((&rows[1]["title"], &rows[1]["result"]), (&json!("abc"), &json!("unmatched")));
    assert_eq!((&rows[2]["result"], &rows[2]["note"]), (&json!("matched"), &Value::Null));
    assert!(rows[3]["note"].as_str().unwrap().contains("not in UTF-8"), "{}", rows[3]);
    assert!(!got.text.contains("<script>"));
    let own = world.get(&ann, "/reviews").await;
    assert_eq!(own.body["items"][0]["state"], "pending", "a file publishes nothing");
    let csv = world.exported(&ann, "letterboxd").await;
    assert!(csv.contains(",\"'=1+1 is what I think of it"), "{csv}");
    let deceptive =
        format!("Name,Year,Review\n{title},{year},\"Long enough, but it turns \u{202E} around.\"\n");
    let bob = world.person("bob").await;
    let got = world.imported(&bob, json!({"source": "letterboxd", "content": deceptive})).await;
    assert!(got.body["rows"][0]["note"].as_str().unwrap().starts_with("The review is left out"));
    let wide: String = "Const,Your Rating\ntt0133093,9\n".chars().flat_map(|c| [c, '\0']).collect();
    let got = world.imported(&ann, json!({"source": "imdb", "content": wide})).await;
    assert!(got.str("failure").contains("UTF-16"));
    let body = br#"{"source": "imdb", "content": "Const,Title\ntt1,Am"#;
    let latin = [&body[..], b"\xE9lie\"}"].concat();
    let utf16: Vec<u8> = "\u{FEFF}{\"source\": \"imdb\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [latin, utf16] {
        let (status, text) = world.raw(&ann, bytes).await;
        assert!(status == 400 && text.contains("UTF-8"), "{status} {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_may_not_write_no_file_writes_for_them() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let denied = ["ratings:write_own", "reviews:write_own", "profile:write_own", "favourites:write_own"];
    let ann = world.without(&ann, &denied).await;
    let film = world.films[0];
    let content = json!({"format": "screensort",
        "films": [{"movie_id": film, "rating": 9, "thumb": "up"}], "history": [{"movie_id": film}],
        "reviews": [{"movie_id": film, "text": "It is long, it is loud, and I liked it."}],
        "profile": {"bio": "Planted bio"},
        "favourites": [{"operator": screensort_model::OperatorId::derived("tmdb", "8")}]});
    let got = world.imported(&ann, json!({"source": "screensort", "content": content.to_string()})).await;
    let notes: Vec<&Value> = got.body["rows"].as_array().unwrap().iter().map(|row| &row["note"]).collect();
    assert_eq!(
        notes,
        [
            &json!("Left out, because you may not write it: rating."),
            &Value::Null,
            &json!("Left out, because you may not write it: review.")
        ]
    );
    let account = world.id(&ann).await;
    for list in ["/ratings", "/favourites"] {
        assert!(world.items(&ann, list).await.is_empty(), "{list}");
    }
    let library = world.product.stand.stack.library();
    assert!(library.own_reviews(&account, None, 1).await.unwrap().is_empty());
    assert_eq!(world.get(&ann, "/profile").await.body["bio"], Value::Null);
    assert_eq!(
        (world.listed(&ann, "/thumbs").await, world.listed(&ann, "/history").await),
        (vec![film], vec![film])
    );
    // Who lost the right to import after they asked gets nothing of it.
    let thumb = json!({"format": "screensort", "films": [{"movie_id": world.films[1], "thumb": "up"}]});
    let id = world.asked(&account, "screensort", &thumb.to_string()).await;
    let ann = world.without(&ann, &["imports:write_own"]).await;
    world.product.gateway.follow_changes().await.unwrap();
    let failed = world.progress(&account, &id).await;
    assert_eq!(
        (failed.progress, failed.failure.as_deref()),
        (ErrandState::Failed, Some("You may not import anything any more."))
    );
    assert_eq!(world.listed(&ann, "/thumbs").await, [film]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_files_bring_few_reviews_before_the_editors_and_none_of_them_in_front() {
    let world = World::of(120).await;
    let editor = world.editor().await;
    let ann = world.person("ann").await;
    let text = "Somebody's own words, long enough to be a review.";
    let mut files = Vec::new();
    for films in world.films[..120].chunks(30) {
        let dated = |at: &u64| json!({"movie_id": at, "text": text, "created_at": "2000-01-02T03:04:05Z"});
        let reviews: Vec<Value> = films.iter().map(dated).collect();
        files.push(json!({"format": "screensort", "reviews": reviews}).to_string());
    }
    // As many runs at once take them.
    let account = world.id(&ann).await;
    let mut asked = Vec::new();
    for file in &files {
        asked.push(world.asked(&account, "screensort", file).await);
    }
    let stack = &world.product.stand.stack;
    let workers = asked.iter().map(|_| import_worker::job(json!({}), stack.clone()));
    for run in futures::future::join_all(workers).await {
        run.unwrap();
    }
    let mut left = 0;
    for id in &asked {
        let report = world.get(&ann, &format!("/imports/{id}")).await.expect(200, "");
        let rows = report.body["rows"].as_array().unwrap().clone();
        let is_left = |row: &&Value| row["note"].as_str().is_some_and(|note| note.contains("tomorrow"));
        left += rows.iter().filter(is_left).count();
    }
    let waiting = world.get(&editor, "/moderation/reviews?limit=100").await.expect(200, "");
    let waiting = waiting.body["items"].as_array().unwrap();
    let now = world.product.clock.now().to_string();
    // A place of the day may be drawn for a write that is then made again, so a few of them may be lost; none is given twice.
    assert_eq!(left + waiting.len(), 120);
    assert!(
        (10..=20).contains(&waiting.len())
            && waiting.iter().all(|review| review["created_at"] == now.as_str()),
        "{waiting:?}"
    );
    // As long as they wait, no other day brings more than there is room for, but for rows that are written at once.
    world.product.wait(86_400);
    let ann = world.product.login("ann@example.org").await.str("access_token");
    world.imported(&ann, json!({"source": "screensort", "content": files[3]})).await;
    let brought = world.items(&ann, "/reviews").await.len();
    assert!((20..=28).contains(&brought), "{brought}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_says_it_is_a_gibibyte_is_refused_before_it_comes() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let url: http::Uri = world.product.url().parse().unwrap();
    let host = url.authority().unwrap().as_str();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /v1/imports HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {ann}\r\n\
         content-type: application/json\r\ncontent-length: 1073741824\r\n\r\n{{\"source\": "
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}
