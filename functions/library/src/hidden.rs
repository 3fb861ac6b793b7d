//! `GET /hidden`: the films that one does not want to see, newest first.

use screensort_auth::may;
use screensort_http::{Endpoint, Owner, Page, PageAsk, Problem, Reply};
use screensort_routes::HIDDEN;
use screensort_runtime::Stack;
use screensort_store::Listing;

use crate::entry::{Entry, page};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("hidden").route(HIDDEN, hidden)
}

async fn hidden(
    who: Owner<may::HiddenReadOwn>,
    ask: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    page(who.id(), Listing::Hidden, &ask, &stack).await
}
