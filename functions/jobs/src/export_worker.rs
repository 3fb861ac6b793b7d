//! `export_worker`: puts everything of a person into one file. A worker that is killed leaves the errand to the next.

mod document;
mod letterboxd;

use std::future::Future;
use std::pin::Pin;

use screensort_catalog::{Catalog, Lookup};
use screensort_http::Problem;
use screensort_runtime::{JobError, Stack};
use screensort_store::{
    Change, Errand, ErrandKind, ErrandState, FilmState, HeldErrand, Library, Review, Watch,
};
use serde_json::Value;

use crate::errand;

/// Entries of a list that are read at once.
const PIECE: usize = 500;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let work = |held: HeldErrand, errand: Errand| {
            let stack = &stack;
            async move { export(stack, &held, errand).await }
        };
        errand::run(&stack, ErrandKind::Export, work).await
    })
}

/// What a person did with films and wrote about them.
struct Said {
    films: Vec<FilmState>,
    /// Newest first.
    history: Vec<Watch>,
    reviews: Vec<Review>,
}

async fn export(stack: &Stack, held: &HeldErrand, errand: Errand) -> Result<(), Problem> {
    let account = held.account.as_str();
    let catalog = stack.catalog().await?;
    let request = errand.request.clone();
    let change = Change { account, request: &request, at: stack.clock().now() };
    let Some(person) = stack.accounts().person(account).await? else {
        return errand::forget(stack, &change).await;
    };
    let library = stack.library();
    let reviews = library.own_reviews(account, None, usize::MAX).await?;
    let said = Said {
        films: library.of_person(account).await?,
        history: all_watches(&library, account).await?,
        reviews: reviews.into_iter().map(|(_, review)| review).collect(),
    };
    let (kind, bytes) = if errand.form == "letterboxd" {
        ("text/csv; charset=utf-8", letterboxd::file(&catalog, &said)?)
    } else {
        let document = document::of(stack, &person, &catalog, &said).await?;
        // In one line: what is brought back has to fit into a request.
        ("application/json", serde_json::to_vec(&document).unwrap_or_default())
    };
    let name = format!("exports/{account}/{}.{}", errand.id, errand.form);
    stack.parcels().put(&name, kind, bytes).await?;
    let done = Errand { progress: ErrandState::Done, ..errand };
    errand::note(stack, &change, held, &done).await?;
    Ok(())
}

async fn all_watches(library: &Library, account: &str) -> Result<Vec<Watch>, Problem> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let piece = library.history(account, after.as_deref(), PIECE).await?;
        let is_last = piece.len() < PIECE;
        after = piece.last().map(|(place, _)| place.clone());
        all.extend(piece.into_iter().map(|(_, watch)| watch));
        if is_last {
            return Ok(all);
        }
    }
}

/// Title and year of a film; empty where it has left the catalogue.
fn named(catalog: &Catalog, id: screensort_model::MovieId) -> (String, Option<i16>) {
    match catalog.lookup(id) {
        Lookup::Film(film) => (film.title().to_owned(), film.release_date().map(jiff::civil::Date::year)),
        _ => (String::new(), None),
    }
}
