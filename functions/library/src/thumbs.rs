//! `GET /thumbs`: the films that one gave a thumb, newest first.

use screensort_auth::may;
use screensort_http::{Endpoint, Input, Opening, Owner, Page, PageAsk, Problem, Reply};
use screensort_model::Thumb;
use screensort_routes::THUMBS;
use screensort_runtime::Stack;
use screensort_store::Listing;

use crate::entry::{Entry, page};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("thumbs").route(THUMBS, thumbs)
}

struct Ask {
    thumb: Option<Thumb>,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let thumb = o.query("thumb", "These thumbs only.");
        Some(Self { thumb, page: PageAsk::open(o)? })
    }
}

async fn thumbs(
    who: Owner<may::ThumbsReadOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    page(who.id(), Listing::Thumbs(ask.thumb), &ask.page, &stack).await
}
