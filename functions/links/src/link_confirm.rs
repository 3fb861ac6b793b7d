//! `POST /links/confirm`: confirm a link with the mailed token.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_crypto::OneTimeToken;
use screensort_http::{Ask, Code, Endpoint, Problem, Recent, Reply, Whence, log};
use screensort_routes::LINK_CONFIRM;
use screensort_runtime::Stack;
use screensort_store::{Confirming, Hand, Invitation, Link, LinkChange, Side, Stage, To};
use serde::Deserialize;

use crate::shown::{LinkShown, Scope, kept, letter};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("link_confirm").route(LINK_CONFIRM, confirm)
}

/// The purpose of the token.
pub const PURPOSE: &str = "link.confirm";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LinkConfirmation")]
struct Body {
    /// As the mail says it.
    token: String,
    /// Less than what was asked for, if one wants to share less.
    scopes: Option<Vec<Scope>>,
}

/// Only the invitations to the account that is signed in are looked at: a token that was mailed to somebody else
/// is no token here.
async fn confirm(
    Recent { who, .. }: Recent<may::LinksWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<LinkShown>, Problem> {
    let now = stack.clock().now();
    let chosen = ask.body.scopes.as_deref().map(kept).transpose()?;
    // What cannot be a token counts as a wrong one.
    let hash = OneTimeToken::parse(ask.body.token.trim()).map(|token| token.hash(PURPOSE));
    let hash = hash.as_ref().map_or("", |hash| hash.as_str());
    let links = stack.links();
    let hand = Hand { by: who.id(), rid: &ask.whence.request_id };
    let invitation = match links.try_token(who.id(), hash, now).await? {
        Confirming::Right(invitation) => invitation,
        Confirming::Wrong(void) => {
            for invitation in void {
                end(&stack, &ask.whence, who.id(), &invitation, now).await?;
            }
            return Err(refused(&stack, &ask.whence, who.id(), now).await);
        }
    };
    // An address that was changed since is no longer the one that was asked.
    if who.account.verified_at.is_none() || !who.account.is_under(&invitation.term) {
        return Err(refused(&stack, &ask.whence, who.id(), now).await);
    }
    let asked = &invitation.scopes;
    let scopes = chosen.unwrap_or_else(|| asked.clone());
    if scopes.iter().any(|scope| !asked.contains(scope)) {
        return Err(Problem::new(Code::Forbidden).with_detail("More than what was asked for is not given."));
    }
    let letters = [
        letter(
            &stack,
            "link_confirmed",
            To::Account(who.id().to_owned()),
            Some(invitation.asker_name.clone()),
            now,
        )?,
        letter(
            &stack,
            "link_confirmed",
            To::Account(invitation.asker.clone()),
            Some(who.account.username.clone()),
            now,
        )?,
    ];
    let own = (who.id(), who.account.username.as_str());
    let record = |event| ask.whence.trail(event, Some(who.id()), Some(&invitation.link), now);
    let mut trail = record(Event::LinkConfirmed)?;
    if scopes.len() < asked.len() {
        trail = trail.and(record(Event::LinkNarrowed)?);
    }
    let change = LinkChange { hand, at: now, letters: &letters, trail: &trail };
    if !links.confirm(own, &invitation, &scopes, &change).await? {
        return Err(refused(&stack, &ask.whence, who.id(), now).await);
    }
    log(&trail);
    let link = Link {
        id: invitation.link,
        side: Side::Asked,
        stage: Stage::Active,
        scopes,
        other: Some(invitation.asker),
        other_name: Some(invitation.asker_name),
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
        confirmed_at: Some(now),
        ended_at: None,
    };
    Ok(Reply::ok(LinkShown::of(link, now)))
}

/// Ends a link that was never confirmed, for who asked and for who was asked.
async fn end(
    stack: &Stack,
    whence: &Whence,
    account: &str,
    invitation: &Invitation,
    now: Timestamp,
) -> Result<(), Problem> {
    let letters = [letter(stack, "link_ended", To::Account(invitation.asker.clone()), None, now)?];
    let trail = whence.trail(Event::LinkEnded, Some(account), Some(&invitation.link), now)?;
    let hand = Hand { by: account, rid: &whence.request_id };
    let change = LinkChange { hand, at: now, letters: &letters, trail: &trail };
    let links = stack.links();
    // Who asked may have ended it before: then only the invitation is left to take away.
    if links.void(account, invitation, &change).await?
        || links.decline(account, &invitation.link, &trail).await?
    {
        log(&trail);
    }
    Ok(())
}

/// One answer for every cause, and a record that leaves nothing of the token.
async fn refused(stack: &Stack, whence: &Whence, account: &str, now: Timestamp) -> Problem {
    match whence.own(Event::LinkRefused, account, now) {
        Ok(trail) => stack.witness(&trail).await,
        Err(problem) => return problem,
    }
    Problem::new(Code::NotFound)
        .with_detail("The token is wrong, was used, is too old, or is not for this account.")
}
