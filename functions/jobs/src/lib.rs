//! Scheduled jobs: keeping the catalogue in step with TMDb, and publishing it.
//!
//! Each job can be killed at any point and run again: work is written before the note that it is done, and
//! everything that is written twice is written the same. A film leaves the catalogue only when TMDb itself says
//! on three different days that there is no such film; a list that lacks it never removes anything.

mod error;
mod film;
mod reader;
mod run;

pub mod count_films;
pub mod export_worker;
mod import;
pub mod import_worker;
pub mod publish_catalog;
pub mod recount_films;
pub mod retention;
pub mod sync_changes;
pub mod sync_exports;
pub mod sync_lists;
pub mod sync_movies;

pub use error::Error;
pub use run::{Counts, Outcome, Watch, check_token};

/// The jobs by name, as schedules and the local server call them.
pub const NAMES: [&str; 10] = [
    "sync_exports",
    "sync_changes",
    "sync_movies",
    "sync_lists",
    "publish_catalog",
    "retention",
    "count_films",
    "recount_films",
    "export_worker",
    "import_worker",
];

/// The job called `name`.
pub fn by_name(name: &str) -> Option<screensort_runtime::Job> {
    Some(match name {
        "sync_exports" => sync_exports::job,
        "sync_changes" => sync_changes::job,
        "sync_movies" => sync_movies::job,
        "sync_lists" => sync_lists::job,
        "publish_catalog" => publish_catalog::job,
        "retention" => retention::job,
        "count_films" => count_films::job,
        "recount_films" => recount_films::job,
        "export_worker" => export_worker::job,
        "import_worker" => import_worker::job,
        _ => return None,
    })
}
