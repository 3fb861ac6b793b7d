//! Keys that are missing or refused, and TMDb's bad days.

use std::time::Duration;

use screensort_jobs::{Error, sync_changes, sync_exports, sync_lists};
use screensort_testkit::tmdb_standin::{Fault, Script};

use crate::world::{World, counted, unwatched};

const FILMS: [u32; 12] = [550, 603, 13, 238, 240, 680, 278, 424, 497, 129, 128, 122];

fn on(id: u32, fault: Fault) -> Script {
    Script::on(&format!("/3/movie/{id}")).fault(fault)
}

#[tokio::test]
async fn without_a_key_every_job_says_so_and_tmdb_is_not_asked() {
    let world = World::without_key().await;
    let errors = [
        world.read(&[550]).await.unwrap_err(),
        world.movies().await.unwrap_err(),
        sync_lists::run(world.stack(), &unwatched()).await.unwrap_err(),
        sync_exports::run(world.stack(), &unwatched()).await.unwrap_err(),
        sync_changes::run(world.stack(), &unwatched()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::KeyMissing), "{error}");
        assert!(error.to_string().contains("TMDB_TOKEN"));
    }
    assert!(world.tmdb.requests().is_empty());
    for unset in ["unset", " ", "{\"token\": \"\"}"] {
        world.stand.set_tmdb_token(unset).await.unwrap();
        assert!(matches!(world.movies().await, Err(Error::KeyMissing)), "{unset:?}");
    }
}

#[tokio::test]
async fn a_key_may_stand_in_json() {
    let world = World::with(&[550]).await;
    world.stand.set_tmdb_token(&format!("{{\"token\": \"{}\"}}", world.tmdb.token())).await.unwrap();
    assert_eq!(counted(&world.read(&[550]).await.unwrap(), "kept"), 1);
}

#[tokio::test]
async fn a_refused_key_is_a_clear_error_and_loses_nothing() {
    let world = World::with(&FILMS).await;
    world.full().await;
    let before = world.table().await;
    world.stand.set_tmdb_token("revoked").await.unwrap();
    let error = world.read(&FILMS).await.unwrap_err();
    assert!(matches!(error, Error::KeyRefused { status: 401 }), "{error}");
    let text = error.to_string();
    assert!(text.contains("TMDB_TOKEN") && !text.contains("revoked,") && text.contains("401"), "{text}");
    assert_eq!(world.table().await, before);
    assert_eq!(world.queued().await.len(), FILMS.len());
    let run = &world.stack().progress().runs(50, world.now()).await.unwrap();
    assert!(run.iter().any(|run| run.failure.as_ref().is_some_and(|why| why.contains("refuses the key"))));
    // With the right key the queue is worked off.
    world.stand.set_tmdb_token(world.tmdb.token()).await.unwrap();
    assert_eq!(counted(&world.movies().await.unwrap(), "kept"), FILMS.len() as u64);
    let checked = screensort_jobs::check_token(world.stack(), "revoked").await;
    assert!(matches!(checked, Err(Error::KeyRefused { .. })));
    screensort_jobs::check_token(world.stack(), world.tmdb.token()).await.unwrap();
}

#[tokio::test]
async fn an_address_that_would_show_the_key_is_refused_by_name() {
    let world = World::whole().await;
    let mut settings = world.stack().settings().clone();
    settings.tmdb_url = Some("http://example.org/3".into());
    let stack = screensort_runtime::Stack::new(settings, world.clock.clone());
    let error = sync_lists::run(&stack, &unwatched()).await.unwrap_err();
    assert!(error.to_string().contains("TMDB_BASE_URL"), "{error}");
}

#[tokio::test]
async fn passing_trouble_is_tried_again_until_every_film_is_there() {
    let world = World::with(&FILMS).await;
    for (id, fault) in [
        (550, Fault::Throttled("0")),
        (603, Fault::Status(500)),
        (13, Fault::Status(504)),
        (238, Fault::Truncated),
        (240, Fault::CutShort),
        (680, Fault::Hangup),
        (278, Fault::Slow(Duration::from_millis(150))),
    ] {
        world.tmdb.script(on(id, fault));
    }
    let read = world.read(&FILMS).await.unwrap();
    assert_eq!((read.paused, counted(&read, "kept")), (false, FILMS.len() as u64), "{read:?}");
    assert_eq!(world.table().await.len(), FILMS.len());
    assert_eq!((world.asked()[&603], world.asked()[&278]), (2, 1));
}

