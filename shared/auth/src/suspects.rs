//! What a network did lately, and whether that is reason enough to shut it out for a while.
//!
//! Counts go back [`WINDOWS`] windows of five minutes. What honest clients do a lot of (successful calls, pages of
//! lists, films that do not exist) is not counted at all; each threshold, in [`crate::rules`], is far above what a
//! client with a bug or an expired token does.

use jiff::{SignedDuration, Timestamp};

use crate::rules::{GUESSES, PROBES, REFUSALS, SPRAYING_ACCOUNTS, SPRAYING_LOGINS, UNKNOWN_ROUTES};

/// A window's length, in seconds.
const WINDOW: i64 = 300;
/// How many windows count.
pub const WINDOWS: i64 = 3;

const SPRAYING: &str = "spraying: failed logins over many accounts";

/// What was counted of a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Logins that failed or were refused.
    pub logins: u32,
    /// Different accounts among them.
    pub accounts: u32,
    /// Requests answered 401 or 403, logins aside.
    pub refused: u32,
    /// Refused requests that look like an attempt to inject something.
    pub probes: u32,
    /// Requests for routes that do not exist.
    pub unknown: u32,
}

/// Why a network is shut out, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// In a few words, for the list.
    pub reason: &'static str,
    /// For how long.
    pub lasting: SignedDuration,
}

/// The number of the window of `now`.
pub fn window(now: Timestamp) -> i64 {
    now.as_second().div_euclid(WINDOW)
}

/// When the window stops mattering.
pub fn forgotten_at(window: i64) -> i64 {
    (window + 1 + WINDOWS) * WINDOW
}

/// What follows from `deeds`; the gravest rule that is met.
pub fn judge(deeds: &Deeds) -> Option<Verdict> {
    let rules = [
        (deeds.logins >= SPRAYING_LOGINS && deeds.accounts >= SPRAYING_ACCOUNTS, SPRAYING, 24),
        (deeds.probes >= PROBES, "probing: injections in refused requests", 6),
        (deeds.logins >= GUESSES, "guessing: failed logins", 1),
        (deeds.refused >= REFUSALS, "refused: calls without the right to them", 1),
        (deeds.unknown >= UNKNOWN_ROUTES, "scanning: routes that do not exist", 1),
    ];
    let (_, reason, hours) = rules.into_iter().find(|(met, ..)| *met)?;
    Some(Verdict { reason, lasting: SignedDuration::from_hours(hours) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_a_threshold_and_the_gravest_wins() {
        let met = |deeds: Deeds| judge(&deeds).map(|verdict| verdict.lasting.as_hours());
        assert_eq!(met(Deeds::default()), None);
        assert_eq!(met(Deeds { logins: 19, accounts: 19, ..Deeds::default() }), None);
        assert_eq!(met(Deeds { logins: 20, accounts: 10, ..Deeds::default() }), Some(24));
        assert_eq!(met(Deeds { logins: 59, accounts: 9, ..Deeds::default() }), None);
        assert_eq!(met(Deeds { logins: 60, accounts: 1, ..Deeds::default() }), Some(1));
        assert_eq!(met(Deeds { probes: 10, refused: 400, ..Deeds::default() }), Some(6));
        assert_eq!(met(Deeds { refused: 299, unknown: 99, probes: 9, ..Deeds::default() }), None);
        assert_eq!(met(Deeds { unknown: 100, ..Deeds::default() }), Some(1));
    }
}
