//! `GET /favourites`: one's own favourite operators.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Endpoint, Owner, Page, PageAsk, Problem, Reply};
use screensort_model::OperatorId;
use screensort_routes::FAVOURITES;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::shown::OperatorShown;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("favourites").route(FAVOURITES, favourites)
}

/// A favourite operator.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Favourite")]
struct Shown {
    operator_id: OperatorId,
    /// Null if it is in the directory no more.
    operator: Option<OperatorShown>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    added_at: Timestamp,
}

async fn favourites(
    who: Owner<may::FavouritesReadOwn>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Shown>>, Problem> {
    let cursors = stack.cursors().await?;
    let after: Option<OperatorId> = page.start(&cursors, who.id())?;
    let kept = stack.favourites();
    let found = async { Ok(kept.page(who.id(), after, page.limit + 1).await?) };
    let (directory, mut found) = futures::future::try_join(stack.directory(), found).await?;
    let next = page.cut(&mut found, |favourite| favourite.operator);
    let shown = found.into_iter().map(|favourite| Shown {
        operator_id: favourite.operator,
        operator: directory.get(favourite.operator).map(OperatorShown::of),
        added_at: favourite.added_at,
    });
    page.reply(&cursors, who.id(), shown.collect(), next.as_ref())
}
