//! How often somebody may try: login, second factor and one-time codes.
//!
//! An attempt is *reserved* before it is verified: the counter is raised as if the attempt had failed, on the
//! condition that it is still what was read, and a success gives it back. So 200 guesses at once never get more
//! verified than 200 guesses one after the other.
//!
//! Four buckets count, each against another attack:
//!
//! | bucket | exact | against |
//! |---|---|---|
//! | account, from devices never seen before | yes | guessing one person's password |
//! | account and device with a past success | yes | the same from the owner's machine; strangers can't reach it, so they can't lock the owner out |
//! | address prefix (/24, /64) | no | one guesser, many accounts |
//! | everything | no | many guessers, many accounts |
//!
//! After a success the store deletes the counter that was reserved in. A success from a known device leaves the
//! strangers' counter alone, so an attacker isn't let off by the owner's logins.
//!
//! The last two are sharded counters of failures, raised once an attempt has failed: a sum read a moment ago is
//! good enough for a threshold in the hundreds, and no item serialises all logins. "Account" is the account's id,
//! so that guessing by name and by address is guessing once; where what was typed leads to no account, it is the
//! blind index of that. Both behave the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The span in which failures are counted, and the longest wait.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Failures on one account after which a challenge is asked for.
pub const ACCOUNT_CHALLENGE: u32 = 3;
/// Failures on one account after which waiting begins.
pub const ACCOUNT_WAIT: u32 = 5;
/// The first wait; each further failure doubles it, up to [`WINDOW`].
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// Thresholds of the two approximate buckets, in failures per [`WINDOW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// From one address prefix: ask for a challenge.
    pub prefix_challenge: u64,
    /// From one address prefix: refuse.
    pub prefix_refuse: u64,
    /// From everywhere: ask everybody for a challenge. Never refuses: that would be the attacker's victory.
    pub global_challenge: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { prefix_challenge: 30, prefix_refuse: 300, global_challenge: 3_000 }
    }
}

/// The exact counter of an account, or of an account and a device. The default is one that was never used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counter {
    /// Attempts reserved and not given back.
    pub failures: u32,
    /// When the last one was reserved.
    pub last_at: Option<Timestamp>,
    /// Until when nothing is verified.
    pub blocked_until: Option<Timestamp>,
}

impl Counter {
    /// What is left of the counter at `now`: nothing after 15 quiet minutes. The quiet begins when a wait is
    /// over, so waiting alone doesn't wipe the slate.
    pub fn at(self, now: Timestamp) -> Self {
        let busy_until = self.last_at.max(self.blocked_until);
        match busy_until {
            Some(busy) if now.duration_since(busy) < WINDOW => self,
            _ => Self::default(),
        }
    }

    /// When the item may be deleted.
    pub fn expires_at(self) -> Option<Timestamp> {
        self.last_at.max(self.blocked_until).map(|busy| busy + WINDOW)
    }

    /// The counter with one more attempt reserved at `now`.
    fn reserve(self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let doublings = failures.checked_sub(ACCOUNT_WAIT);
        let wait = doublings.map(|n| {
            let seconds = FIRST_WAIT.as_secs().saturating_mul(1 << n.min(16));
            SignedDuration::from_secs(seconds.min(WINDOW.as_secs()))
        });
        Self { failures, last_at: Some(now), blocked_until: wait.map(|wait| now + wait) }
    }
}

/// An approximate counter as it was read: failures in the window that contains now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The sum over all shards.
    pub failures: u64,
    /// When the window ends and the count begins anew.
    pub ends_at: Timestamp,
}

/// The fixed 15-minute window that contains `now`: its number, for the counter's key, and its end.
pub fn window(now: Timestamp) -> (i64, Timestamp) {
    let number = now.as_second().div_euclid(WINDOW.as_secs());
    let end = Timestamp::from_second((number + 1) * WINDOW.as_secs()).unwrap_or(Timestamp::MAX);
    (number, end)
}

/// What is known about an attempt before it is verified.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The account's counter; the one of account and device when the device is known.
    pub account: Counter,
    /// The counter of the address prefix.
    pub prefix: Tally,
    /// The counter of everything.
    pub global: Tally,
    /// Whether a challenge was solved and burnt for this attempt.
    pub challenge_passed: bool,
}

impl Facts {
    /// Whether the approximate buckets alone ask for more than the password.
    pub fn is_suspicious(&self, thresholds: &Thresholds) -> bool {
        self.prefix.failures >= thresholds.prefix_challenge
            || self.global.failures >= thresholds.global_challenge
    }

