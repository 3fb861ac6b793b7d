//! `GET /admin/audit`: what happened on a day, newest first.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{
    Authority, Endpoint, Input, Member, Opening, Page, PageAsk, Problem, Reply, Text, Whence,
};
use screensort_routes::ADMIN_AUDIT;
use screensort_runtime::Stack;
use screensort_store::{Audit, Place, Record};
use serde::Serialize;

/// The most records that are looked at for one page: a filter that hardly anything passes ends it early.
const LOOKED_AT: usize = 2_000;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_audit").route(ADMIN_AUDIT, audit)
}

struct Ask {
    day: Option<Date>,
    actor: Option<String>,
    action: Option<String>,
    page: PageAsk,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let day = o.query::<Text<10>>("day", "A day in UTC, such as 2026-11-22; today unless given.");
        let day = match day.map(|Text(day)| day.parse::<Date>()) {
            None => None,
            Some(Ok(day)) => Some(day),
            Some(Err(_)) => {
                o.fault("day", "invalid", "Not a day such as 2026-11-22.");
                None
            }
        };
        let actor = o.query::<Text<64>>("actor", "Only what this account or job did.");
        let action = o.query::<Text<64>>("action", "Only this action: an event's name, see docs/events.md.");
        if action.as_ref().is_some_and(|Text(action)| Event::of_name(action).is_none()) {
            o.fault("action", "unknown_value", "There is no such event.");
        }
        let text = |text: Option<Text<64>>| text.map(|Text(text)| text);
        let (page, whence) = (PageAsk::open(o)?, Whence::open(o)?);
        Some(Self { day, actor: text(actor), action: text(action), page, whence })
    }
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditRecord")]
struct Entry {
    id: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: Timestamp,
    /// What was done: the event's name.
    action: String,
    /// How much it matters.
    severity: &'static str,
    /// Who did it: an account's id, a job's name, or `-`.
    actor: String,
    /// What it was done to, by id, or `-`.
    target: String,
    /// A keyed hash of what was there before.
    before: Option<String>,
    /// A keyed hash of what was there afterwards.
    after: Option<String>,
    /// The address that it came from, or `-`.
    source: String,
    request_id: String,
    /// Where it is in the chain; null until it is laid, within the minute.
    chain: Option<Chain>,
}

/// A record's place in the chain.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditPlace")]
struct Chain {
    shard: u8,
    seq: u64,
    /// Whether the record is still what it was when it was laid.
    intact: bool,
}

impl Entry {
    fn of(record: Record, place: Option<&Place>) -> Self {
        let intact = |place: &Place| place.digest == record.digest();
        let chain = place.map(|at| Chain { shard: at.shard, seq: at.seq, intact: intact(at) });
        Self {
            severity: Event::of_name(&record.action).map_or("notable", |event| event.level().as_str()),
            chain,
            id: record.id,
            at: record.at,
            action: record.action,
            actor: record.actor,
            target: record.target,
            before: record.before,
            after: record.after,
            source: record.source,
            request_id: record.request_id,
        }
    }
}

async fn audit(
    Member { who, .. }: Member<may::AuditRead>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    let now = stack.clock().now();
    let cursors = stack.cursors().await?;
    let before: Option<String> = ask.page.start(&cursors, who.id())?;
    let day = ask.day.unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date());
    let trail = ask.whence.trail(Event::AuditRead, Some(who.id()), Some(&day.to_string()), now)?;
    let audit = stack.audit();
    let ((), found) = futures::join!(stack.witness(&trail), find(&audit, day, before, &ask));
    let (records, next) = found?;
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let places = audit.places(&ids).await?;
    let entry = |record: Record| {
        let place = places.get(&record.id);
        Entry::of(record, place)
    };
    ask.page.reply(&cursors, who.id(), records.into_iter().map(entry).collect(), next.as_ref())
}

/// A page of what is asked for, and the record after which the next one starts.
async fn find(
    audit: &Audit,
    day: Date,
    mut before: Option<String>,
    ask: &Ask,
) -> Result<(Vec<Record>, Option<String>), Problem> {
    let most = ask.page.limit;
    let is_asked = |asked: &Option<String>, is: &str| asked.as_ref().is_none_or(|asked| asked == is);
    let filters = ask.actor.is_some() || ask.action.is_some();
    let at_once = if filters { 200 } else { most + 1 };
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = audit.day(day, before.as_deref(), at_once).await?;
        let is_last = page.len() < at_once;
        looked_at += page.len();
        before = page.last().map(|record| record.id.clone()).or(before);
        found.extend(
            page.into_iter().filter(|record| {
                is_asked(&ask.actor, &record.actor) && is_asked(&ask.action, &record.action)
            }),
        );
        if found.len() > most {
            found.truncate(most);
            let next = found.last().map(|record| record.id.clone());
            return Ok((found, next));
        }
        if is_last {
            return Ok((found, None));
        }
        if looked_at >= LOOKED_AT {
            return Ok((found, before));
        }
    }
}
