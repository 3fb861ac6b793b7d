//! `PATCH` and `DELETE /admin/movies/{id}`: edit a film, take it out of the catalogue, put it back.

use jiff::civil::Date;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::{Permission, may};
use screensort_http::{
    Code, Endpoint, IfMatch, Input, Opening, Problem, Recent, Reply, SignedIn, Whence, stale,
};
use screensort_model::{GenreId, Language, MovieId};
use screensort_routes::{ADMIN_MOVIE_CHANGE, ADMIN_MOVIE_DELETE};
use screensort_runtime::Stack;
use screensort_store::{By, Edit, Film};
use serde::Deserialize;

use crate::film::{AdminMovie, Change, Faults, given};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_movie").route(ADMIN_MOVIE_CHANGE, change).route(ADMIN_MOVIE_DELETE, delete)
}

/// What to say in the place of the film's source; what is left out stays, `null` is the source's again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "MovieEdit")]
struct Body {
    #[serde(deserialize_with = "given")]
    title: Change<String>,
    #[serde(deserialize_with = "given")]
    original_title: Change<String>,
    #[serde(deserialize_with = "given")]
    original_language: Change<Language>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    release_date: Change<Date>,
    /// Ids of /genres.
    #[serde(deserialize_with = "given")]
    genres: Change<Vec<GenreId>>,
    /// Minutes.
    #[serde(deserialize_with = "given")]
    runtime: Change<u16>,
    #[serde(deserialize_with = "given")]
    overview: Change<String>,
    #[serde(deserialize_with = "given")]
    tagline: Change<String>,
    /// `false` puts a deleted film back.
    deleted: Option<bool>,
}

struct Ask<B> {
    id: MovieId,
    seen: IfMatch,
    whence: Whence,
    body: B,
}

impl Input for Ask<Body> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let (ask, body) = (Ask::<()>::open(o), o.body());
        let Ask { id, seen, whence, .. } = ask?;
        Some(Self { id, seen, whence, body: body? })
    }
}

impl Input for Ask<()> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let (id, seen) = (o.path("id", "The film."), IfMatch::open(o));
        Some(Self { id: id?, seen: seen?, whence: Whence::open(o)?, body: () })
    }
}

async fn change(
    Recent { who, .. }: Recent<may::MoviesUpdate>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<AdminMovie>, Problem> {
    let Ask { id, seen, whence, body } = ask;
    let film = there(&stack, id).await?;
    let old = film.edit.clone().unwrap_or_default();
    seen.check(Some(old.version))?;
    let edit = edited(&old, body);
    if edit.removed != old.removed && !who.permissions.contains(Permission::MoviesWrite) {
        return Err(Problem::new(Code::Forbidden).with_detail("Deleting and restoring needs movies:write."));
    }
    let mut faults = Faults::default();
    faults.of(&edit);
    faults.check()?;
    let event = if edit.removed && !old.removed { Event::MovieRemoved } else { Event::MovieChanged };
    let version = write(&stack, id, &edit, &who, &whence, event).await?;
    let answer = AdminMovie::of(film, &edit).ok_or_else(unknown)?;
    Ok(Reply::ok(answer).with_tag(version))
}

async fn delete(
    Recent { who, .. }: Recent<may::MoviesWrite>,
    ask: Ask<()>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let film = there(&stack, ask.id).await?;
    let old = film.edit.unwrap_or_default();
    ask.seen.check(Some(old.version))?;
    if old.removed {
        return Ok(Reply::done());
    }
    let edit = Edit { removed: true, ..old };
    write(&stack, ask.id, &edit, &who, &ask.whence, Event::MovieRemoved).await?;
    Ok(Reply::done())
}

/// The film as its source has it.
async fn there(stack: &Stack, id: MovieId) -> Result<Film, Problem> {
    let film = stack.catalogue().synced(id).await?;
    if film.movie.is_some() { Ok(film) } else { Err(unknown()) }
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is no film with this id.")
}

fn edited(old: &Edit, body: Body) -> Edit {
    fn or<T: Clone>(change: Change<T>, old: &Option<T>) -> Option<T> {
        change.unwrap_or_else(|| old.clone())
    }
    Edit {
        title: or(body.title, &old.title),
        original_title: or(body.original_title, &old.original_title),
        original_language: or(body.original_language, &old.original_language),
        release_date: or(body.release_date, &old.release_date),
        genres: or(body.genres, &old.genres),
        runtime: or(body.runtime, &old.runtime),
        overview: or(body.overview, &old.overview),
        tagline: or(body.tagline, &old.tagline),
        removed: body.deleted.unwrap_or(old.removed),
        version: old.version,
    }
}

/// Writes `edit` over the version that it was made from; the version that it is then.
async fn write(
    stack: &Stack,
    id: MovieId,
    edit: &Edit,
    who: &SignedIn,
    whence: &Whence,
    event: Event,
) -> Result<u64, Problem> {
    let trail = whence.trail(event, Some(who.id()), Some(&id.to_string()), stack.clock().now())?;
    let by = By { account: who.id(), request: &whence.request_id };
    if !stack.edits().change(id, edit, edit.version, by, &trail).await? {
        return Err(stale());
    }
    screensort_http::log(&trail);
    Ok(edit.version + 1)
}
