//! The published catalogue: what must not replace it, and what damage does to it.

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use screensort_catalog::Catalog;
use screensort_jobs::{Error, publish_catalog, retention, sync_changes, sync_exports, sync_movies};
use screensort_runtime::ArtifactError;

use crate::world::{Log, World, counted, film, first, made_up, unwatched};

impl World {
    fn s3(&self) -> aws_sdk_s3::Client {
        let endpoints = self.stand.cloud.endpoints();
        let (key, secret) = (&endpoints.access_key, &endpoints.secret_key);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(endpoints.region))
            .endpoint_url(&endpoints.services)
            .force_path_style(true)
            .credentials_provider(Credentials::new(key, secret, None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Writes an object behind the product's back.
    async fn write(&self, key: &str, bytes: Vec<u8>) {
        let bucket = &self.stack().settings().artifacts_bucket;
        self.s3().put_object().bucket(bucket).key(key).body(bytes.into()).send().await.unwrap();
    }

    /// Publishes `films` more films, damages what was published, and says which catalogue is served then.
    async fn damaged(&self, damage: impl AsyncFnOnce(&World)) -> std::sync::Arc<Catalog> {
        publish_catalog::run(self.stack(), true).await.unwrap();
        damage(self).await;
        self.stack().catalog_changed();
        self.stack().catalog().await.unwrap()
    }
}

#[tokio::test]
async fn a_much_smaller_catalogue_is_not_published_unless_it_is_meant() {
    let world = World::with(&[]).await;
    let films = made_up(1_000, 200, world.now());
    screensort::import::keep(world.stack(), &films, &[], |_| {}).await.unwrap();
    for movie in &films[..21] {
        world.stack().catalogue().forget(movie.id).await.unwrap();
    }
    let error = publish_catalog::run(world.stack(), false).await.unwrap_err();
    assert!(matches!(error, Error::Shrunk { before: 200, now: 179 }), "{error}");
    world.stack().catalog_changed();
    assert_eq!(world.stack().catalog().await.unwrap().len(), 200);
    publish_catalog::run(world.stack(), true).await.unwrap();
    assert_eq!(world.stack().catalog().await.unwrap().len(), 179);
}

#[tokio::test]
async fn nothing_does_not_replace_even_a_small_catalogue() {
    let world = World::with(&[550]).await;
    world.full().await;
    world.stack().catalogue().forget(film(550)).await.unwrap();
    let refused = publish_catalog::run(world.stack(), false).await;
    assert!(matches!(refused, Err(Error::Shrunk { before: 1, now: 0 })));
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_an_error_in_the_log_and_the_old_one_served_on() {
    let world = World::with(&[550, 603]).await;
    let before = world.full().await.version().to_owned();
    let log = Log::default();
    let _guard = log.listen();
    let file = async |world: &World| {
        let current = world.stack().artifacts().current().await.unwrap().unwrap();
        let bytes = world.stack().artifacts().load(&current).await.unwrap().to_vec();
        (current.key, bytes)
    };
    let cut = world.damaged(async |world: &World| {
        let (key, mut bytes) = file(world).await;
        bytes.truncate(bytes.len() / 2);
        world.write(&key, bytes).await;
    });
    assert_eq!(cut.await.version(), before);
    let flipped = world.damaged(async |world: &World| {
        let (key, mut bytes) = file(world).await;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        world.write(&key, bytes).await;
    });
    assert_eq!(flipped.await.version(), before);
    let gone = world.damaged(async |world: &World| {
        let bucket = world.stack().settings().artifacts_bucket.clone();
        let key = file(world).await.0;
        world.s3().delete_object().bucket(bucket).key(key).send().await.unwrap();
    });
    assert_eq!(gone.await.version(), before);
    // The right checksum over the wrong contents.
    let nonsense = world.damaged(async |world: &World| {
        let artifacts = world.stack().artifacts();
        artifacts.publish("nonsense", b"SSCAT\0\0\x01 and no more".to_vec(), world.now()).await.unwrap();
    });
    assert_eq!(nonsense.await.version(), before);
    let text = log.text();
    for why in ["length is not", "checksum is not", "key is not", "cannot be read"] {
        assert!(text.contains(why), "{why} in {text}");
    }
    assert!(text.matches("ERROR").count() >= 4, "{text}");
    // The next publication mends it.
    assert_ne!(world.publish().await.version(), before);
}

#[tokio::test]
async fn a_damaged_pointer_is_refused_and_replaced_by_the_next_publication() {
    let world = World::with(&[550]).await;
    let before = world.full().await.version().to_owned();
    let log = Log::default();
    let _guard = log.listen();
    let served =
        world.damaged(async |world: &World| world.write("catalog/current.json", b"{".to_vec()).await);
    assert_eq!(served.await.version(), before);
    assert!(log.text().contains("pointer"), "{}", log.text());
    let after = world.publish().await;
    assert_ne!(after.version(), before);
    assert!(world.stack().artifacts().current().await.unwrap().is_some());
}

#[tokio::test]
async fn a_cold_start_on_a_damaged_file_is_a_clear_error_and_no_job_takes_it_for_an_empty_catalogue() {
    let world = World::with(&[550]).await;
    world.full().await;
    let key = world.stack().artifacts().current().await.unwrap().unwrap().key;
    world.write(&key, b"nonsense".to_vec()).await;
    let cold = screensort_runtime::Stack::new(world.stack().settings().clone(), world.clock.clone());
    let problem = cold.catalog().await.unwrap_err();
    assert!(problem.causes().unwrap().contains("length"));
    world.tmdb.set_changes("2026-11-22".parse().unwrap(), [550]);
    for error in [
        sync_changes::run(&cold, &unwatched()).await.unwrap_err(),
        sync_movies::run(&cold, 10, &unwatched()).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Unreadable(_)), "{error}");
        assert!(error.to_string().contains("length"), "{error}");
    }
    world.pass(1);
    assert!(matches!(sync_exports::run(&cold, &unwatched()).await, Err(Error::Unreadable(_))));
    // Publishing mends it, and the change was not lost.
    publish_catalog::run(&cold, false).await.unwrap();
    assert_eq!(first(&cold.catalog().await.unwrap(), "fight club"), Some(550));
    assert_eq!(counted(&sync_changes::run(&cold, &unwatched()).await.unwrap(), "queued"), 1);
}

#[tokio::test]
async fn with_the_bucket_down_the_catalogue_in_memory_is_served_and_nothing_is_published() {
    let world = World::with(&[550]).await;
    let before = world.full().await.version().to_owned();
    let World { stand, clock, .. } = world;
    let stack = stand.stack.clone();
    stand.cloud.shutdown().await.unwrap();
    clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(stack.catalog().await.unwrap().version(), before);
    let refused = stack.artifacts().publish("new", vec![1], clock.now()).await;
    assert!(matches!(refused, Err(ArtifactError::Bucket(_))));
    assert_eq!(stack.catalog().await.unwrap().version(), before);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_hides_no_other_and_is_mended_by_reading_it_again() {
    let world = World::with(&[550, 603]).await;
    world.full().await;
    let text = |text: &str| AttributeValue::S(text.into());
    let put = world.stack().dynamodb().put_item().table_name(&world.stack().settings().tables.catalog);
    put.item("pk", text("MOVIE#550"))
        .item("sk", text("FILM"))
        .item("doc", AttributeValue::B(Blob::new(*b"not deflated")))
        .send()
        .await
        .unwrap();
    let published = publish_catalog::run(world.stack(), false).await.unwrap();
    assert_eq!((counted(&published, "films"), counted(&published, "unreadable")), (1, 1));
    retention::run(world.stack(), &unwatched()).await.unwrap();
    assert_eq!(counted(&world.movies().await.unwrap(), "kept"), 1);
    let catalog = world.publish().await;
    assert_eq!(first(&catalog, "fight club"), Some(550));
}

#[tokio::test]
async fn only_the_last_few_versions_are_kept() {
    let world = World::with(&[550]).await;
    world.full().await;
    for _ in 0..7 {
        world.clock.advance(std::time::Duration::from_secs(1));
        world.publish().await;
    }
    let bucket = &world.stack().settings().artifacts_bucket;
    let listed = world.s3().list_objects_v2().bucket(bucket).send().await.unwrap();
    let files =
        listed.contents().iter().filter(|object| object.key().is_some_and(|key| key.ends_with(".bin")));
    assert_eq!(files.count(), 5);
}
