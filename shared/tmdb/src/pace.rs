//! How fast requests leave: a token bucket, a cap on requests in flight, and one pause for everybody.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};

use crate::{Error, Pacing, breaker::millis};

#[derive(Debug)]
struct State {
    /// When the bucket is full again, if nobody asks.
    full_at: Instant,
    /// Nobody leaves before this.
    paused_until: Instant,
}

/// The token bucket, kept as one instant (the generic cell rate algorithm: ITU-T I.371), so that no task has to
/// refill it.
#[derive(Debug)]
pub(crate) struct Pace {
    in_flight: Semaphore,
    interval: Duration,
    /// How far ahead of the steady rate a burst may be.
    slack: Duration,
    max_pause: Duration,
    state: Mutex<State>,
}

impl Pace {
    pub(crate) fn new(pacing: &Pacing) -> Self {
        let interval = Duration::from_secs(1) / pacing.per_second.max(1);
        let now = Instant::now();
        Self {
            in_flight: Semaphore::new(pacing.concurrent.max(1) as usize),
            interval,
            slack: interval * pacing.burst.max(1).saturating_sub(1),
            max_pause: pacing.max_pause,
            state: Mutex::new(State { full_at: now, paused_until: now }),
        }
    }

    /// Waits for a place in flight and a token. The permit is held until the answer has been read.
    ///
    /// # Errors
    /// [`Error::Throttled`] when TMDb's pause is longer than the configured patience.
    pub(crate) async fn admit(&self) -> Result<SemaphorePermit<'_>, Error> {
        let permit = self.in_flight.acquire().await.expect("the semaphore is never closed");
        while let Some((until, reason)) = self.take(Instant::now())? {
            wait_until(until, reason).await;
        }
        Ok(permit)
    }

    /// Takes a token, or says until when to wait and why. A waiter holds no token: it asks again, so that a pause
    /// that comes meanwhile holds for it too.
    fn take(&self, now: Instant) -> Result<Option<(Instant, &'static str)>, Error> {
        let mut state = self.lock();
        if now < state.paused_until {
            let left = state.paused_until - now;
            if left > self.max_pause {
                return Err(Error::Throttled { retry_after: left });
            }
            return Ok(Some((state.paused_until, "pause")));
        }
        let full_at = state.full_at.max(now);
        if full_at > now + self.slack {
            return Ok(Some((full_at - self.slack, "pace")));
        }
        state.full_at = full_at + self.interval;
        Ok(None)
    }

    /// Holds everybody back for a while. Afterwards the bucket is all but empty: no burst into a server that has
    /// just complained.
    pub(crate) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(until);
        state.full_at = state.full_at.max(until + self.slack);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sleeps until an instant and says so beforehand.
pub(crate) async fn wait_until(until: Instant, reason: &'static str) {
    let wait = until.saturating_duration_since(Instant::now());
    // Rounded up: the event tells the whole wait.
    tracing::debug!(name: "tmdb.wait", reason, wait_ms = millis(wait).saturating_add(1), "tmdb.wait");
    sleep_until(until).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_second: u32, burst: u32, concurrent: u32) -> Pace {
        Pace::new(&Pacing { per_second, burst, concurrent, ..Pacing::default() })
    }

    /// Virtual milliseconds from the start at which each of `n` requests left, one after the other.
    async fn departures(pace: &Pace, n: usize) -> Vec<u64> {
        let start = Instant::now();
        let mut left = Vec::new();
        for _ in 0..n {
            drop(pace.admit().await.unwrap());
            left.push(millis(start.elapsed()));
        }
        left
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_requests_leave_at_the_steady_rate() {
        assert_eq!(departures(&pace(20, 3, 8), 6).await, [0, 0, 0, 50, 100, 150]);
    }

    #[tokio::test(start_paused = true)]
    async fn in_no_window_of_a_second_do_more_leave_than_rate_and_burst_allow() {
        let left = departures(&pace(20, 8, 8), 200).await;
        for (i, from) in left.iter().enumerate() {
            let within = left[i..].iter().take_while(|at| **at < from + 1000).count();
            assert!(within <= 28, "{within} in the second from {from} ms");
        }
        assert!(*left.last().unwrap() >= 9_550, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_time_saves_up_no_more_than_the_burst() {
        let pace = pace(10, 2, 8);
        departures(&pace, 5).await;
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(departures(&pace, 4).await, [0, 0, 100, 200]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_and_ends_without_a_burst() {
        let pace = pace(10, 5, 8);
        pace.pause(Duration::from_secs(2));
        pace.pause(Duration::from_secs(1));
        assert_eq!(departures(&pace, 3).await, [2000, 2100, 2200]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_patience_fails_at_once() {
        let pace = pace(10, 5, 8);
        pace.pause(Duration::from_secs(61));
        assert!(matches!(pace.admit().await, Err(Error::Throttled { .. })));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(pace.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_cap_are_in_flight() {
        let pace = pace(1000, 100, 3);
        let held = [pace.admit().await.unwrap(), pace.admit().await.unwrap(), pace.admit().await.unwrap()];
        let fourth = tokio::time::timeout(Duration::from_secs(60), pace.admit()).await;
        assert!(fourth.is_err());
        drop(held);
        assert!(pace.admit().await.is_ok());
    }
}
