//! Where a person, the model and the catalogue come together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use screensort_catalog::{Catalog, Feature, FilmRef};
use screensort_http::Problem;
use screensort_model::{GenreId, KeywordId, PersonId, Preferences};
use screensort_recommend::{Model, PageOptions, Profile, Scored};
use screensort_runtime::{Stack, deed};
use screensort_store::{Tuning, Wish};

use crate::general::{self, Esteem};

/// What more of a thing adds to the films that have it, in standard deviations of scores.
const MORE: f32 = 1.0;
/// What less of it takes. Films near to many likes score high: less has to be felt there too.
const LESS: f32 = 2.0;
/// The most that all wishes together add to a film or take from it.
const MOST_LIFT: f32 = 4.0;
/// What more or less of a liked film does to the weight of its thumb.
const MORE_LIKED: f32 = 2.0;
const LESS_LIKED: f32 = 0.25;
/// What more or less of what is popular adds, as a part of what the film has from it.
const POPULARITY: f32 = 0.5;

/// Something that a person may want more or less of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Film(u32),
    Feature(Feature),
    Popular,
}

impl Subject {
    /// As it is kept.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Film(id) => format!("film:{id}"),
            Self::Feature(Feature::Genre(id)) => format!("genre:{id}"),
            Self::Feature(Feature::Keyword(id)) => format!("keyword:{id}"),
            Self::Feature(Feature::Person(id)) => format!("person:{id}"),
            Self::Popular => "popular".to_owned(),
        }
    }

    /// What was kept; `None` for what another release may have kept.
    pub(crate) fn read(word: &str) -> Option<Self> {
        if word == "popular" {
            return Some(Self::Popular);
        }
        let (kind, id) = word.split_once(':')?;
        let id: u32 = id.parse().ok()?;
        Some(match kind {
            "film" => Self::Film(id),
            "genre" => Self::Feature(Feature::Genre(GenreId::new(id)?)),
            "keyword" => Self::Feature(Feature::Keyword(KeywordId::new(id)?)),
            "person" => Self::Feature(Feature::Person(PersonId::new(id)?)),
            _ => return None,
        })
    }
}

/// What a person asked for more and less of.
#[derive(Debug, Default)]
pub(crate) struct Tastes {
    /// What each adds.
    features: BTreeMap<Feature, f32>,
    films: HashMap<u32, Wish>,
    popular: f32,
    /// What the features add to each film that has one.
    lifts: HashMap<u32, f32>,
    /// What people in general think of films counts that much more or less.
    esteem: HashMap<u32, f32>,
}

impl Tastes {
    fn new(catalog: &Catalog, esteem: &Esteem<'_>, tuning: &Tuning, preferences: &Preferences) -> Self {
        let mut tastes = Self::default();
        // What was asked for of a reason is more precise and comes later: it replaces the genre's weight.
        for genre in preferences.genres.iter().filter(|genre| genre.weight.is_finite()) {
            tastes.features.insert(Feature::Genre(genre.id), MORE * genre.weight.clamp(0.0, 1.0));
        }
        let wishes = tuning.more.iter().map(|word| (word, Wish::More));
        for (word, wish) in wishes.chain(tuning.less.iter().map(|word| (word, Wish::Less))) {
            let sign = if wish == Wish::More { 1.0 } else { -1.0 };
            match Subject::read(word) {
                Some(Subject::Feature(feature)) => {
                    tastes.features.insert(feature, if wish == Wish::More { MORE } else { -LESS });
                }
                Some(Subject::Film(id)) => drop(tastes.films.insert(id, wish)),
                Some(Subject::Popular) => tastes.popular = sign * POPULARITY,
                None => {}
            }
        }
        for (feature, lift) in &tastes.features {
            for id in catalog.films_with(*feature) {
                *tastes.lifts.entry(id.get()).or_default() += lift;
            }
        }
        tastes.lifts.values_mut().for_each(|lift| *lift = lift.clamp(-MOST_LIFT, MOST_LIFT));
        if tastes.popular != 0.0 {
            let of = |film: FilmRef<'_>| (film.id().get(), tastes.popular * esteem.of(film));
            tastes.esteem = general::films_of(catalog).map(of).collect();
        }
        tastes
    }

    fn lift(&self, film: u32) -> f32 {
        let of = |map: &HashMap<u32, f32>| map.get(&film).copied().unwrap_or(0.0);
        of(&self.lifts) + of(&self.esteem)
    }

    /// What wishes add to a film, wish by wish; without a feature, what popularity adds.
    pub(crate) fn lifts_of(&self, catalog: &Catalog, film: FilmRef<'_>) -> Vec<(Option<Feature>, f32)> {
        let id = film.id().get();
        let mut lifts = Vec::new();
        if let Some(total) = self.lifts.get(&id) {
            let own = catalog.common(film, film).features;
            let wished: Vec<(Feature, f32)> =
                own.iter().filter_map(|(f, _)| Some((*f, *self.features.get(f)?))).collect();
            let sum: f32 = wished.iter().map(|(_, lift)| lift).sum();
            // Where the wishes together were cut down, each is told cut down.
            let cut = if sum == 0.0 { 1.0 } else { total / sum };
            lifts.extend(wished.into_iter().map(|(feature, lift)| (Some(feature), cut * lift)));
        }
        lifts.extend(self.esteem.get(&id).map(|lift| (None, *lift)));
        lifts
    }
}

