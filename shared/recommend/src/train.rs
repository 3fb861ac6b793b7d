//! A training run: split, tune, judge, train again on everybody.

use rayon::prelude::*;

use crate::artifact::{Card, Parts, Settings, Weights};
use crate::edlae::Workspace;
use crate::error::Error;
use crate::film::Film;
use crate::fit::{Ground, Likes, assemble};
use crate::ials::{self, Factors};
use crate::metrics::{DEPTH, Jury, Quality, best};
use crate::model::Model;
use crate::prior::{PriorSettings, prior};
use crate::profile::{Profile, Thumb};
use crate::score::Taste;
use crate::signal::Table;
use crate::split::{Held, Split};
use crate::tune;

/// Validation people below which settings are not tuned: the choice would be chance.
const FEWEST_TO_TUNE: usize = 20;

/// How a run is made.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Seed of the split and of the starting vectors. The same input and seed give the same bytes on the same kind
    /// of processor, whatever the number of threads.
    pub seed: u32,
    /// Threads; zero for one per core.
    pub threads: usize,
    /// Version to write into the model.
    pub model_version: String,
    /// Version of the catalogue to write into the model.
    pub catalog_version: String,
    /// Settings to start from.
    pub settings: Settings,
    /// Whether validation people may change the settings.
    pub tune: bool,
    /// How the popularity prior is made.
    pub prior: PriorSettings,
    /// Learns from the deployment's own feedback alone: of the catalogue nothing but the ids is looked at. Without an
    /// agreement with the catalogue's source that allows machine learning on its data, this stays on.
    pub own_feedback_only: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            threads: 0,
            model_version: String::new(),
            catalog_version: String::new(),
            settings: Settings::default(),
            tune: true,
            prior: PriorSettings::default(),
            own_feedback_only: false,
        }
    }
}

/// What a run is doing, for progress.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// People were split.
    Split {
        /// Training people.
        training: usize,
        /// Validation people.
        validation: usize,
        /// Test people.
        test: usize,
    },
    /// A ridge of the item-item model was tried.
    Item {
        /// The ridge.
        lambda: f32,
        /// Mean NDCG@100 of the validation people.
        ndcg: f64,
    },
    /// Settings of the latent model were tried.
    Latent {
        /// Length of a film's vector.
        dims: usize,
        /// The ridge.
        lambda: f32,
        /// The background.
        background: f32,
        /// Weight of films that were seen without an opinion.
        seen: f32,
        /// Mean NDCG@100 of the validation people.
        ndcg: f64,
    },
    /// Weights of the blend were tried.
    Blend {
        /// The weights.
        weights: Weights,
        /// Mean NDCG@100 of the validation people.
        ndcg: f64,
    },
    /// The model was judged on the test people.
    Judged {
        /// What came out.
        quality: Quality,
    },
    /// The final model is trained on everybody.
    Final,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Split { training, validation, test } => {
                write!(f, "people: {training} train, {validation} validate, {test} test")
            }
            Self::Item { lambda, ndcg } => write!(f, "item-item, ridge {lambda:.4}: NDCG@100 {ndcg:.4}"),
            Self::Latent { dims, lambda, background, seen, ndcg } => write!(
                f,
                "latent, {dims} numbers, ridge {lambda:.5}, background {background:.3}, seen {seen:.2}: \
                 NDCG@100 {ndcg:.4}"
            ),
            Self::Blend { weights: Weights { item, latent, content }, ndcg } => {
                write!(f, "blend {item:.1} / {latent:.1} / {content:.1}: NDCG@100 {ndcg:.4}")
            }
            Self::Judged { quality } => {
                let mean = quality.ndcg_at_100;
                write!(f, "held-out people: NDCG@100 {:.4} ± {:.4}", mean.mean, mean.standard_error)
            }
            Self::Final => write!(f, "training on everybody"),
        }
    }
}

/// A trained model, ready to be stored.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The artifact.
    pub bytes: Vec<u8>,
    /// What it says about itself.
    pub card: Card,
}

/// Trains a model on the signals in `table` over the films of `catalogue`.
///
/// Without likes the model has content and the prior alone; with too few people to hold any out it keeps the settings
/// that it started from, and its card has no quality.
///
/// # Errors
///
/// [`Error::Nothing`] for an empty catalogue, [`Error::DuplicateFilm`] for one that names a film twice,
/// [`Error::Threads`] when no threads can be had.
pub fn train(
    table: &Table,
    catalogue: Vec<Film>,
    options: &TrainOptions,
    progress: &mut (dyn FnMut(Step) + Send),
) -> Result<Trained, Error> {
    if catalogue.is_empty() {
        return Err(Error::Nothing { what: "the catalogue has no films" });
    }
    let bare = |film: Film| Film { movie_id: film.movie_id, ..Film::default() };
    let catalogue =
        if options.own_feedback_only { catalogue.into_iter().map(bare).collect() } else { catalogue };
    threads(options.threads)?.install(|| {
        let ground = Ground::new(catalogue)?;
        let run = Run { table, ground: &ground, options };
        run.whole(progress)
    })
}

