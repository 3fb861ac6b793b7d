//! `GET /movies/{id}/similar`: films that go with a film, by what people like where enough of them have said so, and
//! by genres, keywords and people elsewhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use screensort_catalog::{Catalog, FilmRef, Similar};
use screensort_http::{Anyone, Endpoint, Input, Opening, Page, PageAsk, Problem, Reply};
use screensort_model::reference::Genre;
use screensort_model::{Keyword, MovieId, PersonName};
use screensort_recommend::Model;
use screensort_routes::SIMILAR;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::card::MovieCard;
use crate::film;

/// Likes from which a film's company is what people like: fewer would show what single people like.
const ENOUGH_LIKES: u32 = 5;
/// Likes at which what people like has as much say as what the films are made of.
const CONVINCING_LIKES: f32 = 50.0;
/// How many are worth listing.
const MOST: usize = 200;
/// The model adds so many measures of likeness, each at most 1.
const MEASURES: f32 = 3.0;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("similar").route(SIMILAR, similar)
}

struct Ask {
    id: MovieId,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path("id", "The film.");
        let page = PageAsk::open(o);
        Some(Self { id: id?, page: page? })
    }
}

/// A film like the one asked for.
#[derive(Debug, Serialize, JsonSchema)]
struct SimilarMovie {
    movie: MovieCard,
    /// 0 to 1.
    score: f32,
    shared: Shared,
}

/// What both films have.
#[derive(Debug, Serialize, JsonSchema)]
struct Shared {
    genres: Vec<Genre>,
    keywords: Vec<Keyword>,
    people: Vec<PersonName>,
}

async fn similar(who: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Page<SimilarMovie>>, Problem> {
    let catalog = stack.catalog().await?;
    let film = film(&catalog, ask.id, |into| format!("../{into}/similar"))?;
    let cursors = stack.cursors().await?;
    let start: usize = ask.page.start(&cursors, who.subject())?.unwrap_or(0);
    let model = stack.model().await;
    let liked = model.as_deref().and_then(|model| liked_together(&catalog, film, model));
    let all = liked.unwrap_or_else(|| catalog.similar(film));
    let next = start + ask.page.limit;
    let items = all.iter().skip(start).take(ask.page.limit).map(|similar| SimilarMovie {
        movie: MovieCard::of(similar.film, None),
        score: (similar.score * 10_000.0).round() / 10_000.0,
        shared: Shared {
            genres: similar.genres.iter().map(|genre| (*genre).clone()).collect(),
            keywords: similar.keywords.clone(),
            people: similar.people.clone(),
        },
    });
    ask.page.reply(&cursors, who.subject(), items.collect(), (next < all.len()).then_some(&next))
}

/// Films that the same people like, and films that are made of the same: the more people like this one, the more
/// they have the say. `None` while too few do.
fn liked_together<'c>(catalog: &'c Catalog, film: FilmRef<'c>, model: &Model) -> Option<Vec<Similar<'c>>> {
    let id = film.id().get();
    let likes = model.likes_of(id).filter(|likes| *likes >= ENOUGH_LIKES)? as f32;
    let say = likes / (likes + CONVINCING_LIKES);
    let mut scores: BTreeMap<u32, f32> = BTreeMap::new();
    for ranked in model.similar(id, MOST, |other| catalog.film(other).is_some()) {
        *scores.entry(ranked.movie_id).or_default() += say * ranked.score / MEASURES;
    }
    for similar in catalog.similar(film) {
        *scores.entry(similar.film.id().get()).or_default() += (1.0 - say) * similar.score;
    }
    let mut ranked: Vec<(u32, f32)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(MOST);
    let explained = |(id, score): (u32, f32)| Some(catalog.between(film, catalog.film(id)?, score));
    Some(ranked.into_iter().filter_map(explained).collect())
}
