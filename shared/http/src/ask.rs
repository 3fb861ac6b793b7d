//! What most changes need of a request: a body, and where it came from.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Input, Opening, Whence};

/// A body and where it came from.
#[derive(Debug)]
pub struct Ask<T> {
    /// The body.
    pub body: T,
    /// Where it came from.
    pub whence: Whence,
}

impl<T: DeserializeOwned + JsonSchema> Input for Ask<T> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        Some(Self { body: o.body()?, whence })
    }
}
