//! What a training run promises.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use screensort_recommend::{
    Error, Film, Mean, Model, PageOptions, Profile, Quality, Step, TrainOptions, may_replace, train,
};
use world::{films, quick, signals, table};

fn quality(mean: f64, standard_error: f64) -> Quality {
    Quality { ndcg_at_100: Mean { mean, standard_error }, ..Quality::default() }
}

#[test]
fn a_model_two_standard_errors_worse_may_not_replace_the_current_one() {
    let current = quality(0.36, 0.01);
    assert!(may_replace(Some(&quality(0.35, 0.01)), Some(&current)));
    assert!(!may_replace(Some(&quality(0.33, 0.01)), Some(&current)));
    assert!(may_replace(Some(&quality(0.01, 0.01)), None));
    assert!(!may_replace(None, Some(&current)));
}

#[test]
fn a_quality_that_is_no_number_may_not_replace_anything() {
    assert!(!may_replace(Some(&quality(f64::NAN, 0.01)), Some(&quality(0.36, 0.01))));
}

#[test]
fn the_model_is_better_than_popularity_on_people_it_has_not_seen() {
    let mut judged = None;
    let options = TrainOptions { tune: true, ..quick() };
    let mut progress = |step| {
        if let Step::Judged { quality } = step {
            judged = Some(quality);
        }
    };
    let trained = train(&table(signals(400, 160, 24, 7)), films(160), &options, &mut progress).unwrap();
    let quality = trained.card.quality.unwrap();
    assert_eq!(judged, Some(quality));
    let mut popular = options.clone();
    popular.tune = false;
    popular.settings.weights = screensort_recommend::Weights { item: 0.0, latent: 0.0, content: 0.0 };
    let bare =
        films(160).into_iter().map(|film| Film { movie_id: film.movie_id, ..Film::default() }).collect();
    let prior = train(&table(signals(400, 160, 24, 7)), bare, &popular, &mut |_| {}).unwrap();
    assert!(quality.ndcg_at_100.mean > prior.card.quality.unwrap().ndcg_at_100.mean + 0.05);
}

#[test]
fn tuning_shortens_the_vectors_where_tastes_are_few() {
    let mut options = TrainOptions { tune: true, ..quick() };
    options.settings.dims = 64;
    let mut tried = Vec::new();
    let mut progress = |step| {
        if let Step::Latent { dims, .. } = step {
            tried.push(dims);
        }
    };
    let trained = train(&table(signals(800, 320, 40, 7)), films(320), &options, &mut progress).unwrap();
    assert_eq!(tried[..2], [64, 32]);
    assert!(trained.card.settings.dims < 64, "{tried:?}");
    let options = TrainOptions { tune: false, ..options };
    let given = train(&table(signals(800, 320, 40, 7)), films(320), &options, &mut |_| {}).unwrap();
    assert_eq!(given.card.settings.dims, 64);
}

#[test]
fn int8_and_the_global_threshold_cost_little() {
    let ndcg = |kept| {
        let mut options = quick();
        options.settings.kept = kept;
        options.settings.weights = screensort_recommend::Weights { item: 1.0, latent: 0.0, content: 0.0 };
        let bare =
            films(320).into_iter().map(|film| Film { movie_id: film.movie_id, ..Film::default() }).collect();
        let trained = train(&table(signals(600, 320, 40, 7)), bare, &options, &mut |_| {}).unwrap();
        trained.card.quality.unwrap().ndcg_at_100.mean
    };
    let (dense, thin) = (ndcg(320), ndcg(80));
    assert!(thin > 0.97 * dense, "{thin} against {dense}");
}

#[test]
fn one_heavy_account_cannot_push_a_film_to_the_top() {
    let mut rows = signals(300, 160, 24, 7);
    let clean = train(&table(rows.clone()), films(160), &quick(), &mut |_| {}).unwrap();
    // One account likes an unloved film of kind 1 again and again, beside all films of kind 3.
    for round in 0..5_000 {
        rows.push(screensort_recommend::Signal {
            person: 9_999,
            film: 153,
            value: 1e30,
            at: 2_000_000_000 + round,
        });
    }
    rows.extend((0..20).map(|k| screensort_recommend::Signal {
        person: 9_999,
        film: 3 + 8 * k,
        value: 1e30,
        at: 2_000_000_000,
    }));
    let pushed = train(&table(rows), films(160), &quick(), &mut |_| {}).unwrap();
    let place = |bytes: &[u8]| {
        let model = Model::read(bytes).unwrap();
        let options = PageOptions { limit: 160, relevance: 1.0, ..PageOptions::default() };
        let page = model.recommend(&Profile::of_likes([3, 11, 19]), |_| true, &options);
        page.iter().position(|scored| scored.movie_id == 153).unwrap()
    };
    assert!(place(&pushed.bytes) > 20, "{} {}", place(&clean.bytes), place(&pushed.bytes));
}

#[test]
fn an_empty_or_doubled_catalogue_is_refused() {
    let none = train(&table(Vec::new()), Vec::new(), &quick(), &mut |_| {});
    assert!(matches!(none, Err(Error::Nothing { .. })));
    let mut twice = films(3);
    twice.push(twice[0].clone());
    let twice = train(&table(Vec::new()), twice, &quick(), &mut |_| {});
    assert!(matches!(twice, Err(Error::DuplicateFilm { film: 1 })));
}

#[test]
fn a_model_of_own_feedback_alone_is_the_same_whatever_the_catalogue_says() {
    let options = TrainOptions { own_feedback_only: true, ..quick() };
    let model =
        |catalogue| train(&table(signals(200, 160, 24, 7)), catalogue, &options, &mut |_| {}).unwrap().bytes;
    let bare = films(160).into_iter().map(|film| Film { movie_id: film.movie_id, ..Film::default() });
    assert_eq!(model(films(160)), model(bare.collect()));
}
