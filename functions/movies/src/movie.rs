//! `GET /movies/{id}`: one film with everything known of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use screensort_http::{Code, Endpoint, Input, Opening, Problem, Reply, Visitor};
use screensort_model::reference::{Genre, Reference};
use screensort_model::{
    Cast, Keyword, Language, Movie, MovieId, PersonName, Rating, Region, Thumb, Trailer, attribution,
};
use screensort_routes::MOVIE;
use screensort_runtime::Stack;
use screensort_store::{Counters, Film, FilmState, Tombstone};
use serde::Serialize;

use crate::card::picture;
use crate::{moved, unknown};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movie").route(MOVIE, movie)
}

struct Ask {
    id: MovieId,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { id: o.path("id", "The film.")? })
    }
}

/// A film, whole.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Movie")]
struct Answer {
    id: MovieId,
    title: String,
    original_title: String,
    original_language: Language,
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    release_date: Option<Date>,
    genres: Vec<Genre>,
    /// Minutes.
    runtime: Option<u16>,
    vote_average: f32,
    vote_count: u32,
    popularity: f32,
    poster_url: Option<String>,
    backdrop_url: Option<String>,
    /// The age rating in the US; absent where unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    certification: Option<String>,
    overview: String,
    tagline: String,
    keywords: Vec<Keyword>,
    /// At most fifteen, in billing order.
    cast: Vec<Cast>,
    directors: Vec<PersonName>,
    writers: Vec<PersonName>,
    trailers: Vec<Trailer>,
    /// Age ratings by region.
    certifications: BTreeMap<String, String>,
    imdb_id: Option<String>,
    community: Community,
    /// When these facts were read from their source.
    #[schemars(with = "String", extend("format" = "date-time"))]
    synced_at: Timestamp,
    attribution: &'static str,
    /// What the caller did with the film; absent for guests.
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<Me>,
}

/// What somebody did with a film.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Me {
    thumb: Option<Thumb>,
    rating: Option<Rating>,
    /// When it was last watched.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    watched: Option<Timestamp>,
    watchlist: bool,
    hidden: bool,
    review_id: Option<String>,
}

impl Me {
    fn of(state: FilmState) -> Self {
        Self {
            thumb: state.thumb,
            rating: state.rating,
            watched: state.watched_at,
            watchlist: state.watchlist_at.is_some(),
            hidden: state.hidden_at.is_some(),
            review_id: state.review_id,
        }
    }
}

/// What the people of this product made of the film.
#[derive(Debug, Serialize, JsonSchema)]
struct Community {
    thumbs_up: u32,
    thumbs_down: u32,
    /// 0.5 to 10; null without ratings.
    rating_average: Option<f32>,
    rating_count: u32,
    reviews: u32,
}

async fn movie(Visitor(who): Visitor, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    let catalogue = stack.catalogue();
    let (film, me) = match &who {
        None => (catalogue.film(ask.id).await?, None),
        Some(who) => {
            let library = stack.library();
            let (film, me) = futures::try_join!(catalogue.film(ask.id), library.film(who.id(), ask.id))?;
            (film, Some(me.map(Me::of).unwrap_or_default()))
        }
    };
    match film {
        Film { movie: Some(movie), counters, .. } => Ok(Reply::ok(answer(movie, counters, me))),
        Film { tombstone: Some(Tombstone::Merged { into }), .. } => Err(moved(&into.to_string())),
        Film { tombstone: Some(Tombstone::Withdrawn), .. } => Err(Problem::new(Code::Gone)),
        _ => Err(unknown()),
    }
}

fn answer(movie: Movie, counters: Counters, me: Option<Me>) -> Answer {
    // The names are TMDb's and few: reading the lists for them would be a second request.
    let reference = Reference::built_in();
    let genres = movie.genres.iter().filter_map(|id| reference.genres.iter().find(|g| g.id == *id).cloned());
    let us = Region::from_bytes(*b"US").ok();
    Answer {
        id: movie.id,
        genres: genres.collect(),
        certification: us.and_then(|us| movie.certifications.get(&us).cloned()),
        title: movie.title,
        original_title: movie.original_title,
        original_language: movie.original_language,
        release_date: movie.release_date,
        runtime: movie.runtime,
        vote_average: movie.vote_average,
        vote_count: movie.vote_count,
        popularity: movie.popularity,
        poster_url: movie.poster_path.as_deref().map(|path| picture("w500", path)),
        backdrop_url: movie.backdrop_path.as_deref().map(|path| picture("w1280", path)),
        overview: movie.overview,
        tagline: movie.tagline,
        keywords: movie.keywords,
        cast: movie.cast,
        directors: movie.directors,
        writers: movie.writers,
        trailers: movie.trailers,
        certifications: movie.certifications.into_iter().map(|(r, c)| (r.to_string(), c)).collect(),
        imdb_id: movie.imdb_id,
        community: community(counters),
        synced_at: movie.synced_at,
        attribution: attribution::TMDB,
        me,
    }
}

fn community(counters: Counters) -> Community {
    let average = |halves: u64| halves as f32 / 2.0 / counters.rating_count as f32;
    Community {
        thumbs_up: counters.thumbs_up,
        thumbs_down: counters.thumbs_down,
        rating_average: (counters.rating_count > 0).then(|| average(counters.rating_halves)),
        rating_count: counters.rating_count,
        reviews: counters.reviews,
    }
}
