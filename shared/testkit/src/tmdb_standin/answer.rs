//! The right answer to a request: TMDb's routes, shapes and errors.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Recorded, world::World};

const GENRES_EN: &str = include_str!("../../fixtures/tmdb/genres_en.json");
const GENRES_DA: &str = include_str!("../../fixtures/tmdb/genres_da.json");
const CERTIFICATIONS: &str = include_str!("../../fixtures/tmdb/certifications.json");
const WATCH_PROVIDERS: &str = include_str!("../../fixtures/tmdb/watch_providers.json");
const WATCH_REGIONS: &str = include_str!("../../fixtures/tmdb/watch_regions.json");
const CONFIGURATION: &str = include_str!("../../fixtures/tmdb/configuration.json");
const UNAUTHORIZED: &str = include_str!("../../fixtures/tmdb/error_7.json");
const NOT_FOUND: &str = include_str!("../../fixtures/tmdb/error_34.json");
const THROTTLED: &str = include_str!("../../fixtures/tmdb/error_25.json");
const BACKEND_TIMEOUT: &str = include_str!("../../fixtures/tmdb/error_24.json");

const PARTS: [&str; 8] = [
    "keywords",
    "credits",
    "watch/providers",
    "release_dates",
    "external_ids",
    "videos",
    "alternative_titles",
    "translations",
];
/// What a list says about a film, besides `genre_ids`.
const SUMMARY: [&str; 14] = [
    "adult",
    "backdrop_path",
    "id",
    "original_language",
    "original_title",
    "overview",
    "popularity",
    "poster_path",
    "release_date",
    "softcore",
    "title",
    "video",
    "vote_average",
    "vote_count",
];

/// An answer before anything goes wrong with it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: "application/json;charset=utf-8", body: body.into().into_bytes() }
    }

    /// TMDb's body for an error status.
    pub(super) fn error(status: u16) -> Self {
        let (code, message) = match status {
            401 => return Self::json(401, UNAUTHORIZED),
            404 => return Self::json(404, NOT_FOUND),
            429 => return Self::json(429, THROTTLED),
            504 => return Self::json(504, BACKEND_TIMEOUT),
            403 => (10, "Suspended API key: Access to your account has been suspended, contact TMDB."),
            422 => (20, "Invalid date range: Should be a range no longer than 14 days."),
            400 => (22, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
            502 => (43, "Couldn't connect to the backend server."),
            503 => (9, "Service offline: This service is temporarily offline, try again later."),
            _ => (11, "Internal error: Something went wrong, contact TMDb."),
        };
        Self::refusal(status, code, message)
    }

    fn refusal(status: u16, code: u32, message: &str) -> Self {
        Self::json(
            status,
            json!({"success": false, "status_code": code, "status_message": message}).to_string(),
        )
    }
}

type Query = BTreeMap<String, String>;

/// Answers as TMDb would.
pub(super) fn answer(world: &World, request: &Recorded) -> Answer {
    if let Some(file) = request.path.strip_prefix("/p/exports/") {
        return export(world, file);
    }
    let Some(route) = request.path.strip_prefix("/3/") else { return Answer::error(404) };
    if request.header("authorization") != Some(&format!("Bearer {}", world.token())) {
        return Answer::error(401);
    }
    let query: Query = url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let parts: Vec<_> = route.split('/').collect();
    match parts.as_slice() {
        ["authentication"] => Answer::json(
            200,
            json!({"success": true, "status_code": 1, "status_message": "Success."}).to_string(),
        ),
        ["configuration"] => Answer::json(200, CONFIGURATION),
        ["genre", "movie", "list"] => {
            let danish = query.get("language").is_some_and(|language| language.starts_with("da"));
            Answer::json(200, if danish { GENRES_DA } else { GENRES_EN })
        }
        ["certification", "movie", "list"] => Answer::json(200, CERTIFICATIONS),
        ["watch", "providers", "regions"] => Answer::json(200, WATCH_REGIONS),
        ["watch", "providers", "movie"] => watch_providers(&query),
        ["movie", "changes"] => changes(world, &query),
        ["trending", "movie", "day" | "week"] | ["movie", "popular" | "now_playing" | "upcoming"] => {
            list(world, &query, "popularity")
        }
        ["movie", "top_rated"] => list(world, &query, "vote_average"),
        ["movie", id] => movie(world, id, &query),
        _ => Answer::error(404),
    }
}

