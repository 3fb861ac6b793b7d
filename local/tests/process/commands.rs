//! What commands say, and what they leave alone.

use std::collections::BTreeMap;
use std::path::Path;

use screensort_testkit::tmdb_standin::Standin;

use crate::product::{code, command, complained, run, said};

#[test]
fn help_shows_examples_and_every_command_has_help() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    let text = said(&help);
    assert_eq!(code(&help), 0);
    for word in [
        "Examples:",
        "screensort sync",
        "--memory",
        "--data",
        "--tls",
        "--port",
        "import",
        "publish",
        "--client-calls-per-day",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    for name in ["import", "sync", "publish", "openapi"] {
        let help = run(folder.path(), &[name, "--help"]);
        assert_eq!(code(&help), 0, "{name}");
        assert!(
            said(&help).contains("--memory") && said(&help).contains("--data"),
            "{name}: {}",
            said(&help)
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let wrong = run(folder.path(), &["snyc"]);
    assert_eq!(code(&wrong), 2);
    assert!(complained(&wrong).contains("sync"), "{}", complained(&wrong));
}

/// Every file under a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn a_bad_file_is_refused_by_its_line_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("films.ndjson");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "{\"id\": 1, \"title\": \"One\"}\n").unwrap();
    let good = run(&data, &["import", name]);
    assert_eq!((code(&good), said(&good).trim()), (0, "1 films imported; the catalogue holds 1."));
    let before = contents(&data);
    for (text, why) in [
        ("{\"id\": 2, \"title\": \"Two\"}\n{\"id\": 3}\n", "line 2"),
        ("{\"id\": 2, \"title\": \"Two\"}\n\n{\"id\": 0, \"title\": \"\"}\n", "line 3"),
        ("{\"id\": 2, \"title\": \"Two\"", "line 1"),
        ("not json", "line 1"),
        ("", "holds no film"),
        ("\u{1f}\u{8b}", "line 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let bad = run(&data, &["import", name]);
        let complaint = complained(&bad);
        assert_eq!(code(&bad), 1, "{text:?}: {complaint}");
        assert!(complaint.contains(why) && complaint.contains(name), "{text:?}: {complaint}");
        assert!(contents(&data) == before, "{text:?} changed the store");
    }
    // A gzip that is cut off.
    std::fs::write(&file, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab]).unwrap();
    let cut = run(&data, &["import", name]);
    assert_eq!(code(&cut), 1);
    assert!(complained(&cut).contains("cannot be read"), "{}", complained(&cut));
    std::fs::remove_file(&file).unwrap();
    let missing = run(&data, &["import", name]);
    assert_eq!(code(&missing), 1);
    assert!(complained(&missing).contains(name), "{}", complained(&missing));
    assert!(contents(&data) == before);
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "{\"id\": 1, \"title\": \"One\"}\n").unwrap();
    let below = file.join("data");
    for arguments in [&["--port", "0"][..], &["import", file.to_str().unwrap()], &["sync", "--token", "x"]] {
        let refused = run(&below, arguments);
        let complaint = complained(&refused);
        assert_eq!(code(&refused), 1, "{arguments:?}: {complaint}");
        assert!(complaint.contains(below.to_str().unwrap()), "{arguments:?}: {complaint}");
        assert!(!complaint.contains("panicked"), "{complaint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_or_refused_is_said_so_and_does_not_replace_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let tmdb = Standin::start().await;
    let sync = |token: Option<&str>| {
        let mut command = command(folder.path(), &["sync", "--ids", "550"]);
        command.env("TMDB_BASE_URL", tmdb.url());
        command.envs(token.map(|token| ("TMDB_TOKEN", token))).output().unwrap()
    };
    let without = sync(None);
    assert_eq!(code(&without), 1);
    assert!(complained(&without).contains("set TMDB_TOKEN"), "{}", complained(&without));
    assert_eq!(code(&sync(Some(tmdb.token()))), 0);
    let refused = sync(Some("planted-and-wrong"));
    let complaint = complained(&refused);
    assert_eq!(code(&refused), 1);
    assert!(complaint.contains("refuses the key") && !complaint.contains("planted"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    // The good one is still there.
    let kept = sync(None);
    assert_eq!(code(&kept), 0, "{}", complained(&kept));
    assert!(said(&kept).contains("1 kept"), "{}", said(&kept));
}

#[test]
fn ratings_and_models_that_cannot_be_used_are_named_and_what_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (ratings, model, ranking) = (at("ratings.csv"), at("model.bin"), at("ranking.csv"));
    let rows = (0..200).map(|k| format!("{},{},{},{k}\r\n", k % 20, k % 13, 1 + k % 5));
    let header = "userId,movieId,rating,timestamp\r\n";
    std::fs::write(&ratings, rows.fold(header.to_owned(), |text, row| text + &row)).unwrap();
    let train = |from: &str| run(&data, &["recommend", "train", "--ratings", from, "--out", &model]);
    let apply = |model: &str, fold_in: &str| {
        let files = ["--model", model, "--fold-in", fold_in, "--out", &ranking];
        run(&data, &[&["recommend", "apply"], &files[..], &["--top", "3"]].concat())
    };
    assert_eq!(code(&train(&ratings)), 0);
    assert_eq!(code(&apply(&model, &ratings)), 0);
    let ranked = std::fs::read_to_string(&ranking).unwrap();
    assert!(ranked.starts_with("userId,movieId,rank,score\n0,"), "{ranked}");

    let bytes = std::fs::read(&model).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(at("cut.bin"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(at("flipped.bin"), flipped).unwrap();
    std::fs::write(at("empty.csv"), "").unwrap();
    std::fs::write(at("header.csv"), header).unwrap();
    std::fs::write(at("nan.csv"), format!("{header}1,2,5,1\r\n1,3,NaN,1\r\n")).unwrap();
    let before = contents(folder.path());
    for (outcome, file, word) in [
        (train(&at("none.csv")), "none.csv: ", "No such file"),
        (train(&at("empty.csv")), "empty.csv: ", "no ratings"),
        (train(&at("header.csv")), "header.csv: ", "no ratings"),
        (train(&at("nan.csv")), "nan.csv: line 3: ", "NaN"),
        (apply(&at("cut.bin"), &ratings), "cut.bin: ", "cut short"),
        (apply(&at("flipped.bin"), &ratings), "flipped.bin: ", "checksum"),
        (apply(&ratings, &ratings), "ratings.csv: ", "not a recommendation model"),
        (apply(&model, &at("nan.csv")), "nan.csv: line 3: ", "NaN"),
        (apply(&at("none.bin"), &ratings), "none.bin: ", "No such file"),
    ] {
        let complaint = complained(&outcome);
        assert_eq!(code(&outcome), 2, "{complaint}");
        assert!(complaint.contains(file) && complaint.contains(word), "{complaint}");
    }
    assert_eq!(contents(folder.path()), before);
}
