//! Films that TMDb denies: merged, withdrawn, or only seemingly gone.

use screensort_catalog::Lookup;
use screensort_jobs::{retention, sync_exports};
use screensort_store::{Tombstone, Why};
use screensort_testkit::tmdb_standin::{Fault, Script};
use serde_json::json;

use crate::synced::get;
use crate::world::{World, counted, film, made_up, unwatched};

impl World {
    async fn tombstone(&self, id: u32) -> Option<Tombstone> {
        self.stack().catalogue().film(film(id)).await.unwrap().tombstone
    }

    /// A day's work on what is in doubt.
    async fn ask_again(&self) -> screensort_jobs::Outcome {
        retention::run(self.stack(), &unwatched()).await.unwrap();
        self.movies().await.unwrap()
    }
}

#[tokio::test]
async fn a_film_is_withdrawn_only_after_denials_on_three_different_days() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    world.tmdb.remove_movie(550);
    // However often TMDb says so on one day, it is one denial.
    for _ in 0..4 {
        world.read(&[550]).await.unwrap();
    }
    world.pass(1);
    assert_eq!(counted(&world.ask_again().await, "doubted"), 1);
    world.ask_again().await;
    assert!(matches!(world.tombstone(550).await, Some(Tombstone::Doubted { days }) if days.len() == 2));
    // Until it is believed, the film is served.
    assert!(matches!(world.publish().await.lookup(film(550)), Lookup::Film(_)));
    assert_eq!(get(&world, "/movies/550").await.0, 200);
    world.pass(1);
    assert_eq!(counted(&world.ask_again().await, "withdrawn"), 1);
    assert!(!world.table().await.contains_key(&550));
    assert!(matches!(world.publish().await.lookup(film(550)), Lookup::Withdrawn));
    assert_eq!(get(&world, "/movies/550").await.0, 410);
    // It is not asked for any more.
    world.pass(1);
    let asked = world.asked()[&550];
    world.ask_again().await;
    assert_eq!(world.asked()[&550], asked);
}

#[tokio::test]
async fn a_film_that_comes_back_is_not_doubted_any_more() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    let there = world.tmdb.movie(550).unwrap();
    world.tmdb.remove_movie(550);
    for _ in 0..2 {
        world.read(&[550]).await.unwrap();
        world.pass(1);
    }
    world.tmdb.set_movie(there.clone());
    assert_eq!(counted(&world.ask_again().await, "kept"), 1);
    assert_eq!(world.tombstone(550).await, None);
    // Even one that was buried comes back.
    world.tmdb.remove_movie(550);
    for _ in 0..3 {
        world.read(&[550]).await.unwrap();
        world.pass(1);
    }
    assert_eq!(world.tombstone(550).await, Some(Tombstone::Withdrawn));
    world.tmdb.set_movie(there);
    world.read(&[550]).await.unwrap();
    assert_eq!(world.tombstone(550).await, None);
    assert!(matches!(world.publish().await.lookup(film(550)), Lookup::Film(_)));
}

#[tokio::test]
async fn a_merged_film_leads_to_the_one_that_bears_its_imdb_id() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    world.tmdb.merge(550, 987_654);
    world.read(&[987_654]).await.unwrap();
    for _ in 0..3 {
        world.read(&[550]).await.unwrap();
        world.pass(1);
    }
    assert_eq!(world.tombstone(550).await, Some(Tombstone::Merged { into: film(987_654) }));
    assert!(matches!(world.publish().await.lookup(film(550)), Lookup::Merged(into) if into == film(987_654)));
    for path in ["/movies/550", "/movies/550/similar"] {
        let (status, location, _) = get(&world, path).await;
        let to = location.unwrap_or_default();
        assert_eq!((status, to.contains("987654")), (301, true), "{path} to {to}");
    }
    assert_eq!(get(&world, "/movies/987654").await.0, 200);
}

#[tokio::test]
async fn an_imdb_id_that_leads_to_a_film_which_is_gone_too_merges_nothing() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    world.tmdb.merge(550, 987_654);
    world.read(&[987_654]).await.unwrap();
    world.stack().catalogue().forget(film(987_654)).await.unwrap();
    for _ in 0..3 {
        world.read(&[550]).await.unwrap();
        world.pass(1);
    }
    assert_eq!(world.tombstone(550).await, Some(Tombstone::Withdrawn));
}

