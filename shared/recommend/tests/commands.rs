//! The commands on plain CSV files, as somebody who checks us would run them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::collections::HashMap;

use screensort_recommend::commands::{apply, evaluate, train};
use screensort_recommend::{Error, Model, TrainOptions};
use world::{csv, quick, signals};

fn small() -> String {
    csv(&signals(120, 60, 24, 3))
}

fn trained(ratings: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    train(ratings.as_bytes(), &mut bytes, &quick(), &mut |_| {})?;
    Ok(bytes)
}

fn ranking(model: &[u8], fold_in: &str, top: usize) -> Result<Vec<[String; 4]>, Error> {
    let mut out = Vec::new();
    apply(model, fold_in.as_bytes(), top, &mut out, &mut |_| {})?;
    let text = String::from_utf8(out).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("userId,movieId,rank,score"));
    Ok(lines.map(|line| line.split(',').map(String::from).collect::<Vec<_>>().try_into().unwrap()).collect())
}

#[test]
fn train_then_apply_ranks_every_person_without_the_films_folded_in() {
    let model = trained(&small()).unwrap();
    let fold_in = "userId,movieId,rating,timestamp\n7,3,5,1\n7,11,4,1\n7,19,1,1\n7,27,3,1\n2,5,4.5,1\n";
    let rows = ranking(&model, fold_in, 10).unwrap();
    assert_eq!(rows.len(), 20);
    assert_eq!(rows[0][0], "2");
    let folded: HashMap<&str, Vec<&str>> = [("7", vec!["3", "11", "19", "27"]), ("2", vec!["5"])].into();
    for (k, [user, film, rank, score]) in rows.iter().enumerate() {
        assert!(!folded[user.as_str()].contains(&film.as_str()));
        assert_eq!(rank.parse::<usize>().unwrap(), k % 10 + 1);
        assert!(score.parse::<f32>().unwrap().is_finite());
    }
    let scores: Vec<f32> = rows[10..].iter().map(|row| row[3].parse().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b));
}

#[test]
fn people_without_a_known_like_get_the_prior_and_are_counted() {
    let model = trained(&small()).unwrap();
    let mut out = Vec::new();
    let report =
        apply(model.as_slice(), "1,99999,5,1\n2,3,1,1\n3,3,5,1\n".as_bytes(), 5, &mut out, &mut |_| {})
            .unwrap();
    assert_eq!((report.people, report.without_likes, report.intake.unknown_film), (3, 2, 1));
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 1 + 15);
}

#[test]
fn the_same_input_and_seed_give_the_same_bytes_whatever_the_threads() {
    let model = |threads, seed| {
        let options = TrainOptions { threads, seed, tune: true, ..quick() };
        let mut bytes = Vec::new();
        train(csv(&signals(300, 60, 24, 3)).as_bytes(), &mut bytes, &options, &mut |_| {}).unwrap();
        bytes
    };
    let one = model(1, 5);
    assert_eq!(one, model(3, 5));
    assert_ne!(one, model(1, 6));
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let text = small();
    let mut rows: Vec<&str> = text.lines().skip(1).collect();
    rows.sort_unstable();
    rows.dedup_by_key(|row| row.split(',').take(2).collect::<Vec<_>>().join(","));
    let forth = rows.join("\n");
    rows.reverse();
    assert_eq!(trained(&forth).unwrap(), trained(&rows.join("\n")).unwrap());
}

#[test]
fn degenerate_files_train_or_say_why_not() {
    let nothing = |text: &str| matches!(trained(text), Err(Error::Nothing { .. }));
    assert!(nothing(""));
    assert!(nothing("userId,movieId,rating,timestamp\n"));
    assert!(nothing("1,2,3,4\n2,2,1,4\n"));
    let one_film: String = (1..50).map(|person| format!("{person},7,5,1\n")).collect();
    let one_person: String = (1..50).map(|film| format!("1,{film},5,1\n")).collect();
    let one_row = "1,1,5,1\n".to_string();
    let star: String =
        (1..50).map(|person| format!("{person},7,5,1\n{person},{},2,1\n", person + 10)).collect();
    let twice = "1,1,5,1\n1,1,1,2\n1,2,5,1\n1,2,5,1\n2,1,4,9\n".to_string();
    for text in [one_film, one_person, one_row, star, twice] {
        let model = trained(&text).unwrap();
        let rows = ranking(&model, "9,1234,5,1\n", 10).unwrap();
        assert!(!rows.is_empty());
        assert!(Model::read(model.as_slice()).unwrap().card().quality.is_none());
    }
}

#[test]
fn conflicting_rows_are_settled_by_time() {
    let model = trained("1,1,5,1\n1,1,1,2\n1,2,1,1\n1,2,5,2\n2,2,5,1\n").unwrap();
    let model = Model::read(model.as_slice()).unwrap();
    assert_eq!((model.likes_of(1), model.likes_of(2)), (None, Some(2)));
    assert_eq!(model.card().intake.replaced, 2);
}

#[test]
fn bad_rows_and_bad_models_are_named() {
    let error = trained("userId,movieId,rating,timestamp\n1,2,4,1\n1,2,NaN,1\n").unwrap_err().to_string();
    assert!(error.starts_with("line 3: rating"), "{error}");
    let model = trained(&small()).unwrap();
    assert!(matches!(ranking(&model[..500], "1,2,5,1\n", 5), Err(Error::Truncated { .. })));
    assert!(matches!(ranking(b"not a model at all", "1,2,5,1\n", 5), Err(Error::Foreign)));
    assert!(matches!(ranking(&model, "1;2;5\n", 5), Err(Error::Row { line: 1, .. })));
}

#[test]
fn evaluation_reports_every_number_and_its_json_parses() {
    let mut out = Vec::new();
    let text = csv(&signals(300, 80, 30, 3));
    let options = TrainOptions { tune: true, ..quick() };
    let report = evaluate(text.as_bytes(), &[1, 2], true, &mut out, &options, &mut |_| {}).unwrap();
    assert_eq!((report.per_seed.len(), report.test_people), (2, 30));
    assert!(report.ndcg_at_100.mean > 0.2 && report.ndcg_at_100.standard_error > 0.0);
    assert!(report.coverage_at_20 > 0.0 && report.artifact_bytes > 0 && report.training_seconds > 0.0);
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json["seeds"], serde_json::json!([1, 2]));
    let mut table = Vec::new();
    evaluate(text.as_bytes(), &[1], false, &mut table, &quick(), &mut |_| {}).unwrap();
    let table = String::from_utf8(table).unwrap();
    for name in ["Recall@20", "Recall@50", "NDCG@100", "coverage@20", "training", "artifact", "request"] {
        assert!(table.contains(name), "{table}");
    }
}

#[test]
fn an_evaluation_without_people_to_hold_out_or_seeds_says_so() {
    let run = |text: &str, seeds: &[u32]| {
        evaluate(text.as_bytes(), seeds, false, Vec::new(), &quick(), &mut |_| {}).map(|_| ())
    };
    assert!(matches!(run("1,2,5,1\n", &[1]), Err(Error::Nothing { .. })));
    assert!(matches!(run(&small(), &[]), Err(Error::Nothing { .. })));
}
