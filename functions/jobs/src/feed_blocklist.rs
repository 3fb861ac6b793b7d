//! `feed_blocklist`: shuts out networks for what they did, for a while, and lets them in again. Where the settings name
//! the firewall's sets of addresses, they are made to hold what the list says.

use std::future::Future;
use std::pin::Pin;

use screensort_auth::event::Event;
use screensort_auth::suspects::{Deeds, WINDOWS, judge, window};
use screensort_http::trail_of;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Blocked, Blocklist, Trail};
use serde_json::Value;

use crate::run::{count, summary};
use crate::{Counts, Error, Outcome};

/// Who puts networks on the list here.
const AUTHOR: &str = "feed_blocklist";

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { summary(run(&stack).await) })
}

/// Judges what was seen of networks in the last quarter of an hour. What an administrator says of a network stands.
///
/// # Errors
/// If the store fails; running it again goes on.
pub async fn run(stack: &Stack) -> Result<Outcome, Error> {
    let (list, now) = (stack.blocklist(), stack.clock().now());
    let run = format!("{AUTHOR}#{}", now.as_second());
    let trail = |event: Event, network: &str| -> Result<Trail, Error> {
        trail_of(event, AUTHOR, network, &run, now)
            .map_err(|problem| Error::Trail(problem.causes().unwrap_or_default()))
    };
    let mut counts = Counts::new();
    let known = list.all().await?;
    for over in known.iter().filter(|blocked| !blocked.is_live(now)) {
        let trail = trail(Event::BlocklistRemoved, &over.cidr.to_string())?;
        if list.remove(&over.cidr, &trail).await? {
            screensort_http::log(&trail);
            count(&mut counts, "let_in_again", 1);
        }
    }
    let number = window(now);
    let seen = list.suspected((0..WINDOWS).map(|back| number - back)).await?;
    count(&mut counts, "watched", seen.len());
    for (network, seen) in seen {
        let deeds = Deeds {
            logins: seen.logins,
            accounts: u32::try_from(seen.accounts.len()).unwrap_or(u32::MAX),
            refused: seen.refused,
            probes: seen.probes,
            unknown: seen.unknown,
        };
        let Some(verdict) = judge(&deeds) else { continue };
        if network.is_private() || known.iter().any(|known| known.cidr == network && known.is_live(now)) {
            continue;
        }
        let blocked = Blocked {
            cidr: network,
            reason: verdict.reason.to_owned(),
            author: AUTHOR.to_owned(),
            created_at: now,
            expires_at: now.checked_add(verdict.lasting).ok(),
        };
        let trail = trail(Event::BlocklistAdded, &network.to_string())?;
        if list.add(&blocked, true, &trail).await? {
            screensort_http::log(&trail);
            count(&mut counts, "shut_out", 1);
        }
    }
    stack.blocklist_changed().await;
    mirror(stack, &list, &mut counts).await?;
    Ok(Outcome::done(counts))
}

/// Makes the firewall hold what the list says now, what people put there and took off it included. Whoever edits the
/// firewall's sets by hand is undone: the list is what counts.
async fn mirror(stack: &Stack, list: &Blocklist, counts: &mut Counts) -> Result<(), Error> {
    let Some(firewall) = stack.firewall() else { return Ok(()) };
    let now = stack.clock().now();
    let mut live = list.all().await?;
    live.retain(|blocked| blocked.is_live(now));
    // What a person decided goes before what a rule did, the newest before the oldest.
    live.sort_by_key(|blocked| (blocked.author == AUTHOR, std::cmp::Reverse(blocked.created_at)));
    let networks: Vec<_> = live.into_iter().map(|blocked| blocked.cidr).collect();
    let mirrored = firewall.hold(&networks).await?;
    count(counts, "mirrored", mirrored.held);
    count(counts, "sets_changed", mirrored.changed);
    if mirrored.left_out > 0 {
        count(counts, "left_out", mirrored.left_out);
        tracing::warn!(name: "blocklist.left_out", networks = mirrored.left_out,
            "the firewall has no room for {} networks; the functions shut them out", mirrored.left_out);
    }
    Ok(())
}
