//! `sessions_cleanup`: what expiry alone does not clean in the table of credentials.
//!
//! Sessions, tokens, tickets, counters and letters carry an expiry and go by themselves. Four things do not, or
//! not soon enough:
//! - an address or a name that leads to no account: it has no expiry, and would keep both taken for ever;
//! - credentials, a wrapped key or recovery codes of no account: without the key nothing that was sealed for the
//!   person can be read, so this is also what makes a deletion that broke off a deletion;
//! - sessions of no account, or of an earlier generation of one: they open nothing, but would lie there, device and
//!   network and all, for up to thirty days;
//! - accounts whose address was never verified: after a week they give their name and address free.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use screensort_auth::Username;
use screensort_auth::event::Event;
use screensort_http::{log, trail_of};
use screensort_runtime::{JobError, Stack};
use screensort_store::{Account, Leftover};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// How long an address has to be verified.
const UNVERIFIED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Accounts that are looked at together.
const PAGE: usize = 500;
/// The job's name.
const NAME: &str = "sessions_cleanup";

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { noted(&stack, NAME, run(&stack)).await })
}

/// Cleans what is left over.
///
/// # Errors
/// If the store fails; running it again goes on.
pub async fn run(stack: &Stack) -> Result<Value, Error> {
    let (leftovers, mut start) = (stack.leftovers(), None);
    let mut counts: BTreeMap<&str, usize> =
        BTreeMap::from([("pointers", 0), ("secrets", 0), ("sessions", 0)]);
    loop {
        let (found, next) = leftovers.page(start).await?;
        let mut of_accounts: BTreeMap<&str, Vec<Leftover>> = BTreeMap::new();
        for item in &found {
            of_accounts.entry(&item.account).or_default().push(item.clone());
        }
        for (account, items) in of_accounts {
            let now = stack.clock().now();
            let trail = trail_of(Event::SessionsCleaned, NAME, account, NAME, now)?;
            if leftovers.clean(&items, &trail).await? == items.len() {
                log(&trail);
                for item in &items {
                    *counts.entry(item.kind.name()).or_default() += 1;
                }
            }
        }
        if next.is_none() {
            break;
        }
        start = next;
    }
    counts.insert("unverified", lapse(stack).await?);
    Ok(json!(counts))
}

/// Erases accounts whose address nobody verified in a week; how many.
async fn lapse(stack: &Stack) -> Result<usize, Error> {
    let (accounts, mut after, mut lapsed) = (stack.accounts(), None::<String>, 0);
    loop {
        let found = accounts.list(after.as_deref(), PAGE).await?;
        let Some(last) = found.last() else { return Ok(lapsed) };
        after = Some(last.id.clone());
        let now = stack.clock().now();
        let stale = |account: &&Account| {
            account.verified_at.is_none() && now.duration_since(account.created_at) > UNVERIFIED
        };
        for account in found.iter().filter(stale) {
            let trail = trail_of(Event::AccountLapsed, NAME, &account.id, NAME, now)?;
            // Closed first: from then on nobody can verify it, and a run that breaks off is taken up by the next.
            if accounts.lapse(&account.id, &trail).await? {
                let name = Username::parse(&account.username).ok().map(|name| name.unique_form());
                accounts.erase(&account.id, name.as_deref()).await?;
                log(&trail);
                lapsed += 1;
            }
        }
    }
}
