//! `sessions_cleanup`: what expiry alone does not clean in the table of credentials.
//!
//! Sessions, tokens, tickets, counters and letters carry an expiry and go by themselves. Three things do not, or
//! not soon enough:
//! - an address or a name that leads to no account: it has no expiry, and would keep both taken for ever;
//! - credentials, a wrapped key or recovery codes of no account: without the key nothing that was sealed for the
//!   person can be read, so this is also what makes a deletion that broke off a deletion;
//! - sessions of no account, or of an earlier generation of one: they open nothing, but would lie there, device and
//!   network and all, for up to thirty days.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use screensort_auth::event::Event;
use screensort_http::{log, trail_of};
use screensort_runtime::{JobError, Stack};
use screensort_store::Leftover;
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

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
            return Ok(json!(counts));
        }
        start = next;
    }
}
