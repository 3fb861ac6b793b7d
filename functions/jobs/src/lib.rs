//! Jobs: keeping the catalogue in step with TMDb and publishing it; learning from people's libraries; mail, keys,
//! clean-up, review, the trail.
//!
//! Each job can be killed at any point and run again: work is written before the note that it is done, and
//! everything that is written twice is written the same. A film leaves the catalogue only when TMDb itself says
//! on three different days that there is no such film; a list that lacks it never removes anything.

mod dormant;
mod errand;
mod error;
mod film;
mod note;
mod reader;
mod run;

pub mod access_review;
pub mod add;
pub mod capture_changes;
pub mod count_films;
pub mod detect;
pub mod export_worker;
pub mod feed_blocklist;
mod import;
pub mod import_worker;
pub mod publish_catalog;
pub mod recount_films;
pub mod retention;
pub mod rewrite_index;
pub mod rotate_keys;
pub mod rotate_signing_key;
pub mod security_audit;
pub mod sessions_cleanup;
pub mod ship_audit;
pub mod sync_changes;
pub mod sync_exports;
pub mod sync_lists;
pub mod sync_movies;
pub mod sync_wanted;
pub mod train_recommender;

pub use error::Error;
pub use run::{Counts, Outcome, Watch, check_token};

/// The jobs by name, as schedules and the local server call them.
pub const NAMES: [&str; 24] = [
    "sync_exports",
    "sync_changes",
    "sync_movies",
    "sync_lists",
    "publish_catalog",
    "retention",
    "mailer",
    "deletion_worker",
    "train_recommender",
    "count_films",
    "recount_films",
    "rotate_signing_key",
    "rotate_keys",
    "rewrite_index",
    "sessions_cleanup",
    "access_review",
    "security_audit",
    "ship_audit",
    "detect",
    "capture_changes",
    "sync_wanted",
    "feed_blocklist",
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
        "mailer" => screensort_accounts::mailer::job,
        "deletion_worker" => screensort_accounts::deletion_worker::job,
        "train_recommender" => train_recommender::job,
        "count_films" => count_films::job,
        "recount_films" => recount_films::job,
        "rotate_signing_key" => rotate_signing_key::job,
        "rotate_keys" => rotate_keys::job,
        "rewrite_index" => rewrite_index::job,
        "sessions_cleanup" => sessions_cleanup::job,
        "access_review" => access_review::job,
        "security_audit" => security_audit::job,
        "ship_audit" => ship_audit::job,
        "detect" => detect::job,
        "capture_changes" => capture_changes::job,
        "sync_wanted" => sync_wanted::job,
        "feed_blocklist" => feed_blocklist::job,
        "export_worker" => export_worker::job,
        "import_worker" => import_worker::job,
        _ => return None,
    })
}
