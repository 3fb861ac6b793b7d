//! `train_recommender`: learns from what people said of films and publishes the recommendation model.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use screensort_auth::event::Event;
use screensort_http::{Authority, log, trail_of};
use screensort_model::Movie;
use screensort_recommend::{
    Card, Film, Limits, Quality, Signal, Step, Table, TrainOptions, Trained, Votes, may_replace, train,
};
use screensort_runtime::{ArtifactError, Current, JobError, Stack, deed};
use screensort_store::{FilmState, Why};
use serde_json::Value;

use crate::run::{count, logged, summary};
use crate::{Counts, Error, Outcome};

/// Who it is that trains, in the trail.
const JOB: &str = "train_recommender";
/// Parallel reads of a table.
const SEGMENTS: u32 = 4;
/// An account younger than this has no say: whoever makes many at once is seen before they count.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);
/// The first few of the cast say something about a film.
const BILLED: usize = 5;

/// How a run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices {
    /// The same people, films and seed give the same model.
    pub seed: u32,
    /// Publishes even a model that is worse than the current one.
    pub force: bool,
    /// There is an agreement with TMDb that allows learning from its facts. Without one, nothing but the id of a film
    /// that came from TMDb is looked at.
    pub tmdb_agreement: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self { seed: 1, force: false, tmdb_agreement: false }
    }
}

/// As a scheduled job. `{"force": true}` publishes even a worse model, `{"tmdb_agreement": true}` learns from TMDb's
/// facts too, `{"seed": 7}` is another seed, `{"rollback": true}` or `{"rollback": "VERSION"}` goes back instead.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        match event.get("rollback") {
            Some(Value::String(version)) => summary(roll_back(&stack, Some(version)).await.map(done)),
            Some(Value::Bool(true)) => summary(roll_back(&stack, None).await.map(done)),
            _ => {
                let is = |name: &str| event.get(name).and_then(Value::as_bool).unwrap_or(false);
                let seed =
                    event.get("seed").and_then(Value::as_u64).and_then(|seed| u32::try_from(seed).ok());
                let choices = Choices {
                    seed: seed.unwrap_or(Choices::default().seed),
                    force: is("force"),
                    tmdb_agreement: is("tmdb_agreement"),
                };
                summary(run(&stack, choices, |_| {}).await)
            }
        }
    })
}

fn done(_: Current) -> Outcome {
    Outcome::done(Counts::new())
}

/// Trains on everybody's library and publishes the model, unless it is worse than the current one.
///
/// With too few people to judge it, the model is published as long as the current one could not be judged either;
/// with nobody at all it is made of the catalogue alone.
///
/// # Errors
/// If the store or the bucket fails; the model before stays current.
pub async fn run(
    stack: &Stack,
    choices: Choices,
    progress: impl FnMut(Step) + Send + 'static,
) -> Result<Outcome, Error> {
    logged(stack, JOB, async {
        let mut counts = Counts::new();
        let catalogue = films(stack, choices.tmdb_agreement).await?;
        if catalogue.is_empty() {
            // Nothing to recommend: not a failure of a deployment that has just been made.
            return Ok(Outcome::done(counts));
        }
        let now = stack.clock().now();
        let voters = stack.voters().established(now.saturating_sub(YOUNG)?).await?;
        let signals = signals(stack, &voters, &mut counts).await?;
        drop(voters);
        let version = screensort_http::new_id(now)?;
        let options = TrainOptions {
            seed: choices.seed,
            model_version: version.clone(),
            catalog_version: stack.catalog().await.map(|c| c.version().to_owned()).unwrap_or_default(),
            ..TrainOptions::default()
        };
        let trained = tokio::task::spawn_blocking(move || learn(signals, catalogue, &options, progress));
        let Trained { bytes, card } = trained.await.map_err(|_| Error::Interrupted)??;
        count(&mut counts, "people", card.people);
        count(&mut counts, "opinions", card.intake.kept);
        count(&mut counts, "films_liked", card.liked_films);
        count(&mut counts, "bytes", bytes.len());
        if !choices.force && !may_replace(card.quality.as_ref(), published_quality(stack).await?.as_ref()) {
            note(stack, Event::RecommendationModelRefused, &version).await?;
            count(&mut counts, "refused", 1);
            return Ok(Outcome::done(counts));
        }
        let about = serde_json::to_value(&card).unwrap_or_default();
        stack.models().publish_with(&version, bytes, now, about).await?;
        stack.model_changed();
        note(stack, Event::RecommendationModelChanged, &version).await?;
        Ok(Outcome::done(counts))
    })
    .await
}

