//! What a request or a run of a job called, and when: gathered beside the work where traces are exported
//! ([`crate::otlp`]), and nowhere else. Like the log it holds names, times and outcomes; no key, no value, no address.

use std::cell::RefCell;
use std::future::Future;
use std::time::{Duration, Instant};

/// The calls of one request or run that are kept; the others are only counted. A sync makes thousands.
const MOST: usize = 256;

tokio::task_local! {
    static CALLED: RefCell<Calls>;
}

/// To whom a call went, as far as a trace tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A service of AWS and its operation.
    Aws(String, String),
    /// Another service by our name for it, and the route as a template.
    Site(&'static str, &'static str),
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) callee: Callee,
    /// The HTTP status; 0 if there was no answer.
    pub(crate) status: u16,
    /// Why it failed, as a stable word.
    pub(crate) failure: Option<String>,
    /// When it began, counted from the beginning of the work.
    pub(crate) after: Duration,
    /// How long it took.
    pub(crate) took: Duration,
}

/// The calls of one piece of work.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    began: Instant,
    pub(crate) kept: Vec<Call>,
    /// How many more there were.
    pub(crate) dropped: u32,
}

/// Runs `work`; its calls since `began`, if they are `wanted`. Those of tasks that it spawns are nobody's.
pub(crate) async fn gather<T>(
    wanted: bool,
    began: Instant,
    work: impl Future<Output = T>,
) -> (T, Option<Calls>) {
    if !wanted {
        return (work.await, None);
    }
    let calls = Calls { began, kept: Vec::new(), dropped: 0 };
    CALLED
        .scope(RefCell::new(calls), async {
            let result = work.await;
            (result, CALLED.try_with(|calls| calls.borrow().clone()).ok())
        })
        .await
}

/// Whether calls are gathered here.
pub(crate) fn are_gathered() -> bool {
    CALLED.try_with(|_| ()).is_ok()
}

/// Notes a call that began at `at`.
pub(crate) fn note(callee: Callee, status: u16, failure: Option<String>, at: Instant) {
    // Where nothing is gathered there is nobody to tell.
    let _ = CALLED.try_with(|calls| {
        let mut calls = calls.borrow_mut();
        if calls.kept.len() >= MOST {
            calls.dropped = calls.dropped.saturating_add(1);
            return;
        }
        let (after, took) = (at.saturating_duration_since(calls.began), at.elapsed());
        calls.kept.push(Call { callee, status, failure, after, took });
    });
}

/// Notes a call of another service than AWS's: its name, the route as a template, the status (0 if there was no
/// answer), why it failed as a stable word, and how long it took until now.
pub fn called(
    service: &'static str,
    route: &'static str,
    status: u16,
    failure: Option<&'static str>,
    took: Duration,
) {
    let now = Instant::now();
    let at = now.checked_sub(took).unwrap_or(now);
    note(Callee::Site(service, route), status, failure.map(str::to_owned), at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_kept_for_whoever_wants_them_and_no_more_than_so_many() {
        let work = async || {
            for _ in 0..MOST + 3 {
                called("tmdb", "/movie/{movie_id}", 200, None, Duration::from_millis(5));
            }
            are_gathered()
        };
        let (gathered, calls) = gather(false, Instant::now(), work()).await;
        assert!(!gathered && calls.is_none());
        let (gathered, calls) = gather(true, Instant::now(), work()).await;
        let calls = calls.unwrap();
        assert!(gathered);
        assert_eq!((calls.kept.len(), calls.dropped), (MOST, 3));
        assert!(calls.kept[0].took >= Duration::from_millis(5));
        assert!(!are_gathered(), "nothing is left behind");
    }
}
