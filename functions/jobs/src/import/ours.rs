//! Reading an export of ours: films, history, reviews, and what somebody says of themselves. It may have been edited
//! since: what cannot be read is as if it were not there, and what a name or a text may be is checked where it is
//! taken.

use std::collections::HashMap;

use jiff::Timestamp;
use screensort_model::{MovieId, Rating};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{About, Parcel, Row, Watched, Written, movie_id, text, when};

/// # Errors
/// A sentence that says why it is no such file.
pub(super) fn read(content: &str) -> Result<Parcel, &'static str> {
    let document: Value = serde_json::from_str(content).map_err(|_| "The file is not a JSON document.")?;
    if text(&document, "format") != Some("screensort") {
        return Err("The file is not an export of ours.");
    }
    let mut rows: Vec<Row> = list(&document, "films").map(film).collect();
    let mut times: HashMap<(Option<MovieId>, Option<Timestamp>), usize> = HashMap::new();
    rows.extend(list(&document, "history").map(|watch| {
        let mut row = watched(watch);
        if let Some(watched) = &mut row.watched {
            let before = times.entry((row.tmdb, watched.at)).or_default();
            watched.nth = *before;
            *before += 1;
        }
        row
    }));
    rows.extend(list(&document, "reviews").map(review));
    Ok(Parcel { rows, about: about(&document) })
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn as_is<T: DeserializeOwned>(value: &Value, name: &str) -> Option<T> {
    value.get(name).and_then(|value| serde_json::from_value(value.clone()).ok())
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The film that an entry is about.
fn about_film(value: &Value) -> Row {
    Row {
        tmdb: movie_id(value.get("movie_id")),
        title: text(value, "title").unwrap_or_default().to_owned(),
        year: as_is(value, "year"),
        ..Row::default()
    }
}

fn film(film: &Value) -> Row {
    let given = |name: &str| film.get(name).filter(|value| !value.is_null()).map(|_| when(text(film, name)));
    let stars = film.get("rating").and_then(Value::as_f64).and_then(|stars| Rating::try_from(stars).ok());
    let thumb = text(film, "thumb").and_then(|thumb| thumb.parse().ok());
    Row {
        rating: stars.map(|stars| (stars, when(text(film, "rating_at")))),
        thumb: thumb.map(|thumb| (thumb, when(text(film, "thumb_at")))),
        hidden: given("hidden_at"),
        watchlist: given("watchlist_at"),
        ..about_film(film)
    }
}

fn watched(watch: &Value) -> Row {
    let watched = Watched {
        at: when(text(watch, "watched_at")),
        rewatch: flag(watch, "rewatch"),
        operator: as_is(watch, "operator"),
        mode: as_is(watch, "mode"),
        nth: 0,
    };
    Row { watched: Some(watched), ..about_film(watch) }
}

fn review(review: &Value) -> Row {
    let written = Written {
        text: text(review, "text").unwrap_or_default().to_owned(),
        spoiler: flag(review, "spoiler"),
        language: as_is(review, "language"),
    };
    Row { review: Some(written), ..about_film(review) }
}

fn about(document: &Value) -> About {
    let none = Value::Null;
    let profile = document.get("profile").unwrap_or(&none);
    let wishes = document.get("wishes").unwrap_or(&none);
    let words = |name: &str| list(wishes, name).filter_map(Value::as_str).map(str::to_owned).collect();
    About {
        display_name: as_is(profile, "display_name"),
        bio: as_is(profile, "bio"),
        region: as_is(profile, "region"),
        birth_year: as_is(profile, "birth_year"),
        preferences: as_is(document, "preferences"),
        more: words("more"),
        less: words("less"),
        favourites: list(document, "favourites").filter_map(|entry| as_is(entry, "operator")).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn an_export_that_was_edited_is_read_as_far_as_it_makes_sense() {
        let file = r#"{"format": "screensort", "films": [{"movie_id": 949, "rating": 9, "thumb": "sideways"}, 7],
            "history": [{"movie_id": 949, "watched_at": "2024-01-01T00:00:00Z"},
                {"movie_id": 949, "watched_at": "2024-01-01T00:00:00Z", "mode": "teleport"}],
            "reviews": [{"movie_id": 949, "text": 5}], "preferences": {"user_id": "x"},
            "profile": {"bio": ["x"], "birth_year": 1990}, "wishes": {"more": ["genre:27", 3]}}"#;
        let Parcel { rows, about } = read(file).unwrap();
        assert_eq!(rows.len(), 5);
        assert_eq!((rows[0].rating.unwrap().0.halves(), rows[0].thumb), (18, None));
        let nth = |at: usize| rows[at].watched.as_ref().map(|watched| watched.nth);
        assert_eq!((nth(2), nth(3)), (Some(0), Some(1)));
        assert_eq!((about.bio, about.birth_year, about.preferences), (None, Some(1990), None));
        assert_eq!(about.more, ["genre:27"]);
    }
}
