//! Nothing is kept longer than TMDb allows.

use screensort_catalog::Lookup;
use screensort_jobs::retention;
use screensort_store::Why;

use crate::world::{World, counted, film, made_up, unwatched};

#[tokio::test]
async fn what_is_150_days_old_is_read_again_and_what_is_180_days_old_forgotten() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    let imported = made_up(1_000, 1, world.now());
    world.stack().catalogue().keep_all(&imported, Why::Sample, |_| {}).await.unwrap();
    world.pass(149);
    let young = retention::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!((counted(&young, "old"), world.queued().await.len()), (0, 0));
    world.pass(1);
    let old = retention::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!((counted(&old, "old"), counted(&old, "forgotten")), (2, 0));
    assert_eq!(world.queued().await, [550, 603]);
    // One of them can be read again, the other not.
    world.read(&[550]).await.unwrap();
    world.pass(30);
    let forgotten = retention::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!((counted(&forgotten, "old"), counted(&forgotten, "forgotten")), (1, 1));
    // What came from a file is not TMDb's.
    assert_eq!(world.table().await.into_keys().collect::<Vec<_>>(), [550, 1_000]);
    assert!(matches!(world.publish().await.lookup(film(603)), Lookup::Unknown));
    // It was on the queue before it was forgotten, and comes back.
    world.movies().await.unwrap();
    assert!(world.table().await.contains_key(&603));
}

#[tokio::test]
async fn forgetting_much_at_once_does_not_keep_the_rest_from_being_published() {
    let world = World::with(&[]).await;
    let (old, new) = (made_up(1_000, 150, world.now()), made_up(2_000, 50, world.now()));
    world.stack().catalogue().keep_all(&old, Why::Tmdb, |_| {}).await.unwrap();
    world.stack().catalogue().keep_all(&new, Why::Sample, |_| {}).await.unwrap();
    assert_eq!(world.publish().await.len(), 200);
    world.pass(181);
    let run = retention::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(counted(&run, "forgotten"), 150);
    assert_eq!(world.publish().await.len(), 50);
    // That explanation is used up.
    for movie in &new {
        world.stack().catalogue().forget(movie.id).await.unwrap();
    }
    let refused = screensort_jobs::publish_catalog::run(world.stack(), false).await;
    assert!(matches!(refused, Err(screensort_jobs::Error::Shrunk { before: 50, now: 0 })));
}

#[tokio::test]
async fn a_run_whose_time_is_over_forgets_the_rest_the_next_time() {
    let world = World::with(&[]).await;
    let films = made_up(1_000, 3, world.now());
    world.stack().catalogue().keep_all(&films, Why::Tmdb, |_| {}).await.unwrap();
    world.pass(180);
    let watch = screensort_jobs::Watch::scheduled(world.now());
    world.clock.advance(std::time::Duration::from_secs(13 * 60));
    assert!(retention::run(world.stack(), &watch).await.unwrap().paused);
    assert_eq!((world.queued().await.len(), world.table().await.len()), (3, 3));
    assert!(!retention::run(world.stack(), &unwatched()).await.unwrap().paused);
    assert_eq!((world.queued().await.len(), world.table().await.len()), (3, 0));
}
