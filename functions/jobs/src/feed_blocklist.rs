//! `feed_blocklist`: shuts out networks for what they did, for a while, and lets them in again.

use std::future::Future;
use std::pin::Pin;

use screensort_auth::event::Event;
use screensort_auth::suspects::{Deeds, WINDOWS, judge, window};
use screensort_http::trail_of;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Blocked, Trail};
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
    Ok(Outcome::done(counts))
}
