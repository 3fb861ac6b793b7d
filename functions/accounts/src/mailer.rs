//! The job that sends mail. It alone looks up whether an address has an account, draws the secrets that letters
//! carry, and knows addresses in clear; requests only post that somebody wants one.
//!
//! A code for who chose text messages is texted instead.
//!
//! A letter is leased while it is sent and removed afterwards: a mailer that is killed leaves it to the next one,
//! so a letter may come twice but is not lost. Each time it carries a secret of its own.

use std::future::Future;
use std::pin::Pin;

use jiff::{SignedDuration, Timestamp};
use screensort_auth::Phone;
use screensort_auth::attempts::Limit;
use screensort_auth::mail_code::{self, Digits, MailCode};
use screensort_crypto::{BlindIndex, OneTimeToken};
use screensort_http::Problem;
use screensort_runtime::{JobError, Mail, Stack, Texts};
use screensort_store::{Accounts, Letter, Person, To, Token};
use serde_json::{Value, json};

use crate::letters::{Facts, write};
use crate::person::{data_key, open, open_email};
use crate::{email_confirm, password_reset, register_verify};

/// Letters taken at once. All of them must be sent while the lease lasts.
const BATCH: usize = 25;
/// How long an address may take to be verified.
const VERIFY: SignedDuration = SignedDuration::from_hours(24);
/// How long other tokens work.
const SOON: SignedDuration = SignedDuration::from_hours(1);

/// Why letters were not sent. They stay in the outbox.
#[derive(Debug, thiserror::Error)]
#[error("{failed} letters could not be sent: {first}")]
pub struct Unsent {
    failed: u32,
    first: String,
}

/// The job, as it is scheduled.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let sent = run(&stack).await?;
        Ok(json!({"sent": sent}))
    })
}

/// Sends what waits; how many letters were sent.
///
/// # Errors
/// [`Unsent`] if some could not be; those that could are.
pub async fn run(stack: &Stack) -> Result<u32, Unsent> {
    let (mut sent, mut failed, mut first) = (0, 0, String::new());
    let unsent = |problem: Problem| problem.causes().unwrap_or_else(|| problem.code().word().to_owned());
    loop {
        let taken = stack.outbox().take(BATCH, stack.clock().now()).await;
        let letters = match taken {
            Ok(letters) => letters,
            Err(error) => return Err(Unsent { failed: failed + 1, first: error.to_string() }),
        };
        if letters.is_empty() {
            break;
        }
        for (letter, cause) in &letters {
            let delivered = deliver(stack, letter).await;
            // Whom it went to is nobody's business; which request it came from is what connects the two.
            tracing::info!(
                name: "mail.handled",
                event = "mail.handled",
                kind = letter.kind,
                letter = letter.id,
                request_id = cause.as_deref().unwrap_or_default(),
                sent = matches!(delivered, Ok(true)),
                failed = delivered.is_err(),
                "a letter was handled"
            );
            match delivered {
                Ok(true) => sent += 1,
                Ok(false) => {}
                Err(problem) => {
                    failed += 1;
                    first = unsent(problem);
                }
            }
        }
    }
    if failed > 0 { Err(Unsent { failed, first }) } else { Ok(sent) }
}

/// Sends one letter, if there is anybody to send it to, and takes it out of the box.
async fn deliver(stack: &Stack, letter: &Letter) -> Result<bool, Problem> {
    let (person, contested) = match recipient(stack, &letter.to).await? {
        Some((id, contested)) => (stack.accounts().person(&id).await?, contested),
        None => (None, false),
    };
    let sent = match person {
        Some(person) if letter.kind != "none" => {
            let kind = kind(letter, &person, contested);
            send(stack, &Letter { kind: kind.to_owned(), ..letter.clone() }, &person).await?
        }
        _ => false,
    };
    stack.outbox().sent(letter).await?;
    Ok(sent)
}

/// What a letter is by the time that it is sent. Several people may have registered an address that nobody verified: whoever
/// reads its mail gets the account by setting its password, so that none who knows the one before gets in with them.
fn kind<'l>(letter: &'l Letter, person: &Person, contested: bool) -> &'l str {
    match letter.kind.as_str() {
        "already_registered" if person.account.verified_at.is_none() => "claim",
        "verify" if contested && person.account.verified_at.is_none() => "claim",
        kind => kind,
    }
}