#[tokio::test]
async fn an_answer_about_another_film_or_too_large_leaves_the_film_as_it_was() {
    let world = World::with(&[550, 603, 13, 680]).await;
    world.read(&[550, 603, 13, 680]).await.unwrap();
    let before = world.table().await;
    world.pass(1);
    world.tmdb.script(on(550, Fault::WrongId(551)).always());
    world.tmdb.script(on(603, Fault::Oversized(64 << 20)).always());
    world.tmdb.script(on(680, Fault::Bomb(64 << 20)).always());
    let read = world.read(&[550, 603, 13, 680]).await.unwrap();
    assert_eq!((counted(&read, "unusable"), counted(&read, "kept")), (3, 1));
    let after = world.table().await;
    for id in [550, 603, 680] {
        assert_eq!(after[&id], before[&id]);
    }
    assert_eq!(after[&13].synced_at, world.now());
    assert!(!after.contains_key(&551));
}

#[tokio::test]
async fn a_film_that_tmdb_cannot_answer_for_does_not_hold_up_the_others() {
    let world = World::with(&FILMS).await;
    world.tmdb.script(on(128, Fault::Status(500)).always());
    let first = world.read(&FILMS).await.unwrap();
    assert!(first.paused);
    assert_eq!((counted(&first, "put_off"), counted(&first, "kept")), (1, 11));
    assert_eq!(world.queued().await, [128]);
    world.tmdb.behave();
    let second = world.movies().await.unwrap();
    assert_eq!((second.paused, counted(&second, "kept")), (false, 1));
    assert_eq!(world.table().await.len(), FILMS.len());
}

#[tokio::test]
async fn when_tmdb_is_down_the_run_fails_soon_and_the_queue_stays() {
    let world = World::with(&FILMS).await;
    world.tmdb.script(Script::anywhere().fault(Fault::Status(503)).always());
    let error = world.read(&FILMS).await.unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    assert_eq!(world.queued().await.len(), FILMS.len());
    assert!(world.asked().values().sum::<usize>() < 4 * FILMS.len(), "{:?}", world.asked());
    world.tmdb.behave();
    assert_eq!(counted(&world.movies().await.unwrap(), "kept"), FILMS.len() as u64);
}

#[tokio::test]
async fn garbage_for_every_film_is_not_taken_for_an_answer() {
    let world = World::with(&FILMS).await;
    world.full().await;
    let before = world.table().await;
    // A captive portal: a page of HTML for whatever is asked.
    for id in FILMS {
        world.tmdb.script(on(id, Fault::ContentType("text/html")).always());
    }
    let error = world.read(&FILMS).await.unwrap_err();
    assert!(error.to_string().contains("content type"), "{error}");
    assert_eq!(world.queued().await.len(), FILMS.len());
    assert_eq!(world.table().await, before);
}

#[tokio::test]
async fn a_long_pause_that_tmdb_asks_for_ends_the_run_with_the_queue_kept() {
    let world = World::with(&[550]).await;
    world.tmdb.script(on(550, Fault::Throttled("7200")).always());
    let error = world.read(&[550]).await.unwrap_err();
    assert!(error.to_string().contains("asks for a pause of 7"), "{error}");
    assert_eq!(world.queued().await, [550]);
}

#[tokio::test]
async fn a_broken_export_queues_nothing_and_is_read_again() {
    let world = World::with(&FILMS).await;
    let path = "/p/exports/movie_ids_11_22_2026.json.gz";
    for fault in [Fault::CutShort, Fault::Body(200, "{}".into()), Fault::Status(404)] {
        world.tmdb.script(Script::on(path).fault(fault.clone()).times(4));
        if matches!(fault, Fault::Status(404)) {
            // Then the day before serves.
            sync_exports::run(world.stack(), &unwatched()).await.unwrap();
            assert_eq!(world.queued().await.len(), FILMS.len());
        } else {
            let error = sync_exports::run(world.stack(), &unwatched()).await.unwrap_err();
            assert!(matches!(error, Error::Tmdb(_)), "{error}");
            assert!(world.queued().await.is_empty());
        }
        world.tmdb.behave();
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_a_clear_error() {
    let world = World::with(&[550]).await;
    let World { stand, tmdb, .. } = world;
    let stack = stand.stack.clone();
    stand.cloud.shutdown().await.unwrap();
    let error = sync_lists::run(&stack, &unwatched()).await.unwrap_err();
    assert_eq!(error.to_string(), "the store cannot be reached");
    assert!(tmdb.requests().is_empty());
}
