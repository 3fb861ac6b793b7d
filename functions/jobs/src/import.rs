//! Reading other people's files: what each row says of which film. Nothing here knows the store.

mod ours;
mod rights;
mod titles;

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use screensort_model::person::is_since_cinema;
use screensort_model::{Language, Mode, MovieId, OperatorId, Preferences, Rating, Region, Thumb};
use serde_json::Value;

pub(crate) use rights::confine;
pub(crate) use titles::{Match, Titles, living};

/// The most rows of a file.
pub(crate) const MOST: usize = 10_000;

/// What a row says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub tmdb: Option<MovieId>,
    pub imdb: Option<String>,
    pub title: String,
    pub year: Option<i16>,
    pub rating: Option<(Rating, Option<Timestamp>)>,
    pub thumb: Option<(Thumb, Option<Timestamp>)>,
    pub hidden: Option<Option<Timestamp>>,
    pub watchlist: Option<Option<Timestamp>>,
    pub watched: Option<Watched>,
    pub review: Option<Written>,
}

/// That a film was watched.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Watched {
    pub at: Option<Timestamp>,
    pub rewatch: bool,
    pub operator: Option<OperatorId>,
    pub mode: Option<Mode>,
    /// How many times of the same film at the same moment stand before it in the file.
    pub nth: usize,
}

/// What was written about a film.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Written {
    pub text: String,
    pub spoiler: bool,
    pub language: Option<Language>,
}

/// What a file says of the person.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct About {
    pub display_name: Option<String>,
    pub bio: Option<String>,
    pub region: Option<Region>,
    pub birth_year: Option<i16>,
    pub preferences: Option<Preferences>,
    pub more: Vec<String>,
    pub less: Vec<String>,
    pub favourites: Vec<OperatorId>,
}

/// A file, read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parcel {
    pub rows: Vec<Row>,
    pub about: About,
}

/// What a file says.
///
/// # Errors
/// A sentence that says why it is no such file; it repeats nothing of it.
pub(crate) fn read(source: &str, content: &str, to_watch: bool) -> Result<Parcel, &'static str> {
    let content = content.trim_start_matches('\u{FEFF}');
    // Every other byte of Latin text in UTF-16 is none.
    if content.chars().take(8).filter(|c| *c == '\0').count() >= 3 {
        return Err("The file is in UTF-16: save it as UTF-8 and send it again.");
    }
    let parcel = match source {
        "letterboxd" => {
            Parcel { rows: table(content, |row| letterboxd(row, to_watch))?, ..Parcel::default() }
        }
        "imdb" => Parcel { rows: table(content, imdb)?, ..Parcel::default() },
        "trakt" => Parcel { rows: trakt(content)?, ..Parcel::default() },
        _ => ours::read(content)?,
    };
    if parcel.rows.len() > MOST { Err("The file has more than 10,000 rows.") } else { Ok(parcel) }
}

/// Whether a title lost characters on its way: the file was in another encoding than it was read in.
pub(crate) fn is_garbled(title: &str) -> bool {
    title.contains(char::REPLACEMENT_CHARACTER)
}

/// A row of a table, by the names of its columns.
struct Cells<'r>(&'r HashMap<String, usize>, &'r csv::StringRecord);

impl Cells<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let text = self.1.get(*self.0.get(name)?)?.trim();
        (!text.is_empty()).then_some(text)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

