//! What a sync brings: films that can be found, lists, changes.

use jiff::civil::date;
use screensort::gateway::Gateway;
use screensort::product;
use screensort::server::Server;
use screensort_jobs::{sync_changes, sync_exports};
use screensort_model::{OperatorId, Window};
use screensort_store::Why;
use serde_json::{Value, json};

use crate::world::{World, counted, film, first, made_up, unwatched};

/// The answer of the product to a GET: status, `Location`, body.
pub(crate) async fn get(world: &World, path: &str) -> (u16, Option<String>, Value) {
    let gateway = Gateway::new(product::endpoints(), world.stack().clone(), false, false);
    let server = Server::start(gateway, 0, None).await.unwrap();
    // The client wants a provider even where it speaks no TLS; a second installation is no matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(format!("{}{path}", server.url)).send().await.unwrap();
    let location = answer.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
    let (status, body) = (answer.status().as_u16(), answer.bytes().await.unwrap());
    drop(client);
    server.stop().await;
    (status, location, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_full_sync_ends_with_every_film_searchable() {
    let world = World::whole().await;
    let catalog = world.full().await;
    let there = world.tmdb.movie_ids();
    assert!(there.len() >= 30);
    let mut held: Vec<u32> = catalog.ids().map(|id| id.get()).collect();
    held.sort_unstable();
    assert_eq!(held, there);
    for (title, id) in [
        ("The Matrix", 603),
        ("fight club", 550),
        ("Amelie", 194),
        ("the godfahter", 238),
        ("千と千尋の神隠し", 129),
    ] {
        assert_eq!(first(&catalog, title), Some(id), "{title}");
    }
    assert!(world.queued().await.is_empty());
    // Each film was asked for once.
    assert!(world.asked().values().all(|times| *times == 1), "{:?}", world.asked());
    let (status, _, found) = get(&world, "/search?q=matrix&type=movie").await;
    assert_eq!((status, &found["items"][0]["movie"]["id"]), (200, &json!(603)), "{found}");
    let (status, _, matrix) = get(&world, "/movies/603").await;
    assert_eq!((status, matrix["title"].as_str()), (200, Some("The Matrix")));
}

#[tokio::test]
async fn genres_ratings_operators_and_trends_arrive() {
    let world = World::whole().await;
    let catalog = world.full().await;
    let netflix = catalog.operators().iter().find(|operator| operator.name == "Netflix").unwrap();
    assert_eq!(netflix.id, OperatorId::derived("tmdb", "8"));
    assert!(!netflix.regions.is_empty() && !netflix.modes.is_empty());
    assert!(catalog.reference().genres.iter().any(|genre| genre.name == "Comedy"));
    assert!(catalog.reference().certifications.len() > 5);
    let trending = world.stack().catalogue().trending().await.unwrap();
    assert!(trending[Window::Day.name()].len() >= 30 && trending[Window::Week.name()].len() >= 30);
    let (status, _, list) = get(&world, "/trending?window=day&limit=5").await;
    assert_eq!((status, list["items"].as_array().map(Vec::len)), (200, Some(5)), "{list}");
    let (status, _, shown) = get(&world, "/movies/603/operators?region=US").await;
    assert_eq!(status, 200);
    assert!(shown.to_string().contains("Netflix") || shown.to_string().contains("Apple"), "{shown}");
}

#[tokio::test]
async fn an_empty_list_of_trends_does_not_replace_a_full_one() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    for id in [550, 603] {
        world.tmdb.remove_movie(id);
    }
    screensort_jobs::sync_lists::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(world.stack().catalogue().trending().await.unwrap()["day"].len(), 2);
}

#[tokio::test]
async fn changes_of_known_films_are_read_and_others_left_alone() {
    let world = World::with(&[550, 603, 13]).await;
    world.read(&[550, 603]).await.unwrap();
    world.publish().await;
    let mut changed = world.tmdb.movie(550).unwrap();
    changed["title"] = json!("Fight Club: Recut");
    world.tmdb.set_movie(changed);
    world.tmdb.set_changes(date(2026, 11, 22), [550, 13]);
    let changes = sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!((counted(&changes, "changed"), counted(&changes, "queued")), (2, 1));
    assert_eq!(counted(&world.movies().await.unwrap(), "kept"), 1);
    let catalog = world.publish().await;
    assert_eq!(first(&catalog, "fight club recut"), Some(550));
    assert!(!world.table().await.contains_key(&13));
}

#[tokio::test]
async fn days_without_a_run_are_caught_up_with_as_far_as_tmdb_remembers() {
    let world = World::with(&[550, 603, 13]).await;
    world.read(&[550, 603, 13]).await.unwrap();
    world.publish().await;
    sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    // Ten days later: a change of the day of the last run, after it, and one of each week since.
    for (day, id) in [(date(2026, 11, 22), 550), (date(2026, 11, 25), 603), (date(2026, 12, 2), 13)] {
        world.tmdb.set_changes(day, [id]);
    }
    world.pass(10);
    sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(world.queued().await, [13, 550, 603]);
    // Forty days later only the last fourteen can be asked for; that is no failure.
    world.movies().await.unwrap();
    world.tmdb.set_changes(date(2027, 1, 11), [603]);
    world.pass(40);
    sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(world.queued().await, [603]);
}

#[tokio::test]
async fn a_day_counts_as_read_only_half_a_day_after_its_end() {
    let world = World::with(&[550]).await;
    world.read(&[550]).await.unwrap();
    world.publish().await;
    sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(15 * 3600));
    sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    // It is three in the morning; now TMDb lists a change of yesterday.
    world.tmdb.set_changes(date(2026, 11, 22), [550]);
    world.clock.advance(std::time::Duration::from_secs(6 * 3600));
    sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(world.queued().await, [550]);
}

