//! Why a film is recommended, in words: the model's shares of a score, told as films, genres, keywords and people.
//!
//! The model says what each liked film adds to a score. As far as the two films have things in common, that share is
//! told as those things, by their rarity; the rest is told as the liked film. Nothing is told twice, so that all
//! reasons of a film add up to its score.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use screensort_catalog::{Catalog, Feature, FilmRef};
use screensort_model::{GenreId, KeywordId, MovieId, PersonId};
use screensort_recommend::Scored;
use serde::Serialize;

use crate::desk::Tastes;

/// The most of a liked film's share that is told as what the films have in common.
const MOST_IN_COMMON: f32 = 0.5;

/// A reason, with its part of the score; all of them add up to it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "RecommendationReason")]
pub(crate) enum Reason {
    /// People who like this film like that one.
    BecauseYouLiked { movie_id: MovieId, title: String, weight: f32 },
    /// The same, the other way round.
    BecauseYouDisliked { movie_id: MovieId, title: String, weight: f32 },
    /// A genre of films that you like, or one that you asked for more or less of.
    Genre { id: GenreId, name: String, weight: f32 },
    /// The same of a keyword.
    Keyword { id: KeywordId, name: String, weight: f32 },
    /// The same of somebody who worked on it.
    Person { id: PersonId, name: String, weight: f32 },
    /// What people in general think of it.
    Popular { weight: f32 },
}

impl Reason {
    fn weight(&self) -> f32 {
        match self {
            Self::BecauseYouLiked { weight, .. }
            | Self::BecauseYouDisliked { weight, .. }
            | Self::Genre { weight, .. }
            | Self::Keyword { weight, .. }
            | Self::Person { weight, .. }
            | Self::Popular { weight } => *weight,
        }
    }
}

/// To four places: what is sent adds up as well as what is kept.
pub(crate) fn rounded(weight: f32) -> f32 {
    (weight * 10_000.0).round() / 10_000.0
}

/// All reasons of a film's score, the strongest first.
pub(crate) fn all(catalog: &Catalog, tastes: &Tastes, film: FilmRef<'_>, scored: &Scored) -> Vec<Reason> {
    let mut features: BTreeMap<Feature, f32> = BTreeMap::new();
    let (mut films, mut popular) = (Vec::new(), 0.0);
    for reason in &scored.reasons {
        match *reason {
            screensort_recommend::Reason::Popular { share } => popular += share,
            // Told by what it was asked for.
            screensort_recommend::Reason::Lifted { .. } => {}
            screensort_recommend::Reason::Liked { movie_id, share } => {
                films.push((movie_id, true, told(catalog, film, movie_id, share, &mut features)));
            }
            screensort_recommend::Reason::Disliked { movie_id, share } => {
                films.push((movie_id, false, told(catalog, film, movie_id, share, &mut features)));
            }
        }
    }
    for (feature, lift) in tastes.lifts_of(catalog, film) {
        match feature {
            Some(feature) => *features.entry(feature).or_default() += lift,
            None => popular += lift,
        }
    }
    let films = films.into_iter().filter_map(|(id, liked, weight)| of_film(catalog, id, liked, weight));
    let features = features.into_iter().filter_map(|(feature, weight)| of_feature(catalog, feature, weight));
    let mut reasons: Vec<Reason> =
        films.chain(features).chain([Reason::Popular { weight: rounded(popular) }]).collect();
    reasons.retain(|reason| reason.weight() != 0.0 || matches!(reason, Reason::Popular { .. }));
    reasons.sort_by(|a, b| b.weight().abs().total_cmp(&a.weight().abs()));
    reasons
}

/// The few that a page shows: what speaks for the film, with the strongest liked film among them. Where nothing
/// does, what people in general think is all there is to say.
pub(crate) fn shown(mut all: Vec<Reason>, most: usize) -> Vec<Reason> {
    let is_popular = |reason: &Reason| matches!(reason, Reason::Popular { .. });
    let is_liked = |reason: &Reason| matches!(reason, Reason::BecauseYouLiked { .. });
    if all.iter().any(|reason| reason.weight() > 0.0) {
        all.retain(|reason| reason.weight() > 0.0);
    } else {
        all.retain(is_popular);
    }
    let left = all.split_off(most.min(all.len()));
    if !all.iter().any(is_liked)
        && let (Some(liked), Some(last)) = (left.into_iter().find(is_liked), all.last_mut())
    {
        *last = liked;
    }
    all
}

/// Tells part of a film's share as what it has in common with the recommended one; gives back the rest.
fn told(
    catalog: &Catalog,
    film: FilmRef<'_>,
    other: u32,
    share: f32,
    features: &mut BTreeMap<Feature, f32>,
) -> f32 {
    let Some(other) = catalog.film(other) else { return share };
    let common = catalog.common(film, other);
    let whole: f32 = common.features.iter().map(|(_, weight)| weight).sum();
    let part = share * common.likeness.min(MOST_IN_COMMON);
    if whole <= 0.0 || part == 0.0 {
        return share;
    }
    for (feature, weight) in common.features {
        *features.entry(feature).or_default() += part * weight / whole;
    }
    share - part
}

fn of_film(catalog: &Catalog, id: u32, liked: bool, weight: f32) -> Option<Reason> {
    let movie_id = MovieId::new(id)?;
    // A film may have left the catalogue since its thumb.
    let title = catalog.film(id).map_or_else(String::new, |film| film.title().to_owned());
    let weight = rounded(weight);
    Some(match liked {
        true => Reason::BecauseYouLiked { movie_id, title, weight },
        false => Reason::BecauseYouDisliked { movie_id, title, weight },
    })
}

fn of_feature(catalog: &Catalog, feature: Feature, weight: f32) -> Option<Reason> {
    let (name, weight) = (catalog.name_of(feature)?, rounded(weight));
    Some(match feature {
        Feature::Genre(id) => Reason::Genre { id, name, weight },
        Feature::Keyword(id) => Reason::Keyword { id, name, weight },
        Feature::Person(id) => Reason::Person { id, name, weight },
    })
}
