//! TMDb's film as the product's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use screensort_model::{
    Cast, GenreId, Keyword, KeywordId, Language, Mode, Movie, MovieId, OperatorId, PersonId, PersonName,
    Region, Trailer,
};
use screensort_tmdb::{MovieDetails, Offer, Offers, Person};

/// The operator that TMDb's provider is.
pub(crate) fn operator(provider: u32) -> OperatorId {
    OperatorId::derived("tmdb", &provider.to_string())
}

pub(crate) fn region(code: &screensort_tmdb::Region) -> Option<Region> {
    code.as_str().parse().ok()
}

/// `details` as a film read at `now`; `None` for what the catalogue does not hold: pornography, videos.
/// What TMDb left out of its answer (`absent`) is taken from `before`.
pub(crate) fn movie(
    id: MovieId,
    details: MovieDetails,
    before: Option<Movie>,
    now: Timestamp,
) -> Option<Movie> {
    if details.adult == Some(true) || details.softcore == Some(true) || details.video {
        return None;
    }
    let missing = |part: &str| details.absent.contains(&part);
    let mut movie = Movie {
        id,
        title: details.title,
        original_title: details.original_title,
        original_language: language(details.original_language.as_ref())?,
        release_date: details.release_date,
        genres: details.genres.iter().filter_map(|genre| GenreId::new(genre.id)).collect(),
        runtime: details.runtime,
        vote_average: details.vote_average as f32,
        vote_count: details.vote_count,
        popularity: details.popularity as f32,
        overview: details.overview,
        tagline: details.tagline,
        poster_path: details.poster_path.map(|path| path.to_string()),
        backdrop_path: details.backdrop_path.map(|path| path.to_string()),
        imdb_id: details.imdb_id.or(details.external_ids.imdb_id).map(|id| id.to_string()),
        keywords: details
            .keywords
            .into_iter()
            .filter_map(|k| Some(Keyword { id: KeywordId::new(k.id)?, name: k.name }))
            .take(60)
            .collect(),
        cast: details
            .cast
            .into_iter()
            .filter_map(|c| Some(Cast { id: PersonId::new(c.id)?, name: c.name, character: c.character }))
            .take(15)
            .collect(),
        directors: people(details.directors),
        writers: people(details.writers),
        trailers: details
            .trailers
            .into_iter()
            .take(5)
            .map(|t| Trailer { key: t.key, name: t.name })
            .collect(),
        certifications: (details.certifications.iter())
            .filter_map(|(code, rating)| Some((region(code)?, rating.label.clone())))
            .collect(),
        offers: details.watch.iter().filter_map(|(code, o)| Some((region(code)?, modes(o)))).collect(),
        alternative_titles: details.alternative_titles.into_iter().map(|t| t.title).take(20).collect(),
        synced_at: now,
    };
    if let Some(before) = before {
        if missing("keywords") {
            movie.keywords = before.keywords;
        }
        if missing("credits") {
            (movie.cast, movie.directors, movie.writers) = (before.cast, before.directors, before.writers);
        }
        if missing("watch/providers") {
            movie.offers = before.offers;
        }
        if missing("release_dates") {
            movie.certifications = before.certifications;
        }
        if missing("videos") {
            movie.trailers = before.trailers;
        }
        if missing("alternative_titles") {
            movie.alternative_titles = before.alternative_titles;
        }
    }
    Some(movie)
}

/// TMDb's language without its region; `xx`, TMDb's "no language", where it has none.
fn language(language: Option<&screensort_tmdb::Language>) -> Option<Language> {
    let code = language.map_or("xx", |language| language.as_str());
    code.get(..2)?.parse().ok()
}

fn people(people: Vec<Person>) -> Vec<PersonName> {
    people
        .into_iter()
        .filter_map(|p| Some(PersonName { id: PersonId::new(p.id)?, name: p.name }))
        .take(10)
        .collect()
}

fn modes(offers: &Offers) -> BTreeMap<Mode, Vec<OperatorId>> {
    let ids = |list: &[Offer]| list.iter().map(|offer| operator(offer.provider_id)).collect::<Vec<_>>();
    [
        (Mode::Stream, ids(&offers.flatrate)),
        (Mode::Free, ids(&offers.free)),
        (Mode::Ads, ids(&offers.ads)),
        (Mode::Rent, ids(&offers.rent)),
        (Mode::Buy, ids(&offers.buy)),
    ]
    .into_iter()
    .filter(|(_, ids)| !ids.is_empty())
    .collect()
}
