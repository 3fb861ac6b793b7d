//! `ship_audit`: lays the hash chain over the trail and ships it to S3, where nobody can change or delete it.
//!
//! It is called with what the table's stream has to say, and by a schedule with nothing, to catch up on whatever
//! the stream did not bring. Each run does what is left to do: records that are in no chain yet become links, links
//! that are not shipped become an object, and an object's last line is a checkpoint with a keyed hash. A link's
//! place is its key in the table, and an object's name is its first link's place: two runs at once cannot fork a
//! chain or ship two versions of it, and a run that breaks off is continued by the next.

use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use screensort_auth::event::Event;
use screensort_crypto::{KeyRing, MacKey, decode_base64url};
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::{JobError, Stack};
use screensort_store::chain::{self, Link};
use screensort_store::{AT_ONCE, Audit, Checkpoint, Laid, Record};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name.
const NAME: &str = "ship_audit";
/// The most links in one object.
const OBJECT: usize = 500;
/// Records read at once.
const PAGE: usize = 500;
/// How often a place that somebody else took is given up for the next.
const MEETINGS: usize = 20;
/// The purpose of a checkpoint's proof.
const PURPOSE: &str = "audit.checkpoint";

/// As a scheduled job and as the stream's consumer.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let work = async {
            match event["Records"].as_array() {
                Some(records) => run(&stack, streamed(records)).await,
                None => run(&stack, swept(&stack).await?).await,
            }
        };
        noted(&stack, NAME, work).await
    })
}

/// The new records that a stream event holds. What else is put into the table, and what expires, is none.
fn streamed(records: &[Value]) -> Vec<Record> {
    let new = records.iter().filter(|record| record["eventName"] == "INSERT");
    let images = new.filter_map(|record| record["dynamodb"]["NewImage"].as_object());
    images
        .filter(|image| image.get("pk").is_some_and(|pk| text(pk).starts_with("DAY#")))
        .filter_map(|image| {
            let plain = image.iter().map(|(name, value)| (name.clone(), Value::from(text(value))));
            serde_json::from_value(Value::Object(plain.collect())).ok()
        })
        .collect()
}

fn text(value: &Value) -> &str {
    value["S"].as_str().unwrap_or_default()
}

