//! `security_audit`: how the deployment is protected, written down for a person to read: encryption, recovery, keys and
//! their age, dormant accounts and keys, rights that nobody uses.
//!
//! It changes nothing and guesses nothing: what cannot be read from here is said to be unreadable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use screensort_auth::event::Event;
use screensort_auth::{Permission, Role};
use screensort_crypto::{KeyRing, SigningKey};
use screensort_http::member::standing;
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::{JobError, Protection, Stack, cursor_ring};
use screensort_store::{Account, ApiKey, Audit};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name.
const NAME: &str = "security_audit";
/// Accounts and keys that were not used for so long are dormant.
const DORMANT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How far back a role's use is looked for.
const USED_WITHIN: i64 = 30;
/// The oldest that a key may sign, in days: it is rotated once a month.
const OLD_SIGNING: i64 = 35;
/// The oldest that other keys may be in use, in days.
const OLD_RING: i64 = 400;
/// What only a person can replace, and how.
const BY_HAND: [&str; 2] = [
    "TMDb's token: TMDb makes it. Put a new one into its secret; docs/runbook.md, \"Change a key\".",
    "The pepper of passwords: KMS rotates no MAC keys. Make another key and name it; docs/runbook.md, \"Another pepper\".",
];
/// A program that may do more than this has a wide key.
const WIDE: usize = 5;
/// Accounts and records read at once.
const PAGE: usize = 200;
/// Accounts looked at side by side.
const SIDE_BY_SIDE: usize = 8;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { noted(&stack, NAME, run(&stack)).await })
}

/// Reads everything, writes the report and answers with a summary of it.
///
/// # Errors
/// If the store or the bucket fails.
pub async fn run(stack: &Stack) -> Result<Value, Error> {
    let now = stack.clock().now();
    let protections = stack.protections().await;
    let settings = settings(stack, now).await?;
    let used = rights_used(stack, now).await?;
    let people = people(stack, &used, now).await?;
    let day = now.to_zoned(TimeZone::UTC).date();
    let dated = format!("reports/security_audit-{day}.md");
    let page = page(now, &protections, &settings, &people);
    stack.reports().put(&dated, "text/markdown; charset=utf-8", page).await?;
    let trail = trail_of(Event::SecurityAudited, NAME, &dated, NAME, now)?;
    stack.audit().keep(&trail).await?;
    log(&trail);
    let count = |holds: Option<bool>| protections.iter().filter(|one| one.holds == holds).count();
    Ok(json!({
        "report": dated,
        "protected": count(Some(true)),
        "unprotected": count(Some(false)),
        "unreadable": count(None),
        "findings": settings.len() + people.values().map(Vec::len).sum::<usize>(),
    }))
}

/// What is to be said of the settings and of the keys that are secrets.
async fn settings(stack: &Stack, now: Timestamp) -> Result<Vec<String>, Error> {
    let settings = stack.settings();
    let mut found = Vec::new();
    let text = stack.secret(&settings.signing_secret).await?;
    let signing = KeyRing::<SigningKey>::from_json(&text).map_err(|e| Error::Keys(e.to_string()))?;
    let (macs, index) = (stack.mac_ring().await?, stack.index_ring().await?);
    let lasting = stack.lasting_ring().await?;
    let cursors = cursor_ring(&stack.secret(&settings.cursor_secret).await?, now)?;
    let rings = [
        ("signs access tokens", signing.current().current_since, OLD_SIGNING),
        ("seals cookies and tokens", macs.current().current_since, OLD_RING),
        ("proves recovery codes and checkpoints", lasting.current().current_since, OLD_RING),
        ("seals cursors", cursors.current().current_since, OLD_RING),
        ("finds addresses (blind index)", index.current().current_since, OLD_RING),
    ];
    for (what, since, most) in rings {
        match since.map(|since| now.duration_since(since).as_hours() / 24) {
            Some(days) if days > most => {
                found.push(format!("The key that {what} is {days} days in use; {most} are the most."));
            }
            Some(_) => {}
            None => found.push(format!("The key that {what} does not say since when it is in use.")),
        }
    }
    for origin in settings.cors_origins.iter().filter(|origin| !origin.starts_with("https://")) {
        found.push(format!("Pages of {origin} may call from a browser without TLS."));
    }
    let urls = [&settings.dynamodb_url, &settings.services_url];
    if urls.into_iter().flatten().any(|url| url.starts_with("http://")) {
        found.push(
            "The services are reached in clear: this is a machine's own stand, not a deployment.".into(),
        );
    }
    Ok(found)
}

/// Who used which kind of right lately, by the trail: accounts by the first word of what they did.
async fn rights_used(stack: &Stack, now: Timestamp) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
    const OF_STAFF: [&str; 7] = ["auth", "audit", "blocklist", "movie", "operator", "review", "sync"];
    let (audit, mut used) = (stack.audit(), BTreeMap::<String, BTreeSet<String>>::new());
    let mut day = now.to_zoned(TimeZone::UTC).date();
    for _ in 0..USED_WITHIN {
        for shard in Audit::shards() {
            let mut after = String::new();
            loop {
                let page = audit.of_shard(day, shard, &after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                // What somebody does to themselves needs no right over others.
                for record in page.iter().filter(|record| record.actor != record.target) {
                    let area = record.action.split('.').next().unwrap_or_default();
                    if OF_STAFF.contains(&area) {
                        used.entry(record.actor.clone()).or_default().insert(area.to_owned());
                    }
                }
            }
        }
        day = day.yesterday()?;
    }
    Ok(used)
}

