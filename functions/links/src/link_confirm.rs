//! `POST /links/confirm`: confirm a link with the mailed token.

use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_crypto::OneTimeToken;
use screensort_http::{Ask, Code, Endpoint, Problem, Recent, Reply};
use screensort_routes::LINK_CONFIRM;
use screensort_runtime::Stack;
use screensort_store::{Confirming, Hand, Link, Side, Stage, To};
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
            ask.whence.note(Event::TokenRefused, Some(who.id()));
            for invitation in void {
                end(&stack, who.id(), &invitation, &hand).await?;
                ask.whence.note(Event::LinkEnded, Some(who.id()));
            }
            return Err(unknown());
        }
    };
    // An address that was changed since is no longer the one that was asked.
    if who.account.verified_at.is_none() || invitation.term != who.account.email_term {
        return Err(unknown());
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
    if !links.confirm(own, &invitation, &scopes, now, &letters, &hand).await? {
        return Err(unknown());
    }
    ask.whence.note(Event::LinkConfirmed, Some(who.id()));
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
    account: &str,
    invitation: &screensort_store::Invitation,
    hand: &Hand<'_>,
) -> Result<(), Problem> {
    let links = stack.links();
    links.decline(account, &invitation.link).await?;
    let now = stack.clock().now();
    if let Some(link) = links.get(&invitation.asker, &invitation.link).await? {
        let letter = letter(stack, "link_ended", To::Account(invitation.asker.clone()), None, now)?;
        links.end(&invitation.asker, &link, now, &[letter], hand).await?;
    }
    Ok(())
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound)
        .with_detail("The token is wrong, was used, is too old, or is not for this account.")
}