fn table(content: &str, read: impl Fn(&Cells<'_>) -> Row) -> Result<Vec<Row>, &'static str> {
    const BAD: &str = "The file is not a CSV file with a header and as many cells in each row.";
    let mut reader = csv::Reader::from_reader(content.as_bytes());
    let header = reader.headers().map_err(|_| BAD)?;
    let columns: HashMap<String, usize> =
        header.iter().enumerate().map(|(at, name)| (name.trim().to_ascii_lowercase(), at)).collect();
    let known = ["title", "name", "const", "tmdbid", "imdbid"];
    if !known.iter().any(|name| columns.contains_key(*name)) {
        return Err("The file has no column that names films.");
    }
    let mut rows = Vec::new();
    for record in reader.records().take(MOST + 1) {
        rows.push(read(&Cells(&columns, &record.map_err(|_| BAD)?)));
    }
    Ok(rows)
}

/// A day, or an instant, as an instant. One at which there was no cinema is none: nobody means it.
fn when(text: Option<&str>) -> Option<Timestamp> {
    let text = text?;
    let day = || text.get(..10)?.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| day().map(|day| day.timestamp())).filter(|at| is_since_cinema(*at))
}

fn rating(text: Option<&str>, times: f64) -> Option<Rating> {
    Rating::try_from(text?.parse::<f64>().ok()? * times).ok()
}

fn letterboxd(cells: &Cells<'_>, to_watch: bool) -> Row {
    let stars = rating(cells.get("rating10"), 1.0).or_else(|| rating(cells.get("rating"), 2.0));
    let date = when(cells.get("date"));
    let watched = when(cells.get("watched date").or_else(|| cells.get("watcheddate")));
    let is_rewatch =
        cells.get("rewatch").is_some_and(|text| ["yes", "true"].contains(&text.to_lowercase().as_str()));
    let said = ["rating", "rating10", "watched date", "watcheddate", "review"];
    let is_plain = !said.iter().any(|name| cells.has(name));
    Row {
        tmdb: cells.get("tmdbid").and_then(|id| id.parse().ok()),
        imdb: cells.get("imdbid").map(str::to_owned),
        title: cells.get("title").or_else(|| cells.get("name")).unwrap_or_default().to_owned(),
        year: cells.get("year").and_then(|year| year.parse().ok()),
        rating: stars.map(|rating| (rating, date)),
        watchlist: (is_plain && to_watch).then_some(date),
        // A day without a time is no moment of its own: a film of watched.csv was watched some time.
        watched: watched
            .map(|at| Watched { at: Some(at), rewatch: is_rewatch, ..Watched::default() })
            .or((is_plain && !to_watch).then(|| Watched { at: date, ..Watched::default() })),
        review: cells.get("review").map(|text| Written { text: text.to_owned(), ..Written::default() }),
        ..Row::default()
    }
}

fn imdb(cells: &Cells<'_>) -> Row {
    let date = when(cells.get("date rated").or_else(|| cells.get("created")));
    let stars = rating(cells.get("your rating"), 1.0);
    Row {
        imdb: cells.get("const").map(str::to_owned),
        title: cells.get("title").unwrap_or_default().to_owned(),
        year: cells.get("year").and_then(|year| year.parse().ok()),
        rating: stars.map(|rating| (rating, date)),
        watchlist: (stars.is_none() && cells.has("position")).then_some(date),
        ..Row::default()
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

fn movie_id(value: Option<&Value>) -> Option<MovieId> {
    MovieId::new(u32::try_from(value?.as_u64()?).ok()?)
}

fn trakt(content: &str) -> Result<Vec<Row>, &'static str> {
    let all: Vec<Value> = serde_json::from_str(content).map_err(|_| "The file is not a JSON list.")?;
    let movies = all.iter().filter_map(|entry| Some((entry, entry.get("movie")?)));
    let row = |(entry, movie): (&Value, &Value)| {
        let watched = text(entry, "watched_at").or_else(|| text(entry, "last_watched_at"));
        let stars =
            entry.get("rating").and_then(Value::as_f64).and_then(|stars| Rating::try_from(stars).ok());
        let ids = movie.get("ids");
        Row {
            tmdb: movie_id(ids.and_then(|ids| ids.get("tmdb"))),
            imdb: ids.and_then(|ids| text(ids, "imdb")).map(str::to_owned),
            title: text(movie, "title").unwrap_or_default().to_owned(),
            year: movie.get("year").and_then(Value::as_i64).and_then(|year| i16::try_from(year).ok()),
            rating: stars.map(|stars| (stars, when(text(entry, "rated_at")))),
            watchlist: entry.get("listed_at").map(|_| when(text(entry, "listed_at"))),
            watched: watched.map(|at| Watched { at: when(Some(at)), ..Watched::default() }),
            ..Row::default()
        }
    };
    Ok(movies.map(row).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn rows(source: &str, content: &str, to_watch: bool) -> Result<Vec<Row>, &'static str> {
        read(source, content, to_watch).map(|parcel| parcel.rows)
    }

    #[test]
    fn letterboxds_stars_are_halves_of_ours() {
        let file = "Date,Name,Year,Letterboxd URI,Rating\n2024-05-01,\"Heat, the\",1995,https://x,4.5\n";
        let rows = rows("letterboxd", file, false).unwrap();
        assert_eq!((rows[0].title.as_str(), rows[0].year), ("Heat, the", Some(1995)));
        assert_eq!(rows[0].rating.map(|(rating, _)| rating.value()), Some(9.0));
        assert_eq!((rows[0].watched.clone(), rows[0].watchlist), (None, None));
    }

    #[test]
    fn a_diary_a_watchlist_and_what_was_watched_are_told_apart() {
        let diary = "Date,Name,Year,Rating,Rewatch,Watched Date\n2024-05-02,Heat,1995,,Yes,2024-05-01\n";
        let watched = rows("letterboxd", diary, false).unwrap()[0].watched.clone().unwrap();
        assert_eq!(
            (watched.at.unwrap().to_string().as_str(), watched.rewatch),
            ("2024-05-01T00:00:00Z", true)
        );
        let plain = "Date,Name,Year,Letterboxd URI\n2024-05-02,Heat,1995,https://x\n";
        assert!(rows("letterboxd", plain, true).unwrap()[0].watchlist.is_some());
        assert!(rows("letterboxd", plain, false).unwrap()[0].watched.is_some());
    }

    #[test]
    fn a_time_before_there_was_cinema_is_none() {
        assert_eq!(when(Some("1895-12-31")), None);
        assert_eq!(when(Some("-009999-01-02T00:00:00Z")), None);
        assert!(when(Some("1896-01-01")).is_some() && when(Some("2024-05-01T20:15:00Z")).is_some());
    }

    #[test]
    fn imdb_and_trakt_are_read() {
        let imdb = "Const,Your Rating,Date Rated,Title,Year\ntt0113277,9,2020-01-02,Heat,1995\n";
        let row = &rows("imdb", imdb, false).unwrap()[0];
        assert_eq!((row.imdb.as_deref(), row.rating.unwrap().0.halves()), (Some("tt0113277"), 18));
        let trakt = r#"[{"rated_at":"2020-01-02T03:04:05.000Z","rating":7,"type":"movie",
            "movie":{"title":"Heat","year":1995,"ids":{"imdb":"tt0113277","tmdb":949}}},{"show":{}}]"#;
        let rows = rows("trakt", trakt, false).unwrap();
        assert_eq!((rows.len(), rows[0].tmdb.map(MovieId::get)), (1, Some(949)));
    }

    #[test]
    fn formulas_controls_and_directions_are_text() {
        let file = "Name,Year,Rating,Review\n\"=HYPERLINK(\"\"http://x\"\")\",1995,4,\"@SUM(A1)\"\n\u{202E}cab\0,1996,9e99,\n";
        let rows = rows("letterboxd", file, false).unwrap();
        assert_eq!(rows[0].title, "=HYPERLINK(\"http://x\")");
        assert_eq!(rows[0].review.as_ref().unwrap().text, "@SUM(A1)");
        assert_eq!((rows[1].rating, rows[1].year), (None, Some(1996)));
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        for (source, bad) in [
            ("letterboxd", "a,b\n1,2\n"),
            ("imdb", "Const\n\"unclosed"),
            ("imdb", "Const,Title\nx\n"),
            ("trakt", "{}"),
            ("screensort", "{\"format\":\"other\"}"),
            ("screensort", "no"),
        ] {
            assert!(rows(source, bad, false).is_err() || bad.contains("unclosed"), "{source} {bad}");
        }
        let wide: String = "Const,Title\n".chars().flat_map(|c| [c, '\0']).collect();
        assert!(rows("imdb", &wide, false).unwrap_err().contains("UTF-16"));
        let long = format!("Const\n{}", "tt1\n".repeat(MOST + 1));
        assert!(rows("imdb", &long, false).is_err());
    }
}
