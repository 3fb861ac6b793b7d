//! `rewrite_index`: accounts are found under the index's key of today, so that the one before can go.
//!
//! It walks over all accounts, some thousands in a run, and goes on where it stopped. An account under another key is
//! opened for its address, and the way from there is laid anew: the new way, the old one and the account change in one
//! transaction that holds only if the account is as it was read, so that it may meet a sign-in, a change of address, a
//! deletion or itself. Until then look-ups try every key, and a registration leaves no address to two accounts
//! whatever key it is under. `rotate_keys` takes the old key away once a walk has met nobody under it.

use std::future::Future;
use std::pin::Pin;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use screensort_accounts::person::terms;
use screensort_auth::Email;
use screensort_auth::event::Event;
use screensort_crypto::{IndexTerm, KeyRing, MacKey};
use screensort_http::{Code, Problem, log, trail_of};
use screensort_runtime::{JobError, Stack};
use screensort_store::{Account, Walk};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name.
const NAME: &str = "rewrite_index";
/// How long a key is in the ring before anybody is found under it alone. A letter waits in the outbox for a day at most,
/// with the terms of the keys that there were when it was posted.
const KNOWN: SignedDuration = SignedDuration::from_hours(25);
/// How long an address that was named under a key may still be confirmed: a day for its letter, an hour for its token,
/// and some minutes in which functions keep their copy of the ring.
const NAMED: SignedDuration = SignedDuration::from_hours(48);
/// How long a key stays after another one has taken over, however soon nobody is found under it: what was named
/// or posted with it has ended long before.
pub(crate) const FOUND: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Accounts that are looked at together.
const PAGE: usize = 500;
/// Pages in a run: the next one goes on.
const PAGES: usize = 20;
/// Accounts that are rewritten side by side.
const SIDE_BY_SIDE: usize = 8;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { noted(&stack, NAME, run(&stack, PAGES, PAGE)).await })
}

/// Goes on with the walk for `pages` pages of `page` accounts each, if there is reason to walk.
///
/// # Errors
/// If store or key service fail; running it again goes on.
pub async fn run(stack: &Stack, pages: usize, page: usize) -> Result<Value, Error> {
    let (accounts, now) = (stack.accounts(), stack.clock().now());
    let ring = stack.index_ring().await?;
    let current = ring.current();
    let known = accounts.walk().await?.filter(|walk| walk.key == current.id.as_str());
    let mut walk = known.unwrap_or_else(|| Walk { key: current.id.to_string(), ..Walk::default() });
    if now.duration_since(current.published_at) < KNOWN || !is_due(&walk, &ring, now) {
        return Ok(Met::default().told(false));
    }
    let (mut all, mut ended) = (Met::default(), false);
    let begun_at = *walk.begun_at.get_or_insert(now);
    for _ in 0..pages {
        let found = accounts.list(walk.after.as_deref(), page).await?;
        let Some(last) = found.last() else {
            let clean_since = (walk.met == 0).then_some(begun_at).or(walk.clean_since);
            walk = Walk { key: walk.key, clean_since, ..Walk::default() };
            ended = true;
            break;
        };
        walk.after = Some(last.id.clone());
        let looks = stream::iter(found).map(|account| one(stack, &ring, account)).buffered(SIDE_BY_SIDE);
        let met = looks.try_collect::<Vec<_>>().await?.into_iter().fold(Met::default(), Met::and);
        walk.met += met.rewritten + met.lapsed + met.left;
        accounts.walked(&walk).await?;
        all = all.and(met);
    }
    if ended {
        accounts.walked(&walk).await?;
    }
    Ok(all.told(ended))
}

/// Whether there is somebody to look for: while another key was in use before, until a walk that began long enough
/// after its last day has met nobody.
fn is_due(walk: &Walk, ring: &KeyRing<MacKey>, now: Timestamp) -> bool {
    let Some(replaced) = ring.iter().filter_map(|entry| entry.replaced_at).max() else { return false };
    match (walk.begun_at, walk.clean_since) {
        // Nobody is left as it seems; looked at once more when nothing that began with the old key can be under way.
        (None, Some(since)) => since < replaced + FOUND && now >= replaced + FOUND,
        _ => true,
    }
}

/// What was met under other keys.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// Accounts that are found under the key of today now.
    rewritten: u64,
    /// Addresses that nobody confirmed in time.
    lapsed: u64,
    /// What is under another key still.
    left: u64,
}

impl Met {
    fn and(self, other: Self) -> Self {
        Self {
            rewritten: self.rewritten + other.rewritten,
            lapsed: self.lapsed + other.lapsed,
            left: self.left + other.left,
        }
    }

    fn told(self, ended: bool) -> Value {
        let Self { rewritten, lapsed, left } = self;
        json!({"rewritten": rewritten, "lapsed": lapsed, "left": left, "ended": ended})
    }
}

async fn one(stack: &Stack, ring: &KeyRing<MacKey>, account: Account) -> Result<Met, Error> {
    let current = ring.current();
    let is_old = |term: &str| IndexTerm::from_stored(term).version() != current.id.as_str();
    let mut met = Met::default();
    if let Some(term) = account.pending_term.as_deref().filter(|term| is_old(term)) {
        let ended =
            current.current_since.is_some_and(|since| stack.clock().now().duration_since(since) >= NAMED);
        let lapsed = ended && lapse(stack, &account, term).await?;
        (met.lapsed, met.left) = (u64::from(lapsed), u64::from(!lapsed));
    }
    if is_old(&account.email_term) {
        let rewritten = rewrite(stack, &account).await?;
        met.rewritten += u64::from(rewritten);
        met.left += u64::from(!rewritten);
    }
    Ok(met)
}

/// Forgets an address that nobody can confirm any more. False if it is another one by now.
async fn lapse(stack: &Stack, account: &Account, term: &str) -> Result<bool, Error> {
    let trail = trail_of(Event::EmailLapsed, NAME, &account.id, NAME, stack.clock().now())?;
    let lapsed = stack.accounts().forget_pending(&account.id, term, &trail).await?;
    if lapsed {
        log(&trail);
    }
    Ok(lapsed)
}

/// Lays the way to an account anew. False if it changed meanwhile, or cannot be opened: one that is being forgotten
/// holds up no others.
async fn rewrite(stack: &Stack, account: &Account) -> Result<bool, Error> {
    let term = match renewed(stack, account).await {
        Ok(term) => term,
        Err(problem) if problem.code() == Code::Unavailable => return Err(problem.into()),
        Err(problem) => {
            tracing::warn!(
                name: "index.unopened",
                account = account.id,
                cause = problem.causes(),
                "an account stays under an old key of the index: its address cannot be opened"
            );
            return Ok(false);
        }
    };
    let trail = trail_of(Event::EmailReindexed, NAME, &account.id, NAME, stack.clock().now())?;
    let trail = trail.with_values(Some(account.email_term.clone()), Some(term.clone()));
    let rewritten = stack.accounts().reindex(account, &term, &trail).await?;
    if rewritten {
        log(&trail);
    }
    Ok(rewritten)
}

/// The account's term under the key of today.
async fn renewed(stack: &Stack, account: &Account) -> Result<String, Problem> {
    let address = stack.private(&account.id).await?.open_account("email", &account.email)?;
    let email = Email::parse(&address).map_err(|_| Problem::internal("a stored address is none"))?;
    Ok(terms(stack, &email).await?.swap_remove(0))
}
