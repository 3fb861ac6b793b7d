//! `GET /recommendation`: films for who asks, with reasons.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_catalog::card::MovieCard;
use screensort_http::{Endpoint, Input, Opening, Owner, Problem, Reply, Whole};
use screensort_routes::RECOMMENDATION;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::desk::{Desk, Wanted};
use crate::limits::{Limits, lets};
use crate::reason::{self, Reason};

/// Reasons of a film that a page shows unless it is asked to explain itself.
const FEW: usize = 3;
/// The most that it shows then; `why` has them all.
const MANY: usize = 20;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("recommendation").route(RECOMMENDATION, recommendation)
}

/// What is asked of a page of recommendations.
pub(crate) struct Ask {
    limit: usize,
    limits: Limits,
    explain: bool,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let limit = o.query::<Whole<1, 100>>("limit", "Films; 20 unless given.");
        let genre = o.query("genre", "Films of this genre: an id of /genres.");
        let max_runtime = o.query::<Whole<1, 1_000>>("max_runtime", "At most so many minutes.");
        let available = o
            .query("available", "Only what one's operators of /preferences show, in one's modes and region.");
        let explain =
            o.query("explain", "Up to twenty reasons of each film instead of three, those against it too.");
        Some(Self {
            limit: limit.map_or(20, |Whole(n)| n as usize),
            limits: Limits {
                genre,
                max_runtime: max_runtime.and_then(|Whole(n)| u16::try_from(n).ok()),
                available,
            },
            explain: explain.unwrap_or(false),
        })
    }
}

/// A page of recommendations.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recommendations")]
pub(crate) struct Answer {
    /// Best first, but never all of one kind.
    items: Vec<Item>,
    /// True where nothing that you like is known yet, and so these films are what people in general like, spread
    /// over genres.
    general: bool,
    /// Null while no model has been published.
    model_version: Option<String>,
    catalog_version: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recommendation")]
struct Item {
    movie: MovieCard,
    /// Compares within this page only.
    score: f32,
    reasons: Vec<Reason>,
    /// Whether the film is here because few people know it yet.
    new: bool,
}

async fn recommendation(
    who: Owner<may::RecommendationsReadOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let desk = Desk::of(&stack, who.id()).await?;
    page(&desk, &ask, seed(who.id(), &stack)).map(Reply::ok)
}

/// The page that `ask` asks for.
pub(crate) fn page(desk: &Desk, ask: &Ask, seed: u64) -> Result<Answer, Problem> {
    let catalog = &desk.catalog;
    let lets = lets(catalog, ask.limits, &desk.preferences)?;
    let scored = desk.page(&Wanted { limit: ask.limit, lets: &lets, seed });
    let most = if ask.explain { MANY } else { FEW };
    let items = scored.iter().filter_map(|scored| {
        let film = catalog.film(scored.movie_id)?;
        let mut reasons = reason::all(catalog, &desk.tastes, film, scored);
        if ask.explain {
            reasons.truncate(most);
        } else {
            reasons = reason::shown(reasons, most);
        }
        let score = reason::rounded(scored.score);
        Some(Item { movie: MovieCard::of(film, None), score, reasons, new: scored.explored })
    });
    Ok(Answer {
        items: items.collect(),
        general: !desk.personal,
        model_version: desk.model_version(),
        catalog_version: catalog.version().to_owned(),
    })
}

/// New films change from person to person and from day to day, and not from request to request.
pub(crate) fn seed(account: &str, stack: &Stack) -> u64 {
    let day = stack.clock().now().as_second().unsigned_abs() / 86_400;
    // FNV-1a (Fowler, Noll, Vo): a seed needs no more.
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    account.bytes().fold(0xcbf2_9ce4_8422_2325 ^ day, mix)
}
