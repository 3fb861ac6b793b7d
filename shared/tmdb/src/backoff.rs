//! How long to wait before the next try.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::Persistence;

/// The least a 429 makes everybody wait: TMDb sends `Retry-After: 0`.
pub(crate) const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// The most a 429 is believed. Longer than any configured patience, short enough to add to a clock.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);

/// Exponential back-off, half fixed and half random ("equal jitter": Brooker, *Exponential Backoff and Jitter*,
/// AWS Architecture Blog, 2015).
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    /// State of a SplitMix64 generator. Jitter needs spread, not secrecy.
    state: Mutex<u64>,
}

impl Backoff {
    pub(crate) fn new(persistence: &Persistence, seed: Option<u64>) -> Self {
        // `RandomState` is the standard library's way to fresh randomness.
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("tmdb"));
        Self { first: persistence.backoff, longest: persistence.max_backoff, state: Mutex::new(seed) }
    }

    /// The wait after the given try, counted from 1.
    pub(crate) fn after(&self, attempt: u32) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        let half = doubled.min(self.longest) / 2;
        half + half.mul_f64(self.fraction())
    }

    /// The next random number from 0 up to, but not including, 1.
    fn fraction(&self) -> f64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Reads a `Retry-After` header: seconds, or a date compared with the answer's own `Date` (the server's clock on both
/// sides, so ours does not matter). `None` when it cannot be read.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let http_date = |text: &str| jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp());
    let (then, now) = (http_date(value)?, http_date(date?)?);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_never_fall_below_half() {
        let backoff = Backoff::new(&Persistence::default(), Some(7));
        for (attempt, full) in
            [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 20_000), (40, 20_000), (u32::MAX, 20_000)]
        {
            for _ in 0..50 {
                let wait = backoff.after(attempt);
                let full = Duration::from_millis(full);
                assert!(wait >= full / 2 && wait <= full, "{attempt}: {wait:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits_and_another_seed_others() {
        let waits = |seed| {
            let backoff = Backoff::new(&Persistence::default(), seed);
            (1..6).map(|attempt| backoff.after(attempt)).collect::<Vec<_>>()
        };
        assert_eq!(waits(Some(1)), waits(Some(1)));
        assert_ne!(waits(Some(1)), waits(Some(2)));
        assert_ne!(waits(None), waits(None));
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = Some("Sun, 22 Nov 2026 15:00:00 GMT");
        assert_eq!(retry_after(" 17 ", None), Some(Duration::from_secs(17)));
        assert_eq!(retry_after("0", None), Some(Duration::ZERO));
        assert_eq!(retry_after("Sun, 22 Nov 2026 15:00:09 GMT", now), Some(Duration::from_secs(9)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 14:00:00 GMT", now), Some(Duration::ZERO));
        for bad in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
        assert_eq!(retry_after("Sun, 22 Nov 2026 15:00:09 GMT", None), None);
    }
}
