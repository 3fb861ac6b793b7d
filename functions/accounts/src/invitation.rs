//! Inviting an account to a link, when the mail about it is written.

use screensort_auth::event::Event;
use screensort_crypto::OneTimeToken;
use screensort_http::{Problem, trail_of};
use screensort_runtime::Stack;
use screensort_store::{Invitation, Letter, Person, Stage};

/// The purpose of the token.
const PURPOSE: &str = "link.confirm";
/// Who invites: nobody asks for it but the letter.
const MAILER: &str = "mailer";

/// Keeps the invitation of `person` that `letter` is about, and gives its token and who asks for what, in words.
/// `None` if there is no reason for the letter: nobody verified has the address, who asks has it themselves, or
/// the link has ended.
pub(crate) async fn write(
    stack: &Stack,
    letter: &Letter,
    person: &Person,
) -> Result<Option<(String, String)>, Problem> {
    let now = stack.clock().now();
    let about = letter.about.as_deref().and_then(|about| about.split_once('-'));
    let Some((asker, id)) = about.filter(|(asker, _)| *asker != person.account.id) else {
        return Ok(None);
    };
    if person.account.verified_at.is_none() {
        return Ok(None);
    }
    let links = stack.links();
    let link = links.get(asker, id).await?.filter(|link| link.stage_at(now) == Stage::Pending);
    let asker = stack.accounts().person(asker).await?.filter(|asker| !asker.account.disabled);
    let Some((link, asker)) = link.zip(asker) else { return Ok(None) };
    let token = OneTimeToken::generate()?;
    let scopes = link.scopes.join(", ");
    let words = format!("{}, who asks to read: {scopes}", asker.account.username);
    let invitation = Invitation {
        link: link.id,
        asker: asker.account.id,
        asker_name: asker.account.username,
        scopes: link.scopes,
        token_hash: token.hash(PURPOSE).as_str().to_owned(),
        term: person.account.email_term.clone(),
        tries: 0,
        created_at: link.created_at,
        expires_at: link.expires_at,
    };
    let trail = trail_of(Event::LinkInvited, MAILER, &invitation.link, &letter.id, now)?;
    links.invite(&person.account.id, &invitation, &trail).await?;
    screensort_http::log(&trail);
    Ok(Some((token.to_text().to_string(), words)))
}
