//! `POST /admin/add_movie`: add a film, from TMDb or by hand.

use http::header::{LOCATION, RETRY_AFTER};
use jiff::civil::Date;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Opening, Problem, Recent, Reply, Whence};
use screensort_jobs::{Error as Failure, add};
use screensort_model::id::FIRST_LOCAL_ID;
use screensort_model::{GenreId, Language, Movie, MovieId};
use screensort_routes::ADD_MOVIE;
use screensort_runtime::Stack;
use screensort_store::{By, Edit, Film, Why};
use serde::Deserialize;

use crate::film::{AdminMovie, Faults};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("add_movie").creating(ADD_MOVIE, add_movie)
}

/// A film to add: `tmdb_id` alone, or the film itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewMovie")]
struct Body {
    /// TMDb's id: the film is read from there, now.
    tmdb_id: Option<MovieId>,
    /// Needed for a film of our own.
    title: Option<String>,
    /// The title unless given.
    original_title: Option<String>,
    /// ISO 639-1; `en` unless given.
    original_language: Option<Language>,
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    release_date: Option<Date>,
    /// Ids of /genres.
    genres: Option<Vec<GenreId>>,
    /// Minutes.
    runtime: Option<u16>,
    overview: Option<String>,
    tagline: Option<String>,
}

struct Ask {
    body: Body,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { body: o.body()?, whence: Whence::open(o)? })
    }
}

async fn add_movie(
    Recent { who, .. }: Recent<may::MoviesWrite>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<AdminMovie>, Problem> {
    let (movie, source) = match ask.body.tmdb_id {
        Some(id) => (from_tmdb(&stack, id, &ask.body).await?, Why::Tmdb),
        None => (by_hand(&stack, ask.body).await?, Why::Hand),
    };
    let now = stack.clock().now();
    let trail = ask.whence.trail(Event::MovieAdded, Some(who.id()), Some(&movie.id.to_string()), now)?;
    let by = By { account: who.id(), request: &ask.whence.request_id };
    if !stack.edits().add(&movie, source, by, &trail).await? {
        return Err(there(&stack, movie.id).await?);
    }
    screensort_http::log(&trail);
    let location = format!("/v1/movies/{}", movie.id);
    let edit = Edit::default();
    let film = Film { movie: Some(movie), source: Some(source), ..Film::default() };
    let answer =
        AdminMovie::of(film, &edit).ok_or_else(|| Problem::internal("a film that was just added"))?;
    Ok(Reply::ok(answer).with_tag(edit.version).with_header(LOCATION, &location))
}

async fn from_tmdb(stack: &Stack, id: MovieId, body: &Body) -> Result<Movie, Problem> {
    let mut faults = Faults::default();
    let others = [
        body.title.is_some(),
        body.original_title.is_some(),
        body.original_language.is_some(),
        body.release_date.is_some(),
        body.genres.is_some(),
        body.runtime.is_some(),
        body.overview.is_some(),
        body.tagline.is_some(),
    ];
    if others.contains(&true) {
        faults.add(
            "/tmdb_id",
            "contradiction",
            "Give either tmdb_id or the film itself; edit it afterwards.",
        );
    }
    if id.get() >= FIRST_LOCAL_ID {
        faults.add("/tmdb_id", "out_of_range", "TMDb's ids are below 2000000000.");
    }
    faults.check()?;
    // What is there need not be asked for.
    let known = stack.catalogue().synced(id).await?;
    if known.movie.is_some() {
        return Err(there(stack, id).await?);
    }
    match add::read(stack, id).await {
        Ok(Some(movie)) => Ok(movie),
        Ok(None) => {
            let mut faults = Faults::default();
            faults.add(
                "/tmdb_id",
                "unknown_value",
                "TMDb has no such film, or one that this catalogue does not hold.",
            );
            faults.check()?;
            Err(Problem::internal("a fault that is none"))
        }
        Err(Failure::KeyMissing | Failure::KeyRefused { .. }) => Err(Problem::new(Code::Unavailable)
            .with_detail(
                "TMDb cannot be asked: there is no key that it takes. A film can be added by hand.",
            )),
        Err(error) => Err(Problem::new(Code::Unavailable)
            .with_detail("TMDb does not answer right now. Try again, or add the film by hand.")
            .with_header(RETRY_AFTER, "30")
            .caused_by(error)),
    }
}

async fn by_hand(stack: &Stack, body: Body) -> Result<Movie, Problem> {
    let mut faults = Faults::default();
    if body.title.is_none() {
        faults.add("/title", "missing_field", "A film of our own needs a title; or give tmdb_id.");
    }
    let title = body.title.clone().unwrap_or_default();
    let edit = Edit {
        title: body.title,
        original_title: body.original_title,
        original_language: body.original_language,
        release_date: body.release_date,
        genres: body.genres,
        runtime: body.runtime,
        overview: body.overview,
        tagline: body.tagline,
        ..Edit::default()
    };
    faults.of(&edit);
    faults.check()?;
    let english = Language::from_bytes(*b"en").map_err(|_| Problem::internal("English is a language"))?;
    let mut movie = Movie {
        id: stack.edits().draw_id().await?,
        title: title.clone(),
        original_title: title,
        original_language: english,
        release_date: None,
        genres: Vec::new(),
        runtime: None,
        vote_average: 0.0,
        vote_count: 0,
        popularity: 0.0,
        overview: String::new(),
        tagline: String::new(),
        poster_path: None,
        backdrop_path: None,
        imdb_id: None,
        keywords: Vec::new(),
        cast: Vec::new(),
        directors: Vec::new(),
        writers: Vec::new(),
        trailers: Vec::new(),
        certifications: Default::default(),
        offers: Default::default(),
        alternative_titles: Vec::new(),
        synced_at: stack.clock().now(),
    };
    edit.apply(&mut movie);
    Ok(movie)
}

/// 409: the film is there, if only as a deleted one.
async fn there(stack: &Stack, id: MovieId) -> Result<Problem, Problem> {
    let film = stack.catalogue().synced(id).await?;
    let detail = match film.edit {
        Some(edit) if edit.removed => {
            "The film is there and deleted: PATCH it with deleted false to restore it."
        }
        _ => "The film is there already.",
    };
    let problem = Problem::new(Code::Conflict).with_detail(detail);
    Ok(problem.with_header(LOCATION, &format!("/v1/movies/{id}")))
}
