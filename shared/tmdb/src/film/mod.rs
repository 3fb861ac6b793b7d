//! A film's details: TMDb's answer with its appended parts, read leniently and cleaned.

mod credits;
mod extras;
mod releases;
mod watch;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use credits::{CastMember, Person};
pub use extras::{AlternativeTitle, ExternalIds, Trailer, Translation};
pub use releases::{Certification, ReleaseKind};
pub use watch::{Offer, Offers};

use crate::{
    Error, ImagePath, ImdbId, Language, Region,
    decode::{Many, Soft, answer, day, measure, whole},
    text::{soft_line, soft_paragraphs},
};

/// The route's template.
pub(crate) const MOVIE: &str = "/movie/{id}";

pub(crate) const MAX_TITLE: usize = 300;
pub(crate) const MAX_OVERVIEW: usize = 4000;
pub(crate) const MAX_GENRES: usize = 30;
const MAX_KEYWORDS: usize = 100;

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

/// The parts to append.
pub(crate) fn parts(translations: bool) -> Vec<&'static str> {
    PARTS.into_iter().filter(|part| translations || *part != "translations").collect()
}

/// A genre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Genre {
    /// TMDb's id.
    pub id: u32,
    /// Its name in the answer's language.
    pub name: String,
}

/// A keyword.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keyword {
    /// TMDb's id.
    pub id: u32,
    /// Its name, in English.
    pub name: String,
}

/// How far a film has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Rumoured.
    Rumored,
    /// Planned.
    Planned,
    /// Being shot.
    InProduction,
    /// Shot.
    PostProduction,
    /// Released.
    Released,
    /// Canceled.
    Canceled,
    /// Something new, or nothing.
    Unknown,
}

impl Status {
    fn read(text: &Soft<String>) -> Self {
        match text.0.as_deref() {
            Some("Rumored") => Self::Rumored,
            Some("Planned") => Self::Planned,
            Some("In Production") => Self::InProduction,
            Some("Post Production") => Self::PostProduction,
            Some("Released") => Self::Released,
            Some("Canceled") => Self::Canceled,
            _ => Self::Unknown,
        }
    }
}

/// A film as TMDb describes it. Texts are clean and capped, numbers in range, paths and ids of the right form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MovieDetails {
    /// TMDb's id: the one asked for.
    pub id: u32,
    /// Title in the answer's language; never empty.
    pub title: String,
    /// Title in the film's language.
    pub original_title: String,
    /// The film's language.
    pub original_language: Option<Language>,
    /// Summary, or "".
    pub overview: String,
    /// Tagline, or "".
    pub tagline: String,
    /// First release anywhere.
    pub release_date: Option<Date>,
    /// Length in minutes, from 1.
    pub runtime: Option<u16>,
    /// Genres.
    pub genres: Vec<Genre>,
    /// TMDb's popularity, from 0.
    pub popularity: f64,
    /// Mean of TMDb's votes, 0 to 10.
    pub vote_average: f64,
    /// Number of TMDb's votes.
    pub vote_count: u32,
    /// Poster.
    pub poster_path: Option<ImagePath>,
    /// Backdrop.
    pub backdrop_path: Option<ImagePath>,
    /// IMDb's id: what a merged film can be found again by.
    pub imdb_id: Option<ImdbId>,
    /// How far it has come.
    pub status: Status,
    /// Whether it is pornography; `None` when TMDb does not say.
    pub adult: Option<bool>,
    /// Whether TMDb counts it as soft pornography (a field since 2025); `None` when it does not say.
    pub softcore: Option<bool>,
    /// Whether it is a video rather than a film: a concert, a compilation.
    pub video: bool,
    /// Keywords, at most 100.
    pub keywords: Vec<Keyword>,
    /// The first 15 of the cast, in the credits' order.
    pub cast: Vec<CastMember>,
    /// Directors, at most 10.
    pub directors: Vec<Person>,
    /// Writers (job Writer, Screenplay or Story), at most 10, each once.
    pub writers: Vec<Person>,
    /// The age rating per region.
    pub certifications: BTreeMap<Region, Certification>,
    /// Where to watch it, per region. JustWatch's data: attribute it, and link only to [`Offers::link`].
    pub watch: BTreeMap<Region, Offers>,
    /// Trailers on YouTube, official and recent ones first, at most 10.
    pub trailers: Vec<Trailer>,
    /// Other titles, at most 100.
    pub alternative_titles: Vec<AlternativeTitle>,
    /// Ids elsewhere.
    pub external_ids: ExternalIds,
    /// Texts in other languages; empty unless [`Config::translations`](crate::Config) asks for them.
    pub translations: Vec<Translation>,
    /// Parts that were asked for and are missing or unreadable. What they would have filled is empty for want of
    /// knowledge: it should not overwrite what is known.
    pub absent: Vec<&'static str>,
}

