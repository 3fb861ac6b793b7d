//! `GET /ratings`: the films that one rated, newest first.

use screensort_auth::may;
use screensort_http::{Endpoint, Owner, Page, PageAsk, Problem, Reply};
use screensort_routes::RATINGS;
use screensort_runtime::Stack;
use screensort_store::Listing;

use crate::entry::{Entry, page};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("ratings").route(RATINGS, ratings)
}

async fn ratings(
    who: Owner<may::RatingsReadOwn>,
    ask: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    page(who.id(), Listing::Ratings, &ask, &stack).await
}
