use proptest::prelude::*;

use super::*;
use crate::fixed::{after, now};

fn quiet() -> Tally {
    Tally { failures: 0, ends_at: after(900) }
}

fn facts(account: Counter, challenge_passed: bool) -> Facts {
    Facts { account, prefix: quiet(), global: quiet(), challenge_passed }
}

fn attempt(account: Counter, challenge: bool, at: i64) -> Answer {
    decide(&facts(account, challenge), &Thresholds::default(), after(at))
}

fn fail(account: Counter, at: i64) -> Counter {
    match attempt(account, true, at) {
        Answer::Allow { reserved } => reserved,
        other => panic!("{other:?}"),
    }
}

/// A counter after `count` failures in a row, each as soon as it is allowed, and the second of the last one.
fn failed(count: u32) -> (Counter, i64) {
    let (mut counter, mut at) = (Counter::default(), 0);
    for _ in 0..count {
        if let Answer::Wait { seconds } = attempt(counter, true, at) {
            at += i64::from(seconds);
        }
        counter = fail(counter, at);
    }
    (counter, at)
}

#[test]
fn three_failures_ask_for_a_challenge_and_a_solved_one_lets_through() {
    for count in 0..3 {
        assert!(matches!(attempt(failed(count).0, false, 1), Answer::Allow { .. }), "{count}");
    }
    let (three, at) = failed(3);
    assert_eq!(attempt(three, false, at + 1), Answer::ChallengeRequired);
    assert!(matches!(attempt(three, true, at + 1), Answer::Allow { .. }));
    assert!(matches!(attempt(three, false, at + 900), Answer::Allow { .. }), "15 quiet minutes");
}

