//! Lists: pages of films, age ratings, watch providers, regions, image sizes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    ImagePath, Language, Region,
    decode::{Many, Soft, day, measure, whole},
    film::{MAX_GENRES, MAX_OVERVIEW, MAX_TITLE},
    text::{soft_line, soft_paragraphs},
};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// Its number, from 1.
    pub page: u32,
    /// Its elements. Those that could not be read are left out.
    pub results: Vec<T>,
    /// How many pages there are; TMDb serves the first 500. 0 when the list is empty.
    pub total_pages: u32,
    /// How many elements all pages have.
    pub total_results: u32,
}

/// What a list says about a film.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MovieSummary {
    /// TMDb's id.
    pub id: u32,
    /// Title in the answer's language.
    pub title: String,
    /// Title in the film's language.
    pub original_title: String,
    /// The film's language.
    pub original_language: Option<Language>,
    /// Summary, or "".
    pub overview: String,
    /// First release anywhere.
    pub release_date: Option<Date>,
    /// TMDb's ids of its genres.
    pub genre_ids: Vec<u32>,
    /// TMDb's popularity, from 0.
    pub popularity: f64,
    /// Mean of TMDb's votes, 0 to 10.
    pub vote_average: f64,
    /// Number of TMDb's votes.
    pub vote_count: u32,
    /// Poster.
    pub poster_path: Option<ImagePath>,
    /// Backdrop.
    pub backdrop_path: Option<ImagePath>,
    /// Whether it is pornography; `None` when TMDb does not say.
    pub adult: Option<bool>,
    /// Whether TMDb counts it as soft pornography (a field since 2025); `None` when it does not say.
    pub softcore: Option<bool>,
    /// Whether it is a video rather than a film: a concert, a compilation.
    pub video: bool,
}

/// An age rating of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificationRating {
    /// The label, such as `PG-13`.
    pub certification: String,
    /// What it means, or "".
    pub meaning: String,
    /// Its place in the region, mildest first.
    pub order: u32,
}

/// A service that streams, rents or sells films. The data are JustWatch's and must be attributed to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WatchProvider {
    /// TMDb's id.
    pub provider_id: u32,
    /// Its name.
    pub provider_name: String,
    /// Its logo.
    pub logo_path: Option<ImagePath>,
    /// Its place in lists, lowest first.
    pub display_priority: u32,
    /// The same per region.
    pub display_priorities: BTreeMap<Region, u32>,
}

/// A region that has watch providers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WatchRegion {
    /// The region.
    pub region: Region,
    /// Its name in English.
    pub english_name: String,
    /// Its name in the answer's language.
    pub native_name: String,
}

/// Where images are: `{secure_base_url}{size}{path}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Images {
    /// The `https` address, with a slash at the end.
    pub secure_base_url: String,
    /// Sizes of backdrops: `w` or `h` and pixels, or `original`.
    pub backdrop_sizes: Vec<String>,
    /// Sizes of logos.
    pub logo_sizes: Vec<String>,
    /// Sizes of posters.
    pub poster_sizes: Vec<String>,
    /// Sizes of portraits.
    pub profile_sizes: Vec<String>,
    /// Sizes of stills.
    pub still_sizes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(bound = "W: serde::de::DeserializeOwned")]
pub(crate) struct WirePage<W> {
    pub(crate) page: u32,
    results: Vec<Soft<W>>,
    total_pages: u32,
    total_results: u32,
}

