//! `GET /reviews`: one's own reviews, in every state.

use screensort_auth::may;
use screensort_http::{Endpoint, Owner, Page, PageAsk, Problem, Reply};
use screensort_routes::REVIEWS;
use screensort_runtime::Stack;

use crate::shown::Own;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("reviews").route(REVIEWS, reviews)
}

async fn reviews(
    who: Owner<may::ReviewsWriteOwn>,
    ask: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Own>>, Problem> {
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.start(&cursors, who.id())?;
    let mut found = stack.library().own_reviews(who.id(), after.as_deref(), ask.limit + 1).await?;
    let next = ask.cut(&mut found, |(place, _)| place.clone());
    let own = found.into_iter().map(|(_, review)| Own::of(review)).collect();
    ask.reply(&cursors, who.id(), own, next.as_ref())
}
