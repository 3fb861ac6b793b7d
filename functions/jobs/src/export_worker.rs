//! `export_worker`: puts everything of a person into one file. A worker that is killed leaves the errand to the next.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use screensort_catalog::{Catalog, Lookup};
use screensort_http::{Authority, Problem};
use screensort_runtime::{JobError, Stack};
use screensort_store::{Change, Errand, ErrandKind, ErrandState, FilmState, Library, Watch};
use serde_json::{Value, json};

/// Entries of a list that are read at once.
const PIECE: usize = 500;

/// As it is scheduled.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let (mut done, mut failed) = (0, 0);
        for (account, errand) in stack.library().errands_waiting(ErrandKind::Export).await? {
            match export(&stack, &account, errand).await {
                Ok(()) => done += 1,
                // It stays on the list, and does not hold up the others.
                Err(problem) => {
                    failed += 1;
                    let cause = problem.causes().unwrap_or_default();
                    tracing::error!(name: "export.failed", cause, "an export failed");
                }
            }
        }
        Ok(json!({"done": done, "failed": failed}))
    })
}

async fn export(stack: &Stack, account: &str, errand: Errand) -> Result<(), Problem> {
    let catalog = stack.catalog().await?;
    let history = all_watches(&stack.library(), account).await?;
    let films = stack.library().of_person(account).await?;
    let (kind, bytes) = if errand.form == "letterboxd" {
        ("text/csv; charset=utf-8", letterboxd(&catalog, &films, &history)?)
    } else {
        let document = document(stack, account, &catalog, &films, &history).await?;
        ("application/json", serde_json::to_vec_pretty(&document).unwrap_or_default())
    };
    let name = format!("exports/{account}/{}.{}", errand.id, errand.form);
    stack.parcels().put(&name, kind, bytes).await?;
    let done = Errand { progress: ErrandState::Done, ..errand };
    let change = Change { account, request: &done.request, at: stack.clock().now() };
    Ok(stack.library().note_errand(&change, ErrandKind::Export, &done).await?)
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

async fn document(
    stack: &Stack,
    account: &str,
    catalog: &Catalog,
    films: &[FilmState],
    history: &[Watch],
) -> Result<Value, Problem> {
    let library = stack.library();
    let person = stack.accounts().person(account).await?;
    let person = person.ok_or_else(|| Problem::internal("an export of nobody"))?;
    let private = stack.private(account).await?;
    let (profile, _) = library.profile(account).await?;
    let (preferences, _) = library.preferences(account).await?;
    let open = |field: &str, sealed: &Option<String>| {
        sealed.as_ref().map(|sealed| private.open(field, sealed)).transpose()
    };
    let reviews: Vec<Value> = library
        .own_reviews(account, None, usize::MAX)
        .await?
        .into_iter()
        .map(|(_, review)| {
            json!({"movie_id": review.movie, "text": review.text, "spoiler": review.spoiler,
                "language": review.language, "state": review.state.name(),
                "created_at": review.created_at, "updated_at": review.updated_at})
        })
        .collect();
    let logins: Vec<Value> = stack
        .sessions()
        .logins(account, None, PIECE)
        .await?
        .into_iter()
        .map(|(_, login)| json!({"at": login.at, "browser": login.device, "network": login.prefix}))
        .collect();
    let film = |film: &FilmState| {
        let (title, year) = named(catalog, film.movie);
        json!({"movie_id": film.movie, "title": title, "year": year,
            "thumb": film.thumb, "thumb_at": film.thumb_at, "rating": film.rating, "rating_at": film.rating_at,
            "hidden_at": film.hidden_at, "watchlist_at": film.watchlist_at, "watched_at": film.watched_at})
    };
    let watch = |watch: &Watch| {
        json!({"movie_id": watch.movie, "watched_at": watch.watched_at, "rewatch": watch.rewatch,
            "operator": watch.operator, "mode": watch.mode})
    };
    Ok(json!({
        "format": "screensort", "version": 1, "exported_at": stack.clock().now(),
        "account": {"id": account, "username": person.account.username,
            "email": private.open_account("email", &person.account.email)?,
            "created_at": person.account.created_at, "roles": person.account.roles},
        "profile": {"display_name": open("display_name", &profile.display_name)?,
            "bio": open("bio", &profile.bio)?, "region": profile.region, "birth_year": profile.birth_year},
        "preferences": preferences,
        "films": films.iter().map(film).collect::<Vec<_>>(),
        "history": history.iter().map(watch).collect::<Vec<_>>(),
        "reviews": reviews,
        "sessions": person.sessions.iter().map(|session| json!({"created_at": session.created_at,
            "last_seen_at": session.last_seen, "browser": session.device, "network": session.prefix}))
            .collect::<Vec<_>>(),
        "logins": logins,
    }))
}

/// One file as Letterboxd's importer takes it: a row for each time a film was watched, and for each rated one that
/// never was.
fn letterboxd(catalog: &Catalog, films: &[FilmState], history: &[Watch]) -> Result<Vec<u8>, Problem> {
    let unwritten = |_| Problem::internal("a CSV file cannot be written");
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["tmdbID", "Title", "Year", "Rating10", "WatchedDate", "Rewatch"]).map_err(unwritten)?;
    let mut row = |film: &FilmState, at: Option<Timestamp>, rewatch: bool| {
        let (title, year) = named(catalog, film.movie);
        csv.write_record([
            film.movie.to_string(),
            guarded(title),
            year.map(|year| year.to_string()).unwrap_or_default(),
            film.rating.map(|rating| rating.value().to_string()).unwrap_or_default(),
            at.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()).unwrap_or_default(),
            if rewatch { "true".to_owned() } else { String::new() },
        ])
        .map_err(unwritten)
    };
    for film in films {
        let mut watches = history.iter().filter(|watch| watch.movie == film.movie).peekable();
        if watches.peek().is_none() && film.rating.is_some() {
            row(film, None, false)?;
        }
        for watch in watches {
            row(film, Some(watch.watched_at), watch.rewatch)?;
        }
    }
    csv.into_inner().map_err(|_| Problem::internal("a CSV file cannot be finished"))
}

/// A text that no spreadsheet takes for a formula.
fn guarded(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}
