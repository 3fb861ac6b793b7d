//! Keys out of Secrets Manager, kept in memory for a few minutes: a rotation reaches a warm function without a
//! restart, and a secret that cannot be read right now does not take down what still has a good copy.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use screensort_http::Problem;
use tokio::sync::Mutex;

/// How long a copy is taken as it is. A new signing key is published a day before it signs.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// A copy and when it was read.
type Copy<T> = Option<(Arc<T>, Timestamp)>;

/// A value that is read again when it is no longer fresh.
pub(crate) struct Fresh<T>(Mutex<Copy<T>>);

impl<T> Default for Fresh<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Fresh<T> {
    /// The value, from `read` if there is no fresh copy.
    pub(crate) async fn get(
        &self,
        now: Timestamp,
        read: impl AsyncFnOnce() -> Result<T, Problem>,
    ) -> Result<Arc<T>, Problem> {
        let mut copy = self.0.lock().await;
        if let Some((value, read_at)) = copy.as_ref()
            && now.duration_since(*read_at) < FRESH
        {
            return Ok(Arc::clone(value));
        }
        match (read().await, copy.take()) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                *copy = Some((Arc::clone(&value), now));
                Ok(value)
            }
            (Err(problem), Some((value, _))) => {
                tracing::error!(
                    name: "secret.stale",
                    cause = problem.causes().unwrap_or_default(),
                    "a secret cannot be read again; its last copy is used"
                );
                *copy = Some((Arc::clone(&value), now));
                Ok(value)
            }
            (Err(problem), None) => Err(problem),
        }
    }
}