#[test]
fn from_five_failures_on_the_wait_doubles_up_to_fifteen_minutes() {
    let waits: Vec<u32> = (5..=12)
        .map(|count| {
            let (counter, at) = failed(count);
            match attempt(counter, true, at) {
                Answer::Wait { seconds } => seconds,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
}

#[test]
fn a_solved_challenge_does_not_shorten_a_wait() {
    let (five, at) = failed(5);
    assert_eq!(attempt(five, true, at + 29), Answer::Wait { seconds: 1 });
    assert!(matches!(attempt(five, true, at + 30), Answer::Allow { .. }));
    assert_eq!(attempt(five, false, at + 30), Answer::ChallengeRequired);
}

#[test]
fn waiting_does_not_wipe_the_slate_but_fifteen_quiet_minutes_after_it_do() {
    let (ten, at) = failed(10);
    assert!(matches!(attempt(ten, true, at + 899), Answer::Wait { .. }));
    assert_eq!(attempt(ten, false, at + 900 + 899), Answer::ChallengeRequired);
    assert_eq!(
        attempt(ten, false, at + 900 + 900),
        Answer::Allow { reserved: fail(Counter::default(), at + 1800) }
    );
    assert_eq!(ten.expires_at(), Some(after(at + 1800)));
}

#[test]
fn two_hundred_guesses_at_once_reserve_no_more_than_the_limit() {
    // What the store's condition makes of it: every round, all that still try read the same counter, and one
    // of them writes.
    let (mut counter, mut verified) = (Counter::default(), 0);
    for _ in 0..200 {
        if let Answer::Allow { reserved } = attempt(counter, true, 0) {
            counter = reserved;
            verified += 1;
        }
    }
    assert_eq!(verified, 5);
    assert_eq!(counter.failures, 5);
}

#[test]
fn a_stranger_who_locks_himself_out_does_not_touch_a_known_device() {
    let (strangers, at) = failed(20);
    assert!(matches!(attempt(strangers, true, at), Answer::Wait { .. }));
    // The owner's device has its own counter.
    assert!(matches!(attempt(Counter::default(), false, at), Answer::Allow { .. }));
}

#[test]
fn an_address_prefix_is_challenged_at_thirty_and_refused_at_three_hundred() {
    let with = |failures, challenge_passed| {
        let prefix = Tally { failures, ends_at: after(77) };
        let facts = Facts { prefix, ..facts(Counter::default(), challenge_passed) };
        decide(&facts, &Thresholds::default(), now())
    };
    assert!(matches!(with(29, false), Answer::Allow { .. }));
    assert_eq!(with(30, false), Answer::ChallengeRequired);
    assert!(matches!(with(299, true), Answer::Allow { .. }));
    assert_eq!(with(300, true), Answer::Wait { seconds: 77 });
}

#[test]
fn a_flood_from_everywhere_asks_everybody_but_refuses_nobody() {
    let with = |challenge_passed| {
        let global = Tally { failures: 1_000_000, ends_at: after(900) };
        let facts = Facts { global, ..facts(Counter::default(), challenge_passed) };
        decide(&facts, &Thresholds::default(), now())
    };
    assert_eq!(with(false), Answer::ChallengeRequired);
    assert!(matches!(with(true), Answer::Allow { .. }));
}

#[test]
fn addresses_are_counted_by_their_block() {
    for (address, prefix) in [
        ("203.0.113.7", "203.0.113.0/24"),
        ("203.0.113.250", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ] {
        assert_eq!(address_prefix(address.parse().unwrap()), prefix);
    }
}

#[test]
fn windows_follow_one_another_without_a_gap() {
    let (number, end) = window(now());
    assert_eq!(window(end).0, number + 1);
    assert_eq!(window(end - SignedDuration::from_secs(1)).0, number);
    assert!(end > now() && end <= after(900));
}

#[test]
fn a_plain_limit_says_how_long_to_wait() {
    let limit = Limit { max: 5, per: SignedDuration::from_hours(1) };
    assert_eq!(limit.check(4, after(60), now()), Ok(()));
    assert_eq!(limit.check(5, after(60), now()), Err(60));
    assert_eq!(limit.check(5, after(-60), now()), Err(1), "never zero");
}

proptest! {
    #[test]
    fn in_any_quarter_of_an_hour_at_most_nine_guesses_on_an_account_are_verified(
        gaps in prop::collection::vec(0i64..200, 1..300),
    ) {
        let (mut counter, mut at, mut verified) = (Counter::default(), 0, Vec::new());
        for gap in gaps {
            at += gap;
            if let Answer::Allow { reserved } = attempt(counter, true, at) {
                counter = reserved;
                verified.push(at);
            }
        }
        for start in &verified {
            let within = verified.iter().filter(|at| (*start..*start + 900).contains(at)).count();
            // Five, then waits of 30, 60, 120, 240 s let through four more within 900 s.
            prop_assert!(within <= 9, "{within}");
        }
    }

    #[test]
    fn a_wait_is_never_longer_than_the_window(count in 0u32..60, at in 0i64..10_000) {
        let counter = Counter { failures: count, last_at: Some(now()), blocked_until: None };
        if let Answer::Allow { reserved } = attempt(counter, true, at) {
            let blocked = reserved.blocked_until.map(|until| until.duration_since(after(at)));
            prop_assert!(blocked.is_none_or(|wait| wait <= WINDOW));
        }
    }
}

#[test]
fn what_may_be_reserved_unread_is_what_would_be_allowed_when_read() {
    // The store's condition: no counter, or one under three failures that was used within the window.
    for failures in 0..8 {
        for age in [0, 1, 899, 900, 5_000] {
            let counter = failed(failures).0;
            let moved = Counter { last_at: counter.last_at.map(|_| after(10_000 - age)), ..counter };
            let meets = failures < ACCOUNT_CHALLENGE && age < 900 && failures > 0;
            let answer = attempt(moved, false, 10_000);
            if meets {
                let Answer::Allow { reserved } = answer else { panic!("{failures} {age}: {answer:?}") };
                assert_eq!((reserved.failures, reserved.blocked_until), (failures + 1, None));
            }
        }
    }
    let suspicious = |prefix: u64, global: u64| {
        let tally = |failures| Tally { failures, ends_at: after(900) };
        let facts =
            Facts { prefix: tally(prefix), global: tally(global), ..facts(Counter::default(), false) };
        !facts.may_reserve_unread(&Thresholds::default())
    };
    assert!(!suspicious(29, 2_999));
    assert!(suspicious(30, 0) && suspicious(300, 0) && suspicious(0, 3_000));
}