/// Reads the details of a film from the JSON of `/movie/{id}` with any of the parts this client appends. Pure; for
/// answers that come another way than through [`Client::movie`](crate::Client::movie).
///
/// # Errors
/// [`Error::Truncated`] or [`Error::BadAnswer`]: no JSON, another film's id, or no title.
pub fn parse_movie(id: u32, body: &[u8]) -> Result<MovieDetails, Error> {
    read(id, body, &[])
}

/// As [`parse_movie`], knowing which parts were asked for.
pub(crate) fn read(id: u32, body: &[u8], asked: &[&'static str]) -> Result<MovieDetails, Error> {
    let wire: Wire = answer(MOVIE, body)?;
    let bad = |why: String| Error::BadAnswer { route: MOVIE, why };
    if wire.id != u64::from(id) {
        return Err(bad(format!("asked for film {id}, it is film {}", wire.id)));
    }
    let absent = asked.iter().copied().filter(|part| !wire.has(part)).collect();
    let details = wire.into_details(id, absent);
    if details.title.is_empty() {
        return Err(bad("it has no title".to_owned()));
    }
    Ok(details)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireNamed {
    id: Soft<f64>,
    name: Soft<String>,
}

fn named(list: Many<WireNamed>) -> impl Iterator<Item = (u32, String)> {
    list.0
        .into_iter()
        .filter_map(|wire| Some((whole(wire.id, u32::MAX)?, soft_line(wire.name, 100))))
        .filter(|(_, name)| !name.is_empty())
}

pub(crate) fn genres(list: Many<WireNamed>) -> Vec<Genre> {
    named(list).take(MAX_GENRES).map(|(id, name)| Genre { id, name }).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    /// The one field that is not soft. Missing it is 0, which nobody asks for.
    id: u64,
    title: Soft<String>,
    original_title: Soft<String>,
    original_language: Soft<String>,
    overview: Soft<String>,
    tagline: Soft<String>,
    release_date: Soft<String>,
    runtime: Soft<f64>,
    genres: Many<WireNamed>,
    popularity: Soft<f64>,
    vote_average: Soft<f64>,
    vote_count: Soft<f64>,
    poster_path: Soft<String>,
    backdrop_path: Soft<String>,
    imdb_id: Soft<String>,
    status: Soft<String>,
    adult: Soft<bool>,
    softcore: Soft<bool>,
    video: Soft<bool>,
    keywords: Soft<WireKeywords>,
    credits: Soft<credits::Wire>,
    #[serde(rename = "watch/providers")]
    watch_providers: Soft<watch::Wire>,
    release_dates: Soft<releases::Wire>,
    external_ids: Soft<extras::WireIds>,
    videos: Soft<extras::WireVideos>,
    alternative_titles: Soft<extras::WireTitles>,
    translations: Soft<extras::WireTranslations>,
}

#[derive(Default, Deserialize)]
struct WireKeywords {
    keywords: Many<WireNamed>,
}

impl Wire {
    fn has(&self, part: &str) -> bool {
        match part {
            "keywords" => self.keywords.0.is_some(),
            "credits" => self.credits.0.is_some(),
            "watch/providers" => self.watch_providers.0.is_some(),
            "release_dates" => self.release_dates.0.is_some(),
            "external_ids" => self.external_ids.0.is_some(),
            "videos" => self.videos.0.is_some(),
            "alternative_titles" => self.alternative_titles.0.is_some(),
            "translations" => self.translations.0.is_some(),
            _ => false,
        }
    }

    fn into_details(self, id: u32, absent: Vec<&'static str>) -> MovieDetails {
        let original_title = soft_line(self.original_title, MAX_TITLE);
        let title = Some(soft_line(self.title, MAX_TITLE)).filter(|title| !title.is_empty());
        let external_ids = extras::external_ids(self.external_ids);
        let (cast, directors, writers) = credits::read(self.credits.0.unwrap_or_default());
        let keywords = named(self.keywords.0.unwrap_or_default().keywords);
        MovieDetails {
            id,
            title: title.unwrap_or_else(|| original_title.clone()),
            original_title,
            original_language: Language::soft(&self.original_language),
            overview: soft_paragraphs(self.overview, MAX_OVERVIEW),
            tagline: soft_line(self.tagline, MAX_TITLE),
            release_date: day(self.release_date),
            runtime: whole(self.runtime, 60 * 24 * 40)
                .and_then(|min| u16::try_from(min).ok())
                .filter(|min| *min > 0),
            genres: genres(self.genres),
            popularity: measure(self.popularity, 1e9),
            vote_average: measure(self.vote_average, 10.0),
            vote_count: whole(self.vote_count, u32::MAX).unwrap_or(0),
            poster_path: ImagePath::soft(&self.poster_path),
            backdrop_path: ImagePath::soft(&self.backdrop_path),
            imdb_id: ImdbId::soft(&self.imdb_id).or_else(|| external_ids.imdb_id.clone()),
            status: Status::read(&self.status),
            adult: self.adult.0,
            softcore: self.softcore.0,
            video: self.video.0.unwrap_or(false),
            keywords: keywords.take(MAX_KEYWORDS).map(|(id, name)| Keyword { id, name }).collect(),
            cast,
            directors,
            writers,
            certifications: releases::read(self.release_dates.0.unwrap_or_default()),
            watch: watch::read(self.watch_providers.0.unwrap_or_default()),
            trailers: extras::trailers(self.videos.0.unwrap_or_default()),
            alternative_titles: extras::titles(self.alternative_titles.0.unwrap_or_default()),
            external_ids,
            translations: extras::translations(self.translations.0.unwrap_or_default()),
            absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(json: &str) -> MovieDetails {
        parse_movie(7, json.as_bytes()).unwrap()
    }

    #[test]
    fn an_id_and_a_title_are_enough() {
        let film = film(r#"{"id": 7, "title": "Seven"}"#);
        assert_eq!(
            (film.title.as_str(), film.release_date, film.runtime, film.adult),
            ("Seven", None, None, None)
        );
    }

    #[test]
    fn without_the_right_id_or_any_title_it_is_no_answer() {
        for bad in [
            r#"{"id": 8, "title": "x"}"#,
            r#"{"title": "x"}"#,
            r#"{"id": 7, "title": " \u0000 "}"#,
            "[]",
            "null",
        ] {
            assert!(matches!(parse_movie(7, bad.as_bytes()), Err(Error::BadAnswer { .. })), "{bad}");
        }
    }

    #[test]
    fn known_drift_reads_as_nothing_known() {
        let film = film(
            r#"{"id": 7, "title": "", "original_title": "Sieben", "release_date": "", "runtime": 0, "imdb_id": null,
                "adult": null, "homepage": "", "softcore": true, "status": "Filmed", "unheard_of": {"a": [1]},
                "popularity": -4, "vote_average": 99, "vote_count": null, "poster_path": "https://x.example/a.jpg",
                "genres": [{"id": 18, "name": "Drama"}, {"id": "18"}, null], "keywords": {"keywords": "none"},
                "credits": [], "watch/providers": null}"#,
        );
        assert_eq!(film.title, "Sieben");
        assert_eq!((film.release_date, film.runtime, &film.imdb_id, film.adult), (None, None, &None, None));
        assert_eq!((film.popularity, film.vote_average, film.vote_count), (0.0, 10.0, 0));
        assert_eq!((film.softcore, film.status, film.poster_path), (Some(true), Status::Unknown, None));
        assert_eq!(film.genres, [Genre { id: 18, name: "Drama".to_owned() }]);
    }

    #[test]
    fn the_imdb_id_may_come_from_the_external_ids() {
        let film =
            film(r#"{"id": 7, "title": "x", "imdb_id": "", "external_ids": {"imdb_id": "tt0114369"}}"#);
        assert_eq!(film.imdb_id.unwrap().as_str(), "tt0114369");
    }

    #[test]
    fn parts_that_were_asked_for_and_are_missing_are_named() {
        let json = br#"{"id": 7, "title": "x", "keywords": {"keywords": []}, "credits": {}, "videos": 3}"#;
        let film = read(7, json, &["keywords", "credits", "videos", "watch/providers"]).unwrap();
        assert_eq!(film.absent, ["credits", "videos", "watch/providers"]);
    }
}
