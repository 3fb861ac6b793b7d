//! `detect`: looks at the last quarter of an hour of the trail for what looks like an attack, and records it. The
//! rules and their thresholds are in `shared/auth/src/detect.rs`.

use std::future::Future;
use std::pin::Pin;

use jiff::tz::TimeZone;
use screensort_auth::detect::{self, Seen, Threat, WINDOW};
use screensort_auth::event::Event;
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::{JobError, Stack};
use screensort_store::{Audit, Record};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name.
const NAME: &str = "detect";
/// Records read at once.
const PAGE: usize = 1_000;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { noted(&stack, NAME, run(&stack)).await })
}

/// Records each threat once an hour, however often it is seen.
///
/// # Errors
/// If the store fails; the next run looks at the same time again.
pub async fn run(stack: &Stack) -> Result<Value, Error> {
    let now = stack.clock().now();
    let records = recent(stack).await?;
    let seen: Vec<Seen<'_>> = records.iter().filter_map(seen).collect();
    let (audit, mut new) = (stack.audit(), Vec::new());
    let hour = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H").to_string();
    for threat in detect::threats(&seen) {
        let Threat { name, subject, count } = &threat;
        let Some(event) = Event::of_name(name) else { continue };
        let trail = trail_of(event, NAME, subject, NAME, now)?;
        if audit.once(&format!("{name}#{subject}"), &hour, &trail).await? {
            log(&trail);
            new.push(json!({"event": name, "subject": subject, "count": count}));
        }
    }
    Ok(json!({"looked_at": seen.len(), "threats": new}))
}

/// The records of the window.
async fn recent(stack: &Stack) -> Result<Vec<Record>, Error> {
    let now = stack.clock().now();
    let from = now.saturating_sub(WINDOW).unwrap_or(now);
    // A ULID begins with its time: everything since then comes after the smallest one of that moment.
    let millis = u64::try_from(from.as_millisecond()).unwrap_or(0);
    let first = ulid::Ulid::from_parts(millis, 0).to_string();
    let day = |at: jiff::Timestamp| at.to_zoned(TimeZone::UTC).date();
    let mut days = vec![day(from), day(now)];
    days.dedup();
    let (audit, mut records) = (stack.audit(), Vec::new());
    for day in days {
        for shard in Audit::shards() {
            let mut after = first.clone();
            loop {
                let page = audit.of_shard(day, shard, &after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                records.extend(page);
            }
        }
    }
    Ok(records)
}

fn seen(record: &Record) -> Option<Seen<'_>> {
    Some(Seen {
        event: Event::of_name(&record.action)?,
        actor: &record.actor,
        target: &record.target,
        source: record.source.parse().ok(),
    })
}
