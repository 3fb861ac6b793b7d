//! The good days: every route, read as TMDb means it.

use jiff::civil::{Date, date};
use screensort_testkit::tmdb_standin::Fault;
use screensort_tmdb::{
    ChangedMovie, Error, Fetched, Language, MovieList, Region, ReleaseKind, Rule, Status, TrendWindow,
    parse_movie,
};

use super::rig::{SECRET, rig, rig_with};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../testkit/fixtures/tmdb/", $name, ".json"))
    };
}

fn region(text: &str) -> Region {
    Region::parse(text).unwrap()
}

fn english() -> Language {
    Language::parse("en").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_film_is_read_whole() {
    let rig = rig().await;
    let film = rig.client.movie(550).await.unwrap().found().unwrap();
    assert_eq!((film.title.as_str(), film.runtime), ("Fight Club", Some(139)));
    assert_eq!(film.release_date, Some(date(1999, 10, 15)));
    assert_eq!(
        (film.imdb_id.unwrap().as_str(), film.status, film.adult),
        ("tt0137523", Status::Released, Some(false))
    );
    assert_eq!(film.directors.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["David Fincher"]);
    assert_eq!(film.writers.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["Jim Uhls"]);
    assert_eq!((film.cast.len(), film.cast[0].name.as_str()), (15, "Edward Norton"));
    assert_eq!(film.cast[0].character, "Narrator");
    let us = &film.certifications[&region("US")];
    assert_eq!((us.label.as_str(), us.kind), ("R", ReleaseKind::Theatrical));
    assert!(!film.watch[&region("US")].flatrate.is_empty());
    assert!(
        film.watch[&region("US")]
            .link
            .as_deref()
            .unwrap()
            .starts_with("https://www.themoviedb.org/movie/550")
    );
    assert!(film.trailers[0].official && film.trailers.iter().all(|trailer| trailer.published_at.is_some()));
    assert_eq!(film.external_ids.wikidata_id.as_deref(), Some("Q190050"));
    assert!(!film.keywords.is_empty() && !film.alternative_titles.is_empty());
    assert!(film.translations.is_empty() && film.absent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_film_can_be_read_and_no_part_is_missing() {
    let rig = rig_with(|config| config.translations = true).await;
    let ids = rig.tmdb.movie_ids();
    assert!(ids.len() >= 50);
    for id in ids {
        let film = rig.client.movie(id).await.unwrap().found().unwrap();
        assert_eq!((film.id, film.absent.len()), (id, 0), "{}", film.title);
    }
    assert!(rig.log.named("tmdb.drift").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_film_costs_one_request_with_the_key_in_a_header_and_not_in_the_address() {
    let rig = rig().await;
    rig.client.movie(603).await.unwrap();
    let requests = rig.tmdb.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/3/movie/603"));
    assert_eq!(
        request.query_value("append_to_response").unwrap(),
        "keywords,credits,watch/providers,release_dates,external_ids,videos,alternative_titles"
    );
    assert_eq!(request.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert!(!request.query.contains(SECRET) && !request.query.contains("api_key"));
}

#[tokio::test(start_paused = true)]
async fn translations_come_when_asked_for() {
    let rig = rig_with(|config| config.translations = true).await;
    let film = rig.client.movie(550).await.unwrap().found().unwrap();
    let german = film.translations.iter().find(|text| text.language.as_str() == "de").unwrap();
    assert!(!german.overview.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_film_that_is_gone_is_no_error() {
    let rig = rig().await;
    assert!(rig.tmdb.remove_movie(603));
    assert_eq!(rig.client.movie(603).await.unwrap(), Fetched::Gone);
    for body in [fixture!("error_34"), fixture!("error_34_old"), r#"{"status_code": 6}"#] {
        rig.once("/3/movie/550", Fault::Body(404, body.to_owned()));
        assert_eq!(rig.client.movie(550).await.unwrap(), Fetched::Gone);
    }
    assert!(matches!(rig.client.movie(0).await, Err(Error::BadQuestion(Rule::Id))));
    assert_eq!(rig.arrived(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_merged_film_is_gone_and_its_imdb_id_is_found_at_the_other() {
    let rig = rig().await;
    rig.tmdb.merge(603, 999_603);
    assert_eq!(rig.client.movie(603).await.unwrap(), Fetched::Gone);
    let other = rig.client.movie(999_603).await.unwrap().found().unwrap();
    assert_eq!(other.imdb_id.unwrap().as_str(), "tt0133093");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_missing_is_named_and_logged() {
    let rig = rig().await;
    rig.once("/3/movie/550", Fault::Body(200, fixture!("movie_19995").replace("19995", "550")));
    let film = rig.client.movie(550).await.unwrap().found().unwrap();
    assert_eq!(film.absent.len(), 7);
    assert!(rig.log.field("tmdb.drift", "absent")[0].contains("watch/providers"));
}

#[test]
fn every_recorded_film_is_read() {
    for (id, json) in [
        (550, fixture!("movie_550")),
        (47964, fixture!("movie_47964")),
        (49026, fixture!("movie_49026")),
        (19995, fixture!("movie_19995")),
        (168259, fixture!("movie_168259")),
        (87421, fixture!("movie_87421")),
        (1_744_731, fixture!("movie_1744731")),
    ] {
        let film = parse_movie(id, json.as_bytes()).unwrap();
        assert!(!film.title.is_empty() && film.original_language.is_some(), "{id}");
    }
    let latest = parse_movie(1_744_731, fixture!("movie_1744731").as_bytes()).unwrap();
    assert_eq!((latest.release_date, latest.imdb_id, latest.poster_path), (None, None, None));
    assert_eq!(latest.softcore, Some(false));
}

#[tokio::test(start_paused = true)]
async fn every_recorded_list_is_read() {
    let rig = rig().await;
    for (list, path, json) in [
        (MovieList::NowPlaying, "now_playing", fixture!("now_playing")),
        (MovieList::Upcoming, "upcoming", fixture!("upcoming")),
        (MovieList::Popular, "popular", fixture!("popular")),
        (MovieList::TopRated, "top_rated", fixture!("top_rated")),
    ] {
        rig.once(&format!("/3/movie/{path}"), Fault::Body(200, json.to_owned()));
        let number =
            serde_json::from_str::<serde_json::Value>(json).unwrap()["page"].as_u64().unwrap() as u32;
        let page = rig.client.list(list, number).await.unwrap();
        assert_eq!(page.results.len(), 4, "{path}");
        assert!(page.results.iter().all(|film| !film.genre_ids.is_empty() && film.softcore == Some(false)));
    }
    rig.once("/3/trending/movie/week", Fault::Body(200, fixture!("trending_week").to_owned()));
    assert_eq!(rig.client.trending(TrendWindow::Week, 1).await.unwrap().total_pages, 500);
}

#[tokio::test(start_paused = true)]
async fn recorded_changes_with_unknown_adult_are_read() {
    let rig = rig().await;
    rig.once("/3/movie/changes", Fault::Body(200, fixture!("changes").to_owned()));
    let page = rig.client.changes(date(2025, 11, 23), date(2025, 11, 24), 1).await.unwrap();
    assert!(page.results.len() > 90);
    assert!(page.results.contains(&ChangedMovie { id: 1_585_741, adult: None }));
}

#[tokio::test(start_paused = true)]
async fn lists_hold_the_stand_ins_films_in_pages() {
    let rig = rig().await;
    let all = rig.tmdb.movie_ids().len() as u32;
    let first = rig.client.list(MovieList::Popular, 1).await.unwrap();
    assert_eq!((first.page, first.results.len(), first.total_results), (1, 20, all));
    assert!(first.results.windows(2).all(|pair| pair[0].popularity >= pair[1].popularity));
    let last = rig.client.trending(TrendWindow::Day, first.total_pages).await.unwrap();
    assert_eq!(last.results.len() as u32, all - 20 * (first.total_pages - 1));
    for page in [0, 501] {
        let refused = rig.client.list(MovieList::TopRated, page).await;
        assert!(matches!(refused, Err(Error::BadQuestion(Rule::Page))));
    }
    assert_eq!(rig.arrived(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_small_lists_are_read() {
    let rig = rig().await;
    let client = &rig.client;
    client.check_key().await.unwrap();
    let genres = client.genres(&english()).await.unwrap();
    assert_eq!((genres.len(), genres[1].name.as_str()), (19, "Adventure"));
    assert_eq!(client.genres(&Language::parse("da-DK").unwrap()).await.unwrap()[1].name, "Eventyr");
    let ratings = client.certifications().await.unwrap();
    let us: Vec<_> = ratings[&region("US")].iter().map(|rating| rating.certification.as_str()).collect();
    assert_eq!(us, ["NR", "G", "PG", "PG-13", "R", "NC-17"]);
    let (all, german) =
        (client.watch_providers(None).await, client.watch_providers(Some(&region("DE"))).await);
    let (all, german) = (all.unwrap(), german.unwrap());
    assert!(all.len() == 40 && !german.is_empty() && german.len() < 40);
    assert!(german.iter().all(|provider| provider.display_priorities.contains_key(&region("DE"))));
    assert!(client.watch_regions().await.unwrap().iter().any(|found| found.english_name == "Germany"));
    let images = client.configuration().await.unwrap();
    assert_eq!(images.secure_base_url, "https://image.tmdb.org/t/p/");
    assert!(
        images.poster_sizes.contains(&"w500".to_owned())
            && images.poster_sizes.contains(&"original".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn changes_are_read_over_several_pages_and_days_without_repeats() {
    let rig = rig().await;
    rig.tmdb.set_changes(date(2026, 11, 20), 1..=250);
    rig.tmdb.set_changes(date(2026, 11, 21), 200..=320);
    let changed = rig.client.all_changes(date(2026, 11, 20), date(2026, 11, 21)).collect().await.unwrap();
    assert_eq!(changed.iter().map(|film| film.id).collect::<Vec<_>>(), (1..=320).collect::<Vec<_>>());
    let pages: Vec<_> =
        rig.tmdb.requests().iter().filter_map(|request| request.query_value("page")).collect();
    assert_eq!(pages, ["1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_grows_while_it_is_read_loses_and_repeats_nothing() {
    let rig = rig().await;
    let day = date(2026, 11, 20);
    rig.tmdb.set_changes(day, 1000..1200);
    let mut pages = rig.client.all_changes(day, day);
    let mut ids: Vec<_> = pages.next().await.unwrap().unwrap();
    rig.tmdb.set_changes(day, (1..=50).chain(1000..1200));
    while let Some(page) = pages.next().await.unwrap() {
        ids.extend(page);
    }
    assert_eq!(ids.iter().map(|film| film.id).collect::<Vec<_>>(), (1000..1200).collect::<Vec<_>>());
    assert!(pages.next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_failed_is_asked_for_again() {
    let rig = rig().await;
    let day = date(2026, 11, 20);
    rig.tmdb.set_changes(day, 1..=150);
    let mut pages = rig.client.all_changes(day, day);
    rig.once("/3/movie/changes", Fault::InvalidJson);
    assert!(pages.next().await.is_err());
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 100);
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_range_tmdb_would_refuse_or_cut_is_an_error() {
    let rig = rig().await;
    let start = date(2026, 11, 1);
    for end in [date(2026, 11, 16), date(2026, 10, 31), Date::MAX] {
        assert!(matches!(rig.client.changes(start, end, 1).await, Err(Error::BadQuestion(Rule::Range))));
    }
    assert_eq!(rig.arrived(), 0);
    assert!(rig.client.changes(start, date(2026, 11, 15), 1).await.unwrap().results.is_empty());
    let cut = r#"{"page": 1, "results": [], "total_pages": 501, "total_results": 50100}"#;
    rig.once("/3/movie/changes", Fault::Body(200, cut.to_owned()));
    assert!(matches!(rig.client.changes(start, start, 1).await, Err(Error::BadAnswer { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_page_with_another_number_or_without_results_is_no_answer() {
    let rig = rig().await;
    for body in [
        r#"{"page": 2, "results": [], "total_pages": 3, "total_results": 60}"#,
        r#"{"page": 1, "total_pages": 3, "total_results": 60}"#,
        r#"{"page": 1, "results": {}, "total_pages": 3, "total_results": 60}"#,
        r#"{"page": 1, "results": [], "total_pages": -3, "total_results": 60}"#,
    ] {
        rig.once("/3/movie/popular", Fault::Body(200, body.to_owned()));
        let page = rig.client.list(MovieList::Popular, 1).await;
        assert!(matches!(page, Err(Error::BadAnswer { .. })), "{body}");
    }
}

#[test]
fn calls_can_be_spawned() {
    fn spawnable<T: Send>(_: fn(&'static screensort_tmdb::Client) -> T) {}
    spawnable(|client| client.movie(1));
    spawnable(|client| client.export(Date::MAX, |_| {}));
    spawnable(|client| client.all_changes(Date::MAX, Date::MAX).collect());
}