/// The records of yesterday and today.
async fn swept(stack: &Stack) -> Result<Vec<Record>, Error> {
    let today = stack.clock().now().to_zoned(TimeZone::UTC).date();
    let yesterday = today.yesterday().unwrap_or(today);
    let (audit, mut records) = (stack.audit(), Vec::new());
    for day in [yesterday, today] {
        for shard in Audit::shards() {
            let mut after = String::new();
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

/// Lays what of `records` is in no chain yet, and ships every chain as far as it goes.
///
/// # Errors
/// If the table or the bucket fails, or a chain does not hold: nothing is shipped of that one.
pub async fn run(stack: &Stack, mut records: Vec<Record>) -> Result<Value, Error> {
    let audit = stack.audit();
    records.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id == b.id);
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let places = audit.places(&ids).await?;
    records.retain(|record| !places.contains_key(&record.id));
    let (mut laid, mut shipped) = (0, 0);
    for shard in Audit::shards() {
        let of_shard: Vec<Record> = records.iter().filter(|r| r.shard() == shard).cloned().collect();
        laid += lay(&audit, shard, of_shard).await?;
        shipped += ship(stack, &audit, shard).await?;
    }
    Ok(json!({"laid": laid, "shipped": shipped}))
}

/// Lays `records` after the head of the chain; how many it was that laid them.
async fn lay(audit: &Audit, shard: u8, mut records: Vec<Record>) -> Result<usize, Error> {
    let (mut laid, mut meetings) = (0, 0);
    while !records.is_empty() {
        let mut head = audit.head(shard).await?;
        let mut links = Vec::new();
        for record in records.iter().take(AT_ONCE) {
            let link = Link::after(head.as_ref(), shard, record.clone());
            head = Some(link.clone());
            links.push(link);
        }
        match audit.lay(&links).await? {
            Laid::Yes => {
                laid += links.len();
                records.drain(..links.len());
            }
            Laid::Already(places) => {
                let mut at = 0;
                records.retain(|_| {
                    at += 1;
                    !places.contains(&(at - 1))
                });
            }
            Laid::Taken if meetings < MEETINGS => meetings += 1,
            // Whoever is faster lays them too; what they leave is laid the next time.
            Laid::Taken => break,
        }
    }
    Ok(laid)
}

/// Ships the links since the last checkpoint; how many.
async fn ship(stack: &Stack, audit: &Audit, shard: u8) -> Result<usize, Error> {
    let mut shipped = 0;
    loop {
        let last = audit.checkpoint(shard).await?;
        let from = last.as_ref().map_or(0, |checkpoint| checkpoint.seq);
        // The link before comes along, for its hash.
        let mut links = audit.links(shard, from.saturating_sub(1), OBJECT + 1).await?;
        let before = if from == 0 || links.is_empty() { None } else { Some(links.remove(0)) };
        let Some(first) = links.first().map(|link| link.seq) else { return Ok(shipped) };
        let follows = last.as_ref().is_none_or(|last| before.as_ref().is_some_and(|b| b.hash == last.hash));
        let held = chain::check(shard, before.as_ref(), &links).map_err(|broken| broken.to_string());
        let held = held
            .and_then(|()| if follows { Ok(()) } else { Err("the last link shipped was changed".into()) });
        if let Err(what) = held {
            let trail = trail_of(Event::AuditBroken, NAME, &shard.to_string(), NAME, stack.clock().now())?;
            stack.witness(&trail).await;
            return Err(Error::Broken(what));
        }
        links.truncate(OBJECT);
        let Some(end) = links.last() else { return Ok(shipped) };
        let object = object(shard, first);
        let ring = stack.lasting_ring().await?;
        let mut checkpoint = Checkpoint {
            shard,
            seq: end.seq,
            hash: end.hash.clone(),
            at: stack.clock().now(),
            object: object.clone(),
            key: String::new(),
            mac: String::new(),
        };
        sign(&ring, &mut checkpoint);
        if stack.shipped().put_new(&object, "application/x-ndjson", lines(&links, &checkpoint)?).await? {
            shipped += links.len();
        } else {
            // A run that broke off, or one at the same time, was here: what it shipped is what is shipped.
            checkpoint = shipped_as(stack, &object).await?;
        }
        audit.check_in(&checkpoint).await?;
        if let Ok(trail) = trail_of(Event::AuditShipped, NAME, &shard.to_string(), NAME, checkpoint.at) {
            // A record of it would have to be shipped too, and so on.
            log(&trail);
        }
    }
}

/// The name of the object that begins with the link at `first`.
fn object(shard: u8, first: u64) -> String {
    format!("audit/{shard}/{first:012}.ndjson")
}

fn lines(links: &[Link], checkpoint: &Checkpoint) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut line = |value: serde_json::Result<Vec<u8>>| {
        bytes.extend(value.map_err(|e| Error::Broken(e.to_string()))?);
        bytes.push(b'\n');
        Ok::<(), Error>(())
    };
    for link in links {
        line(serde_json::to_vec(link))?;
    }
    line(serde_json::to_vec(checkpoint))?;
    Ok(bytes)
}

/// The links and the checkpoint in a shipped object.
fn read(object: &str, bytes: &[u8]) -> Result<(Vec<Link>, Checkpoint), Error> {
    let unreadable = |_| Error::Broken(format!("{object} cannot be read"));
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let last = lines.pop().ok_or_else(|| Error::Broken(format!("{object} is empty")))?;
    let links =
        lines.into_iter().map(serde_json::from_slice).collect::<Result<_, _>>().map_err(unreadable)?;
    Ok((links, serde_json::from_slice(last).map_err(unreadable)?))
}

async fn shipped_as(stack: &Stack, object: &str) -> Result<Checkpoint, Error> {
    let bytes = stack.shipped().get(object).await?;
    let bytes = bytes.ok_or_else(|| Error::Broken(format!("{object} is gone")))?;
    Ok(read(object, &bytes)?.1)
}

fn sign(ring: &KeyRing<MacKey>, checkpoint: &mut Checkpoint) {
    let (key, tag) = ring.tag(PURPOSE, &parts(&words(checkpoint)));
    checkpoint.key = key.to_string();
    checkpoint.mac = tag.to_text();
}

fn words(checkpoint: &Checkpoint) -> [String; 5] {
    let Checkpoint { shard, seq, hash, at, object, .. } = checkpoint;
    [shard.to_string(), seq.to_string(), hash.clone(), at.to_string(), object.clone()]
}

fn parts(words: &[String; 5]) -> [&[u8]; 5] {
    std::array::from_fn(|at| words[at].as_bytes())
}

fn is_ours(ring: &KeyRing<MacKey>, checkpoint: &Checkpoint) -> bool {
    let mac = decode_base64url(&checkpoint.mac).unwrap_or_default();
    ring.verify(&checkpoint.key, PURPOSE, &parts(&words(checkpoint)), &mac).is_ok()
}

/// What a check of the trail looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What was shipped to S3.
    Shipped,
    /// The table.
    Table,
}

