//! A review as different people see it.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_model::{Language, MovieId};
use screensort_store::Review;
use serde::Serialize;

/// A review as everybody sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Review")]
pub(crate) struct Shown {
    id: String,
    movie_id: MovieId,
    /// Its author's user name.
    author: String,
    /// Plain text: whoever shows it escapes it.
    text: String,
    /// Whether it tells how the film ends.
    spoiler: bool,
    language: Option<Language>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: Timestamp,
}

impl Shown {
    pub(crate) fn of(review: Review) -> Self {
        Self {
            id: review.id,
            movie_id: review.movie,
            author: review.author,
            text: review.text,
            spoiler: review.spoiler,
            language: review.language,
            created_at: review.created_at,
            updated_at: review.updated_at,
        }
    }
}

/// A review as its author sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OwnReview")]
pub(crate) struct Own {
    #[serde(flatten)]
    review: Shown,
    /// `published`, `pending` or `removed`.
    state: &'static str,
    /// What the editor who decided says.
    note: Option<String>,
}

impl Own {
    pub(crate) fn of(review: Review) -> Self {
        Self { state: review.state.name(), note: review.note.clone(), review: Shown::of(review) }
    }
}

/// A review as editors see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ModeratedReview")]
pub(crate) struct Moderated {
    #[serde(flatten)]
    review: Own,
    /// People who reported it since the last decision.
    reports: u32,
    /// Links in it.
    links: u32,
}

impl Moderated {
    pub(crate) fn of(review: Review) -> Self {
        Self { reports: review.reports, links: review.links, review: Own::of(review) }
    }
}
