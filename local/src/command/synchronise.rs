//! `sync`: the catalogue in step with TMDb, by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::arguments::SyncArgs;
use super::serve::first_catalogue;
use super::{Failure, INTERRUPTED, say, stand};
use crate::sync::{self, What};

pub(super) async fn synchronise(data: Option<PathBuf>, args: SyncArgs) -> Result<(), Failure> {
    let stand = stand(args.tmdb.choices(data)).await?;
    let token = args.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    match token {
        Some(token) => {
            // One that TMDb refuses must not take the place of one that it takes.
            screensort_jobs::check_token(&stand.stack, token).await?;
            stand.set_tmdb_token(token).await?;
        }
        None if stand
            .stack
            .secret_if_any(&stand.stack.settings().tmdb_secret)
            .await
            .ok()
            .flatten()
            .is_none() =>
        {
            return Err(screensort_jobs::Error::KeyMissing.into());
        }
        None => {}
    }
    first_catalogue(&stand).await?;
    let synced: Option<jiff::civil::Date> = stand.stack.progress().cursor("sync_exports").await?;
    let what = match (args.ids.is_empty(), args.full, args.changes || synced.is_some()) {
        (false, ..) => What::Films(args.ids),
        (true, false, true) => What::Changes,
        (true, ..) => What::Full,
    };
    let stop = stop_on_interrupt();
    let report = sync::run(&stand.stack, what, &stop).await;
    stand.cloud.shutdown().await?;
    if !report.lines.is_empty() {
        say(&sync::table(&report.lines));
    }
    match report.failed {
        Some(error) => {
            let Failure(text, code) = error.into();
            let kept =
                if report.lines.is_empty() { "" } else { "\nWhat was read is kept; the next sync goes on." };
            Err(Failure(format!("{text}{kept}"), code))
        }
        None if stop.load(Ordering::Relaxed) => {
            Err(Failure("stopped. What was read is kept; the next sync goes on.".into(), INTERRUPTED))
        }
        None if report.lines.iter().any(|line| line.outcome.paused) => {
            say("Some films could not be read now; the next sync tries them again.");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Becomes true with the first Ctrl-C; the second one ends the process.
#[allow(clippy::print_stderr, reason = "who presses Ctrl-C wants to see that it was noticed")]
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let pressed = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            pressed.store(true, Ordering::Relaxed);
            eprintln!(
                "\nStopping: what was read is published first. Ctrl-C again ends it at once, which loses nothing."
            );
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    stop
}
