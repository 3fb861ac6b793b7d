//! What happened, as a record for the trail and as a line in the log: both are made here, from the same facts.

use jiff::Timestamp;
use screensort_auth::event::Event;
use screensort_crypto::random_bytes;
use screensort_store::{Record, Trail};

use crate::{Problem, Whence};

/// In the place of somebody or something that nobody knows.
pub const UNKNOWN: &str = "-";

/// The trail of `event`, which `actor` caused without any request: a job, or somebody at the command line. `run`
/// names the run.
///
/// # Errors
/// 503 if there is no randomness for the record's id.
pub fn trail_of(
    event: Event,
    actor: &str,
    target: &str,
    run: &str,
    now: Timestamp,
) -> Result<Trail, Problem> {
    record(event, actor, target, UNKNOWN.to_owned(), run, now)
}

/// A new ULID, of this moment.
///
/// # Errors
/// 500 if this machine gives no random numbers.
pub fn new_id(now: Timestamp) -> Result<String, Problem> {
    let random = u128::from_be_bytes(random_bytes()?);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Ok(ulid::Ulid::from_parts(millis, random).to_string())
}

fn record(
    event: Event,
    actor: &str,
    target: &str,
    source: String,
    request_id: &str,
    now: Timestamp,
) -> Result<Trail, Problem> {
    Ok(Trail::of(Record {
        id: new_id(now)?,
        action: event.name().to_owned(),
        actor: actor.to_owned(),
        target: target.to_owned(),
        before: None,
        after: None,
        at: now,
        source,
        request_id: request_id.to_owned(),
    }))
}

/// Writes what happened into the log, from the records themselves.
pub fn log(trail: &Trail) {
    for record in trail.records() {
        let event = Event::of_name(&record.action);
        line(event, &record.action, &record.actor, &record.target, &record.source, &record.request_id);
    }
}

fn line(event: Option<Event>, name: &str, actor: &str, target: &str, source: &str, request_id: &str) {
    tracing::info!(
        target: "security",
        event = name,
        severity = event.map_or("", |event| event.level().as_str()),
        alarming = event.is_some_and(Event::is_alarming),
        actor,
        target_id = target,
        source,
        request_id,
        "{name}"
    );
}

/// Says in the log that something the product cannot do without failed in `function`. It leaves no record: the store
/// may be what failed.
pub fn critical(function: &str, source: &str, request_id: &str) {
    line(Some(Event::ErrorCritical), Event::ErrorCritical.name(), UNKNOWN, function, source, request_id);
}

/// Says in the log that somebody who is shut out asked for something.
pub fn blocked(source: &str, request_id: &str) {
    line(Some(Event::BlocklistMet), Event::BlocklistMet.name(), UNKNOWN, UNKNOWN, source, request_id);
}

impl Whence {
    /// The trail of `event` at `now`: `actor` did it to `target`, both by id, as far as they are known. It is
    /// handed to the store with what it records, and to [`log`] once that is written.
    ///
    /// # Errors
    /// 503 if there is no randomness for the record's id.
    pub fn trail(
        &self,
        event: Event,
        actor: Option<&str>,
        target: Option<&str>,
        now: Timestamp,
    ) -> Result<Trail, Problem> {
        let (actor, target) = (actor.unwrap_or(UNKNOWN), target.unwrap_or(UNKNOWN));
        record(event, actor, target, self.source.to_string(), &self.request_id, now)
    }

    /// The trail of what `account` did to itself.
    ///
    /// # Errors
    /// As [`Whence::trail`].
    pub fn own(&self, event: Event, account: &str, now: Timestamp) -> Result<Trail, Problem> {
        self.trail(event, Some(account), Some(account), now)
    }

    /// Logs an event that leaves no record. `account` is whom it concerns, by id, if that is known.
    pub fn note(&self, event: Event, account: Option<&str>) {
        let account = account.unwrap_or(UNKNOWN);
        line(Some(event), event.name(), account, account, &self.source.to_string(), &self.request_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::tests::get;

    #[test]
    fn a_record_holds_who_did_what_to_whom_when_and_from_where() {
        let whence = Whence::of(&get("/session", &[]));
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let trail = whence.trail(Event::LoginFailed, None, Some("ann"), now).unwrap();
        let [record] = trail.records() else { panic!("one record") };
        assert_eq!((record.action.as_str(), record.actor.as_str()), ("auth.login.failed", "-"));
        assert_eq!((record.target.as_str(), record.at), ("ann", now));
        assert_eq!((record.source.as_str(), record.request_id.as_str()), ("203.0.113.7", "test-request"));
        assert_eq!(record.id.len(), 26);
    }
}