    /// Whether an attempt may be reserved before the account's counter has been read, on the condition that it
    /// stands under [`ACCOUNT_CHALLENGE`] and was used within [`WINDOW`], or is not there at all: [`decide`] would
    /// say the same to all of those.
    pub fn may_reserve_unread(&self, thresholds: &Thresholds) -> bool {
        !self.is_suspicious(thresholds) && self.prefix.failures < thresholds.prefix_refuse
    }
}

/// What to do with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Reserve, then verify: replace the account's counter by `reserved`, on the condition that it is still
    /// the one that was read (else read and decide again), and add one to the approximate counters.
    Allow {
        /// The account's counter with this attempt in it.
        reserved: Counter,
    },
    /// Answer 401 `challenge_required`; nothing is counted.
    ChallengeRequired,
    /// Answer 429 with `Retry-After`; nothing is counted.
    Wait {
        /// Whole seconds, at least one.
        seconds: u32,
    },
}

/// Decides about an attempt. The strictest bucket wins.
pub fn decide(facts: &Facts, thresholds: &Thresholds, now: Timestamp) -> Answer {
    let account = facts.account.at(now);
    let prefix_wait = (facts.prefix.failures >= thresholds.prefix_refuse).then_some(facts.prefix.ends_at);
    if let Some(until) = account.blocked_until.max(prefix_wait).filter(|until| *until > now) {
        return Answer::Wait { seconds: seconds_until(until, now) };
    }
    let suspicious = account.failures >= ACCOUNT_CHALLENGE || facts.is_suspicious(thresholds);
    if suspicious && !facts.challenge_passed {
        return Answer::ChallengeRequired;
    }
    Answer::Allow { reserved: account.reserve(now) }
}

/// Whole seconds from `now` to `until`, rounded up, at least one.
fn seconds_until(until: Timestamp, now: Timestamp) -> u32 {
    let left = until.duration_since(now);
    let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

/// The prefix that addresses are counted under: /24 for IPv4, /64 for IPv6, the smallest block that one
/// customer is given. An IPv4 address in IPv6 clothing counts as what it is.
pub fn address_prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A plain limit for calls that send mail or make things: so many per span, for one account or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub max: u32,
    /// In which span.
    pub per: SignedDuration,
}

impl Limit {
    /// Mails that one address gets by asking (verification, reset, links), whoever asks.
    pub const MAIL_PER_RECIPIENT: Self = Self { max: 5, per: SignedDuration::from_hours(1) };
    /// Mails that one address prefix can cause.
    pub const MAIL_PER_PREFIX: Self = Self { max: 30, per: SignedDuration::from_hours(1) };
    /// Texts that one telephone number gets before anybody has confirmed it, whoever asks: numbers can be named by people
    /// whose they are not.
    pub const TEXTS_PER_NUMBER: Self = Self { max: 5, per: SignedDuration::from_hours(24) };
    /// Texts that an account gets at the number that it has confirmed. What others do with the number takes none of them.
    pub const TEXTS_PER_ACCOUNT: Self = Self { max: 20, per: SignedDuration::from_hours(24) };
    /// Registrations from one address prefix.
    pub const REGISTRATIONS_PER_PREFIX: Self = Self { max: 20, per: SignedDuration::from_hours(1) };
    /// Files that a person brings in a day: each is long work.
    pub const IMPORTS: Self = Self { max: 100, per: SignedDuration::from_hours(24) };
    /// Reviews that a person's files put before the editors in a day.
    pub const BROUGHT_REVIEWS: Self = Self { max: 20, per: SignedDuration::from_hours(24) };
    /// Copies of everything that a person takes in a day.
    pub const EXPORTS: Self = Self { max: 20, per: SignedDuration::from_hours(24) };
    /// Keys of service clients that an account makes in a day.
    pub const KEYS: Self = Self { max: 20, per: SignedDuration::from_hours(24) };
    /// Tokens that service clients of one network ask for.
    pub const TOKENS_PER_PREFIX: Self = Self { max: 300, per: SignedDuration::from_mins(15) };
    /// Wrong codes on one second-factor ticket or one link.
    pub const CODES_PER_TICKET: Self = Self { max: 5, per: SignedDuration::from_mins(10) };

    /// Whether one more fits after `used`, or how many seconds to wait until the span ends at `ends_at`.
    ///
    /// # Errors
    ///
    /// The seconds to wait.
    pub fn check(&self, used: u32, ends_at: Timestamp, now: Timestamp) -> Result<(), u32> {
        if used < self.max { Ok(()) } else { Err(seconds_until(ends_at, now)) }
    }
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
