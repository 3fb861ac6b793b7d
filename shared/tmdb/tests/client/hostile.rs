//! Whatever arrives, reading it does not panic, and what comes out is clean.

use proptest::{collection, prelude::*};
use screensort_tmdb::{Error, MovieDetails, parse_movie};
use serde_json::{Map, Value, json};

const RECORDED: &str = include_str!("../../../testkit/fixtures/tmdb/movie_550.json");

/// Keys a film has, so that arbitrary values land where they hurt.
const KEYS: [&str; 36] = [
    "id",
    "title",
    "original_title",
    "original_language",
    "overview",
    "tagline",
    "release_date",
    "runtime",
    "genres",
    "popularity",
    "vote_average",
    "vote_count",
    "poster_path",
    "imdb_id",
    "status",
    "adult",
    "keywords",
    "credits",
    "cast",
    "crew",
    "watch/providers",
    "results",
    "US",
    "flatrate",
    "release_dates",
    "certification",
    "type",
    "external_ids",
    "videos",
    "key",
    "site",
    "alternative_titles",
    "titles",
    "iso_3166_1",
    "translations",
    "name",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        collection::vec(prop_oneof![Just('\u{202E}'), Just('\0'), Just('\n'), any::<char>()], 0..50)
            .prop_map(|chars| Value::from(chars.into_iter().collect::<String>())),
        prop_oneof![
            Just("YouTube"),
            Just("Trailer"),
            Just("Director"),
            Just("2024-02-30"),
            Just("/../a"),
            Just("tt0137523")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let key = prop_oneof![4 => proptest::sample::select(&KEYS[..]).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            collection::vec((key, inner), 0..8).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn film() -> impl Strategy<Value = Value> {
    collection::vec((proptest::sample::select(&KEYS[1..]), value()), 0..30).prop_map(|pairs| {
        let mut film: Map<_, _> = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        film.insert("id".to_owned(), json!(7));
        Value::Object(film)
    })
}

/// Replaces the value at a random place of a recorded film.
fn mutated() -> impl Strategy<Value = Value> {
    (collection::vec((any::<prop::sample::Index>(), value()), 1..6)).prop_map(|changes| {
        let mut film: Value = serde_json::from_str(RECORDED).unwrap();
        for (place, new) in changes {
            let mut places = Vec::new();
            pointers(&film, String::new(), &mut places);
            *film.pointer_mut(&places[place.index(places.len())]).unwrap() = new;
        }
        film
    })
}

fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(inner, format!("{at}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                pointers(inner, format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        found.push(at);
    }
}

/// Every text in the film, wherever it is, and every number.
fn check(film: &MovieDetails) {
    fn walk(value: &Value) {
        match value {
            Value::String(text) => {
                let hidden = |c: char| {
                    c != '\n' && c.is_control()
                        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
                };
                assert!(!text.chars().any(hidden), "{text:?}");
                assert!(text.chars().count() <= 4000);
            }
            Value::Number(number) => {
                assert!(number.as_f64().is_some_and(|n| n.is_finite() && n >= 0.0), "{number}")
            }
            Value::Array(list) => list.iter().for_each(walk),
            Value::Object(map) => map.values().for_each(walk),
            Value::Null | Value::Bool(_) => {}
        }
    }
    walk(&serde_json::to_value(film).unwrap());
    assert!(!film.title.is_empty() && !film.title.contains('\n'));
    assert!(film.vote_average <= 10.0 && film.runtime != Some(0));
    assert!(film.cast.len() <= 15 && film.directors.len() <= 10 && film.trailers.len() <= 10);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_json_never_panics(json in value()) {
        if let Ok(film) = parse_movie(7, json.to_string().as_bytes()) {
            check(&film);
        }
    }

    #[test]
    fn a_film_of_arbitrary_fields_is_clean_or_refused(json in film()) {
        if let Ok(film) = parse_movie(7, json.to_string().as_bytes()) {
            check(&film);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(parse_movie(7, &bytes).is_err());
    }
}

#[test]
fn a_film_cut_within_a_number_is_truncated() {
    for ending in ["7.", "-", "1e", "1E", "1e+", "1e-"] {
        for field in ["popularity", "of_no_interest"] {
            let cut = parse_movie(550, format!("{{\"id\": 550,\n\"{field}\": {ending}").as_bytes());
            assert!(matches!(cut, Err(Error::Truncated { .. })), "{field} {ending}: {cut:?}");
        }
    }
    let bad = parse_movie(550, br#"{"id": 550, "popularity": 7.x}"#);
    assert!(matches!(bad, Err(Error::BadAnswer { .. })), "{bad:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_recorded_film_with_some_values_replaced_is_clean_or_refused(json in mutated()) {
        if let Ok(film) = parse_movie(550, json.to_string().as_bytes()) {
            check(&film);
        }
    }
}

#[test]
fn a_recorded_film_cut_anywhere_is_truncated() {
    let whole = RECORDED.trim_end().as_bytes();
    for at in 0..whole.len() {
        let cut = parse_movie(550, &whole[..at]);
        assert!(matches!(cut, Err(Error::Truncated { .. })), "cut at {at}: {cut:?}");
    }
}

#[test]
fn depth_is_no_danger() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        assert!(parse_movie(7, deep.as_bytes()).is_err());
        let inside = format!("{{\"id\": 7, \"title\": \"x\", \"credits\": {deep}, \"unheard_of\": {deep}}}");
        let _ = parse_movie(7, inside.as_bytes());
    }
}
