//! `import_worker`: brings a file's films into a person's library. Doing a file again changes nothing, so that a
//! worker that is killed leaves the errand to the next, and two at the same file do no harm.

mod about;
mod taken;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use screensort_auth::Permission;
use screensort_catalog::Catalog;
use screensort_http::Problem;
use screensort_http::member::standing;
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Change, Errand, ErrandKind, ErrandState, HeldErrand};
use serde_json::{Value, json};

use crate::errand;
use crate::import::{Match, Parcel, Row, Titles, confine, is_garbled, living, read};
use taken::Taker;

/// After so many films it is noted how far the import is.
const PIECE: usize = 25;
/// Films looked up or changed at once.
const AT_ONCE: usize = 8;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let work = |held: HeldErrand, errand: Errand| {
            let stack = &stack;
            async move { import(stack, &held, errand).await }
        };
        errand::run(&stack, ErrandKind::Import, work).await
    })
}

async fn import(stack: &Stack, held: &HeldErrand, mut errand: Errand) -> Result<(), Problem> {
    let account = held.account.as_str();
    let request = errand.request.clone();
    let change = Change { account, request: &request, at: stack.clock().now() };
    let owner = stack.accounts().person(account).await?.map(|person| person.account);
    let Some(owner) = owner else { return errand::forget(stack, &change).await };
    // What they may do now counts, not what they might when they asked.
    let may = standing(&owner)?.permissions();
    let name = format!("imports/{account}/{}", errand.id);
    let file = stack.parcels().get(&name).await?.unwrap_or_default();
    let parcel = match may.contains(Permission::ImportsWriteOwn) {
        true => read(&errand.form, &String::from_utf8_lossy(&file), errand.to_watch),
        false => Err("You may not import anything any more."),
    };
    let mut parcel = match parcel {
        Ok(parcel) => parcel,
        Err(why) => {
            errand.progress = ErrandState::Failed;
            errand.failure = Some(why.to_owned());
            errand::note(stack, &change, held, &errand).await?;
            return Ok(());
        }
    };
    let left_out = confine(&mut parcel, may);
    let Parcel { rows, about } = parcel;
    let found = find_all(stack, &rows).await?;
    let mut films: BTreeMap<MovieId, Vec<&Row>> = BTreeMap::new();
    errand.counted = [0; 3];
    for (row, found) in rows.iter().zip(&found) {
        match found {
            Match::One(movie) => films.entry(*movie).or_default().push(row),
            Match::Several => errand.counted[1] += 1,
            Match::None => errand.counted[2] += 1,
        }
    }
    let mut notes: BTreeMap<MovieId, &'static str> = BTreeMap::new();
    if errand.dry_run {
        errand.counted[0] = films.values().map(|rows| rows.len() as u32).sum();
    } else {
        let taker = Taker::of(stack, change, &owner, &rows).await?;
        let films: Vec<(MovieId, Vec<&Row>)> = films.into_iter().collect();
        for piece in films.chunks(PIECE) {
            let taking: Vec<BoxFuture<'_, _>> =
                piece.iter().map(|(movie, rows)| taker.take(*movie, rows).boxed()).collect();
            let taken: Vec<Option<&'static str>> =
                futures::stream::iter(taking).buffered(AT_ONCE).try_collect().await?;
            for ((movie, rows), note) in piece.iter().zip(taken) {
                errand.counted[0] += rows.len() as u32;
                notes.extend(note.map(|note| (*movie, note)));
            }
            if !errand::note(stack, &change, held, &errand).await? {
                // Another run has it, or there is nobody to do it for.
                return Ok(());
            }
        }
        about::take(stack, &change, about).await?;
    }
    let of_rows = rows.iter().zip(&found).zip(left_out).enumerate();
    let report: Vec<Value> =
        of_rows.map(|(at, ((row, found), left_out))| line(at, row, *found, left_out, &notes)).collect();
    let report = serde_json::to_vec(&report).unwrap_or_default();
    stack.parcels().put(&format!("{name}.report"), "application/json", report).await?;
    errand.progress = ErrandState::Done;
    errand::note(stack, &change, held, &errand).await?;
    Ok(())
}

/// What the report says of a row.
fn line(
    at: usize,
    row: &Row,
    found: Match,
    left_out: Option<String>,
    notes: &BTreeMap<MovieId, &'static str>,
) -> Value {
    let (result, movie) = match found {
        Match::One(movie) => ("matched", Some(movie)),
        Match::Several => ("ambiguous", None),
        Match::None => ("unmatched", None),
    };
    let note = match movie {
        Some(movie) if row.review.is_some() => notes.get(&movie).copied(),
        None if is_garbled(&row.title) => {
            Some("Characters of the title were lost: the file was not in UTF-8 when it was read.")
        }
        _ => None,
    };
    let note = left_out.or(note.map(str::to_owned));
    let title = screensort_model::text::tidy(&row.title, 100);
    json!({"row": at + 1, "title": title, "result": result, "movie_id": movie, "note": note})
}

/// Which film each row means.
async fn find_all(stack: &Stack, rows: &[Row]) -> Result<Vec<Match>, Problem> {
    let catalog = stack.catalog().await?;
    let titles = Titles::of(&catalog);
    let finding: Vec<BoxFuture<'_, _>> =
        rows.iter().map(|row| find(stack, &catalog, &titles, row).boxed()).collect();
    futures::stream::iter(finding).buffered(AT_ONCE).try_collect().await
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
    Ok(if row.is_no_film { Match::None } else { titles.find(&row.title, row.year) })
}
