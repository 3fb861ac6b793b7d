//! Killed in the middle, and run again.

use std::path::Path;

use screensort_testkit::tmdb_standin::Standin;

use crate::product::{Process, Served, code, command, complained, eventually, run, said};

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

#[tokio::test]
async fn an_import_that_is_killed_is_whole_after_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("films.ndjson");
    let films = 2_000_u64;
    let line = |id| format!("{{\"id\": {id}, \"title\": \"Film {id}\", \"imdb_id\": \"tt{id:07}\"}}\n");
    std::fs::write(&file, (1..=films).map(line).collect::<String>()).unwrap();
    let import = ["import", file.to_str().unwrap()];
    for pages in [2, 40] {
        let process = Process::start(&data, &import);
        let base = size(&data.join("tables.sqlite"));
        eventually("some films to be written", || {
            let written = size(&data.join("tables.sqlite-wal")) + size(&data.join("tables.sqlite")) - base;
            (written > pages * 4096).then_some(())
        });
        process.kill();
    }
    let whole = run(&data, &import);
    assert_eq!(code(&whole), 0, "{}", complained(&whole));
    assert_eq!(said(&whole).trim(), "2000 films imported; the catalogue holds 2000.");
    let server = Served::start(&data);
    assert_eq!(server.films().await, (1..=films).collect::<Vec<_>>());
    server.stop();
}

/// A catalogue of one film that TMDb does not have, so that the sample is out of the way.
fn one_film(folder: &Path, data: &Path) {
    let file = folder.join("one.ndjson");
    std::fs::write(&file, "{\"id\": 2000000001, \"title\": \"One of our own\"}\n").unwrap();
    assert_eq!(code(&run(data, &["import", file.to_str().unwrap()])), 0);
}

fn sync(tmdb: &Standin, data: &Path) -> std::process::Command {
    let mut command = command(data, &["sync"]);
    command.env("TMDB_BASE_URL", tmdb.url()).env("TMDB_TOKEN", tmdb.token());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_killed_is_whole_after_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    one_film(folder.path(), &data);
    let tmdb = Standin::start().await;
    // In the lists, among the first films, among the last.
    for further in [6, 45, 40] {
        let process = Process(sync(&tmdb, &data).spawn().unwrap());
        tmdb.arrived(tmdb.requests().len() + further).await;
        process.kill();
    }
    let whole = sync(&tmdb, &data).output().unwrap();
    assert_eq!(code(&whole), 0, "{}", complained(&whole));
    assert!(said(&whole).contains("publish_catalog  done"), "{}", said(&whole));
    let server = Served::start(&data);
    let mut expected: Vec<u64> = tmdb.movie_ids().into_iter().map(u64::from).collect();
    expected.push(2_000_000_001);
    assert!(expected.len() > 30);
    assert_eq!(server.films().await, expected);
    let (_, found) = server.get("/search?q=the%20matrix&type=movie").await;
    assert_eq!(found["items"][0]["movie"]["id"], 603, "{found}");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_interrupted_publishes_what_it_read_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    one_film(folder.path(), &data);
    let tmdb = Standin::start().await;
    let mut process = Process(sync(&tmdb, &data).spawn().unwrap());
    // The key, the lists, the export, and some films of the first batch.
    eventually("a film to be asked for", || {
        tmdb.requests().iter().any(|r| r.path == "/3/movie/603" || r.path == "/3/movie/550").then_some(())
    });
    process.signal("INT");
    let status = eventually("the sync to stop", || process.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
    let server = Served::start(&data);
    assert!(server.films().await.len() > 1);
    server.stop();
    let next = sync(&tmdb, &data).output().unwrap();
    assert_eq!(code(&next), 0, "{}", complained(&next));
    let server = Served::start(&data);
    assert_eq!(server.films().await.len(), tmdb.movie_ids().len() + 1);
    server.stop();
}
