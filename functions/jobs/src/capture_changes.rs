//! `capture_changes`: what changed in the table of people's data becomes records of the trail, from the table's
//! stream. They hold who changed what in which request, and keyed hashes of how it was before and after; never the
//! values.
//!
//! A record's id is made of the change's time and its place in the stream: the same change always becomes the same
//! record, whether it is delivered once or often, and changes of one item stay in their order. What fails is
//! delivered again by the stream, in order, until it succeeds; nothing in a change's contents can make it fail.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use screensort_auth::event::Event;
use screensort_crypto::{KeyRing, MacKey};
use screensort_http::{Authority, UNKNOWN, log};
use screensort_runtime::{JobError, Stack};
use screensort_store::{Record, Trail};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name.
const NAME: &str = "capture_changes";
/// The purpose of the hashes.
const PURPOSE: &str = "audit.image";
/// What TTL deletes was marked as gone before, and that is a record already.
const EXPIRY: &str = "dynamodb.amazonaws.com";

/// As the stream's consumer.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { noted(&stack, NAME, run(&stack, &event)).await })
}

/// Records the changes of a stream event.
///
/// # Errors
/// If the store or a key fails; delivered again, what is recorded already stays as it is.
pub async fn run(stack: &Stack, event: &Value) -> Result<Value, Error> {
    let (audit, ring, now) = (stack.audit(), stack.lasting_ring().await?, stack.clock().now());
    let changes = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut recorded = 0;
    for change in changes {
        let Some(record) = record(change, &ring, now) else { continue };
        let trail = Trail::of(record);
        audit.keep(&trail).await?;
        log(&trail);
        recorded += 1;
    }
    Ok(json!({"changes": changes.len(), "recorded": recorded}))
}

fn text<'v>(image: &'v Value, name: &str) -> Option<&'v str> {
    image[name]["S"].as_str()
}

/// The record of a change; none for what expired and for what is no change of ours.
fn record(change: &Value, ring: &KeyRing<MacKey>, now: Timestamp) -> Option<Record> {
    if change["userIdentity"]["principalId"] == EXPIRY {
        return None;
    }
    let data = &change["dynamodb"];
    let (pk, sk) = (text(&data["Keys"], "pk")?, text(&data["Keys"], "sk")?);
    let (old, new) = (&data["OldImage"], &data["NewImage"]);
    let (before, after) = (hash(ring, pk, sk, old), hash(ring, pk, sk, new));
    if before == after {
        return None;
    }
    let kind = sk.split('#').next().unwrap_or_default();
    let event = event(pk, kind)?;
    let is_gone = new["gone"]["BOOL"] == true || new.is_null();
    let at = data["ApproximateCreationDateTime"].as_f64().and_then(|seconds| {
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of our time fit")]
        Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
    });
    let at = at.unwrap_or(now);
    let word = |name: &str| text(new, name).or(text(old, name)).unwrap_or(UNKNOWN).to_owned();
    let owner = pk.split_once('#').map_or(pk, |(_, id)| id);
    Some(Record {
        id: id(at, data["SequenceNumber"].as_str().unwrap_or_default()),
        action: event.name().to_owned(),
        actor: word("by"),
        target: format!("{owner}/{kind}"),
        before,
        after: after.filter(|_| !is_gone),
        at,
        source: UNKNOWN.to_owned(),
        request_id: word("rid"),
    })
}

/// What a change of an item means, by the first words of its keys; none for what only leads to something else or
/// tells how far work is.
fn event(pk: &str, kind: &str) -> Option<Event> {
    match (pk.split('#').next().unwrap_or_default(), kind) {
        ("PERSON", "F" | "H") => Some(Event::FilmNoted),
        ("PERSON", "X" | "I" | "STANDING") => None,
        // What a review or a link went through is said by the records of its own; here is how it was and is.
        ("PERSON", "R" | "LINK") | ("REVIEW", "REPORT") => Some(Event::ItemChanged),
        ("PERSON", _) => Some(Event::PersonChanged),
        _ => None,
    }
}

