//! What a person who searches notices.

#![allow(clippy::unwrap_used)]

use screensort_search::{Builder, Entry, Index, Kind, KindSet, MAX_HITS};

/// Title, original title, year, weight.
const FILMS: &[(&str, &str, u16, f32)] = &[
    ("The Matrix", "The Matrix", 1999, 0.97),
    ("The Matrix Reloaded", "The Matrix Reloaded", 2003, 0.88),
    ("Inception", "Inception", 2010, 1.0),
    ("Dune", "Dune", 1984, 0.75),
    ("Dune", "Dune", 2021, 0.93),
    ("Amélie", "Le Fabuleux Destin d'Amélie Poulain", 2001, 0.9),
    ("Spirited Away", "千と千尋の神隠し", 2001, 0.94),
    ("Parasite", "기생충", 2019, 0.95),
    ("Stalker", "Сталкер", 1979, 0.7),
    ("Capernaum", "كفرناحوم", 2018, 0.7),
    ("Up", "Up", 2009, 0.95),
    ("Her", "Her", 2013, 0.91),
    ("Heat", "Heat", 1995, 0.89),
    ("Hercules", "Hercules", 1997, 0.86),
    ("It", "It", 2017, 0.95),
    ("Schindler's List", "Schindler's List", 1993, 0.95),
    ("Fast & Furious", "Fast & Furious", 2009, 0.88),
    ("Spider-Man", "Spider-Man", 2002, 0.95),
    ("Star Wars", "Star Wars", 1977, 0.95),
    (
        "The Lord of the Rings: The Return of the King",
        "The Lord of the Rings: The Return of the King",
        2003,
        0.97,
    ),
    ("Rocky II", "Rocky II", 1979, 0.8),
    ("Blade Runner 2049", "Blade Runner 2049", 2017, 0.94),
    ("2012", "2012", 2009, 0.9),
    ("8½", "8½", 1963, 0.75),
    ("R.I.P.D.", "R.I.P.D.", 2013, 0.8),
    ("Die große Stille", "Die große Stille", 2005, 0.3),
    ("Łódź Story", "Łódź Story", 2004, 0.1),
];

const PEOPLE: &[&str] = &["Keanu Reeves", "Hayao Miyazaki", "Audrey Tautou", "Star Reeves"];

fn index() -> Index {
    let mut builder = Builder::new();
    for (title, original, year, weight) in FILMS {
        let titles = [*title, *original];
        builder.add(Entry { kind: Kind::Movie, titles: &titles, weight: *weight, year: Some(*year) });
    }
    for name in PEOPLE {
        builder.add(Entry { kind: Kind::Person, titles: &[*name], weight: 0.5, year: None });
    }
    builder.add(Entry { kind: Kind::Operator, titles: &["Matrix Streaming"], weight: 0.2, year: None });
    builder.build().unwrap()
}

fn name(entry: u32) -> String {
    let entry = entry as usize;
    match FILMS.get(entry) {
        Some((title, _, year, _)) => format!("{title} ({year})"),
        None => PEOPLE.get(entry - FILMS.len()).map_or("Matrix Streaming", |n| n).to_owned(),
    }
}

fn found(query: &str) -> Vec<String> {
    index().search(query, KindSet::ALL, 20).into_iter().map(|hit| name(hit.entry)).collect()
}

fn first(query: &str) -> String {
    found(query).into_iter().next().unwrap_or_default()
}

#[test]
fn case_marks_and_punctuation_do_not_matter() {
    for (query, title) in [
        ("AMELIE", "Amélie (2001)"),
        ("schindlers list", "Schindler's List (1993)"),
        ("Schindler\u{2019}s List", "Schindler's List (1993)"),
        ("fast and furious", "Fast & Furious (2009)"),
        ("die grosse stille", "Die große Stille (2005)"),
        ("lodz story", "Łódź Story (2004)"),
        ("ripd", "R.I.P.D. (2013)"),
        ("8 1/2", "8½ (1963)"),
        ("rocky 2", "Rocky II (1979)"),
    ] {
        let hit = index().search(query, KindSet::ALL, 1)[0];
        assert_eq!(name(hit.entry), title, "{query}");
        assert!(hit.score >= 0.9, "{query} should be exact, scored {}", hit.score);
    }
}

#[test]
fn original_titles_in_other_scripts_are_found() {
    assert_eq!(first("千と千尋の神隠し"), "Spirited Away (2001)");
    assert_eq!(first("神隠し"), "Spirited Away (2001)");
    assert_eq!(first("기생"), "Parasite (2019)");
    assert_eq!(first("сталкер"), "Stalker (1979)");
    assert_eq!(first("сталкр"), "Stalker (1979)");
    assert_eq!(first("كفرناحوم"), "Capernaum (2018)");
}

#[test]
fn one_and_two_typos_are_forgiven() {
    for query in ["incepton", "inecption", "inceptionn", "imception", "incpetoin", "inxepzion"] {
        assert_eq!(first(query), "Inception (2010)", "{query}");
    }
    assert_eq!(first("schindlrs lits"), "Schindler's List (1993)");
}

#[test]
fn short_titles_survive_a_typo() {
    assert!(found("hre").iter().take(3).any(|t| t == "Her (2013)"), "{:?}", found("hre"));
    assert!(found("uo").iter().take(3).any(|t| t == "Up (2009)"), "{:?}", found("uo"));
    assert!(found("ti").iter().take(3).any(|t| t == "It (2017)"), "{:?}", found("ti"));
}

