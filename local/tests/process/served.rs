//! Starting, restarting, and two processes on one folder.

use crate::product::{Served, code, complained, run};

#[tokio::test]
async fn the_first_start_loads_the_sample_and_restarts_keep_films_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Served::start(&data);
    assert!(first.welcome.contains("films at http://127.0.0.1:"), "{}", first.welcome);
    let films = first.films().await;
    assert!(films.len() >= 1_000, "{}", films.len());
    let paths = ["/movies/27205", "/movies?genre=878&sort=rating&limit=3", "/search?q=godfather"];
    let mut answers = Vec::new();
    for path in paths {
        let (status, body) = first.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        answers.push(body);
    }
    let (_, page) = first.get("/movies?limit=2").await;
    let next = format!("/movies?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let (_, second_page) = first.get(&next).await;
    first.stop();
    // Once after a stop, once after a kill.
    for killed in [false, true] {
        let again = Served::start(&data);
        assert_eq!(again.films().await, films);
        for (path, before) in paths.iter().zip(&answers) {
            assert_eq!(again.get(path).await, (200, before.clone()), "{path}");
        }
        // Even a cursor handed out before is still good.
        assert_eq!(again.get(&next).await, (200, second_page.clone()));
        if killed { again.stop() } else { again.process.kill() }
    }
}

#[test]
fn a_second_process_on_the_same_folder_says_who_holds_it_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::start(folder.path());
    let film = folder.path().join("films.ndjson");
    std::fs::write(&film, "{\"id\": 1, \"title\": \"One\"}\n").unwrap();
    let file = film.to_str().unwrap();
    for arguments in [&["--port", "0"][..], &["import", file], &["sync", "--token", "x"], &["publish"]] {
        let second = run(folder.path(), arguments);
        let complaint = complained(&second);
        assert_eq!(code(&second), 2, "{arguments:?}: {complaint}");
        assert!(complaint.contains(&server.process.0.id().to_string()), "{arguments:?}: {complaint}");
        assert!(complaint.contains(&server.url), "{arguments:?}: {complaint}");
    }
    server.stop();
    assert_eq!(code(&run(folder.path(), &["import", file])), 0);
}