/// A keyed hash of an image, over everything but who changed it last and when it expires.
fn hash(ring: &KeyRing<MacKey>, pk: &str, sk: &str, image: &Value) -> Option<String> {
    let mut image = image.clone();
    let fields = image.as_object_mut()?;
    for name in ["by", "rid", "ttl"] {
        fields.remove(name);
    }
    image.sort_all_objects();
    let text = image.to_string();
    Some(ring.tag(PURPOSE, &[pk.as_bytes(), sk.as_bytes(), text.as_bytes()]).1.to_text())
}

/// A ULID of a time and a place in the stream. Places of one item only ever grow.
fn id(at: Timestamp, sequence: &str) -> String {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    // Eighty bits are left; a sequence number has some seventy. Its upper digits are the same for a long time.
    let place = sequence
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0_u128, |sum, digit| sum.wrapping_mul(10).wrapping_add(u128::from(digit - b'0')));
    ulid::Ulid::from_parts(millis, place & ((1 << 80) - 1)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn change(name: &str, sequence: &str, old: Value, new: Value) -> Value {
        let keys = json!({"pk": {"S": "PERSON#ann"}, "sk": {"S": "F#27205"}});
        json!({"eventName": name, "dynamodb": {"Keys": keys, "OldImage": old, "NewImage": new,
            "SequenceNumber": sequence, "ApproximateCreationDateTime": 1_795_348_800.0}})
    }

    fn image(thumb: &str, by: &str) -> Value {
        json!({"thumb": {"S": thumb}, "by": {"S": by}, "rid": {"S": format!("request of {by}")}})
    }

    #[test]
    fn a_change_becomes_a_record_of_who_what_and_in_which_request_without_the_values() {
        let ring = KeyRing::<MacKey>::generate(now()).unwrap();
        let changed = change("MODIFY", "100", image("up", "ann"), image("down", "eve"));
        let record = record(&changed, &ring, now()).unwrap();
        assert_eq!((record.action.as_str(), record.actor.as_str()), ("library.film.noted", "eve"));
        assert_eq!((record.target.as_str(), record.request_id.as_str()), ("ann/F", "request of eve"));
        assert!(record.before.is_some() && record.after.is_some() && record.before != record.after);
        let text = record.canonical();
        assert!(!text.contains("up") && !text.contains("down") && !text.contains("27205"), "{text}");
    }

    #[test]
    fn the_same_change_is_the_same_record_and_later_ones_come_later() {
        let ring = KeyRing::<MacKey>::generate(now()).unwrap();
        let of = |sequence: &str| {
            record(&change("MODIFY", sequence, image("up", "a"), image("down", "a")), &ring, now()).unwrap()
        };
        let (first, second) = (
            of("49590338271490256608559692538361571095921575989136588898"),
            of("49590338271490256608559692538361571095921575989136588899"),
        );
        assert_eq!(first, of("49590338271490256608559692538361571095921575989136588898"));
        assert!(first.id < second.id, "in the order of the stream although of one moment");
    }

    #[test]
    fn what_expires_and_what_stays_the_same_is_no_change() {
        let ring = KeyRing::<MacKey>::generate(now()).unwrap();
        let mut expired = change("REMOVE", "1", image("up", "a"), Value::Null);
        expired["userIdentity"] = json!({"principalId": EXPIRY, "type": "Service"});
        assert!(record(&expired, &ring, now()).is_none());
        let same = change("MODIFY", "1", image("up", "ann"), image("up", "eve"));
        assert!(record(&same, &ring, now()).is_none());
        for nonsense in [json!(null), json!({}), json!({"dynamodb": {"Keys": {"pk": {"N": "1"}}}})] {
            assert!(record(&nonsense, &ring, now()).is_none());
        }
    }

    #[test]
    fn what_is_marked_gone_is_gone() {
        let ring = KeyRing::<MacKey>::generate(now()).unwrap();
        let mut gone = image("up", "ann");
        gone["gone"] = json!({"BOOL": true});
        let record = record(&change("MODIFY", "1", image("up", "ann"), gone), &ring, now()).unwrap();
        assert!(record.before.is_some() && record.after.is_none());
    }
}
