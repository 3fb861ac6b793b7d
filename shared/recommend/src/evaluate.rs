//! Measuring quality by a fixed protocol, so that the numbers can be put beside others.

use std::time::Instant;

use serde::Serialize;

use crate::artifact::Settings;
use crate::error::Error;
use crate::film::Film;
use crate::fit::Ground;
use crate::metrics::{Mean, Quality};
use crate::model::Model;
use crate::recommend::PageOptions;
use crate::signal::Table;
use crate::split::Split;
use crate::train::{Run, Step, TrainOptions, profile, threads};

/// What an evaluation found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The protocol in words: numbers compare only under the same one.
    pub protocol: &'static str,
    /// Seeds of the splits.
    pub seeds: Vec<u32>,
    /// Films of the first split.
    pub films: usize,
    /// Training people of the first split.
    pub training_people: usize,
    /// Test people of the first split.
    pub test_people: usize,
    /// Settings that the validation people of the first split chose.
    pub settings: Settings,
    /// Mean over the seeds, with the standard error over the people of the first split.
    pub recall_at_20: Mean,
    /// As above.
    pub recall_at_50: Mean,
    /// As above.
    pub ndcg_at_100: Mean,
    /// Share of the films in somebody's first 20 places: mean over the seeds.
    pub coverage_at_20: f64,
    /// Quality for each seed.
    pub per_seed: Vec<Quality>,
    /// Longest time of one fit at the chosen settings, seconds, reading the file not counted.
    pub training_seconds: f64,
    /// Time of choosing the settings on the first split, seconds.
    pub tuning_seconds: f64,
    /// Size of the artifact of the first split.
    pub artifact_bytes: usize,
    /// Mean time of one page for a test person, with fold-in, re-ranking and reasons, on one core.
    pub microseconds_per_request: f64,
}

const PROTOCOL: &str = "likes are ratings >= 4, dislikes <= 2; people with 5 likes or more, shuffled by the seed, 10 % \
validation, 10 % test; films liked by a training person; 80/20 fold-in; fold-in films left out of the ranking, \
dislikes not; Recall@k over min(k, hidden); settings chosen on the validation people of the first seed";

/// Evaluates on `table`, tuning on the first of `seeds`.
///
/// # Errors
///
/// [`Error::Nothing`] when there is no seed, or so few people that a split has nobody to test on.
pub fn evaluate(
    table: &Table,
    seeds: &[u32],
    options: &TrainOptions,
    progress: &mut (dyn FnMut(Step) + Send),
) -> Result<Report, Error> {
    threads(options.threads)?.install(|| evaluated(table, seeds, options, progress))
}

fn evaluated(
    table: &Table,
    seeds: &[u32],
    options: &TrainOptions,
    progress: &mut dyn FnMut(Step),
) -> Result<Report, Error> {
    let mut first: Option<First> = None;
    let mut per_seed = Vec::with_capacity(seeds.len());
    let mut training_seconds = 0.0f64;
    for &seed in seeds {
        let split = Split::draw(table, seed);
        let (training, validation, test) = (split.people.len(), split.validation.len(), split.test.len());
        progress(Step::Split { training, validation, test });
        if test == 0 || validation == 0 || split.films.is_empty() {
            return Err(Error::Nothing { what: "too few people with five likes to hold any out" });
        }
        let film = |movie_id: &u32| Film { movie_id: *movie_id, ..Film::default() };
        let ground = Ground::new(split.films.iter().map(film).collect())?;
        let options = TrainOptions { seed, ..options.clone() };
        let run = Run { table, ground: &ground, options: &options };
        let (settings, tuning_seconds) = match &first {
            Some(first) => (first.settings, first.tuning_seconds),
            None => {
                let begun = Instant::now();
                let mut settings = run.start();
                run.tuned(&split, &mut settings, progress)?;
                (settings, begun.elapsed().as_secs_f64())
            }
        };
        let begun = Instant::now();
        let parts = run.fit_split(&split, settings)?;
        training_seconds = training_seconds.max(begun.elapsed().as_secs_f64());
        let quality = run.quality(&split, &parts)?;
        progress(Step::Judged { quality });
        per_seed.push(quality);
        if first.is_none() {
            let bytes = parts.bytes()?;
            let microseconds = microseconds_per_request(&split, &Model::read(bytes.as_slice())?);
            let (films, artifact_bytes) = (split.films.len(), bytes.len());
            first =
                Some(First { settings, tuning_seconds, films, training, test, artifact_bytes, microseconds });
        }
    }
    let Some(first) = first else { return Err(Error::Nothing { what: "there is no seed" }) };
    Ok(report(first, seeds, per_seed, training_seconds))
}

/// What is reported of the first seed alone.
struct First {
    settings: Settings,
    tuning_seconds: f64,
    films: usize,
    training: usize,
    test: usize,
    artifact_bytes: usize,
    microseconds: f64,
}

fn report(first: First, seeds: &[u32], per_seed: Vec<Quality>, training_seconds: f64) -> Report {
    let over = |pick: fn(&Quality) -> Mean| Mean {
        mean: Mean::of(per_seed.iter().map(|q| pick(q).mean)).mean,
        standard_error: per_seed.first().map_or(0.0, |q| pick(q).standard_error),
    };
    Report {
        protocol: PROTOCOL,
        seeds: seeds.to_vec(),
        films: first.films,
        training_people: first.training,
        test_people: first.test,
        settings: first.settings,
        recall_at_20: over(|q| q.recall_at_20),
        recall_at_50: over(|q| q.recall_at_50),
        ndcg_at_100: over(|q| q.ndcg_at_100),
        coverage_at_20: Mean::of(per_seed.iter().map(|q| q.coverage_at_20)).mean,
        per_seed,
        training_seconds,
        tuning_seconds: first.tuning_seconds,
        artifact_bytes: first.artifact_bytes,
        microseconds_per_request: first.microseconds,
    }
}

fn microseconds_per_request(split: &Split, model: &Model) -> f64 {
    let profiles: Vec<_> = split.test.iter().map(|held| profile(split, held)).collect();
    let options = PageOptions::default();
    let begun = Instant::now();
    for profile in &profiles {
        std::hint::black_box(model.recommend(profile, |_| true, &options));
    }
    begun.elapsed().as_secs_f64() * 1e6 / profiles.len().max(1) as f64
}
