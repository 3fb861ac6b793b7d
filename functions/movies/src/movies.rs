//! `GET /movies`: browse films by filters.

use screensort_catalog::{Browse, Catalog, Position, Slice};
use screensort_http::{
    Code, Endpoint, FieldError, Input, Opening, Page, PageAsk, Problem, Reply, Tenths, Text, Visitor, Whole,
};
use screensort_model::{GenreId, Mode, OperatorId, Region, Sort};
use screensort_recommend::Model;
use screensort_routes::MOVIES;
use screensort_runtime::Stack;

use crate::card::MovieCard;

/// People who must have said something before what they like makes the order: a few must not make it for all.
const ENOUGH_PEOPLE: usize = 100;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movies").route(MOVIES, movies)
}

struct Ask {
    browse: Browse,
    region: Option<Region>,
    certification: Option<String>,
    sort: Sort,
    page: PageAsk,
}

type Year = Whole<1870, 2200>;

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let genres = o.list::<GenreId>("genre", 5, "Films with all of these genres: ids of /genres.");
        let without_genres = o.list::<GenreId>("without_genre", 5, "Films with none of these genres.");
        let year = |y: Option<Year>| y.and_then(|Whole(y)| i16::try_from(y).ok());
        let year_gte = year(o.query("year_gte", "Released in this year or later."));
        let year_lte = year(o.query("year_lte", "Released in this year or earlier."));
        if year_gte.zip(year_lte).is_some_and(|(first, last)| first > last) {
            o.fault("year_gte", "contradiction", "Later than year_lte.");
        }
        let min_rating = o.query::<Tenths>("min_rating", "TMDb's mean vote at least this.");
        let min_votes = o.query::<Whole<0, 10_000_000>>("min_votes", "At least so many of TMDb's votes.");
        let max_runtime = o.query::<Whole<1, 1_000>>("max_runtime", "At most so many minutes.");
        let language = o.query("language", "Made in this language.");
        let person = o.query("person", "Made by this person, in whatever part.");
        let keyword = o.query("keyword", "With this keyword.");
        let certification = o.query::<Text<16>>(
            "certification_lte",
            "Rated at most as strictly as this in `region`; see /genres for the ratings in order.",
        );
        let region = o.query::<Region>("region", "The region of certification_lte, operator and mode.");
        if certification.is_some() && region.is_none() {
            o.fault("region", "missing", "certification_lte needs the region whose ratings are meant.");
        }
        let operator = o.query::<OperatorId>("operator", "Shown by this operator.");
        let mode = o.query::<Mode>("mode", "Shown in this mode.");
        let text = o.query::<Text<200>>("q", "Among the best matches of this text; see /search.");
        let sort = o.query::<Sort>("sort", "The order; popularity unless given.");
        let page = PageAsk::open(o);
        let offer = (operator.is_some() || mode.is_some()).then_some((region, operator, mode));
        Some(Self {
            browse: Browse {
                genres,
                without_genres,
                year_gte,
                year_lte,
                min_rating: min_rating.map(Tenths::get),
                min_votes: min_votes.map(|Whole(n)| n),
                max_runtime: max_runtime.and_then(|Whole(n)| u16::try_from(n).ok()),
                language,
                person,
                keyword,
                certification: None,
                except: Vec::new(),
                offer,
                text: text.map(|Text(text)| text),
            },
            region,
            certification: certification.map(|Text(text)| text),
            sort: sort.unwrap_or(Sort::Popularity),
            page: page?,
        })
    }
}

async fn movies(Visitor(who): Visitor, ask: Ask, stack: Stack) -> Result<Reply<Page<MovieCard>>, Problem> {
    let catalog = stack.catalog().await?;
    let mut browse = checked(ask.browse, ask.region, ask.certification.as_deref(), &catalog)?;
    let mut subject = String::new();
    if let Some(who) = who {
        let states = stack.library().of_person(who.id()).await?;
        browse.except = states.iter().filter(|film| film.is_unwanted()).map(|film| film.movie).collect();
        who.id().clone_into(&mut subject);
    }
    let cursors = stack.cursors().await?;
    let after: Option<Position> = ask.page.start(&cursors, &subject)?;
    let slice = listed(&catalog, &browse, ask.sort, after, ask.page.limit, stack.model().await.as_deref());
    let cards = slice.films.iter().map(|film| MovieCard::of(catalog.at(*film), ask.region)).collect();
    ask.page.reply(&cursors, &subject, cards, slice.next.as_ref())
}

/// The page. What is popular is what people here like, once enough of them have said so.
fn listed(
    catalog: &Catalog,
    browse: &Browse,
    sort: Sort,
    after: Option<Position>,
    limit: usize,
    model: Option<&Model>,
) -> Slice {
    match model.filter(|model| sort == Sort::Popularity && model.card().people >= ENOUGH_PEOPLE) {
        Some(model) => {
            let knows = |id: u32| model.likes_of(id).is_some();
            catalog.browse_in(browse, model.by_popularity(), knows, after, limit)
        }
        None => catalog.browse(browse, sort, after, limit),
    }
}

/// What only the catalogue can judge: whether a genre and a rating exist.
fn checked(
    mut browse: Browse,
    region: Option<Region>,
    certification: Option<&str>,
    catalog: &Catalog,
) -> Result<Browse, Problem> {
    let reference = catalog.reference();
    let mut errors = Vec::new();
    for (name, genres) in [("genre", &browse.genres), ("without_genre", &browse.without_genres)] {
        if genres.iter().any(|id| reference.genres.iter().all(|genre| genre.id != *id)) {
            errors.push(fault(name, "There is no such genre: /genres lists them."));
        }
    }
    if let Some((region, certification)) = region.zip(certification) {
        match reference.strictness(region, certification) {
            Some(strictness) => browse.certification = Some((region, strictness)),
            None => {
                errors.push(fault("certification_lte", "No such rating in this region: /genres lists them."))
            }
        }
    }
    if errors.is_empty() { Ok(browse) } else { Err(Problem::new(Code::BadParameter).with_errors(errors)) }
}

fn fault(name: &str, detail: &str) -> FieldError {
    FieldError { pointer: format!("/{name}"), code: "unknown_value", detail: detail.to_owned() }
}