fn movie(world: &World, id: &str, query: &Query) -> Answer {
    let asked: Vec<_> =
        query.get("append_to_response").map(|parts| parts.split(',').collect()).unwrap_or_default();
    if asked.len() > 20 {
        return Answer::refusal(
            400,
            27,
            "Too many append to response objects: The maximum number of remote calls is 20.",
        );
    }
    let Some(mut film) = id.parse().ok().and_then(|id| world.movie(id)) else { return Answer::error(404) };
    if let Some(film) = film.as_object_mut() {
        film.retain(|key, _| !PARTS.contains(&key.as_str()) || asked.contains(&key.as_str()));
    }
    Answer::json(200, film.to_string())
}

fn list(world: &World, query: &Query, by: &str) -> Answer {
    let mut films = world.movies();
    films.sort_by(|a, b| b[by].as_f64().unwrap_or(0.0).total_cmp(&a[by].as_f64().unwrap_or(0.0)));
    let summary = |film: &Value| {
        let mut summary: serde_json::Map<_, _> =
            SUMMARY.iter().filter_map(|key| Some(((*key).to_owned(), film.get(*key)?.clone()))).collect();
        let genres = film["genres"].as_array().into_iter().flatten();
        summary.insert("genre_ids".to_owned(), genres.map(|genre| genre["id"].clone()).collect());
        Value::Object(summary)
    };
    page(query, 20, films.iter().map(summary).collect())
}

fn changes(world: &World, query: &Query) -> Answer {
    let day = |name| query.get(name).map(|text| text.parse::<Date>());
    let (start, end) = match (day("start_date"), day("end_date")) {
        (Some(Ok(start)), Some(Ok(end))) => (start, end),
        (Some(Ok(one)), None) | (None, Some(Ok(one))) => (one, one),
        _ => return Answer::json(400, json!({"errors": ["a range of dates must be given"]}).to_string()),
    };
    if start.until(end).map_or(15, |span| span.get_days()) > 14 {
        return Answer::error(422);
    }
    let changed = world.changes(start, end);
    // TMDb does not know any more what a film was that is gone.
    let change = |id: &u32| {
        let film = world.movie(*id);
        let adult = film.as_ref().map_or(Value::Null, |film| film["adult"].clone());
        json!({"id": id, "adult": adult, "softcore": film.map(|_| false)})
    };
    page(query, 100, changed.iter().map(change).collect())
}

fn page(query: &Query, size: usize, all: Vec<Value>) -> Answer {
    let number = query.get("page").map_or(Ok(1), |page| page.parse::<usize>()).unwrap_or(0);
    if !(1..=500).contains(&number) {
        return Answer::error(400);
    }
    let results: Vec<_> = all.iter().skip((number - 1) * size).take(size).collect();
    let body = json!({"page": number, "results": results, "total_pages": all.len().div_ceil(size), "total_results": all.len()});
    Answer::json(200, body.to_string())
}

fn watch_providers(query: &Query) -> Answer {
    let Some(region) = query.get("watch_region") else { return Answer::json(200, WATCH_PROVIDERS) };
    let mut providers: Value =
        serde_json::from_str(WATCH_PROVIDERS).expect("the recorded providers are JSON");
    if let Some(list) = providers["results"].as_array_mut() {
        list.retain(|provider| provider["display_priorities"].get(region).is_some());
    }
    Answer::json(200, providers.to_string())
}

fn export(world: &World, file: &str) -> Answer {
    let day = file.strip_prefix("movie_ids_").and_then(|rest| rest.strip_suffix(".json.gz"));
    let day = day.and_then(|day| Date::strptime("%m_%d_%Y", day).ok());
    match day.and_then(|day| world.export(day)) {
        Some(body) => Answer { status: 200, content_type: "application/gzip", body },
        // The store behind it is another one than the API: another body, and 403 for what is not there.
        None => Answer {
            status: 403,
            content_type: "application/xml",
            body: b"<Error><Code>AccessDenied</Code></Error>".to_vec(),
        },
    }
}
