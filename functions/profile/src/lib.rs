//! Who people are and what they want to see: one module per endpoint, each read as *who, what, act, answer*.

pub mod preferences;
pub mod profile;
pub mod profile_export;
pub mod profile_export_status;

use schemars::JsonSchema;
use screensort_http::{Code, Endpoint, FieldError, IfMatch, Input, Opening, Problem, Whence};
use screensort_runtime::Stack;
use serde::de::DeserializeOwned;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        preferences::endpoint(),
        profile::endpoint(),
        profile_export::endpoint(),
        profile_export_status::endpoint(),
    ]
}

/// 422 for one field.
fn refused(field: &str, code: &'static str, detail: impl Into<String>) -> FieldError {
    FieldError { pointer: format!("/{field}"), code, detail: detail.into() }
}

/// What a change answers that met another one.
fn met(asked: &IfMatch) -> Problem {
    Problem::new(if asked.is_given() { Code::PreconditionFailed } else { Code::Conflict })
}

/// A change of what is one's own, for the version that was seen.
struct Edit<T> {
    /// The body.
    body: T,
    /// Which version it is for.
    version: IfMatch,
    /// Where it came from.
    whence: Whence,
}

impl<T: DeserializeOwned + JsonSchema> Input for Edit<T> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        let version = IfMatch::open(o)?;
        Some(Self { body: o.body()?, version, whence })
    }
}