/// The account that a letter is for, if there is one, and whether others registered the address too.
async fn recipient(stack: &Stack, to: &To) -> Result<Option<(String, bool)>, Problem> {
    match to {
        To::Account(id) | To::Pending(id) | To::Former(id, _) => Ok(Some((id.clone(), false))),
        To::Terms(terms) => {
            let handles: Vec<String> = terms.iter().map(|term| Accounts::email_handle(term)).collect();
            let owner = stack.accounts().owners(&handles).await?.pop();
            Ok(owner.map(|owner| (owner.account, owner.rival.is_some())))
        }
    }
}

async fn send(stack: &Stack, letter: &Letter, person: &Person) -> Result<bool, Problem> {
    let account = &person.account;
    let (field, sealed) = match &letter.to {
        To::Pending(_) => ("pending_email", account.pending_email.as_deref()),
        To::Former(_, sealed) => ("email", Some(sealed.as_str())),
        To::Account(_) | To::Terms(_) => ("email", Some(account.email.as_str())),
    };
    let (Some(sealed), false) = (sealed, account.disabled) else { return Ok(false) };
    // Nobody could type it in any more.
    let is_code = matches!(letter.kind.as_str(), "code" | "sms_code");
    if is_code && stack.clock().now().duration_since(letter.posted_at) >= mail_code::LIFETIME {
        return Ok(false);
    }
    if let Some((texts, phone)) = texted(stack, letter, person).await? {
        return text(stack, texts, letter, &phone).await;
    }
    let (secret, about) = if letter.kind == "link_asked" {
        let invited = crate::invitation::write(stack, letter, person).await?;
        let Some((token, about)) = invited else { return Ok(false) };
        (Some(token), Some(about))
    } else {
        let secret = secret(stack, letter, person, stack.clock().now()).await?;
        let Some(secret) = secret else { return Ok(false) };
        // What a code is about is its ticket, which is nobody's to read.
        (secret, letter.about.clone().filter(|_| letter.kind != "code"))
    };
    let email = open_email(&data_key(stack, person).await?, &account.id, field, sealed)?;
    let facts = Facts {
        name: &account.username,
        token: secret.as_deref(),
        app_url: &stack.settings().app_url,
        about: about.as_deref().unwrap_or_default(),
    };
    let Some(written) = write(&letter.kind, &facts) else { return Ok(false) };
    let mail =
        Mail { to: email.as_str(), subject: written.subject, text: &written.text, html: &written.html };
    stack.send(&mail).await?;
    Ok(true)
}

/// The secret that a letter carries, kept by hash before it leaves: `Some(None)` for a letter without one, `None`
/// for a letter that there is no reason for any more.
async fn secret(
    stack: &Stack,
    letter: &Letter,
    person: &Person,
    now: Timestamp,
) -> Result<Option<Option<String>>, Problem> {
    let account = &person.account;
    let (purpose, life, subject) = match letter.kind.as_str() {
        "verify" if account.verified_at.is_some() => return Ok(None),
        "verify" => (register_verify::PURPOSE, VERIFY, Some(account.email_term.clone())),
        // For the address that it goes to: who reads a mailbox that was given up gets nothing by it.
        "reset" | "claim" => (password_reset::PURPOSE, SOON, Some(account.email_term.clone())),
        "email_confirm" => match &account.pending_term {
            Some(term) => (email_confirm::PURPOSE, SOON, Some(term.clone())),
            None => return Ok(None),
        },
        // It shows that a number is somebody's: by mail it would show nothing.
        "sms_code" => return Ok(None),
        "code" if !person.credentials.gets_codes() => return Ok(None),
        "code" => return Ok(code(stack, letter, now).await?.map(Some)),
        _ => return Ok(Some(None)),
    };
    let token = OneTimeToken::generate()?;
    let kept = Token {
        account: account.id.clone(),
        generation: account.generation,
        expires_at: now + life,
        subject,
    };
    stack.one_time().keep(token.hash(purpose).as_str(), &kept).await?;
    Ok(Some(Some(token.to_text().to_string())))
}

