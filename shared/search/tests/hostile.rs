//! Nothing typed and nothing stored makes it panic.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use screensort_search::{Builder, Entry, Error, Index, Kind, KindSet};

const QUERIES: &[&str] = &["a", "the night", "nihgt teh", "nightday 1999", "乱", "zzzzzzzz"];

fn index(titles: &[String]) -> Index {
    let mut builder = Builder::new();
    for (n, title) in titles.iter().enumerate() {
        let kind = [Kind::Movie, Kind::Person, Kind::Operator][n % 3];
        let weight = (n % 7) as f32 / 6.0;
        builder.add(Entry { kind, titles: &[title, "The Night"], weight, year: Some(1990 + n as u16) });
    }
    builder.build().unwrap()
}

fn sample() -> Index {
    index(&["The Night", "Night and Day", "乱", "Nightmare 1999", "Straße", "A"].map(str::to_owned))
}

fn exercise(index: &Index) {
    for query in QUERIES {
        for hit in index.search(query, KindSet::ALL, 50).iter().chain(&index.suggest(query, 8)) {
            assert!((0.0..=1.0).contains(&hit.score));
            assert!((hit.entry as usize) < index.len());
        }
    }
}

fn title() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[a-e]{1,4}( [a-e]{1,6}){0,5}",
        "(the|night|and|day|of|ii|2001|x\\.y\\.)( (the|night|and|day|of)){0,80}",
        any::<String>(),
    ]
}

#[test]
fn any_damaged_byte_is_refused_or_survived() {
    let bytes = sample().to_bytes();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            if let Ok(index) = Index::from_bytes(damaged) {
                exercise(&index);
            }
        }
    }
}

#[test]
fn any_shortened_file_is_refused() {
    let bytes = sample().to_bytes();
    for end in 0..bytes.len() {
        assert!(Index::from_bytes(bytes[..end].to_vec()).is_err());
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(Index::from_bytes(longer), Err(Error::Length { .. })));
}

#[test]
fn counts_that_promise_too_much_are_refused_without_allocating() {
    let mut bytes = sample().to_bytes();
    bytes[12..36].fill(0xff);
    assert!(matches!(Index::from_bytes(bytes), Err(Error::Length { .. } | Error::TooLarge)));
}

#[test]
fn another_version_is_named() {
    let mut bytes = sample().to_bytes();
    bytes[8] = 77;
    assert_eq!(Index::from_bytes(bytes).unwrap_err(), Error::Version { found: 77, expected: 1 });
    assert_eq!(Index::from_bytes(b"no index".to_vec()).unwrap_err(), Error::NotAnIndex);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_query_panics_and_answers_are_in_order(
        titles in prop::collection::vec(title(), 0..30),
        query in title(),
        limit in 0usize..600,
    ) {
        let index = index(&titles);
        let hits = index.search(&query, KindSet::ALL, limit);
        prop_assert!(hits.len() <= limit);
        prop_assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        prop_assert!(hits.iter().all(|hit| (hit.entry as usize) < titles.len()));
        let mut entries: Vec<u32> = hits.iter().map(|hit| hit.entry).collect();
        entries.sort_unstable();
        entries.dedup();
        prop_assert_eq!(entries.len(), hits.len());
        index.suggest(&query, limit);
    }

    #[test]
    fn every_title_finds_its_film_among_the_exact_ones(titles in prop::collection::vec(title(), 1..30)) {
        let index = index(&titles);
        for (n, title) in titles.iter().enumerate() {
            let short = title.chars().count() <= 200 && title.split_whitespace().count() <= 60;
            let searchable = title.chars().any(|c| c.is_ascii_alphanumeric());
            if short && searchable {
                let hits = index.search(title, KindSet::ALL, 100);
                let hit = hits.iter().find(|hit| hit.entry as usize == n);
                prop_assert!(hit.is_some_and(|hit| hit.score >= 0.9), "{title:?}: {hits:?}");
            }
        }
    }

    #[test]
    fn stored_and_loaded_it_answers_the_same(titles in prop::collection::vec(title(), 0..30), query in title()) {
        let built = index(&titles);
        let bytes = built.to_bytes();
        prop_assert_eq!(&bytes, &index(&titles).to_bytes());
        let loaded = Index::from_bytes(bytes.clone()).unwrap();
        prop_assert_eq!(loaded.to_bytes(), bytes);
        let answer = built.search(&query, KindSet::ALL, 50);
        prop_assert_eq!(&answer, &loaded.search(&query, KindSet::ALL, 50));
        prop_assert_eq!(&answer, &built.search(&query, KindSet::ALL, 50));
    }

    #[test]
    fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), begun in any::<bool>()) {
        if begun {
            let start = sample().to_bytes();
            bytes.splice(0..0, start[..36].iter().copied());
        }
        if let Ok(index) = Index::from_bytes(bytes) {
            exercise(&index);
        }
    }

    #[test]
    fn many_damaged_bytes_are_survived(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let mut bytes = sample().to_bytes();
        for (at, value) in damage {
            // The header is left alone, so that most of these files open.
            let at = 36 + at.index(bytes.len() - 36);
            bytes[at] = value;
        }
        if let Ok(index) = Index::from_bytes(bytes) {
            exercise(&index);
        }
    }
}
