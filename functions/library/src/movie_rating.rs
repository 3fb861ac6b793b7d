//! `PUT`, `DELETE /movies/{id}/rating`: rate a film, or take the rating back.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Endpoint, Input, Member, Opening, Problem, Reply};
use screensort_model::{MovieId, Rating};
use screensort_routes::{RATE, UNRATE};
use screensort_runtime::Stack;
use serde::{Deserialize, Serialize};

use crate::film::{OfFilm, change, living, nothing_there};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movie_rating").route(RATE, rate).route(UNRATE, unrate)
}

/// The rating.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RatingBody")]
struct Body {
    /// 0.5 to 10 in steps of 0.5.
    value: Rating,
}

struct Ask {
    film: OfFilm,
    body: Body,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let film = OfFilm::open(o);
        let body = o.body();
        Some(Self { film: film?, body: body? })
    }
}

/// The rating as it is now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RatingState")]
struct Answer {
    movie_id: MovieId,
    value: Rating,
}

async fn rate(
    Member { who, .. }: Member<may::RatingsWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let movie = living(&stack, ask.film.movie).await?;
    let change = change(&who, &ask.film.whence, &stack);
    stack.library().set_rating(&change, movie, Some(ask.body.value)).await?;
    Ok(Reply::ok(Answer { movie_id: movie, value: ask.body.value }))
}

async fn unrate(
    Member { who, .. }: Member<may::RatingsWriteOwn>,
    ask: OfFilm,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let change = change(&who, &ask.whence, &stack);
    if !stack.library().set_rating(&change, ask.movie, None).await? {
        nothing_there(&stack, ask.movie).await?;
    }
    Ok(Reply::done())
}
