//! Key rings from the outside: what rotates, what stays readable, what never shows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::{SignedDuration, Timestamp};
use screensort_crypto::{Error, KeyId, KeyRing, MacKey, RotationRule, RotationStep, SigningKey};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn start() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn rule() -> RotationRule {
    RotationRule { rotate_every: DAY * 90, publish_before: DAY, keep_after: Some(DAY * 2) }
}

#[test]
fn a_new_key_is_published_a_day_before_it_signs_and_the_old_one_leaves_two_days_after() {
    let mut ring = KeyRing::<MacKey>::generate(start()).unwrap();
    let first = ring.current().id.clone();
    let mut seen = Vec::new();
    for hour in 0..24 * 93 {
        let now = start() + SignedDuration::from_hours(hour);
        let step = ring.rotate(&rule(), now).unwrap();
        if step != RotationStep::Nothing {
            seen.push((hour, step));
        }
        assert!(ring.iter().count() <= 2, "two live keys at most");
    }
    let second = ring.current().id.clone();
    assert_eq!(
        seen,
        [
            (24 * 89, RotationStep::Publish),
            (24 * 90, RotationStep::Promote(second)),
            (24 * 92, RotationStep::Remove(first)),
        ]
    );
}

#[test]
fn a_late_job_still_publishes_before_it_promotes() {
    let mut ring = KeyRing::<MacKey>::generate(start()).unwrap();
    let late = start() + DAY * 400;
    assert_eq!(ring.rotate(&rule(), late).unwrap(), RotationStep::Publish);
    assert_eq!(ring.rotate(&rule(), late + SignedDuration::from_hours(23)).unwrap(), RotationStep::Nothing);
    assert!(matches!(ring.rotate(&rule(), late + DAY).unwrap(), RotationStep::Promote(_)));
}

#[test]
fn a_ring_without_an_end_date_keeps_its_old_keys() {
    let mut ring = KeyRing::<MacKey>::generate(start()).unwrap();
    let rule = RotationRule { keep_after: None, ..rule() };
    for day in 0..400 {
        ring.rotate(&rule, start() + DAY * day).unwrap();
    }
    assert_eq!(ring.iter().filter(|entry| entry.replaced_at.is_some()).count(), 4);
}

#[test]
fn data_of_an_old_key_is_readable_after_a_rotation_and_a_restart() {
    let mut ring = KeyRing::new(id("k1"), MacKey::new([1; 32]), start());
    let (version, tag) = ring.tag("cursor", &[b"page"]);
    let version = version.clone();
    ring.publish(id("k2"), MacKey::new([2; 32]), start()).unwrap();
    ring.promote("k2", start()).unwrap();

    let ring = KeyRing::<MacKey>::from_json(&ring.to_json().unwrap()).unwrap();
    assert_eq!(ring.current().id, id("k2"));
    ring.verify(version.as_str(), "cursor", &[b"page"], tag.as_bytes()).unwrap();
    ring.verify_any("cursor", &[b"page"], tag.as_bytes()).unwrap();
    assert!(matches!(ring.verify("k2", "cursor", &[b"page"], tag.as_bytes()), Err(Error::NotAuthentic)));
    assert!(matches!(ring.verify("../k1", "cursor", &[b"page"], tag.as_bytes()), Err(Error::UnknownKey)));
}

#[test]
fn the_current_key_can_not_leave_and_nothing_becomes_current_twice() {
    let mut ring = KeyRing::new(id("k1"), MacKey::new([1; 32]), start());
    assert!(ring.remove("k1").is_err());
    assert!(ring.promote("k1", start()).is_err());
    assert!(ring.publish(id("k1"), MacKey::new([2; 32]), start()).is_err());
    ring.publish(id("k2"), MacKey::new([2; 32]), start()).unwrap();
    ring.promote("k2", start()).unwrap();
    assert!(ring.promote("k1", start()).is_err(), "an old key never comes back");
    ring.remove("k1").unwrap();
    assert_eq!(ring.current().id, id("k2"));
    assert!(matches!(ring.remove("k1"), Err(Error::UnknownKey)));
}

#[test]
fn a_ring_never_shows_its_keys() {
    let ring = KeyRing::new(id("k1"), MacKey::new([0xAB; 32]), start());
    let signing = KeyRing::<SigningKey>::generate(start()).unwrap();
    let shown = format!("{ring:?} {signing:?}");
    assert!(shown.contains("k1"));
    assert!(!shown.contains("171") && !shown.contains("q6ur") && !shown.contains("pkcs8"), "{shown}");
}

#[test]
fn a_damaged_document_is_refused_without_quoting_it() {
    let json = r#"{"current":"k1","keys":[{"id":"k1","secret":"SECRETSECRET","published_at":"2026-01-01T00:00:00Z"}]}"#;
    let cases = [
        json.to_owned(),
        json.replace("\"current\":\"k1\"", "\"current\":\"k9\""),
        json.replace("\"id\":\"k1\"", "\"id\":\"../etc/passwd\""),
        json.replace("\"id\"", "\"extra\":1,\"id\""),
        json.replace("SECRETSECRET", "SECRET SECRET"),
        String::new(),
    ];
    for case in cases {
        let error = KeyRing::<MacKey>::from_json(&case).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    }
}

#[test]
fn a_key_name_is_never_a_path() {
    for text in ["", "../x", "a/b", "A", "a.b", "a b", "ä", &"a".repeat(33), "a\0"] {
        assert!(KeyId::new(text).is_err(), "{text:?}");
    }
    assert!(KeyId::generate(start()).unwrap().as_str().starts_with("20261122-"));
}