pub(crate) fn page<W, T>(wire: WirePage<W>, read: fn(W) -> Option<T>) -> Page<T> {
    let results = wire.results.into_iter().filter_map(|item| item.0.and_then(read)).collect();
    Page { page: wire.page, results, total_pages: wire.total_pages, total_results: wire.total_results }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireSummary {
    id: Soft<f64>,
    title: Soft<String>,
    original_title: Soft<String>,
    original_language: Soft<String>,
    overview: Soft<String>,
    release_date: Soft<String>,
    genre_ids: Many<u32>,
    popularity: Soft<f64>,
    vote_average: Soft<f64>,
    vote_count: Soft<f64>,
    poster_path: Soft<String>,
    backdrop_path: Soft<String>,
    adult: Soft<bool>,
    softcore: Soft<bool>,
    video: Soft<bool>,
}

pub(crate) fn summary(wire: WireSummary) -> Option<MovieSummary> {
    let id = whole(wire.id, u32::MAX).filter(|id| *id > 0)?;
    let original_title = soft_line(wire.original_title, MAX_TITLE);
    let title = Some(soft_line(wire.title, MAX_TITLE)).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| original_title.clone());
    Some(MovieSummary {
        id,
        title: Some(title).filter(|title| !title.is_empty())?,
        original_title,
        original_language: Language::soft(&wire.original_language),
        overview: soft_paragraphs(wire.overview, MAX_OVERVIEW),
        release_date: day(wire.release_date),
        genre_ids: wire.genre_ids.0.into_iter().take(MAX_GENRES).collect(),
        popularity: measure(wire.popularity, 1e9),
        vote_average: measure(wire.vote_average, 10.0),
        vote_count: whole(wire.vote_count, u32::MAX).unwrap_or(0),
        poster_path: ImagePath::soft(&wire.poster_path),
        backdrop_path: ImagePath::soft(&wire.backdrop_path),
        adult: wire.adult.0,
        softcore: wire.softcore.0,
        video: wire.video.0.unwrap_or(false),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireCertification {
    certification: Soft<String>,
    meaning: Soft<String>,
    order: Soft<f64>,
}

pub(crate) fn certifications(
    wire: BTreeMap<String, Many<WireCertification>>,
) -> BTreeMap<Region, Vec<CertificationRating>> {
    let rating = |wire: WireCertification| CertificationRating {
        certification: soft_line(wire.certification, 20),
        meaning: soft_paragraphs(wire.meaning, 1000),
        order: whole(wire.order, u32::MAX).unwrap_or(u32::MAX),
    };
    let ratings = |list: Many<WireCertification>| {
        let mut ratings: Vec<_> =
            list.0.into_iter().map(rating).filter(|rating| !rating.certification.is_empty()).collect();
        ratings.sort_by_key(|rating| rating.order);
        ratings
    };
    wire.into_iter().filter_map(|(region, list)| Some((Region::parse(&region)?, ratings(list)))).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireProvider {
    provider_id: Soft<f64>,
    provider_name: Soft<String>,
    logo_path: Soft<String>,
    display_priority: Soft<f64>,
    display_priorities: Soft<BTreeMap<String, Soft<f64>>>,
}

pub(crate) fn provider(wire: WireProvider) -> Option<WatchProvider> {
    let priorities = wire.display_priorities.0.unwrap_or_default().into_iter();
    Some(WatchProvider {
        provider_id: whole(wire.provider_id, u32::MAX)?,
        provider_name: Some(soft_line(wire.provider_name, 200)).filter(|name| !name.is_empty())?,
        logo_path: ImagePath::soft(&wire.logo_path),
        display_priority: whole(wire.display_priority, u32::MAX).unwrap_or(u32::MAX),
        display_priorities: priorities
            .filter_map(|(region, place)| Some((Region::parse(&region)?, whole(place, u32::MAX)?)))
            .collect(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireRegion {
    iso_3166_1: Soft<String>,
    english_name: Soft<String>,
    native_name: Soft<String>,
}

pub(crate) fn region(wire: WireRegion) -> Option<WatchRegion> {
    Some(WatchRegion {
        region: Region::soft(&wire.iso_3166_1)?,
        english_name: soft_line(wire.english_name, 100),
        native_name: soft_line(wire.native_name, 100),
    })
}

#[derive(Deserialize)]
pub(crate) struct WireConfiguration {
    images: WireImages,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireImages {
    secure_base_url: Soft<String>,
    backdrop_sizes: Many<String>,
    logo_sizes: Many<String>,
    poster_sizes: Many<String>,
    profile_sizes: Many<String>,
    still_sizes: Many<String>,
}

pub(crate) fn images(wire: WireConfiguration) -> Option<Images> {
    let wire = wire.images;
    let address = crate::config::endpoint(wire.secure_base_url.0.as_deref()?).ok()?;
    let secure_base_url = (address.scheme() == "https").then(|| format!("{address}/"))?;
    Some(Images {
        secure_base_url,
        backdrop_sizes: sizes(wire.backdrop_sizes),
        logo_sizes: sizes(wire.logo_sizes),
        poster_sizes: sizes(wire.poster_sizes),
        profile_sizes: sizes(wire.profile_sizes),
        still_sizes: sizes(wire.still_sizes),
    })
}

fn sizes(list: Many<String>) -> Vec<String> {
    let good = |size: &String| {
        let pixels = size.strip_prefix(['w', 'h']).unwrap_or_default();
        size == "original" || (1..=5).contains(&pixels.len()) && pixels.bytes().all(|b| b.is_ascii_digit())
    };
    list.0.into_iter().filter(good).take(20).collect()
}