/// A pool of `count` threads; zero for one per core.
pub(crate) fn threads(count: usize) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().map_err(|source| Error::Threads { source })
}

/// Whether a new model may replace the current one: its held-out NDCG@100 must not be more than two standard errors
/// under the current one's. The greater of the two standard errors counts, since the held-out people differ between
/// runs. A model that could not be judged may not replace one that was.
pub fn may_replace(new: Option<&Quality>, current: Option<&Quality>) -> bool {
    match (new, current) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(new), Some(current)) => {
            let error = new.ndcg_at_100.standard_error.max(current.ndcg_at_100.standard_error);
            new.ndcg_at_100.mean >= current.ndcg_at_100.mean - 2.0 * error
        }
    }
}

/// What stays the same during a run.
pub(crate) struct Run<'a> {
    pub table: &'a Table,
    pub ground: &'a Ground,
    pub options: &'a TrainOptions,
}

impl Run<'_> {
    fn whole(&self, progress: &mut dyn FnMut(Step)) -> Result<Trained, Error> {
        let split = Split::draw(self.table, self.options.seed);
        let (training, validation, test) = (split.people.len(), split.validation.len(), split.test.len());
        progress(Step::Split { training, validation, test });
        let mut settings = self.start();
        let mut quality = None;
        if validation >= FEWEST_TO_TUNE && test > 0 {
            let parts = self.tuned(&split, &mut settings, progress)?;
            quality = Some(self.quality(&split, &parts)?);
        }
        if let Some(quality) = quality {
            progress(Step::Judged { quality });
        }
        progress(Step::Final);
        let everybody: Vec<usize> = (0..self.table.people()).collect();
        let films = self.table.liked_films(&everybody);
        let likes = self.likes(&everybody, &films, settings.seen);
        let mut parts = self.fit(likes, &everybody, settings)?;
        parts.card.quality = quality;
        let bytes = parts.bytes()?;
        Ok(Trained { bytes, card: parts.card })
    }

    /// The settings to start from: with nothing but content to go by for most films, content counts more.
    pub(crate) fn start(&self) -> Settings {
        let mut settings = self.options.settings;
        if !self.ground.content.is_empty() {
            let weight = 40.0 / (40.0 + self.table.people() as f32);
            settings.weights.content = settings.weights.content.max(weight);
        }
        settings
    }

    /// Tunes `settings` on the validation people and returns the parts that were fitted to the training people.
    pub(crate) fn tuned(
        &self,
        split: &Split,
        settings: &mut Settings,
        progress: &mut dyn FnMut(Step),
    ) -> Result<Parts, Error> {
        if !self.options.tune {
            return self.fit_split(split, *settings);
        }
        let seed = self.options.seed;
        let likes = self.likes(&split.people, &split.films, settings.seen);
        let first = tune::try_latent(&likes, &split.tuning, *settings, seed, progress)?;
        let first =
            tune::halve(first, |other| tune::try_latent(&likes, &split.tuning, other, seed, progress))?;
        let (mut likes, first) = self.without_seen(split, likes, first, progress)?;
        let (chosen, factors) = tune::latent(&likes, &split.tuning, first, seed, progress)?;
        *settings = chosen;
        // The dense matrix comes after the factors: what those needed is free by then.
        let mut workspace = likes.hand_over(self.table.limits());
        if workspace.films() == likes.places.len() {
            tune::item(&mut workspace, &split.tuning, settings, progress)?;
        }
        let mut parts = self.join(&likes, &split.people, *settings, &mut workspace, &factors)?;
        drop(workspace);
        let model = Model::read(parts.bytes()?.as_slice())?;
        let judge = |weights| self.verdict(split, &model, weights);
        let with_content = !self.ground.content.is_empty();
        settings.weights = tune::weights(with_content, settings.weights, judge, progress);
        parts.card.settings.weights = settings.weights;
        Ok(parts)
    }

    /// Leaves out the films that people saw and had no opinion of, if that is better.
    fn without_seen(
        &self,
        split: &Split,
        likes: Likes,
        with: tune::Tried,
        progress: &mut dyn FnMut(Step),
    ) -> Result<(Likes, tune::Tried), Error> {
        let seen = with.settings.seen;
        if seen == 0.0 || !self.table.has_seen(&split.people) {
            return Ok((likes, with));
        }
        // Not both at once: memory.
        drop(likes);
        let likes = self.likes(&split.people, &split.films, 0.0);
        let settings = Settings { seen: 0.0, ..with.settings };
        let without = tune::try_latent(&likes, &split.tuning, settings, self.options.seed, progress)?;
        if tune::is_better(&without.verdict, &with.verdict) {
            return Ok((likes, without));
        }
        drop(likes);
        Ok((self.likes(&split.people, &split.films, seen), with))
    }

    /// Fits at given settings to the training people of a split.
    pub(crate) fn fit_split(&self, split: &Split, settings: Settings) -> Result<Parts, Error> {
        let likes = self.likes(&split.people, &split.films, settings.seen);
        self.fit(likes, &split.people, settings)
    }

    fn likes(&self, people: &[usize], films: &[u32], seen: f32) -> Likes {
        let rows = self.table.training(people, films, seen);
        Likes::new(rows, self.table.counts(people, films), self.ground.places(films))
    }

    fn fit(&self, mut likes: Likes, people: &[usize], settings: Settings) -> Result<Parts, Error> {
        if likes.places.is_empty() {
            return assemble(self.ground, self.prior(people), &likes, None, None, self.card(settings));
        }
        let seed = self.options.seed;
        let factors = ials::train(&likes.by_person, &likes.by_film, settings.latent(), seed, |_| {})?;
        let mut workspace = likes.hand_over(self.table.limits());
        self.join(&likes, people, settings, &mut workspace, &factors)
    }

    fn join(
        &self,
        likes: &Likes,
        people: &[usize],
        settings: Settings,
        workspace: &mut Workspace,
        factors: &Factors,
    ) -> Result<Parts, Error> {
        let solved = workspace.solve(settings.ridge())?;
        let card = self.card(settings);
        assemble(self.ground, self.prior(people), likes, Some(&solved), Some(factors), card)
    }

    fn prior(&self, people: &[usize]) -> Vec<f32> {
        prior(self.table, people, &self.ground.films, self.options.prior)
    }

    fn card(&self, settings: Settings) -> Card {
        Card {
            model_version: self.options.model_version.clone(),
            catalog_version: self.options.catalog_version.clone(),
            seed: self.options.seed,
            intake: self.table.intake(),
            settings,
            ..Card::default()
        }
    }

    /// NDCG@100 of the validation people with other weights.
    fn verdict(&self, split: &Split, model: &Model, weights: Weights) -> Vec<f64> {
        tune::verdict(&split.tuning, |held| ranking(split, model, held, weights))
    }

    /// Quality of the parts, as they would be served, on the test people.
    pub(crate) fn quality(&self, split: &Split, parts: &Parts) -> Result<Quality, Error> {
        let model = Model::read(parts.bytes()?.as_slice())?;
        let weights = model.card().settings.weights;
        let mut jury = Jury::new(split.films.len());
        let rankings: Vec<Vec<u32>> =
            split.test.par_iter().map(|held| ranking(split, &model, held, weights)).collect();
        for (held, ranking) in split.test.iter().zip(&rankings) {
            jury.hear(ranking, &held.hidden);
        }
        Ok(jury.quality())
    }
}

/// The profile that a held-out person gives.
pub(crate) fn profile(split: &Split, held: &Held) -> Profile {
    let thumb = |film: u32, weight| Thumb { movie_id: split.films[film as usize], weight };
    Profile {
        likes: held.likes.iter().map(|(film, weight)| thumb(*film, *weight)).collect(),
        dislikes: held.dislikes.iter().map(|film| thumb(*film, 1.0)).collect(),
        ..Profile::default()
    }
}

/// A held-out person's ranking over the split's films. Likes are left out; dislikes are not, as the protocol has it.
fn ranking(split: &Split, model: &Model, held: &Held, weights: Weights) -> Vec<u32> {
    let taste = Taste::with_weights(model, &profile(split, held), weights);
    let scores = taste.blend();
    let of_split: Vec<f32> = split
        .films
        .iter()
        .map(|id| model.index(*id).map_or(f32::NEG_INFINITY, |k| scores[k as usize]))
        .collect();
    best(&of_split, DEPTH, |film| held.likes.binary_search_by_key(&film, |(film, _)| *film).is_err())
}
