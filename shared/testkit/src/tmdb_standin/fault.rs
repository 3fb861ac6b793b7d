//! Misbehaviour on demand.

use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// TMDb's 401 for a bad key.
    Unauthorized,
    /// TMDb's 404 for something that is not there.
    NotFound,
    /// A 429 with this `Retry-After`; TMDb likes `"0"`.
    Throttled(&'static str),
    /// Another error status with TMDb's body for it.
    Status(u16),
    /// The right answer, but after a while on tokio's clock.
    Slow(Duration),
    /// The right answer's first half with the whole one's length; then the connection breaks.
    Truncated,
    /// The right answer's first half as if it were all.
    CutShort,
    /// The right answer under another content type.
    ContentType(&'static str),
    /// So many bytes of white space, their number announced.
    Oversized(usize),
    /// So many bytes of white space, their number not announced.
    Flood(usize),
    /// So many bytes of white space, compressed.
    Bomb(usize),
    /// The right answer with another `id`.
    WrongId(u64),
    /// Something that is not JSON, under JSON's content type.
    InvalidJson,
    /// This status and JSON.
    Body(u16, String),
    /// A 302 to this address.
    Redirect(String),
    /// No answer: the connection breaks.
    Hangup,
    /// An answer that repeats the request's headers, as a debugging proxy would.
    Echo,
}

/// A [`Fault`], where it happens, and how often.
#[derive(Clone, Debug)]
pub struct Script {
    path: Option<String>,
    fault: Fault,
    left: Option<usize>,
}

impl Script {
    /// Misbehaves on one path, such as `/3/movie/550`. A 500, once, unless told otherwise.
    #[must_use]
    pub fn on(path: &str) -> Self {
        Self { path: Some(path.to_owned()), fault: Fault::Status(500), left: Some(1) }
    }

    /// Misbehaves on every path.
    #[must_use]
    pub fn anywhere() -> Self {
        Self { path: None, ..Self::on("") }
    }

    /// What goes wrong.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// For so many requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    /// From now on.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// The fault for a request, if it is meant; counts it.
    pub(super) fn strike(&mut self, path: &str) -> Option<Fault> {
        if self.path.as_deref().is_some_and(|meant| meant != path) {
            return None;
        }
        match &mut self.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(self.fault.clone())
    }
}
