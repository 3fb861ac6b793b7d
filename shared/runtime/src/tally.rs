//! Counts in memory: approximate, since every process has its own, and cheap enough for every read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use screensort_store::{Used, Window};

/// The most subjects that are counted at once. A flood of new ones makes others be forgotten, first those who have
/// been quiet for a minute: that costs accuracy, never memory.
const MOST: usize = 50_000;

/// Counts of calls by subject in the minute and the day that run.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    day: i64,
    by_subject: HashMap<String, Count>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    minute: i64,
    in_minute: u32,
    in_day: u32,
}

impl Tally {
    /// Counts one call of `subject`, unless it has had `per_minute` in this minute or `per_day` in this day.
    pub(crate) fn count(&self, subject: &str, per_minute: u32, per_day: u32, now: Timestamp) -> Used {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, day) = (Window::Minute.number(now), Window::Day.number(now));
        if counts.day != day {
            *counts = Counts { day, by_subject: HashMap::new() };
        }
        if counts.by_subject.len() >= MOST && !counts.by_subject.contains_key(subject) {
            counts.by_subject.retain(|_, count| count.minute == minute);
            if counts.by_subject.len() >= MOST {
                counts.by_subject.clear();
            }
        }
        let count = counts.by_subject.entry(subject.to_owned()).or_default();
        if count.minute != minute {
            *count = Count { minute, in_minute: 0, ..*count };
        }
        let counted = count.in_minute < per_minute && count.in_day < per_day;
        count.in_minute += u32::from(counted);
        count.in_day += u32::from(counted);
        Used { in_minute: count.in_minute, in_day: count.in_day, counted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_minute_starts_anew_and_a_day_goes_on() {
        let tally = Tally::default();
        let count = |subject, second| {
            let used = tally.count(subject, 2, 3, at(second));
            (used.in_minute, used.in_day, used.counted)
        };
        assert_eq!(
            [count("a", 0), count("a", 59), count("b", 59)],
            [(1, 1, true), (2, 2, true), (1, 1, true)]
        );
        // What is refused is not counted: whoever asks on in vain keeps their day.
        assert_eq!([count("a", 59), count("a", 59)], [(2, 2, false), (2, 2, false)]);
        assert_eq!([count("a", 60), count("a", 61)], [(1, 3, true), (1, 3, false)]);
        assert_eq!([count("a", 86_399), count("a", 86_400)], [(0, 3, false), (1, 1, true)]);
    }

    #[test]
    fn a_flood_of_strangers_costs_no_memory_and_the_quiet_are_forgotten_first() {
        let tally = Tally::default();
        tally.count("quiet", 9, 9, at(0));
        tally.count("busy", 9, 9, at(60));
        for stranger in 0..=MOST {
            tally.count(&stranger.to_string(), 9, 9, at(60));
            if stranger == MOST - 2 {
                assert_eq!(tally.count("busy", 9, 9, at(60)).in_day, 2);
            }
        }
        assert!(tally.0.lock().unwrap().by_subject.len() <= MOST);
        assert_eq!(tally.count("quiet", 9, 9, at(60)).in_day, 1);
    }
}
