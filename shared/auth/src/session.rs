//! How long a session lives, when it is written, and which one has to go.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Most sessions a person has at once; the one that was idle longest goes.
pub const MAX_SESSIONS: usize = 10;
/// How often the time of the last request is written down at most.
pub const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How recent a proof of identity must be for a destructive or sensitive call.
pub const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// What kind of session it is, and with it how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 30 minutes idle, 12 hours in all.
    Normal,
    /// With "remember me": 14 days idle, 30 days in all.
    Remembered,
    /// Of somebody with administrative rights, remembered or not: 15 minutes idle, 8 hours in all.
    Admin,
}

impl Kind {
    /// The kind for a login. Administrative rights win over "remember me".
    pub const fn of(is_admin: bool, remember: bool) -> Self {
        match (is_admin, remember) {
            (true, _) => Self::Admin,
            (false, true) => Self::Remembered,
            (false, false) => Self::Normal,
        }
    }

    /// How long it lives without a request.
    pub const fn idle(self) -> SignedDuration {
        match self {
            Self::Normal => SignedDuration::from_mins(30),
            Self::Remembered => SignedDuration::from_hours(14 * 24),
            Self::Admin => SignedDuration::from_mins(15),
        }
    }

    /// How long it lives at most.
    pub const fn absolute(self) -> SignedDuration {
        match self {
            Self::Normal => SignedDuration::from_hours(12),
            Self::Remembered => SignedDuration::from_hours(30 * 24),
            Self::Admin => SignedDuration::from_hours(8),
        }
    }
}

/// The part of a session's record that its life depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The kind.
    pub kind: Kind,
    /// When it began.
    pub created_at: Timestamp,
    /// When its last request was written down.
    pub last_seen: Timestamp,
}

/// Whether a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It lives.
    Live {
        /// When it ends whatever happens.
        expires_at: Timestamp,
        /// When it ends if nothing happens; never after `expires_at`.
        idle_expires_at: Timestamp,
        /// Whether this request is to be written down as the last one. At most once a minute, so that a busy
        /// client costs no write a request; the idle time is exact to a minute for it.
        write_last_seen: bool,
    },
    /// Nothing happened for too long.
    Idle,
    /// It has lived its time.
    Ended,
}

/// The state of a session at `now`.
pub fn state(life: &Life, now: Timestamp) -> State {
    let expires_at = life.created_at + life.kind.absolute();
    if now >= expires_at {
        return State::Ended;
    }
    if now >= life.last_seen + life.kind.idle() {
        return State::Idle;
    }
    let write_last_seen = now.duration_since(life.last_seen) >= SEEN_EVERY;
    let seen = if write_last_seen { now } else { life.last_seen };
    State::Live { expires_at, idle_expires_at: (seen + life.kind.idle()).min(expires_at), write_last_seen }
}

/// Whether somebody proved who they are recently enough for a sensitive call. A time in the future doesn't
/// count.
pub fn is_recent(authenticated_at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(authenticated_at);
    !age.is_negative() && age < RECENT
}

/// Which of a person's sessions end so that one more fits: dead ones first, then those that were idle longest.
///
/// `sessions` are all there are, in any order; the answer holds their ids.
pub fn to_evict<'a, Id: ?Sized>(sessions: &[(&'a Id, Life)], now: Timestamp) -> Vec<&'a Id> {
    let mut live = Vec::with_capacity(sessions.len());
    let mut evicted = Vec::new();
    for (id, life) in sessions {
        match state(life, now) {
            State::Live { .. } => live.push((life.last_seen, *id)),
            State::Idle | State::Ended => evicted.push(*id),
        }
    }
    live.sort_by_key(|(last_seen, _)| *last_seen);
    let surplus = (live.len() + 1).saturating_sub(MAX_SESSIONS);
    evicted.extend(live.into_iter().take(surplus).map(|(_, id)| id));
    evicted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixed::{after, now};

    const MINUTE: i64 = 60;
    const HOUR: i64 = 3_600;
    const DAY: i64 = 86_400;

    fn life(kind: Kind, created: i64, seen: i64) -> Life {
        Life { kind, created_at: after(created), last_seen: after(seen) }
    }

    #[test]
    fn each_kind_has_its_idle_and_its_absolute_end() {
        for (kind, idle, absolute) in [
            (Kind::Normal, 30 * MINUTE, 12 * HOUR),
            (Kind::Remembered, 14 * DAY, 30 * DAY),
            (Kind::Admin, 15 * MINUTE, 8 * HOUR),
        ] {
            assert!(matches!(state(&life(kind, 0, 0), after(idle - 1)), State::Live { .. }));
            assert_eq!(state(&life(kind, 0, 0), after(idle)), State::Idle);
            let busy = life(kind, 0, absolute - 1);
            assert!(matches!(state(&busy, after(absolute - 1)), State::Live { .. }));
            assert_eq!(state(&busy, after(absolute)), State::Ended);
        }
    }

    #[test]
    fn the_last_request_is_written_once_a_minute_and_idle_time_never_outlives_the_session() {
        let session = life(Kind::Normal, 0, 0);
        let idle_at = |at| match state(&session, after(at)) {
            State::Live { idle_expires_at, write_last_seen, .. } => (idle_expires_at, write_last_seen),
            other => panic!("{other:?}"),
        };
        assert_eq!(idle_at(59), (after(30 * MINUTE), false));
        assert_eq!(idle_at(60), (after(31 * MINUTE), true));
        let late = life(Kind::Normal, 0, 12 * HOUR - 60);
        assert!(matches!(
            state(&late, after(12 * HOUR - 30)),
            State::Live { idle_expires_at, expires_at, .. } if idle_expires_at == expires_at
        ));
    }

    #[test]
    fn administrative_rights_win_over_remember_me() {
        assert_eq!(Kind::of(true, true), Kind::Admin);
        assert_eq!(Kind::of(false, true), Kind::Remembered);
        assert_eq!(Kind::of(false, false), Kind::Normal);
    }

    #[test]
    fn a_proof_is_recent_for_ten_minutes() {
        assert!(is_recent(now(), after(599)));
        assert!(!is_recent(now(), after(600)));
        assert!(!is_recent(after(1), now()));
    }

    #[test]
    fn the_eleventh_session_ends_the_one_that_was_idle_longest() {
        let names: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
        let mut sessions: Vec<(&str, Life)> = names
            .iter()
            .zip(0..)
            .map(|(name, at)| (name.as_str(), life(Kind::Remembered, 0, 100 - at)))
            .collect();
        assert_eq!(to_evict(&sessions, after(200)), ["s9"]);
        sessions.pop();
        assert_eq!(to_evict(&sessions, after(200)), [""; 0]);
        sessions.push(("dead", life(Kind::Admin, -DAY, -DAY)));
        assert_eq!(to_evict(&sessions, after(200)), ["dead"]);
    }

    proptest! {
        #[test]
        fn there_is_always_room_for_one_more(seen in prop::collection::vec(-40i64 * DAY..0, 0..30)) {
            let ids: Vec<usize> = (0..seen.len()).collect();
            let sessions: Vec<(&usize, Life)> =
                ids.iter().zip(&seen).map(|(id, at)| (id, life(Kind::Remembered, *at, *at))).collect();
            let left = sessions.len() - to_evict(&sessions, now()).len();
            prop_assert!(left < MAX_SESSIONS);
        }
    }
}
