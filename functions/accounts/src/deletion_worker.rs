//! The job that forgets people: first the receipt, while there is an address to send it to, then the library, then
//! the account and its data key, then whatever was written meanwhile. Each step can be done again, so that a worker
//! that is killed leaves no half of a person behind.

use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use screensort_auth::Username;
use screensort_auth::event::Event;
use screensort_http::{Problem, trail_of};
use screensort_runtime::{JobError, Mail, Stack};
use screensort_store::{Change, Deletion, Hand, LinkChange, Person, Stage};
use serde_json::{Value, json};

use crate::letters::{Facts, write};
use crate::person::{data_key, open_email};

/// How long the receipt is tried before somebody is forgotten without it.
const RECEIPT_TRIED: SignedDuration = SignedDuration::from_hours(24);
/// Where parcels of a person lie.
const FOLDERS: [&str; 2] = ["exports", "imports"];

/// Why people were not forgotten. They stay on the list.
#[derive(Debug, thiserror::Error)]
#[error("{failed} people could not be forgotten yet: {first}")]
pub struct Unfinished {
    failed: u32,
    first: String,
}

/// The job, as it is scheduled.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { Ok(json!({"forgotten": run(&stack).await?})) })
}

/// Forgets whoever waits for it; how many people.
///
/// # Errors
/// [`Unfinished`] if some could not be; those that could are.
pub async fn run(stack: &Stack) -> Result<u32, Unfinished> {
    let (mut done, mut failed, mut first) = (0, 0, String::new());
    let waiting = stack.accounts().deletions().await;
    let waiting = waiting.map_err(|error| Unfinished { failed: 1, first: error.to_string() })?;
    for deletion in &waiting {
        match forget(stack, deletion).await {
            Ok(true) => done += 1,
            Ok(false) => {}
            Err(problem) => {
                failed += 1;
                first = problem.causes().unwrap_or_else(|| problem.code().word().to_owned());
            }
        }
    }
    if failed > 0 { Err(Unfinished { failed, first }) } else { Ok(done) }
}

/// Writes to somebody for the last time.
async fn farewell(stack: &Stack, person: &Person) -> Result<(), Problem> {
    let account = &person.account;
    let email = open_email(&data_key(stack, person).await?, &account.id, "email", &account.email)?;
    let facts = Facts { name: &account.username, ..Facts::default() };
    let Some(written) = write("deleted", &facts) else { return Ok(()) };
    let (subject, text, html) = (written.subject, &written.text, &written.html);
    stack.send(&Mail { to: email.as_str(), subject, text, html }).await
}

/// False while a run of a worker has an errand of theirs: killed at the wrong moment, it leaves what nobody takes away.
async fn forget(stack: &Stack, deletion: &Deletion) -> Result<bool, Problem> {
    let account = &deletion.account;
    let person = stack.accounts().person(account).await?;
    if let Some(person) = person.as_ref().filter(|_| !deletion.told) {
        let late = stack.clock().now().duration_since(deletion.asked_at) > RECEIPT_TRIED;
        match farewell(stack, person).await {
            Ok(()) => stack.accounts().told(account).await?,
            // Nobody stays because their address takes no mail.
            Err(problem) if late => tracing::warn!(
                name: "deletion.untold",
                request_id = deletion.request,
                cause = problem.causes(),
                "somebody is forgotten without a receipt: it could not be sent for a day"
            ),
            Err(problem) => return Err(problem),
        }
    }
    let name = person.and_then(|person| Username::parse(&person.account.username).ok());
    let now = stack.clock().now();
    let change = Change { account, request: &deletion.request, at: now };
    // Whoever is at the other end sees that it has ended.
    let hand = Hand { by: account, rid: &deletion.request };
    for link in stack.links().of(account).await?.iter().filter(|link| link.stage != Stage::Ended) {
        let trail = trail_of(Event::LinkEnded, account, &link.id, &deletion.request, now)?;
        let change = LinkChange { hand, at: now, letters: &[], trail: &trail };
        if stack.links().end(account, link, &change).await? {
            screensort_http::log(&trail);
        }
    }
    clear(stack, &change, deletion.keeps_reviews).await?;
    stack.accounts().erase(account, name.map(|name| name.unique_form()).as_deref()).await?;
    // A request or a job that was under way when the account was closed may have written since.
    let leased_until = clear(stack, &change, deletion.keeps_reviews).await?;
    if leased_until.is_some_and(|until| until >= now.as_second()) {
        return Ok(false);
    }
    stack.witness(&trail_of(Event::PersonDeleted, account, account, &deletion.request, now)?).await;
    stack.accounts().forgotten(account).await?;
    Ok(true)
}

/// Takes everything out of a library, and whatever files there are. Whoever wrote for somebody without knowing that they
/// were being forgotten does it again. Until when another run may be at an errand of theirs, in seconds since 1970.
///
/// # Errors
/// 503 if something cannot be taken away; doing it again goes on.
pub async fn clear(stack: &Stack, change: &Change<'_>, keeps_reviews: bool) -> Result<Option<i64>, Problem> {
    let leased_until = stack.library().erase(change, keeps_reviews).await?;
    for folder in FOLDERS {
        stack.parcels().delete_all(&format!("{folder}/{}/", change.account)).await?;
    }
    Ok(leased_until)
}
