//! `GET /links/{id}/ratings`: the films that a linked account rated, newest first.

use screensort_auth::may;
use screensort_http::{Endpoint, Owner, Page, Problem, Reply};
use screensort_routes::LINK_RATINGS;
use screensort_runtime::Stack;
use screensort_store::Listing;

use crate::linked::{Ask, Entry, page};
use crate::shown::Scope;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("link_ratings").route(LINK_RATINGS, ratings)
}

async fn ratings(
    who: Owner<may::LinksReadShared>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    page(&stack, who.id(), &ask, Scope::Ratings, Listing::Ratings).await
}
