//! `detect`: looks at the last quarter of an hour of the trail for what looks like an attack, records it, and shuts
//! out networks where a rule says so. The rules and their thresholds are in `shared/auth/src/rules.rs`.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use screensort_auth::detect::{self, Seen, Threat};
use screensort_auth::event::Event;
use screensort_auth::rules::{ELSEWHERE, SHUT_OUT, WINDOW};
use screensort_http::{Authority, log, trail_of};
use screensort_model::Network;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Audit, Blocked, Record};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name.
const NAME: &str = "detect";
/// Records read at once.
const PAGE: usize = 1_000;

/// Logins of one account that are looked at.
const LOGINS: usize = 20;
/// Accounts whose logins are looked at in one run.
const ACCOUNTS: usize = 200;

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
    let mut threats = detect::threats(&seen);
    threats.extend(displaced(stack, &records, now).await?);
    let (audit, mut new) = (stack.audit(), Vec::new());
    let hour = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H").to_string();
    for threat in threats {
        let Threat { name, subject, count, shuts_out } = &threat;
        let Some(event) = Event::of_name(name) else { continue };
        let trail = trail_of(event, NAME, subject, NAME, now)?;
        if audit.once(&format!("{name}#{subject}"), &hour, &trail).await? {
            log(&trail);
            let shut_out = *shuts_out && shut_out(stack, name, subject, now).await?;
            new.push(json!({"event": name, "subject": subject, "count": count, "shut_out": shut_out}));
        }
    }
    Ok(json!({"looked_at": seen.len(), "threats": new}))
}

/// Shuts a network out for a while, unless the list says something of it already; whether it did.
async fn shut_out(stack: &Stack, why: &str, network: &str, now: Timestamp) -> Result<bool, Error> {
    let Ok(network) = network.parse::<Network>() else { return Ok(false) };
    if network.is_private() {
        return Ok(false);
    }
    let blocked = Blocked {
        cidr: network,
        reason: why.to_owned(),
        author: NAME.to_owned(),
        created_at: now,
        expires_at: now.checked_add(SHUT_OUT).ok(),
    };
    let trail = trail_of(Event::BlocklistAdded, NAME, &network.to_string(), NAME, now)?;
    let added = stack.blocklist().add(&blocked, true, &trail).await?;
    if added {
        log(&trail);
        stack.blocklist_changed().await;
    }
    Ok(added)
}

/// Who signed in with a device and from a network that are new to them, while a session of theirs was in use
/// elsewhere.
async fn displaced(stack: &Stack, records: &[Record], now: Timestamp) -> Result<Vec<Threat>, Error> {
    let logins = records.iter().filter(|record| record.action == Event::LoginSucceeded.name());
    let accounts: BTreeSet<&str> = logins.map(|record| record.target.as_str()).take(ACCOUNTS).collect();
    let since = now.saturating_sub(WINDOW).unwrap_or(now);
    let (sessions, mut found) = (stack.sessions(), Vec::new());
    for account in accounts {
        let logins = sessions.logins(account, None, LOGINS).await?;
        let Some((_, last)) = logins.first().filter(|(_, last)| last.at >= since && logins.len() > 1) else {
            continue;
        };
        let mut earlier = logins[1..].iter().map(|(_, login)| login);
        if !earlier.all(|login| login.device != last.device && login.prefix != last.prefix) {
            continue;
        }
        let elsewhere = sessions.of(account).await?.into_iter().any(|session| {
            session.name != last.session
                && session.prefix != last.prefix
                && last.at.duration_since(session.last_seen).abs() <= ELSEWHERE
        });
        if elsewhere {
            let name = Event::ThreatNewPlace.name();
            found.push(Threat { name, subject: account.to_owned(), count: 1, shuts_out: false });
        }
    }
    Ok(found)
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