#[tokio::test]
async fn a_404_that_is_not_tmdbs_own_denies_nothing() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    let page = Fault::Body(404, "{\"message\": \"no route\"}".into());
    world.tmdb.script(Script::on("/3/movie/550").fault(page).always());
    for _ in 0..4 {
        assert_eq!(counted(&world.read(&[550]).await.unwrap(), "unusable"), 1);
        world.pass(1);
    }
    assert_eq!(world.tombstone(550).await, None);
}

#[tokio::test]
async fn a_film_that_nobody_ever_had_leaves_no_trace() {
    let world = World::with(&[550]).await;
    world.full().await;
    for _ in 0..4 {
        assert_eq!(counted(&world.read(&[4_711]).await.unwrap(), "unknown_to_tmdb"), 1);
        world.pass(1);
    }
    assert_eq!(world.tombstone(4_711).await, None);
    world.publish().await;
    assert_eq!(get(&world, "/movies/4711").await.0, 404);
}

#[tokio::test]
async fn no_more_than_half_a_percent_of_the_catalogue_leaves_in_one_run() {
    let world = World::with(&[]).await;
    let films = made_up(1_000, 400, world.now());
    screensort::import::keep(world.stack(), &films, &[], |_| {}).await.unwrap();
    let denied: Vec<u32> = (1_000..1_005).collect();
    for _ in 0..2 {
        assert_eq!(counted(&world.read(&denied).await.unwrap(), "doubted"), 5);
        world.pass(1);
    }
    let third = world.read(&denied).await.unwrap();
    assert_eq!((counted(&third, "withdrawn"), counted(&third, "removals_put_off")), (2, 3));
    assert_eq!(world.publish().await.len(), 398);
    // The others follow, a few a run; none is forgotten about.
    assert_eq!(counted(&world.ask_again().await, "withdrawn"), 1);
    assert_eq!(counted(&world.ask_again().await, "withdrawn"), 1);
    assert_eq!(counted(&world.ask_again().await, "withdrawn"), 1);
    assert_eq!(world.table().await.len(), 395);
}

#[tokio::test]
async fn what_turns_into_pornography_or_a_video_leaves_as_slowly() {
    let world = World::with(&[550, 603, 13, 680]).await;
    world.full().await;
    for (id, field) in [(550, "adult"), (603, "video"), (13, "softcore")] {
        let mut film = world.tmdb.movie(id).unwrap();
        film[field] = json!(true);
        world.tmdb.set_movie(film);
    }
    let read = world.read(&[550, 603, 13, 680]).await.unwrap();
    assert!(read.paused);
    assert_eq!((counted(&read, "left_out"), counted(&read, "put_off")), (1, 2));
    assert_eq!(world.queued().await.len(), 2);
    world.movies().await.unwrap();
    world.movies().await.unwrap();
    assert_eq!(world.table().await.into_keys().collect::<Vec<_>>(), [680]);
    assert!(world.queued().await.is_empty());
}

#[tokio::test]
async fn a_short_export_makes_tmdb_be_asked_for_nothing() {
    let world = World::with(&[550]).await;
    let films = made_up(1_000, 100, world.now());
    screensort::import::keep(world.stack(), &films, &[], |_| {}).await.unwrap();
    let read = sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!((counted(&read, "missing_from_export"), counted(&read, "queued")), (100, 1));
    assert_eq!(world.queued().await, [550]);
}

#[tokio::test]
async fn a_film_missing_from_a_whole_export_is_asked_for() {
    let world = World::whole().await;
    world.full().await;
    world.tmdb.remove_movie(550);
    world.pass(1);
    sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(world.queued().await, [550]);
    assert_eq!(counted(&world.movies().await.unwrap(), "doubted"), 1);
}

#[tokio::test]
async fn a_burial_that_was_overtaken_by_an_import_is_done_again() {
    let world = World::with(&[603]).await;
    world.full().await;
    world.stack().catalogue().bury(film(550), &Tombstone::Withdrawn).await.unwrap();
    let again = made_up(550, 1, world.now());
    world.stack().catalogue().keep_all(&again, Why::Sample, |_| {}).await.unwrap();
    assert_eq!(counted(&world.read(&[550]).await.unwrap(), "withdrawn"), 1);
    assert!(!world.table().await.contains_key(&550));
}
