//! `GET /links/{id}/watchlist`: the films that a linked account wants to watch, newest first.

use screensort_auth::may;
use screensort_http::{Endpoint, Owner, Page, Problem, Reply};
use screensort_routes::LINK_WATCHLIST;
use screensort_runtime::Stack;
use screensort_store::Listing;

use crate::linked::{Ask, Entry, page};
use crate::shown::Scope;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("link_watchlist").route(LINK_WATCHLIST, watchlist)
}

async fn watchlist(
    who: Owner<may::LinksReadShared>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    page(&stack, who.id(), &ask, Scope::Watchlist, Listing::Watchlist).await
}