type Findings = BTreeMap<&'static str, Vec<String>>;

const DORMANT_ACCOUNTS: &str = "Accounts that nobody has signed in to for 90 days";
const UNUSED_ROLES: &str = "Roles besides `user` that were not used for 30 days";
const UNUSED_GRANTS: &str = "Rights on top of a role";
const DORMANT_KEYS: &str = "API keys that were not used for 90 days";
const WIDE_KEYS: &str = "API keys that may do much";

async fn people(
    stack: &Stack,
    used: &BTreeMap<String, BTreeSet<String>>,
    now: Timestamp,
) -> Result<Findings, Error> {
    let sections = [DORMANT_ACCOUNTS, UNUSED_ROLES, UNUSED_GRANTS, DORMANT_KEYS, WIDE_KEYS];
    let mut found: Findings = sections.into_iter().map(|section| (section, Vec::new())).collect();
    let mut after: Option<String> = None;
    loop {
        let page = stack.accounts().list(after.as_deref(), PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|account| account.id.clone());
        let looks = stream::iter(page).map(|account| look(stack, account, used, now)).buffered(SIDE_BY_SIDE);
        for lines in looks.try_collect::<Vec<_>>().await? {
            for (section, line) in lines {
                found.entry(section).or_default().push(line);
            }
        }
        if !full {
            return Ok(found);
        }
    }
}

async fn look(
    stack: &Stack,
    account: Account,
    used: &BTreeMap<String, BTreeSet<String>>,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, Error> {
    let mut lines = Vec::new();
    if account.disabled {
        return Ok(lines);
    }
    let id = &account.id;
    let logins = stack.sessions().logins(id, None, 1).await?;
    let last = logins.first().map_or(account.created_at, |(_, login)| login.at);
    if now.duration_since(last) > DORMANT {
        lines.push((DORMANT_ACCOUNTS, format!("{id}: since {last}")));
    }
    let standing = standing(&account)?;
    let is_staff = standing.roles.iter().any(|role| *role != Role::User);
    if is_staff && !used.contains_key(id) {
        lines.push((UNUSED_ROLES, format!("{id}: {}", account.roles.join(", "))));
    }
    if !account.grants.is_empty() {
        lines.push((UNUSED_GRANTS, format!("{id}: {}", account.grants.join(", "))));
    }
    let keys = stack.api_keys().of(id).await?;
    for key in keys.iter().filter(|key| key.expires_at > now) {
        let ApiKey { id: key_id, scopes, .. } = key;
        let last = key.last_used_at.unwrap_or(key.created_at);
        if now.duration_since(last) > DORMANT {
            lines.push((DORMANT_KEYS, format!("{id}/{key_id}: since {last}")));
        }
        let known = scopes.iter().filter(|scope| scope.parse::<Permission>().is_ok()).count();
        if known > WIDE {
            lines.push((WIDE_KEYS, format!("{id}/{key_id}: {}", scopes.join(", "))));
        }
    }
    Ok(lines)
}

/// The report as a page that a person can read. Writing to a text never fails.
fn page(now: Timestamp, protections: &[Protection], settings: &[String], people: &Findings) -> String {
    let mut page = format!("# Security audit, {now}\n\n");
    let failing: Vec<&Protection> = protections.iter().filter(|one| one.holds == Some(false)).collect();
    let unreadable = protections.iter().filter(|one| one.holds.is_none()).count();
    let _ = writeln!(
        page,
        "{} protections hold, {} do not, {unreadable} cannot be read from here.\n",
        protections.iter().filter(|one| one.holds == Some(true)).count(),
        failing.len()
    );
    let mut section = |title: &str, lines: Vec<String>| {
        let _ = writeln!(page, "## {title}\n");
        let text = if lines.is_empty() { "Nothing.".to_owned() } else { lines.join("\n") };
        let _ = writeln!(page, "{text}\n");
    };
    let bad = failing.iter().map(|one| format!("- {}: no {} ({})", one.what, one.how, one.detail));
    section("To look at", bad.chain(settings.iter().map(|line| format!("- {line}"))).collect());
    for (title, lines) in people {
        section(title, lines.iter().map(|line| format!("- {line}")).collect());
    }
    let mut table = vec!["| what | protection | holds | read |".to_owned(), "|---|---|---|---|".to_owned()];
    table.extend(protections.iter().map(|one| {
        let holds = match one.holds {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not readable here",
        };
        format!("| {} | {} | {holds} | {} |", one.what, one.how, one.detail)
    }));
    section("Everything that was looked at", table);
    section("What does not rotate by itself", BY_HAND.iter().map(|line| format!("- {line}")).collect());
    page
}
