//! `GET /trending`: the films most looked at.

use screensort_catalog::Position;
use screensort_http::{Anyone, Endpoint, Input, Opening, Page, PageAsk, Problem, Reply};
use screensort_model::Window;
use screensort_routes::TRENDING;
use screensort_runtime::Stack;

use crate::card::MovieCard;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("trending").route(TRENDING, trending)
}

struct Ask {
    window: Window,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let window = o.query("window", "day or week; day unless given.");
        let page = PageAsk::open(o);
        Some(Self { window: window.unwrap_or(Window::Day), page: page? })
    }
}

async fn trending(who: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Page<MovieCard>>, Problem> {
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let after: Option<Position> = ask.page.start(&cursors, who.subject())?;
    let slice = catalog.trending(ask.window, after, ask.page.limit);
    let cards = slice.films.iter().map(|film| MovieCard::of(catalog.at(*film), None)).collect();
    ask.page.reply(&cursors, who.subject(), cards, slice.next.as_ref())
}
