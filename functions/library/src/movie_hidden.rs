//! `PUT`, `DELETE /movies/{id}/hidden`: say that a film is of no interest, or take that back.

use screensort_auth::may;
use screensort_http::{Endpoint, Member, Problem, Reply};
use screensort_routes::{HIDE, UNHIDE};
use screensort_runtime::Stack;

use crate::film::{OfFilm, change, living, nothing_there};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movie_hidden").route(HIDE, hide).route(UNHIDE, unhide)
}

async fn hide(
    Member { who, .. }: Member<may::HiddenWriteOwn>,
    ask: OfFilm,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let movie = living(&stack, ask.movie).await?;
    stack.library().set_hidden(&change(&who, &ask.whence, &stack), movie, true).await?;
    Ok(Reply::done())
}

async fn unhide(
    Member { who, .. }: Member<may::HiddenWriteOwn>,
    ask: OfFilm,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    if !stack.library().set_hidden(&change(&who, &ask.whence, &stack), ask.movie, false).await? {
        nothing_there(&stack, ask.movie).await?;
    }
    Ok(Reply::done())
}
