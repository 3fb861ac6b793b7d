//! Recommendations as a person sees them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::collections::HashSet;

use proptest::prelude::*;
use screensort_recommend::{Film, Model, PageOptions, Profile, Reason, Table, Thumb, TrainOptions, train};
use world::{KINDS, films, quick, trained};

fn model() -> Model {
    Model::read(trained(200, 160, &quick()).bytes.as_slice()).unwrap()
}

/// A model of a catalogue in which nobody has said anything yet.
fn newborn(count: u32) -> Model {
    let trained = train(&Table::default(), films(count), &quick(), &mut |_| {}).unwrap();
    Model::read(trained.bytes.as_slice()).unwrap()
}

fn thumbs(movie_ids: &[u32]) -> Vec<Thumb> {
    movie_ids.iter().map(|movie_id| Thumb { movie_id: *movie_id, weight: 1.0 }).collect()
}

fn of_kind(page: &[screensort_recommend::Scored], kind: u32) -> usize {
    page.iter().take(10).filter(|scored| scored.movie_id % KINDS == kind).count()
}

#[test]
fn three_thumbs_on_films_of_one_kind_turn_the_page_and_are_named() {
    for model in [model(), newborn(160)] {
        let before = model.recommend(&Profile::default(), |_| true, &PageOptions::default());
        let liked = [3, 11, 19];
        let page = model.recommend(&Profile::of_likes(liked), |_| true, &PageOptions::default());
        assert!(of_kind(&page, 3) >= 5, "{}", of_kind(&page, 3));
        assert!(of_kind(&before, 3) <= 4);
        let named =
            |reason: &Reason| matches!(reason, Reason::Liked { movie_id, .. } if liked.contains(movie_id));
        assert!(page[0].reasons.iter().any(named));
    }
}

#[test]
fn one_thumb_already_brings_films_of_its_kind() {
    let page = model().recommend(&Profile::of_likes([5]), |_| true, &PageOptions::default());
    let before = model().recommend(&Profile::default(), |_| true, &PageOptions::default());
    assert!(of_kind(&page, 5) > of_kind(&before, 5) && page[0].movie_id % KINDS == 5);
}

#[test]
fn a_thumb_down_removes_the_film_and_shifts_the_rest() {
    for model in [model(), newborn(160)] {
        let mut profile = Profile::of_likes([3, 11, 19, 2]);
        let before = model.recommend(&profile, |_| true, &PageOptions::default());
        profile.dislikes = thumbs(&[before[0].movie_id]);
        let after = model.recommend(&profile, |_| true, &PageOptions::default());
        assert!(after.iter().all(|scored| scored.movie_id != before[0].movie_id));
        let score = |page: &[screensort_recommend::Scored]| page.iter().map(|s| s.score).collect::<Vec<_>>();
        assert_ne!(score(&before), score(&after));
    }
}

#[test]
fn liked_disliked_excluded_and_filtered_films_never_appear() {
    let profile = Profile {
        likes: thumbs(&[1, 9]),
        dislikes: thumbs(&[2]),
        exclude: vec![3, 4, 5],
        ..Profile::default()
    };
    let options = PageOptions { limit: 1_000, explore: Some(1), ..PageOptions::default() };
    let page = model().recommend(&profile, |movie_id| movie_id % 2 == 1, &options);
    let shown: HashSet<u32> = page.iter().map(|scored| scored.movie_id).collect();
    assert_eq!(shown.len(), page.len());
    assert!(shown.iter().all(|id| id % 2 == 1 && ![1, 9, 3, 5].contains(id)));
    assert_eq!(shown.len(), 160 / 2 - 4);
}

#[test]
fn without_thumbs_the_page_is_popular_and_spread_over_genres() {
    let model = model();
    let page = model.recommend(&Profile::default(), |_| true, &PageOptions::default());
    let kinds: HashSet<u32> = page.iter().map(|scored| scored.movie_id % KINDS).collect();
    assert_eq!(page.len(), 20);
    assert!(kinds.len() >= 6, "{kinds:?}");
    assert!(page.iter().all(|s| matches!(s.reasons.as_slice(), [] | [Reason::Popular { .. }])));
}

#[test]
fn a_film_that_nobody_has_rated_is_recommended_by_its_content() {
    let mut catalogue = films(160);
    catalogue.push(Film { movie_id: 900, ..catalogue[10].clone() });
    let table = world::table(world::signals(200, 160, 24, 7));
    let trained = train(&table, catalogue, &quick(), &mut |_| {}).unwrap();
    let model = Model::read(trained.bytes.as_slice()).unwrap();
    assert_eq!(model.likes_of(900), Some(0));
    let page = model.recommend(
        &Profile::of_likes([3, 19, 27, 35]),
        |_| true,
        &PageOptions { limit: 40, ..PageOptions::default() },
    );
    assert!(page.iter().any(|scored| scored.movie_id == 900));
    let twin = model.similar(900, 10, |_| true);
    assert!(twin.iter().any(|ranked| ranked.movie_id == 11), "{twin:?}");
}

