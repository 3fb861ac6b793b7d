//! The forms in which films, people and operators appear in lists.

use screensort_model::Found;

pub use screensort_catalog::card::{MovieCard, OperatorCard, picture};

/// What was found.
pub(crate) fn kind(found: &screensort_catalog::Match<'_>) -> Found {
    match found {
        screensort_catalog::Match::Film(_) => Found::Movie,
        screensort_catalog::Match::Person(_) => Found::Person,
        screensort_catalog::Match::Operator(_) => Found::Operator,
    }
}
