//! Time as a value, so that tests can turn it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Where the current instant comes from. Cheap to clone; clones of a fixed clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(fn() -> Timestamp),
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that asks `read` each time. Only the runtime and the local server make one.
    pub fn system(read: fn() -> Timestamp) -> Self {
        Self(Source::System(read))
    }

    /// A clock that stands at `at` until it is moved with [`Clock::advance`].
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.as_millisecond()))))
    }

    /// The current instant, to the millisecond.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(read) => read(),
            Source::Fixed(at) => {
                Timestamp::from_millisecond(at.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }

    /// Moves a fixed clock forward; a system clock is left alone.
    pub fn advance(&self, by: std::time::Duration) {
        if let Source::Fixed(at) = &self.0 {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2), Ordering::SeqCst);
        }
    }
}