#[test]
fn every_tenth_place_explores_a_new_film_when_asked_to() {
    let mut catalogue = films(160);
    let model_film = catalogue[10].clone();
    catalogue.extend((900..930).map(|movie_id| Film { movie_id, ..model_film.clone() }));
    let table = world::table(world::signals(200, 160, 24, 7));
    let trained = train(&table, catalogue, &quick(), &mut |_| {}).unwrap();
    let model = Model::read(trained.bytes.as_slice()).unwrap();
    let page = |explore| {
        let options = PageOptions { explore, ..PageOptions::default() };
        model.recommend(&Profile::of_likes([4, 12]), |_| true, &options)
    };
    let explored: Vec<bool> = page(Some(5)).iter().map(|scored| scored.explored).collect();
    assert_eq!((explored[9], explored[19], explored.iter().filter(|e| **e).count()), (true, true, 2));
    assert_eq!(page(Some(5)), page(Some(5)));
    assert!(page(None).iter().all(|scored| !scored.explored));
}

#[test]
fn diversity_trades_relevance_for_spread() {
    let model = model();
    let page = |relevance| {
        let options = PageOptions { relevance, ..PageOptions::default() };
        model.recommend(&Profile::of_likes([3, 11, 19]), |_| true, &options)
    };
    let kinds = |relevance| page(relevance).iter().map(|s| s.movie_id % KINDS).collect::<HashSet<_>>().len();
    assert!(page(1.0).windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!(kinds(0.3) >= kinds(1.0));
    assert_eq!(page(0.7)[0].movie_id, page(1.0)[0].movie_id);
}

#[test]
fn similar_films_are_of_the_same_kind_and_unknown_films_have_none() {
    let model = model();
    let similar = model.similar(3, 10, |_| true);
    assert!(similar.iter().filter(|ranked| ranked.movie_id % KINDS == 3).count() >= 5, "{similar:?}");
    assert!(similar.iter().all(|ranked| ranked.movie_id != 3));
    assert!(model.similar(5_000, 10, |_| true).is_empty());
}

#[test]
fn hostile_profiles_are_harmless() {
    let model = model();
    for weight in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 0.0, f32::MAX, f32::MIN_POSITIVE] {
        let one = |movie_id| Thumb { movie_id, weight };
        let profile = Profile {
            likes: vec![one(3), one(3), one(9_999)],
            dislikes: vec![one(4)],
            exclude: vec![u32::MAX],
            lifts: vec![(3, f32::NAN), (u32::MAX, 1.0)],
        };
        let page = model.recommend(&profile, |_| true, &PageOptions::default());
        assert_eq!(page.len(), 20);
        assert!(page.iter().all(|scored| scored.score.is_finite()));
    }
    let everything = Profile::of_likes(0..100_000);
    assert!(model.recommend(&everything, |_| true, &PageOptions::default()).is_empty());
    let nothing = PageOptions { limit: 0, ..PageOptions::default() };
    assert!(model.recommend(&Profile::of_likes([3]), |_| true, &nothing).is_empty());
}

#[test]
fn a_model_without_thumbs_and_content_shows_its_films_all_the_same() {
    let bare = (1..=30).map(|movie_id| Film { movie_id, ..Film::default() }).collect();
    let trained = train(&Table::default(), bare, &TrainOptions::default(), &mut |_| {}).unwrap();
    let model = Model::read(trained.bytes.as_slice()).unwrap();
    assert_eq!(model.recommend(&Profile::of_likes([3]), |_| true, &PageOptions::default()).len(), 20);
    assert_eq!(model.popular(50, |_| true).len(), 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn reasons_add_up_to_the_score(
        likes in prop::collection::vec((1u32..200, 0.1f32..2.0), 0..30),
        dislikes in prop::collection::vec(1u32..200, 0..6),
        film in 1u32..=160,
        lifts in prop::collection::vec((1u32..200, -2.0f32..2.0), 0..9),
        known in any::<bool>(),
    ) {
        thread_local!(static MODELS: [Model; 2] = [model(), newborn(160)]);
        let likes = likes.into_iter().map(|(movie_id, weight)| Thumb { movie_id, weight }).collect();
        let profile = Profile { likes, dislikes: thumbs(&dislikes), lifts, ..Profile::default() };
        MODELS.with(|models| {
            let model = &models[usize::from(known)];
            let why = model.why(&profile, film).unwrap();
            let sum: f32 = why.reasons.iter().map(Reason::share).sum();
            prop_assert!((sum - why.score).abs() < 1e-3 * (1.0 + why.score.abs()), "{sum} {}", why.score);
            let options = PageOptions { limit: 160, reasons: usize::MAX, ..PageOptions::default() };
            let page = model.recommend(&profile, |_| true, &options);
            for scored in &page {
                let sum: f32 = scored.reasons.iter().map(Reason::share).sum();
                prop_assert!((sum - scored.score).abs() < 1e-3 * (1.0 + scored.score.abs()));
            }
            if let Some(shown) = page.iter().find(|scored| scored.movie_id == film) {
                prop_assert!((shown.score - why.score).abs() < 1e-5);
            }
            Ok(())
        })?;
    }
}
