//! `publish_catalog`: builds the catalogue's file from the table and makes it current.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use screensort_catalog::{Catalog, Contents};
use screensort_model::reference::Reference;
use screensort_model::{Mode, Movie, Operator, OperatorId};
use screensort_runtime::{JobError, Stack};
use screensort_store::{Directory, Tombstone};
use serde_json::Value;

use crate::run::{count, logged, published, summary};
use crate::{Counts, Error, Outcome};

/// Parallel reads of the table.
const SEGMENTS: u32 = 4;
/// Where it is noted how many films have left the table for a reason of ours since the last publication.
const EXPLAINED: &str = "publish_catalog.explained";

/// As a scheduled job; `{"force": true}` publishes even a much smaller catalogue.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let force = event.get("force").and_then(Value::as_bool).unwrap_or(false);
        summary(run(&stack, force).await)
    })
}

/// Publishes what the table holds. The catalogue before stays current if anything fails.
///
/// # Errors
/// If the store or the bucket fails, or a tenth of the films would vanish at once without `force`.
pub async fn run(stack: &Stack, force: bool) -> Result<Outcome, Error> {
    logged(stack, "publish_catalog", async {
        let catalogue = stack.catalogue();
        let everything = catalogue.everything(SEGMENTS).await?.edited();
        let movies: Vec<Movie> = everything.films.into_iter().map(|(movie, _)| movie).collect();
        let mut counts = Counts::new();
        if !everything.unreadable.is_empty() {
            count(&mut counts, "unreadable", everything.unreadable.len());
        }
        // One that cannot be read is replaced, whatever it held.
        let before = published(stack).await.ok().flatten().map_or(0, |catalog| catalog.len());
        let explained: usize = stack.progress().cursor(EXPLAINED).await?.unwrap_or(0);
        if !force && movies.len().saturating_add(explained) < least(before) {
            return Err(Error::Shrunk { before, now: movies.len() });
        }
        let mut trending = catalogue.trending().await?;
        let now = stack.clock().now();
        let version = screensort_http::new_id(now)?;
        let modes = shown_modes(&movies);
        let directory = stack.operators().load().await?;
        let operators = with_modes(catalogue.operators().await?, &directory, &modes);
        stack.operators().keep_modes(&modes).await?;
        let contents = Contents {
            version: version.clone(),
            made_at: now,
            operators,
            reference: catalogue.reference().await?.unwrap_or_else(Reference::built_in),
            trending_day: trending.remove("day").unwrap_or_default(),
            trending_week: trending.remove("week").unwrap_or_default(),
            withdrawn: (everything.tombstones.iter())
                .filter_map(|(id, tombstone)| matches!(tombstone, Tombstone::Withdrawn).then_some(*id))
                .collect(),
            merged: (everything.tombstones.iter())
                .filter_map(|(id, tombstone)| match tombstone {
                    Tombstone::Merged { into } => Some((*id, *into)),
                    _ => None,
                })
                .collect(),
            movies,
        };
        let (catalog, file) = Catalog::make(contents)?;
        let bytes = file.len();
        stack.artifacts().publish(&version, file, now).await?;
        stack.catalog_changed();
        if explained > 0 {
            stack.progress().set_cursor(EXPLAINED, &0).await?;
        }
        count(&mut counts, "films", catalog.len());
        count(&mut counts, "operators", catalog.operators().len());
        count(&mut counts, "bytes", bytes);
        Ok(Outcome::done(counts))
    })
    .await
}

/// The fewest films that may replace `before` without a word.
fn least(before: usize) -> usize {
    if before > 100 { before - before / 10 } else { before.min(1) }
}

/// Notes that so many films are about to leave the table for a reason of ours, so that publishing what is left is
/// not refused: what TMDb lets nobody keep must not go on being served.
pub(crate) async fn explain(stack: &Stack, films: usize) -> Result<(), Error> {
    if films == 0 {
        return Ok(());
    }
    let progress = stack.progress();
    let before: usize = progress.cursor(EXPLAINED).await?.unwrap_or(0);
    Ok(progress.set_cursor(EXPLAINED, &before.saturating_add(films)).await?)
}

/// How operators show films, as the films' offers say.
fn shown_modes(movies: &[Movie]) -> BTreeMap<OperatorId, BTreeSet<Mode>> {
    let mut modes: BTreeMap<OperatorId, BTreeSet<Mode>> = BTreeMap::new();
    for offers in movies.iter().flat_map(|movie| movie.offers.values()) {
        for (mode, ids) in offers {
            for id in ids {
                modes.entry(*id).or_default().insert(*mode);
            }
        }
    }
    modes
}

/// Operators that show films, with the name that people gave them by hand, without those that were taken out; and
/// those whose source does not say how they show films, as their offers do.
fn with_modes(
    mut operators: Vec<Operator>,
    directory: &Directory,
    modes: &BTreeMap<OperatorId, BTreeSet<Mode>>,
) -> Vec<Operator> {
    operators.retain(|operator| !directory.removed.contains_key(&operator.id));
    for operator in &mut operators {
        if operator.modes.is_empty() {
            operator.modes = modes.get(&operator.id).into_iter().flatten().copied().collect();
        }
        if let Some(listing) = directory.get(operator.id).filter(|listing| listing.revision > 0) {
            operator.name.clone_from(&listing.name);
            operator.homepage.clone_from(&listing.homepage);
            operator.description.clone_from(&listing.description);
        }
    }
    operators
}
