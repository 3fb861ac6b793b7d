//! What nobody uses is taken back: API keys, and roles of who does not sign in. Its owner is told first, and has as long
//! again to use it; using it takes everything back that was said. An account itself is never closed for having been
//! quiet: a person who comes back after a year finds their films.
//!
//! A part of `access_review`, which names all of it, and nothing else where the settings say so.

use jiff::{SignedDuration, Timestamp};
use screensort_auth::Role;
use screensort_auth::event::Event;
use screensort_http::member::{standing, standing_hash};
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::Stack;
use screensort_store::{Account, ApiKey, Letter, To};

use crate::Error;

/// Who acts, in the trail.
const NAME: &str = "access_review";

/// Whoever may do more than others, and when they were last seen to sign in.
pub(crate) struct Staff {
    pub(crate) account: Account,
    pub(crate) last_login: Option<Timestamp>,
}

/// How long something is left alone: until its owner is told, and until it ends.
#[derive(Clone, Copy)]
struct Patience {
    told: SignedDuration,
    ends: SignedDuration,
}

impl Patience {
    /// `None` where nothing is to be done.
    fn of(days: u16) -> Option<Self> {
        let ends = SignedDuration::from_hours(24 * i64::from(days));
        (days > 0).then_some(Self { told: ends / 2, ends })
    }

    /// Whether what was not used since `since`, and whose owner was told at `warned_at`, ends at `now`. They had half
    /// of the time at least since they were told, however seldom the review runs.
    fn is_over(self, since: Timestamp, warned_at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(since) >= self.ends && now.duration_since(warned_at) >= self.ends - self.told
    }
}

fn letter(
    stack: &Stack,
    kind: &str,
    to: &str,
    about: Option<String>,
    now: Timestamp,
) -> Result<Letter, Error> {
    let to = To::Account(to.to_owned());
    Ok(Letter { id: stack.new_id()?, kind: kind.to_owned(), to, about, posted_at: now })
}

/// Sees to the keys of an account; what is to be said of them.
pub(crate) async fn keys(stack: &Stack, account: &Account, now: Timestamp) -> Result<Vec<String>, Error> {
    let mut said = Vec::new();
    let Some(patience) = Patience::of(stack.settings().dormancy.keys) else { return Ok(said) };
    for key in stack.api_keys().of(&account.id).await? {
        let since = key.last_used_at.unwrap_or(key.created_at);
        // What has run out opens nothing, and goes by itself.
        if key.expires_at <= now || now.duration_since(since) < patience.told {
            continue;
        }
        said.extend(one_key(stack, &key, since, patience, now).await?);
    }
    Ok(said)
}

async fn one_key(
    stack: &Stack,
    key: &ApiKey,
    since: Timestamp,
    patience: Patience,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let (id, owner) = (&key.id, &key.owner);
    let about = Some(format!("the key {}…", key.prefix));
    Ok(match key.warned_at {
        None => {
            let trail = trail_of(Event::AccessDormant, NAME, id, NAME, now)?;
            let letter = letter(stack, "api_key_dormant", owner, about, now)?;
            if !stack.api_keys().warn(key, now, &letter, &trail).await? {
                return Ok(None);
            }
            log(&trail);
            Some(format!("The API key {owner}/{id} was not used since {since}: its owner is told."))
        }
        Some(warned_at) if patience.is_over(since, warned_at, now) => {
            let trail = trail_of(Event::KeyRevoked, NAME, id, NAME, now)?;
            let letter = letter(stack, "api_key_lapsed", owner, about, now)?;
            if !stack.api_keys().lapse(key, &letter, &trail).await? {
                return Ok(None);
            }
            log(&trail);
            Some(format!("The API key {owner}/{id} was not used since {since}: it is revoked."))
        }
        Some(told) => Some(format!("The API key {owner}/{id} was not used since {since}; told on {told}.")),
    })
}

/// Sees to the roles of all `staff`; what is to be said of them. Who was seen longest ago comes first, so that of
/// administrators who are all away the one who was here last stays: somebody must be able to let the others in.
pub(crate) async fn roles(
    stack: &Stack,
    mut staff: Vec<Staff>,
    now: Timestamp,
) -> Result<Vec<String>, Error> {
    let mut said = Vec::new();
    let Some(patience) = Patience::of(stack.settings().dormancy.roles) else { return Ok(said) };
    let since = |one: &Staff| one.last_login.unwrap_or(one.account.created_at);
    staff.retain(|one| !one.account.disabled && now.duration_since(since(one)) >= patience.told);
    staff.sort_by_key(|one| (one.last_login, one.account.created_at));
    for one in &staff {
        let (id, since) = (&one.account.id, since(one));
        // The history of logins goes back for a while only; the warning is what counts from there on, and whoever
        // signs in takes it back.
        match stack.accounts().warned_at(id).await? {
            None => {
                let trail = trail_of(Event::AccessDormant, NAME, id, NAME, now)?;
                let letter = letter(stack, "roles_dormant", id, None, now)?;
                if stack.accounts().warn(&one.account, now, &letter, &trail).await? {
                    log(&trail);
                    said.push(format!("{id} has roles and has not signed in for long: they are told."));
                }
            }
            Some(warned_at) if patience.is_over(since, warned_at, now) => {
                said.push(suspend(stack, &one.account, now).await?);
            }
            Some(told) => {
                said.push(format!("{id} has roles and has not signed in for long; told on {told}."))
            }
        }
    }
    Ok(said)
}

/// Takes everything from an account that it may do more than others, as an administrator would: its sessions end, and
/// the next request has no more than anybody's.
async fn suspend(stack: &Stack, before: &Account, now: Timestamp) -> Result<String, Error> {
    let id = &before.id;
    let administers = standing(before)?.is_administering();
    let after = Account { roles: vec![Role::User.as_str().to_owned()], grants: Vec::new(), ..before.clone() };
    let ring = stack.mac_ring().await?;
    let hashes = (standing_hash(&ring, before), standing_hash(&ring, &after));
    let trail =
        trail_of(Event::RoleChanged, NAME, id, NAME, now)?.with_values(Some(hashes.0), Some(hashes.1));
    let letter = letter(stack, "roles_suspended", id, None, now)?;
    let more = -i8::from(administers);
    if stack.accounts().set_standing(before, &after, more, Some(&letter), &trail).await? {
        log(&trail);
        return Ok(format!("{id} has not signed in for very long: its roles are taken back."));
    }
    Ok(format!(
        "{id} has not signed in for very long and keeps its roles: it is the last administrator, or changed just now."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_that_was_used_of_late_or_of_which_nobody_was_told_in_time() {
        let day = |days: i64| Timestamp::from_second(1_800_000_000 + days * 86_400).unwrap();
        let patience = Patience::of(180).unwrap();
        assert_eq!((patience.told.as_hours(), patience.ends.as_hours()), (90 * 24, 180 * 24));
        assert!(patience.is_over(day(0), day(90), day(180)));
        assert!(!patience.is_over(day(0), day(90), day(179)));
        assert!(!patience.is_over(day(0), day(175), day(180)), "told too late");
        assert!(patience.is_over(day(0), day(175), day(265)));
        assert!(Patience::of(0).is_none());
    }
}
