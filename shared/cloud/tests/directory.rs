//! The data directory: one holder, nothing lost without a word.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;

use std::path::{Path, PathBuf};

use clients::clients;
use screensort_cloud::{Cloud, Error, Place};

async fn start(folder: &Path) -> Result<Cloud, Error> {
    Cloud::start(Place::Dir(folder.to_owned())).await
}

async fn furnished() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = start(&data).await.unwrap();
    cloud.secret_or_create("name", || "value".to_owned()).await.unwrap();
    clients(cloud.endpoints()).put_object("a", b"a".to_vec()).await;
    cloud.shutdown().await.unwrap();
    (folder, data)
}

#[tokio::test]
async fn a_second_start_is_told_who_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path()).await.unwrap();
    let Err(Error::InUse { pid, url: None }) = start(folder.path()).await else { panic!("not refused") };
    assert_eq!(pid, Some(std::process::id()));
    first.announce("http://127.0.0.1:8080").unwrap();
    let refused = start(folder.path()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "the data directory is in use by process {}, which serves http://127.0.0.1:8080",
            std::process::id()
        )
    );
    first.shutdown().await.unwrap();
    start(folder.path()).await.unwrap();
}

#[tokio::test]
async fn credentials_stay_with_the_directory() {
    let (_folder, data) = furnished().await;
    let first = start(&data).await.unwrap();
    let credentials =
        |cloud: &Cloud| (cloud.endpoints().access_key.clone(), cloud.endpoints().secret_key.clone());
    let known = credentials(&first);
    first.shutdown().await.unwrap();
    assert_eq!(credentials(&start(&data).await.unwrap()), known);
    let other = Cloud::start(Place::Memory).await.unwrap();
    assert_ne!(credentials(&other), known);
}

#[tokio::test]
async fn a_missing_file_is_an_error_that_names_it() {
    for name in ["root.key", "keys.sealed", "secrets.sealed", "objects.sqlite"] {
        let (_folder, data) = furnished().await;
        std::fs::remove_file(data.join(name)).unwrap();
        match start(&data).await {
            Err(Error::Missing { file }) => assert_eq!(file, data.join(name)),
            other => panic!("{name}: {other:?}"),
        }
        assert!(!data.join(name).exists(), "{name} was made anew");
    }
}

#[tokio::test]
async fn a_damaged_file_is_an_error_that_names_it_and_is_left_alone() {
    for name in ["root.key", "keys.sealed", "secrets.sealed", "objects.sqlite", "tables.sqlite"] {
        let (_folder, data) = furnished().await;
        let path = data.join(name);
        let mut content = std::fs::read(&path).unwrap();
        content.iter_mut().take(60).skip(4).for_each(|byte| *byte ^= 0x55);
        std::fs::write(&path, &content).unwrap();
        match start(&data).await {
            Err(error @ Error::Damaged { .. }) => {
                assert!(error.to_string().contains(name), "{error}");
                assert!(error.to_string().contains("restore"), "{error}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), content, "{name} was changed");
    }
}

#[tokio::test]
async fn a_damaged_object_is_noticed_at_the_start() {
    let (_folder, data) = furnished().await;
    let database = rusqlite::Connection::open(data.join("objects.sqlite")).unwrap();
    let changed = database
        .execute("UPDATE blob SET sealed = zeroblob(100) WHERE path LIKE '%/version-meta/%'", [])
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);
    assert!(matches!(start(&data).await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_first_start_that_did_not_finish_is_begun_again() {
    let (_folder, data) = furnished().await;
    std::fs::remove_file(data.join("root.key")).unwrap();
    std::fs::remove_file(data.join("tables.sqlite")).unwrap();
    start(&data).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = start(&data).await.unwrap();
    cloud.secret_or_create("name", || "value".to_owned()).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&data), 0);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0, "{}", path.display());
    }
}

#[tokio::test]
async fn a_dropped_cloud_lets_go_of_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()).await.unwrap());
    // The threads end on their own, a moment after the drop.
    loop {
        match start(folder.path()).await {
            Ok(_) => break,
            Err(Error::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