/// The number that a letter is texted to, and what is set of texts; `None` for a letter that is mailed.
async fn texted<'s>(
    stack: &'s Stack,
    letter: &Letter,
    person: &Person,
) -> Result<Option<(&'s Texts, Phone)>, Problem> {
    let Some(texts) = &stack.settings().texts else { return Ok(None) };
    let has = &person.credentials;
    let sealed = match letter.kind.as_str() {
        "sms_code" => &has.phone_pending,
        "code" if has.totp.is_none() => &has.phone,
        _ => return Ok(None),
    };
    let Some(sealed) = sealed else { return Ok(None) };
    let phone = open(&data_key(stack, person).await?, &person.account.id, "phone", sealed)?;
    let phone = Phone::parse(std::str::from_utf8(&phone).unwrap_or_default());
    let phone = phone.map_err(|_| Problem::internal("a stored telephone number is none"))?;
    // A country that was taken from the settings: its people get their codes by mail, as where no texts are sent.
    Ok(texts.reach(&phone).then_some((texts, phone)))
}

/// Texts a code. A number that nobody has confirmed gets few, whichever accounts name it, and none of them is told that
/// others did; who has confirmed it gets theirs, whatever others do.
async fn text(stack: &Stack, texts: &Texts, letter: &Letter, phone: &Phone) -> Result<bool, Problem> {
    let ring = stack.index_ring().await?;
    let number = BlindIndex::new(&ring, "phone").term(phone.as_str());
    let confirmed = letter.kind == "code";
    let (of, most) = match confirmed {
        true => ("sms.own", Limit::TEXTS_PER_ACCOUNT),
        false => ("sms.new", Limit::TEXTS_PER_NUMBER),
    };
    // The day's texts are drawn from last: what is withheld costs nobody any.
    let withheld = if stack.draw(&format!("{of}#{}", number.as_str()), most).await?.is_err() {
        Some("a number has had its texts of the day")
    } else if !draw_text(stack, texts, confirmed).await? {
        Some("the day's texts are sent")
    } else {
        None
    };
    if let Some(why) = withheld {
        tracing::warn!(name: "text.withheld", letter = letter.id, why, "a text was withheld: {why}");
        return Ok(false);
    }
    let Some(code) = code(stack, letter, stack.clock().now()).await? else { return Ok(false) };
    // The last line is for the browser, which offers the code on our page alone (WICG, Origin-bound one-time codes).
    let host = stack.settings().app_url.split('/').nth(2).unwrap_or_default();
    let said = format!("{code} is your ScreenSort code. Tell it to nobody.\n\n@{host} #{code}");
    let is_taken = stack.text(phone, &said).await?;
    if !is_taken {
        tracing::warn!(name: "text.refused", letter = letter.id, "a number can have no texts");
    }
    Ok(is_taken)
}

/// Draws one from the day's texts; false if they are used up. Texts cost money, and whoever earns by them asks for many:
/// those to numbers that nobody has confirmed are half of all, so that who signs in with a code gets it.
async fn draw_text(stack: &Stack, texts: &Texts, confirmed: bool) -> Result<bool, Problem> {
    let per = SignedDuration::from_hours(24);
    let half = Limit { max: texts.per_day / 2, per };
    if !confirmed && stack.draw("texts#unconfirmed", half).await?.is_err() {
        return Ok(false);
    }
    Ok(stack.draw("texts", Limit { max: texts.per_day, per }).await?.is_ok())
}

/// A code for the ticket that a letter is about, if it is still there.
async fn code(stack: &Stack, letter: &Letter, now: Timestamp) -> Result<Option<String>, Problem> {
    let Some(ticket) = letter.about.as_deref() else { return Ok(None) };
    let macs = stack.mac_ring().await?;
    let code = MailCode::generate(Digits::SIX)?;
    let kept = stack.one_time().set_code(ticket, code.hash(&macs, ticket).as_str(), now).await?;
    Ok(kept.then(|| code.as_str().to_owned()))
}