/// Checks every chain from its first link on; how many links there are.
///
/// # Errors
/// [`Error::Broken`] names the first thing that is wrong; others if the table or the bucket fails.
pub async fn verify(stack: &Stack, from: Source) -> Result<usize, Error> {
    let mut count = 0;
    for shard in Audit::shards() {
        count += match from {
            Source::Shipped => verify_shipped(stack, shard).await?,
            Source::Table => verify_table(stack, shard).await?,
        };
    }
    Ok(count)
}

async fn verify_shipped(stack: &Stack, shard: u8) -> Result<usize, Error> {
    let (ring, shipped) = (stack.lasting_ring().await?, stack.shipped());
    let mut before: Option<Link> = None;
    let mut count = 0;
    for name in shipped.list(&format!("audit/{shard}/")).await? {
        let bytes = shipped.get(&name).await?.ok_or_else(|| Error::Broken(format!("{name} is gone")))?;
        let (links, checkpoint) = read(&name, &bytes)?;
        chain::check(shard, before.as_ref(), &links).map_err(|e| Error::Broken(format!("{name}: {e}")))?;
        count += links.len();
        before = links.into_iter().last().or(before);
        let end = before.as_ref().map(|link| (link.seq, link.hash.as_str()));
        let matches = checkpoint.object == name && end == Some((checkpoint.seq, checkpoint.hash.as_str()));
        if !matches || !is_ours(&ring, &checkpoint) {
            return Err(Error::Broken(format!("{name}: the checkpoint is not ours or not of these links")));
        }
    }
    // What is shipped last must be what the table says: a last object that is gone leaves no gap of its own.
    let last = stack.audit().checkpoint(shard).await?;
    if last.is_some_and(|last| before.as_ref().is_none_or(|link| link.seq < last.seq)) {
        return Err(Error::Broken(format!("shard {shard}: the last object that was shipped is gone")));
    }
    Ok(count)
}

async fn verify_table(stack: &Stack, shard: u8) -> Result<usize, Error> {
    let (ring, audit) = (stack.lasting_ring().await?, stack.audit());
    let checkpoint = audit.checkpoint(shard).await?;
    let mut before: Option<Link> = None;
    let mut count = 0;
    loop {
        let after = before.as_ref().map_or(0, |link| link.seq);
        let links = audit.links(shard, after, PAGE).await?;
        if links.is_empty() {
            break;
        }
        chain::check(shard, before.as_ref(), &links).map_err(|e| Error::Broken(e.to_string()))?;
        compare(stack, &audit, &links).await?;
        let at = checkpoint.as_ref().and_then(|c| links.iter().find(|l| l.seq == c.seq).map(|l| (c, l)));
        if at.is_some_and(|(checkpoint, link)| checkpoint.hash != link.hash || !is_ours(&ring, checkpoint)) {
            return Err(Error::Broken(format!(
                "shard {shard}: the checkpoint is not ours or of another chain"
            )));
        }
        count += links.len();
        before = links.into_iter().last();
    }
    if checkpoint.is_some_and(|c| before.as_ref().is_none_or(|link| link.seq < c.seq)) {
        return Err(Error::Broken(format!("shard {shard}: links that were shipped are gone")));
    }
    Ok(count)
}

/// Compares links with the records that they are of, as far as those have not expired.
async fn compare(stack: &Stack, audit: &Audit, links: &[Link]) -> Result<(), Error> {
    let old = stack.clock().now() - SignedDuration::from_hours(24 * 399);
    let young: Vec<&Link> = links.iter().filter(|link| link.record.at > old).collect();
    let there = audit.still(&young.iter().map(|link| &link.record).collect::<Vec<_>>()).await?;
    for link in young {
        let what = match there.get(&link.record.id) {
            Some(record) if *record == link.record => continue,
            Some(_) => "its record in the table was changed",
            None => "its record in the table is gone",
        };
        return Err(Error::Broken(format!("shard {}, link {}: {what}", link.shard, link.seq)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_event_brings_new_records_and_nothing_else() {
        let image = |pk: &str| {
            let s = |text: &str| json!({"S": text});
            json!({"pk": s(pk), "sk": s("01K"), "id": s("01K"), "action": s("auth.logout"), "actor": s("a"),
                "target": s("a"), "at": s("2026-11-22T12:00:00Z"), "source": s("-"), "request_id": s("r"),
                "ttl": {"N": "1"}})
        };
        let record = |name: &str, pk: &str| json!({"eventName": name, "dynamodb": {"NewImage": image(pk)}});
        let event = [
            record("INSERT", "DAY#2026-11-22#1"),
            record("REMOVE", "DAY#2026-11-22#1"),
            record("INSERT", "CHAIN#1"),
            json!({"eventName": "INSERT"}),
            json!("nonsense"),
        ];
        let found = streamed(&event);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].action.as_str(), found[0].before.as_deref()), ("auth.logout", None));
    }
}
