//! Reviews and their moderation: one module per endpoint, each read as *who, what, act, answer*.

mod shown;

pub mod moderation_review;
pub mod moderation_reviews;
pub mod movie_review;
pub mod movie_reviews;
pub mod review_report;
pub mod reviews;

use screensort_http::{Code, Endpoint, Input, Opening, Problem, Text, Whence};
use screensort_runtime::Stack;
use serde::de::DeserializeOwned;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        moderation_review::endpoint(),
        moderation_reviews::endpoint(),
        movie_review::endpoint(),
        movie_reviews::endpoint(),
        review_report::endpoint(),
        reviews::endpoint(),
    ]
}

/// A review in the path, and what is said about it.
struct About<T> {
    id: String,
    body: T,
    whence: Whence,
}

impl<T: DeserializeOwned + schemars::JsonSchema> Input for About<T> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path::<Text<40>>("rid", "The review.");
        let whence = Whence::open(o)?;
        let body = o.body();
        Some(Self { id: id?.0, body: body?, whence })
    }
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is no such review.")
}
