//! The circuit breaker: after enough consecutive failures nobody asks for a while, then one probe decides.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// All is well; so many failures in a row so far.
    Closed { failures: u32 },
    /// Nobody may ask before `until`.
    Open { until: Instant },
    /// One probe is under way; everybody else waits for its verdict.
    HalfOpen,
}

/// Counts failures in a row and stops the traffic when there are too many.
#[derive(Debug)]
pub(crate) struct Breaker {
    threshold: u32,
    rest: Duration,
    state: Mutex<State>,
}

impl Breaker {
    pub(crate) fn new(threshold: u32, rest: Duration) -> Self {
        Self { threshold: threshold.max(1), rest, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Lets a request through, or says how long to stay away.
    pub(crate) fn admit(&self) -> Result<Admission<'_>, Error> {
        let now = Instant::now();
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(Admission { breaker: self, probe: false, settled: false }),
            State::Open { until } if now >= until => {
                *state = State::HalfOpen;
                Ok(Admission { breaker: self, probe: true, settled: false })
            }
            State::Open { until } => Err(Error::BreakerOpen { retry_in: until - now }),
            State::HalfOpen => Err(Error::BreakerOpen { retry_in: Duration::ZERO }),
        }
    }

    fn settle(&self, probe: bool, well: bool) {
        let mut state = self.lock();
        let next = match (*state, well) {
            (State::Closed { .. }, true) => State::Closed { failures: 0 },
            (State::Closed { failures }, false) if failures + 1 < self.threshold => {
                State::Closed { failures: failures + 1 }
            }
            (State::HalfOpen, true) if probe => State::Closed { failures: 0 },
            (State::Closed { .. }, false) => self.open(),
            (State::HalfOpen, false) if probe => self.open(),
            // Requests that left before the breaker opened have no say in a probe's verdict.
            (kept, _) => kept,
        };
        *state = next;
    }

    fn open(&self) -> State {
        tracing::warn!(name: "tmdb.breaker_open", rest_ms = millis(self.rest), "tmdb.breaker_open");
        State::Open { until: Instant::now() + self.rest }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to send one request. Dropped without a verdict (cancelled, throttled, out of budget) it counts as neither;
/// a probe is then passed on to the next caller.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    breaker: &'a Breaker,
    probe: bool,
    settled: bool,
}

impl Admission<'_> {
    /// Says how it went.
    pub(crate) fn settle(mut self, well: bool) {
        self.settled = true;
        self.breaker.settle(self.probe, well);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.probe && !self.settled {
            *self.breaker.lock() = State::Open { until: Instant::now() };
        }
    }
}

/// A duration for a log field, in milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(30);

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.admit().unwrap().settle(false);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_the_threshold_and_one_success_in_between_resets_the_count() {
        let breaker = Breaker::new(3, REST);
        fail(&breaker, 2);
        breaker.admit().unwrap().settle(true);
        fail(&breaker, 2);
        assert!(breaker.admit().is_ok());
        fail(&breaker, 1);
        assert!(matches!(breaker.admit(), Err(Error::BreakerOpen { retry_in: REST })));
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_rest_exactly_one_probe_goes_out_and_its_verdict_counts() {
        let breaker = Breaker::new(1, REST);
        fail(&breaker, 1);
        tokio::time::advance(REST).await;
        let probe = breaker.admit().unwrap();
        assert!(matches!(breaker.admit(), Err(Error::BreakerOpen { retry_in: Duration::ZERO })));
        probe.settle(false);
        assert!(breaker.admit().is_err());
        tokio::time::advance(REST).await;
        breaker.admit().unwrap().settle(true);
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probe_is_passed_on() {
        let breaker = Breaker::new(1, REST);
        fail(&breaker, 1);
        tokio::time::advance(REST).await;
        drop(breaker.admit().unwrap());
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_does_not_decide_for_the_probe() {
        let breaker = Breaker::new(1, REST);
        let late = breaker.admit().unwrap();
        fail(&breaker, 1);
        tokio::time::advance(REST).await;
        let probe = breaker.admit().unwrap();
        late.settle(true);
        assert!(breaker.admit().is_err());
        probe.settle(true);
        assert!(breaker.admit().is_ok());
    }
}