#[tokio::test]
async fn before_anything_is_published_no_change_counts_as_read() {
    let world = World::with(&[550]).await;
    world.read(&[550]).await.unwrap();
    world.tmdb.set_changes(date(2026, 11, 22), [550]);
    let early = sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(counted(&early, "queued"), 0);
    world.publish().await;
    let late = sync_changes::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(counted(&late, "queued"), 1);
}

#[tokio::test]
async fn films_named_twice_are_read_once_and_our_own_never_asked_for() {
    let world = World::with(&[550]).await;
    let own = made_up(2_000_000_000, 1, world.now());
    world.stack().catalogue().keep_all(&own, Why::Hand, |_| {}).await.unwrap();
    let read = world.read(&[550, 550, 2_000_000_000]).await.unwrap();
    assert_eq!((counted(&read, "kept"), counted(&read, "of_our_own")), (1, 1));
    assert_eq!(world.asked(), [(550, 1)].into());
    assert!(world.table().await.contains_key(&2_000_000_000));
    assert!(world.queued().await.is_empty());
}

#[tokio::test]
async fn an_export_is_read_once_a_day_and_the_day_before_serves_when_it_is_late() {
    let world = World::with(&[550, 603]).await;
    world.tmdb.withhold_export(date(2026, 11, 22));
    let late = sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(counted(&late, "queued"), 2);
    world.pass(1);
    assert_eq!(counted(&sync_exports::run(world.stack(), &unwatched()).await.unwrap(), "listed"), 2);
    assert_eq!(counted(&sync_exports::run(world.stack(), &unwatched()).await.unwrap(), "already_read"), 1);
}

#[tokio::test]
async fn films_known_from_a_file_are_read_from_tmdb_once_it_lists_them() {
    let world = World::with(&[550]).await;
    let file = [made_up(550, 1, world.now()), made_up(900, 1, world.now())].concat();
    screensort::import::keep(world.stack(), &file, &[], |_| {}).await.unwrap();
    world.full().await;
    let table = world.table().await;
    assert_eq!((table[&550].title.as_str(), table[&900].title.as_str()), ("Fight Club", "Film 900"));
}

#[tokio::test]
async fn a_part_that_tmdb_leaves_out_stays_as_it_was() {
    let world = World::with(&[603]).await;
    world.read(&[603]).await.unwrap();
    let whole = world.table().await.remove(&603).unwrap();
    assert!(!whole.keywords.is_empty() && !whole.cast.is_empty() && !whole.offers.is_empty());
    let mut cut = world.tmdb.movie(603).unwrap();
    for part in ["keywords", "credits", "watch/providers", "release_dates", "videos", "alternative_titles"] {
        cut.as_object_mut().unwrap().remove(part);
    }
    cut["title"] = json!("Matrix");
    let body = screensort_testkit::tmdb_standin::Fault::Body(200, cut.to_string());
    world.tmdb.script(screensort_testkit::tmdb_standin::Script::on("/3/movie/603").fault(body));
    world.read(&[603]).await.unwrap();
    let now = world.stack().catalogue().film(film(603)).await.unwrap().movie.unwrap();
    assert_eq!(now.title, "Matrix");
    assert_eq!((now.keywords, now.cast, now.offers), (whole.keywords, whole.cast, whole.offers));
    assert_eq!(now.certifications, whole.certifications);
}
