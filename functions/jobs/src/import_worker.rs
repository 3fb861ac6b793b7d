//! `import_worker`: brings a file's films into a person's library. Doing a file again changes nothing, so that a
//! worker that is killed leaves the errand to the next.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use screensort_catalog::Catalog;
use screensort_http::Problem;
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Change, Errand, ErrandKind, ErrandState, Watch};
use serde_json::{Value, json};

use crate::import::{Match, Row, Titles, living, rows};

/// After so many rows it is noted how far the import is.
const PIECE: usize = 200;

/// As it is scheduled.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let (mut done, mut failed) = (0, 0);
        for (account, errand) in stack.library().errands_waiting(ErrandKind::Import).await? {
            match import(&stack, &account, errand).await {
                Ok(()) => done += 1,
                // It stays on the list, and does not hold up the others.
                Err(problem) => {
                    failed += 1;
                    let cause = problem.causes().unwrap_or_default();
                    tracing::error!(name: "import.failed", cause, "an import failed");
                }
            }
        }
        Ok(json!({"done": done, "failed": failed}))
    })
}

async fn import(stack: &Stack, account: &str, mut errand: Errand) -> Result<(), Problem> {
    let request = errand.request.clone();
    let now = stack.clock().now();
    let change = Change { account, request: &request, at: now };
    let name = format!("imports/{account}/{}", errand.id);
    let file = stack.parcels().get(&name).await?.unwrap_or_default();
    let content = String::from_utf8_lossy(&file);
    let rows = match rows(&errand.form, &content, errand.to_watch) {
        Ok(rows) => rows,
        Err(why) => {
            errand.progress = ErrandState::Failed;
            errand.failure = Some(why.to_owned());
            return Ok(stack.library().note_errand(&change, ErrandKind::Import, &errand).await?);
        }
    };
    let catalog = stack.catalog().await?;
    let titles = Titles::of(&catalog);
    let mut report = Vec::with_capacity(rows.len());
    errand.counted = [0; 3];
    for (at, row) in rows.iter().enumerate() {
        let found = find(stack, &catalog, &titles, row).await?;
        let (place, result, movie) = match found {
            Match::One(movie) => (0, "matched", Some(movie)),
            Match::Several => (1, "ambiguous", None),
            Match::None => (2, "unmatched", None),
        };
        errand.counted[place] += 1;
        if let Some(movie) = movie.filter(|_| !errand.dry_run) {
            take(stack, &change, movie, row).await?;
        }
        report.push(json!({"row": at + 1, "title": shown(&row.title), "result": result, "movie_id": movie}));
        if (at + 1) % PIECE == 0 {
            stack.library().note_errand(&change, ErrandKind::Import, &errand).await?;
        }
    }
    let report = serde_json::to_vec(&report).unwrap_or_default();
    stack.parcels().put(&format!("{name}.report"), "application/json", report).await?;
    errand.progress = ErrandState::Done;
    Ok(stack.library().note_errand(&change, ErrandKind::Import, &errand).await?)
}

/// A title as the report shows it.
fn shown(title: &str) -> String {
    screensort_model::text::tidy(title, 100)
}

/// TMDb's id decides, then IMDb's, then title and year.
async fn find(stack: &Stack, catalog: &Catalog, titles: &Titles, row: &Row) -> Result<Match, Problem> {
    if let Some(found) = row.tmdb.map(|id| living(catalog, id)).filter(|found| *found != Match::None) {
        return Ok(found);
    }
    let is_imdb = |id: &&String| id.len() <= 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(imdb) = row.imdb.as_ref().filter(is_imdb)
        && let Some(id) = stack.catalogue().by_imdb(imdb).await?
    {
        return Ok(living(catalog, id));
    }
    Ok(titles.find(&row.title, row.year))
}

async fn take(stack: &Stack, change: &Change<'_>, movie: MovieId, row: &Row) -> Result<(), Problem> {
    let library = stack.library();
    // What was said then keeps its place; nothing was said in the future.
    let then = |at: Option<Timestamp>| Change { at: at.map_or(change.at, |at| at.min(change.at)), ..*change };
    if let Some((rating, at)) = row.rating {
        library.set_rating(&then(at), movie, Some(rating)).await?;
    }
    if let Some((thumb, at)) = row.thumb {
        library.set_thumb(&then(at), movie, Some(thumb)).await?;
    }
    if let Some(at) = row.hidden {
        library.set_hidden(&then(at), movie, true).await?;
    }
    if let Some(at) = row.watchlist {
        library.set_watchlist(&then(at), movie, true).await?;
    }
    if let Some((at, rewatch)) = row.watched {
        let watched_at = then(at).at;
        // The same film at the same time is the same entry, however often it is imported. Without a time the entry
        // is the film's one import without a time.
        let named = at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
        let id = derived(&format!("{}#{movie}#{named}", change.account));
        let watch = Watch { id, movie, watched_at, rewatch, operator: None, mode: None };
        library.watch(change, &watch).await?;
    }
    Ok(())
}

/// A ULID that is the same for the same text.
fn derived(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    ulid::Ulid::from_bytes(bytes).to_string()
}
