//! `GET /watchlist`: the films that one wants to watch, newest first.

use screensort_auth::may;
use screensort_http::{Code, Endpoint, FieldError, Input, Opening, Owner, Page, PageAsk, Problem, Reply};
use screensort_routes::WATCHLIST;
use screensort_runtime::Stack;
use screensort_store::Listing;

use crate::entry::{Entry, page};
use crate::mine::{Mine, is_available};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("watchlist").route(WATCHLIST, watchlist)
}

struct Ask {
    available: Option<Mine>,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let available = o
            .query("available", "Only what one's operators of /preferences show, in one's modes and region.");
        Some(Self { available, page: PageAsk::open(o)? })
    }
}

async fn watchlist(
    who: Owner<may::WatchlistReadOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    match ask.available {
        None => page(who.id(), Listing::Watchlist, &ask.page, &stack).await,
        Some(Mine) => mine(who.id(), &ask.page, &stack).await,
    }
}

/// The list is looked through in bigger pieces, since most of it may be left out.
async fn mine(account: &str, ask: &PageAsk, stack: &Stack) -> Result<Reply<Page<Entry>>, Problem> {
    const PIECE: usize = 200;
    let (wants, _) = stack.library().preferences(account).await?;
    let region = wants.region.ok_or_else(no_region)?;
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let mut after: Option<String> = ask.start(&cursors, account)?;
    let mut entries = Vec::new();
    let mut last = None;
    loop {
        let piece = stack.library().list(account, Listing::Watchlist, after.as_deref(), PIECE).await?;
        let is_last = piece.len() < PIECE;
        after = piece.last().map(|(place, _)| place.clone());
        for (place, state) in piece {
            if !is_available(&catalog, state.movie, region, &wants) {
                continue;
            }
            if entries.len() == ask.limit {
                return ask.reply(&cursors, account, entries, last.as_ref());
            }
            entries.push(Entry::of(&state, Listing::Watchlist, &catalog));
            last = Some(place);
        }
        if is_last {
            return ask.reply::<_, String>(&cursors, account, entries, None);
        }
    }
}

fn no_region() -> Problem {
    let error = FieldError {
        pointer: "/available".to_owned(),
        code: "no_region",
        detail: "Set region in /preferences first.".to_owned(),
    };
    Problem::new(Code::BadParameter).with_errors(vec![error])
}