/// What a page is to be.
pub(crate) struct Wanted<'w> {
    /// Films on it.
    pub(crate) limit: usize,
    /// Which films may be on it.
    pub(crate) lets: &'w dyn Fn(FilmRef<'_>) -> bool,
    /// Which new films are tried.
    pub(crate) seed: u64,
}

/// A person's recommendations in the making.
pub(crate) struct Desk {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) model: Option<Arc<Model>>,
    profile: Profile,
    pub(crate) preferences: Preferences,
    pub(crate) tastes: Tastes,
    /// Whether there is any like that the model can go by.
    pub(crate) personal: bool,
}

impl Desk {
    /// Reads what the person did and asked for, and brings it together with the model.
    pub(crate) async fn of(stack: &Stack, account: &str) -> Result<Self, Problem> {
        let library = stack.library();
        let (states, (preferences, tuning)) =
            futures::future::try_join(library.of_person(account), library.wants(account)).await?;
        let (catalog, model) = (stack.catalog().await?, stack.model().await);
        let tastes = Tastes::new(&catalog, &Esteem::new(&catalog, model.as_deref()), &tuning, &preferences);
        let mut profile = Profile::of_deeds(states.iter().map(deed), preferences.include_seen);
        for thumb in &mut profile.likes {
            thumb.weight *= match tastes.films.get(&thumb.movie_id) {
                Some(Wish::More) => MORE_LIKED,
                Some(Wish::Less) => LESS_LIKED,
                _ => 1.0,
            };
        }
        let lifted: HashSet<u32> = tastes.lifts.keys().chain(tastes.esteem.keys()).copied().collect();
        profile.lifts = lifted.into_iter().map(|id| (id, tastes.lift(id))).collect();
        let known =
            |model: &Model| profile.likes.iter().any(|thumb| model.likes_of(thumb.movie_id).is_some());
        let personal = model.as_deref().is_some_and(known);
        Ok(Self { catalog, model, profile, preferences, tastes, personal })
    }

    /// The model's version, if there is one.
    pub(crate) fn model_version(&self) -> Option<String> {
        self.model.as_ref().map(|model| model.card().model_version.clone())
    }

    fn esteem(&self) -> Esteem<'_> {
        Esteem::new(&self.catalog, self.model.as_deref())
    }

    /// A page, best first. What the model cannot fill, because it is older than a film or knows none that may be
    /// shown, is filled with what people in general like.
    pub(crate) fn page(&self, wanted: &Wanted<'_>) -> Vec<Scored> {
        let mut page = Vec::new();
        if let Some(model) = self.model.as_deref().filter(|_| self.personal) {
            let options = PageOptions {
                limit: wanted.limit,
                reasons: usize::MAX,
                explore: Some(wanted.seed),
                ..PageOptions::default()
            };
            let lets = |id: u32| self.catalog.film(id).is_some_and(wanted.lets);
            page = model.recommend(&self.profile, lets, &options);
        }
        if page.len() < wanted.limit {
            let mut hidden = self.named();
            hidden.extend(page.iter().map(|scored| scored.movie_id));
            let lets = |film: FilmRef<'_>| !hidden.contains(&film.id().get()) && (wanted.lets)(film);
            let lift = |film: FilmRef<'_>| self.tastes.lift(film.id().get());
            let left = wanted.limit - page.len();
            page.extend(general::page(&self.catalog, &self.esteem(), left, lets, lift));
        }
        page
    }

    /// One film's score and all shares of it, whether or not it would be shown.
    pub(crate) fn why(&self, film: FilmRef<'_>) -> Scored {
        let id = film.id().get();
        let model = self.model.as_deref().filter(|_| self.personal);
        let own = model.and_then(|model| model.why(&self.profile, id));
        own.unwrap_or_else(|| general::scored(&self.esteem(), film, self.tastes.lift(id)))
    }

    /// Films that are never on this page: those with a thumb, hidden, and unless they were asked for, seen.
    fn named(&self) -> HashSet<u32> {
        let thumbs = self.profile.likes.iter().chain(&self.profile.dislikes).map(|thumb| thumb.movie_id);
        thumbs.chain(self.profile.exclude.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_anything_else_is_passed_over() {
        let subjects = [
            Subject::Popular,
            Subject::Film(603),
            Subject::Feature(Feature::Genre(GenreId::new(27).unwrap())),
            Subject::Feature(Feature::Keyword(KeywordId::new(803).unwrap())),
            Subject::Feature(Feature::Person(PersonId::new(1).unwrap())),
        ];
        for subject in subjects {
            assert_eq!(Subject::read(&subject.word()), Some(subject));
        }
        for word in ["", "genre", "genre:", "genre:x", "genre:0", "mood:1", "film:-1", "film:99999999999"] {
            assert_eq!(Subject::read(word), None, "{word}");
        }
    }
}