/// Makes an earlier model current again: the one before the current one unless `version` names another.
///
/// # Errors
/// If there is no such version or the bucket fails; the current model stays then.
pub async fn roll_back(stack: &Stack, version: Option<&str>) -> Result<Current, Error> {
    let current = stack.models().roll_back(version).await?;
    stack.model_changed();
    note(stack, Event::RecommendationModelChanged, &current.version).await?;
    Ok(current)
}

fn learn(
    signals: Vec<Signal>,
    catalogue: Vec<Film>,
    options: &TrainOptions,
    mut progress: impl FnMut(Step) + Send,
) -> Result<Trained, screensort_recommend::Error> {
    let known: BTreeSet<u32> = catalogue.iter().map(|film| film.movie_id).collect();
    let table = Table::gather(signals, |film| known.contains(&film), Limits::default())?;
    train(&table, catalogue, options, &mut progress)
}

/// The opinions of those who have a say. People are numbered in the order of their ids.
async fn signals(
    stack: &Stack,
    voters: &BTreeSet<String>,
    counts: &mut Counts,
) -> Result<Vec<Signal>, Error> {
    let numbers: BTreeMap<&str, u64> = voters.iter().map(String::as_str).zip(0..).collect();
    // Of a person without a say nothing is kept but that there was an opinion.
    let opinion = |id: &str, state: &FilmState| {
        let deed = deed(state);
        let value = deed.opinion()?;
        let signal = |person: &u64| Signal { person: *person, film: deed.movie_id, value, at: deed.at };
        Some(numbers.get(id).map(signal))
    };
    let opinions = stack.library().everyone(SEGMENTS, opinion).await?;
    let unheard = opinions.iter().filter(|opinion| opinion.is_none()).count();
    if unheard > 0 {
        count(counts, "without_a_say", unheard);
    }
    let mut signals: Vec<Signal> = opinions.into_iter().flatten().collect();
    // Parallel reads come in any order; the model must not depend on it.
    signals.sort_by_key(|signal| (signal.person, signal.film));
    Ok(signals)
}

/// The films of the catalogue, as the model may know them.
async fn films(stack: &Stack, tmdb_agreement: bool) -> Result<Vec<Film>, Error> {
    let everything = stack.catalogue().everything(SEGMENTS).await?.edited();
    Ok(everything.films.iter().map(|(movie, why)| film(movie, *why, tmdb_agreement)).collect())
}

/// A film as the model may know it.
fn film(movie: &Movie, why: Why, tmdb_agreement: bool) -> Film {
    let movie_id = movie.id.get();
    if why == Why::Tmdb && !tmdb_agreement {
        return Film { movie_id, ..Film::default() };
    }
    let directors = movie.directors.iter().map(|person| person.id.get());
    let cast = movie.cast.iter().take(BILLED).map(|person| person.id.get());
    Film {
        movie_id,
        genres: movie.genres.iter().map(|id| id.get()).collect(),
        keywords: movie.keywords.iter().map(|keyword| keyword.id.get()).collect(),
        people: directors.chain(cast).collect(),
        year: movie.year().and_then(|year| u16::try_from(year).ok()),
        votes: (movie.vote_count > 0)
            .then(|| Votes { average: movie.vote_average / 10.0, count: movie.vote_count }),
    }
}

/// The quality of the model that is served; a pointer that cannot be read protects nothing.
async fn published_quality(stack: &Stack) -> Result<Option<Quality>, Error> {
    let current = match stack.models().current().await {
        Err(ArtifactError::Pointer(_)) => None,
        current => current?,
    };
    let card = current.and_then(|current| serde_json::from_value::<Card>(current.about).ok());
    Ok(card.and_then(|card| card.quality))
}

/// Leaves the trace of what became of a model, in the trail and in the log.
async fn note(stack: &Stack, event: Event, version: &str) -> Result<(), Error> {
    let now = stack.clock().now();
    let trail = trail_of(event, JOB, version, version, now);
    let trail = trail.map_err(|problem| Error::Untraced(problem.causes().unwrap_or_default()))?;
    stack.audit().keep(&trail).await?;
    log(&trail);
    Ok(())
}
