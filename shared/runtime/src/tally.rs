//! Counts in memory: approximate, since every process has its own, and cheap enough for every read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// The most subjects that are counted at once. A flood of new ones starts the counts again: that costs accuracy,
/// never memory.
const MOST: usize = 50_000;

/// Counts of calls by subject in the minute that runs.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    minute: i64,
    by_subject: HashMap<String, u32>,
}

impl Tally {
    /// Counts one call and says how many there have been in this minute.
    pub(crate) fn count(&self, subject: &str, now: Timestamp) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.as_second().div_euclid(60);
        if counts.minute != minute || counts.by_subject.len() >= MOST {
            counts.minute = minute;
            counts.by_subject.clear();
        }
        let count = counts.by_subject.entry(subject.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_starts_anew() {
        let tally = Tally::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!([tally.count("a", at(0)), tally.count("a", at(59)), tally.count("b", at(59))], [1, 2, 1]);
        assert_eq!(tally.count("a", at(60)), 1);
    }
}
