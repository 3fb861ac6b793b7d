//! `PUT`, `DELETE /watchlist/{movie_id}`: put a film on the watchlist, or take it off.

use screensort_auth::may;
use screensort_http::{Endpoint, Input, Member, Opening, Problem, Reply, Whence};
use screensort_model::MovieId;
use screensort_routes::{WATCHLIST_ADD, WATCHLIST_REMOVE};
use screensort_runtime::Stack;

use crate::film::{change, living, nothing_there};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("watchlist_entry").route(WATCHLIST_ADD, add).route(WATCHLIST_REMOVE, remove)
}

struct Ask {
    movie: MovieId,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let movie = o.path("movie_id", "The film.");
        let whence = Whence::open(o)?;
        Some(Self { movie: movie?, whence })
    }
}

async fn add(
    Member { who, .. }: Member<may::WatchlistWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let movie = living(&stack, ask.movie).await?;
    stack.library().set_watchlist(&change(&who, &ask.whence, &stack), movie, true).await?;
    Ok(Reply::done())
}

async fn remove(
    Member { who, .. }: Member<may::WatchlistWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    if !stack.library().set_watchlist(&change(&who, &ask.whence, &stack), ask.movie, false).await? {
        nothing_there(&stack, ask.movie).await?;
    }
    Ok(Reply::done())
}
