//! Runs that end half way: by budget, by time, by being killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use screensort_jobs::{Watch, sync_exports, sync_lists, sync_movies};

use crate::world::{World, counted, first, unwatched};

#[tokio::test]
async fn a_run_whose_budget_is_spent_pauses_and_the_next_one_completes() {
    let world = World::whole().await;
    sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    let there = world.queued().await;
    assert!(there.len() >= 40);
    let half = sync_movies::run(world.stack(), 20, &unwatched()).await.unwrap();
    assert_eq!((half.paused, counted(&half, "kept")), (true, 20));
    assert_eq!(world.queued().await.len(), there.len() - 20);
    let rest = world.movies().await.unwrap();
    assert_eq!((rest.paused, counted(&rest, "kept")), (false, there.len() as u64 - 20));
    // Nothing lost, nothing doubled.
    assert_eq!(world.table().await.into_keys().collect::<Vec<_>>(), there);
    assert!(world.asked().values().all(|times| *times == 1), "{:?}", world.asked());
    assert_eq!(world.publish().await.len(), there.len());
}

#[tokio::test]
async fn even_a_budget_smaller_than_what_is_asked_at_once_gets_somewhere() {
    let world = World::with(&[550, 603, 13, 238, 240]).await;
    sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    for left in [3, 1] {
        let run = sync_movies::run(world.stack(), 2, &unwatched()).await.unwrap();
        assert_eq!((counted(&run, "kept"), world.queued().await.len()), (2, left));
    }
    sync_movies::run(world.stack(), 2, &unwatched()).await.unwrap();
    assert_eq!(world.table().await.len(), 5);
}

#[tokio::test]
async fn a_run_whose_time_is_over_pauses() {
    let world = World::with(&[550]).await;
    sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    let watch = Watch::scheduled(world.now());
    world.clock.advance(std::time::Duration::from_secs(13 * 60));
    let run = sync_movies::run(world.stack(), 100, &watch).await.unwrap();
    assert!(run.paused && world.asked().is_empty());
    assert_eq!(world.queued().await, [550]);
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_stops_between_two_batches() {
    let world = World::whole().await;
    sync_exports::run(world.stack(), &unwatched()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (seen, steps) = (Arc::clone(&stop), Arc::new(AtomicBool::new(false)));
    let stepped = Arc::clone(&steps);
    let watch = Watch::by(move |done, of| {
        assert!(done <= of);
        stepped.store(true, Ordering::Relaxed);
        seen.store(true, Ordering::Relaxed);
    });
    let run = sync_movies::run(world.stack(), 1_000, &watch.until(&stop)).await.unwrap();
    assert!(run.paused && steps.load(Ordering::Relaxed));
    assert!(world.asked().is_empty() && !world.queued().await.is_empty());
}

#[tokio::test]
async fn killed_at_any_point_the_next_run_completes() {
    let world = World::whole().await;
    let there = world.tmdb.movie_ids();
    // Dropped in the middle of the lists, of the export, and of the films, further and further on.
    let mut requests = 0;
    for further in [3, 4, 5, 2, 1, 6, 9, 7, 8] {
        requests += further;
        let whole = async {
            sync_lists::run(world.stack(), &unwatched()).await.unwrap();
            sync_exports::run(world.stack(), &unwatched()).await.unwrap();
            world.movies().await.unwrap();
        };
        tokio::select! {
            biased;
            () = world.tmdb.arrived(requests) => {}
            () = whole => {}
        }
        requests = requests.max(world.tmdb.requests().len());
    }
    let catalog = world.full().await;
    assert_eq!(world.table().await.into_keys().collect::<Vec<_>>(), there);
    assert_eq!(catalog.len(), there.len());
    assert_eq!(first(&catalog, "casablanca"), Some(289));
    assert!(world.queued().await.is_empty());
}

#[tokio::test]
async fn a_second_sync_changes_nothing() {
    let world = World::whole().await;
    world.full().await;
    let before = world.table().await;
    let ids: Vec<u32> = before.keys().copied().collect();
    world.read(&ids).await.unwrap();
    assert_eq!(world.table().await, before);
    assert_eq!(world.publish().await.len(), before.len());
}