#[test]
fn the_last_word_may_be_unfinished() {
    assert_eq!(first("incep"), "Inception (2010)");
    assert_eq!(first("the matrix rel"), "The Matrix Reloaded (2003)");
    assert_eq!(first("incpt"), "Inception (2010)");
}

#[test]
fn words_may_come_in_any_order_and_without_spaces() {
    assert_eq!(first("reloaded matrix"), "The Matrix Reloaded (2003)");
    assert_eq!(first("king return rings"), "The Lord of the Rings: The Return of the King (2003)");
    assert_eq!(first("starwars"), "Star Wars (1977)");
    assert_eq!(first("starxwars"), "Star Wars (1977)");
    assert_eq!(first("spiderman"), "Spider-Man (2002)");
    assert_eq!(first("inc eption"), "Inception (2010)");
}

#[test]
fn leading_articles_are_optional() {
    assert_eq!(first("matrix"), "The Matrix (1999)");
    assert_eq!(first("the inception"), "Inception (2010)");
}

#[test]
fn exact_titles_outrank_everything_and_the_heavier_comes_first() {
    assert_eq!(found("dune")[..2], ["Dune (2021)", "Dune (1984)"]);
    assert_eq!(found("her")[0], "Her (2013)");
    let mut builder = Builder::new();
    for (titles, weight) in [(["Alpha Beta", "x"], 1.0), (["Alpha", "y"], 0.0), (["Gamma", "Alpha"], 0.1)] {
        builder.add(Entry { kind: Kind::Movie, titles: &titles, weight, year: None });
    }
    let hits = builder.build().unwrap().search("alpha", KindSet::ALL, 9);
    assert_eq!(hits.iter().map(|h| h.entry).collect::<Vec<_>>(), [2, 1, 0]);
    assert!(hits[1].score >= 0.9 && hits[2].score < 0.9);
}

#[test]
fn a_year_at_the_end_chooses_among_films_of_one_title() {
    assert_eq!(first("dune 1984"), "Dune (1984)");
    assert_eq!(first("dune (2021)"), "Dune (2021)");
    assert_eq!(first("dnue 1984"), "Dune (1984)");
    assert_eq!(first("blade runner 2049"), "Blade Runner 2049 (2017)");
    assert_eq!(first("2012"), "2012 (2009)");
}

#[test]
fn one_letter_finds_what_begins_with_it_by_weight() {
    assert_eq!(found("h")[..3], ["Her (2013)", "Heat (1995)", "Hercules (1997)"]);
    assert_eq!(first("m"), "The Matrix (1999)");
}

#[test]
fn a_query_without_letters_finds_nothing() {
    for query in ["", " ", "…!?", "\u{301}", "\u{200b}"] {
        assert!(found(query).is_empty(), "{query:?}");
    }
    assert!(found("zzzzqqqq").is_empty());
}

#[test]
fn kinds_narrow_the_search() {
    let matrix = |kinds| index().search("matrix", kinds, 9).iter().map(|h| name(h.entry)).collect::<Vec<_>>();
    assert_eq!(matrix(Kind::Operator.into()), ["Matrix Streaming"]);
    assert_eq!(matrix(Kind::Movie.into()), ["The Matrix (1999)", "The Matrix Reloaded (2003)"]);
    assert_eq!(matrix([Kind::Movie, Kind::Operator].into_iter().collect()).len(), 3);
    assert!(matrix(KindSet::NONE).is_empty());
    assert_eq!(first("kenu reeves"), "Keanu Reeves");
    assert_eq!(first("miyazaki hayao"), "Hayao Miyazaki");
}

#[test]
fn suggestions_complete_what_is_typed_and_forgive_typos_too() {
    let suggested = |q: &str| index().suggest(q, 8).iter().map(|h| name(h.entry)).collect::<Vec<_>>();
    assert_eq!(suggested("the mat")[0], "The Matrix (1999)");
    assert_eq!(suggested("keanu r")[0], "Keanu Reeves");
    assert_eq!(suggested("inecp")[0], "Inception (2010)");
    assert!(suggested("").is_empty());
    assert!(index().suggest("the", 0).is_empty());
}

#[test]
fn pages_are_slices_of_one_order() {
    let mut builder = Builder::new();
    for n in 0..2_000 {
        let title = format!("Night {} of {}", n % 37, n % 11);
        builder.add(Entry { kind: Kind::Movie, titles: &[&title], weight: (n % 5) as f32 / 5.0, year: None });
    }
    let index = builder.build().unwrap();
    let all = index.search("night of", KindSet::ALL, usize::MAX);
    assert_eq!(all.len(), MAX_HITS);
    for limit in [1, 20, 40, 300] {
        assert_eq!(index.search("night of", KindSet::ALL, limit), all[..limit]);
    }
    for pair in all.windows(2) {
        assert!(pair[0].score >= pair[1].score);
    }
}

#[test]
fn an_empty_index_finds_nothing() {
    let index = Builder::new().build().unwrap();
    assert!(index.is_empty());
    assert!(index.search("anything 1999", KindSet::ALL, 5).is_empty());
    let mut builder = Builder::new();
    assert_eq!(builder.add(Entry { kind: Kind::Movie, titles: &["!!!"], weight: f32::NAN, year: None }), 0);
    let index = builder.build().unwrap();
    assert_eq!(index.len(), 1);
    assert!(index.suggest("!!!", 5).is_empty());
}
