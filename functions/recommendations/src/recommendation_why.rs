//! `GET /recommendation/{movie_id}/why`: why a film has its score; `POST`: more or less of a reason.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_catalog::card::MovieCard;
use screensort_catalog::{Catalog, Feature, FilmRef, Lookup};
use screensort_http::{Code, Endpoint, FieldError, Input, Member, Opening, Owner, Problem, Reply, Whence};
use screensort_model::{GenreId, KeywordId, MovieId, PersonId};
use screensort_routes::{RECOMMENDATION_TUNE, RECOMMENDATION_WHY};
use screensort_runtime::Stack;
use screensort_store::{Change, Wish};
use serde::{Deserialize, Serialize};

use crate::desk::{Desk, Subject};
use crate::reason::{self, Reason};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("recommendation_why").route(RECOMMENDATION_WHY, why).route(RECOMMENDATION_TUNE, tune)
}

struct Ask {
    id: MovieId,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { id: o.path("movie_id", "The film.")? })
    }
}

/// Why a film has its score.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecommendationWhy")]
struct Answer {
    movie: MovieCard,
    /// The sum of the reasons' weights, but for rounding.
    score: f32,
    /// All of them, the strongest first; those with a weight below zero speak against the film.
    reasons: Vec<Reason>,
    /// True where nothing that you like is known yet.
    general: bool,
    model_version: Option<String>,
    catalog_version: String,
}

async fn why(
    who: Owner<may::RecommendationsReadOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let desk = Desk::of(&stack, who.id()).await?;
    let film = film(&desk.catalog, ask.id)?;
    let scored = desk.why(film);
    Ok(Reply::ok(Answer {
        movie: MovieCard::of(film, None),
        score: reason::rounded(scored.score),
        reasons: reason::all(&desk.catalog, &desk.tastes, film, &scored),
        general: !desk.personal,
        model_version: desk.model_version(),
        catalog_version: desk.catalog.version().to_owned(),
    }))
}

/// A wish about a reason.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RecommendationWish")]
struct Body {
    /// As it came with a recommendation: name, title and weight may be left out.
    reason: Told,
    /// `neither` takes a wish back.
    action: Action,
}

/// A reason as it was told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RecommendationReasonTold")]
#[allow(dead_code, reason = "a reason may come back whole; what names it is not looked at")]
struct Told {
    r#type: Kind,
    /// Of a genre, keyword or person.
    id: Option<u32>,
    /// Of a film.
    movie_id: Option<MovieId>,
    name: Option<String>,
    title: Option<String>,
    weight: Option<f32>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RecommendationReasonType")]
enum Kind {
    BecauseYouLiked,
    Genre,
    Keyword,
    Person,
    Popular,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RecommendationAction")]
enum Action {
    More,
    Less,
    Neither,
}

struct TuneAsk {
    id: MovieId,
    body: Body,
    whence: Whence,
}

impl Input for TuneAsk {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path("movie_id", "The film that the reason was given for.");
        let whence = Whence::open(o)?;
        let body = o.body()?;
        Some(Self { id: id?, body, whence })
    }
}

/// The wish, as it is kept.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecommendationWishKept")]
struct Kept {
    movie_id: MovieId,
    /// The reason in a word, such as `genre:27`.
    reason: String,
    action: Action,
}

async fn tune(
    Member { who, .. }: Member<may::RecommendationsTuneOwn>,
    ask: TuneAsk,
    stack: Stack,
) -> Result<Reply<Kept>, Problem> {
    let catalog = stack.catalog().await?;
    let film = film(&catalog, ask.id)?;
    let subject = subject(&catalog, film, &ask.body.reason)?;
    let wish = match ask.body.action {
        Action::More => Wish::More,
        Action::Less => Wish::Less,
        Action::Neither => Wish::Neither,
    };
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    let reason = subject.word();
    if !stack.library().tune(&change, &reason, wish).await? {
        return Err(
            Problem::new(Code::Conflict).with_detail("There are 200 such wishes already: take one back.")
        );
    }
    Ok(Reply::ok(Kept { movie_id: film.id(), reason, action: ask.body.action }))
}

/// What the reason is about: something that the film has, or a film of the catalogue.
fn subject(catalog: &Catalog, film: FilmRef<'_>, told: &Told) -> Result<Subject, Problem> {
    let has = |feature: Option<Feature>| {
        let feature = feature.filter(|f| catalog.common(film, film).features.iter().any(|(own, _)| own == f));
        feature
            .map(Subject::Feature)
            .ok_or_else(|| refused("/reason/id", "The film has nothing with this id."))
    };
    match told.r#type {
        Kind::Popular => Ok(Subject::Popular),
        Kind::BecauseYouLiked => {
            let liked = told.movie_id.filter(|id| catalog.film(id.get()).is_some());
            let liked = liked.map(|id| Subject::Film(id.get()));
            liked.ok_or_else(|| refused("/reason/movie_id", "There is no film with this id."))
        }
        Kind::Genre => has(told.id.and_then(GenreId::new).map(Feature::Genre)),
        Kind::Keyword => has(told.id.and_then(KeywordId::new).map(Feature::Keyword)),
        Kind::Person => has(told.id.and_then(PersonId::new).map(Feature::Person)),
    }
}

fn refused(pointer: &str, detail: &str) -> Problem {
    Problem::new(Code::InvalidBody).with_errors(vec![FieldError {
        pointer: pointer.to_owned(),
        code: "unknown_value",
        detail: detail.to_owned(),
    }])
}

fn film(catalog: &Catalog, id: MovieId) -> Result<FilmRef<'_>, Problem> {
    match catalog.lookup(id) {
        Lookup::Film(film) => Ok(film),
        Lookup::Merged(into) => Err(Problem::new(Code::Moved)
            .with_detail("This film lives on under another id: follow the Location header.")
            .with_header(http::header::LOCATION, &format!("../{into}/why"))),
        Lookup::Withdrawn => Err(Problem::new(Code::Gone)),
        Lookup::Unknown => Err(Problem::new(Code::NotFound).with_detail("There is no film with this id.")),
    }
}
