//! `GET /movies/{id}/reviews`: a film's published reviews.

use screensort_catalog::Lookup;
use screensort_http::{Anyone, Code, Endpoint, Input, Opening, Page, PageAsk, Problem, Reply};
use screensort_model::MovieId;
use screensort_routes::MOVIE_REVIEWS;
use screensort_runtime::Stack;

use crate::shown::Shown;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movie_reviews").route(MOVIE_REVIEWS, reviews)
}

struct Ask {
    movie: MovieId,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let movie = o.path("id", "The film.");
        let page = PageAsk::open(o);
        Some(Self { movie: movie?, page: page? })
    }
}

async fn reviews(who: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Page<Shown>>, Problem> {
    if matches!(stack.catalog().await?.lookup(ask.movie), Lookup::Unknown) {
        return Err(Problem::new(Code::NotFound).with_detail("There is no film with this id."));
    }
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.page.start(&cursors, who.subject())?;
    let mut found = stack.library().reviews_of(ask.movie, after.as_deref(), ask.page.limit + 1).await?;
    let next = ask.page.cut(&mut found, |(place, _)| place.clone());
    let shown = found.into_iter().map(|(_, review)| Shown::of(review)).collect();
    ask.page.reply(&cursors, who.subject(), shown, next.as_ref())
}
