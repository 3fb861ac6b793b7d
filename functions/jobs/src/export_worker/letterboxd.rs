//! One file as Letterboxd's importer takes it: a row for each time a film was watched, and for each that was rated or
//! written about but never watched.

use std::collections::HashMap;

use jiff::Timestamp;
use screensort_catalog::Catalog;
use screensort_http::Problem;
use screensort_model::MovieId;
use screensort_store::{FilmState, Watch};

use super::{Said, named};

const HEADER: [&str; 7] = ["tmdbID", "Title", "Year", "Rating10", "WatchedDate", "Rewatch", "Review"];

pub(super) fn file(catalog: &Catalog, said: &Said) -> Result<Vec<u8>, Problem> {
    let unwritten = |_| Problem::internal("a CSV file cannot be written");
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(HEADER).map_err(unwritten)?;
    let mut watches: HashMap<MovieId, Vec<&Watch>> = HashMap::new();
    for watch in &said.history {
        watches.entry(watch.movie).or_default().push(watch);
    }
    let reviews: HashMap<MovieId, &str> =
        said.reviews.iter().map(|review| (review.movie, review.text.as_str())).collect();
    let mut row = |film: &FilmState, watch: Option<&Watch>, review: Option<&str>| {
        let (title, year) = named(catalog, film.movie);
        let rewatch = watch.is_some_and(|watch| watch.rewatch);
        csv.write_record([
            film.movie.to_string(),
            guarded(title),
            year.map(|year| year.to_string()).unwrap_or_default(),
            film.rating.map(|rating| rating.value().to_string()).unwrap_or_default(),
            watch.map(|watch| day(watch.watched_at)).unwrap_or_default(),
            if rewatch { "true".to_owned() } else { String::new() },
            review.map(|text| guarded(text.to_owned())).unwrap_or_default(),
        ])
        .map_err(unwritten)
    };
    for film in &said.films {
        let mut review = reviews.get(&film.movie).copied();
        let watches = watches.get(&film.movie).map(Vec::as_slice).unwrap_or_default();
        if watches.is_empty() && (film.rating.is_some() || review.is_some()) {
            row(film, None, review)?;
        }
        // The review stands beside the last time.
        for watch in watches {
            row(film, Some(watch), review.take())?;
        }
    }
    csv.into_inner().map_err(|_| Problem::internal("a CSV file cannot be finished"))
}

fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// A text that no spreadsheet takes for a formula.
fn guarded(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}
