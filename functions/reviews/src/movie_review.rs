//! `PUT`, `DELETE /movies/{id}/review`: write one's review of a film, change it, or take it back.

use http::header::ETAG;
use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_catalog::Lookup;
use screensort_http::{
    Code, Endpoint, FieldError, IfMatch, Input, Member, Opening, Owner, Problem, Reply, SignedIn, Whence,
    log, tag,
};
use screensort_model::text::links;
use screensort_model::{Language, MovieId, person};
use screensort_routes::{REVIEW_DELETE, REVIEW_WRITE};
use screensort_runtime::Stack;
use screensort_store::{Change, Found, Review, ReviewState};
use serde::Deserialize;

use crate::shown::Own;
use crate::unknown;

/// Reviews that an editor sees before anybody else does.
const FIRST: u64 = 2;

/// How often a review that met another change of it is written again.
const MEETINGS: usize = 4;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movie_review").looking(REVIEW_WRITE, there_to_change, write).looking(
        REVIEW_DELETE,
        there,
        remove,
    )
}

/// What one thinks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReviewText")]
struct Body {
    /// Plain text of 20 to 10,000 characters; line feeds are taken.
    text: String,
    /// Whether it tells how the film ends.
    #[serde(default)]
    spoiler: bool,
    language: Option<Language>,
}

struct Of {
    movie: MovieId,
    version: IfMatch,
    whence: Whence,
}

impl Input for Of {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let movie = o.path("id", "The film.");
        let version = IfMatch::open(o)?;
        let whence = Whence::open(o)?;
        Some(Self { movie: movie?, version, whence })
    }
}

struct Ask {
    of: Of,
    body: Body,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let of = Of::open(o);
        let body = o.body();
        Some(Self { of: of?, body: body? })
    }
}

async fn there(who: Owner<may::ReviewsWriteOwn>, of: Of, stack: Stack) -> Result<(Of, Found), Problem> {
    let (review, written) = stack.library().review(who.id(), of.movie).await?;
    Ok((of, Found { review, written }))
}

async fn there_to_change(
    who: Owner<may::ReviewsWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<(Ask, Found), Problem> {
    let text = person::review(&ask.body.text).map_err(refused)?;
    let of = Of { movie: living(&stack, ask.of.movie).await?, ..ask.of };
    let (of, found) = there(who, of, stack).await?;
    Ok((Ask { of, body: Body { text, ..ask.body } }, found))
}

async fn write(
    Member { who, .. }: Member<may::ReviewsWriteOwn>,
    (ask, mut seen): (Ask, Found),
    stack: Stack,
) -> Result<Reply<Own>, Problem> {
    let now = stack.clock().now();
    let change = Change { account: who.id(), request: &ask.of.whence.request_id, at: now };
    ask.of.version.check(seen.review.as_ref().map(|review| review.version))?;
    // What others made of it meanwhile comes back with the refusal.
    for _ in 0..MEETINGS {
        let after = review(&stack, &who, &seen, &ask, now)?;
        let event = written_as(seen.review.as_ref(), &after);
        let trail = ask.of.whence.trail(event, Some(who.id()), Some(&after.id), now)?;
        let least = seen.written.min(FIRST);
        match stack.library().write_review(&change, seen.review.as_ref(), &after, least, &trail).await? {
            Ok(()) => {
                log(&trail);
                let version = tag(after.version);
                return Ok(Reply::ok(Own::of(after)).with_header(ETAG, &version));
            }
            Err(_) if ask.of.version.is_given() => return Err(Problem::new(Code::PreconditionFailed)),
            Err(found) => seen = found,
        }
    }
    Err(Problem::new(Code::Conflict))
}

/// The review as it is to be, in the place of what is there.
fn review(stack: &Stack, who: &SignedIn, seen: &Found, ask: &Ask, now: Timestamp) -> Result<Review, Problem> {
    let (before, body) = (seen.review.as_ref(), &ask.body);
    let count = u32::try_from(links(&body.text)).unwrap_or(u32::MAX);
    Ok(Review {
        id: match before {
            Some(review) => review.id.clone(),
            None => stack.new_id()?,
        },
        movie: ask.of.movie,
        account: who.account.id.clone(),
        author: who.account.username.clone(),
        text: body.text.clone(),
        spoiler: body.spoiler,
        language: body.language,
        state: state(before, seen.written, count),
        links: count,
        reports: before.map_or(0, |review| review.reports),
        note: None,
        created_at: before.map_or(now, |review| review.created_at),
        updated_at: now,
        version: before.map_or(0, |review| review.version) + 1,
    })
}

async fn remove(
    Member { who, .. }: Member<may::ReviewsWriteOwn>,
    (ask, found): (Of, Found),
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let review = found.review.ok_or_else(unknown)?;
    ask.version.check(Some(review.version))?;
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    let trail = ask.whence.trail(Event::ReviewWithdrawn, Some(who.id()), Some(&review.id), change.at)?;
    if !stack.library().delete_review(&change, &review, &trail).await? {
        return Err(Problem::new(if ask.version.is_given() {
            Code::PreconditionFailed
        } else {
            Code::Conflict
        }));
    }
    log(&trail);
    Ok(Reply::done())
}

/// What writing a review means to the trail.
fn written_as(before: Option<&Review>, after: &Review) -> Event {
    match (before.map(|before| before.state), after.state) {
        (Some(before), now) if before == now => Event::ReviewChanged,
        (_, ReviewState::Pending) => Event::ReviewHeld,
        _ => Event::ReviewPublished,
    }
}

/// Who sees it: a new person's first ones, and whatever holds a link, wait for an editor. A change of one that is
/// published stays so, unless it brings links; one that was removed waits again.
fn state(before: Option<&Review>, written: u64, links: u32) -> ReviewState {
    let is_trusted = match before {
        Some(before) => before.state == ReviewState::Published && links == 0,
        None => written >= FIRST && links == 0,
    };
    if is_trusted { ReviewState::Published } else { ReviewState::Pending }
}

async fn living(stack: &Stack, id: MovieId) -> Result<MovieId, Problem> {
    let catalog = stack.catalog().await?;
    let found = match catalog.lookup(id) {
        Lookup::Merged(into) => catalog.lookup(into),
        other => other,
    };
    match found {
        Lookup::Film(film) => Ok(film.id()),
        Lookup::Withdrawn => Err(Problem::new(Code::Gone)),
        Lookup::Merged(_) | Lookup::Unknown => {
            Err(Problem::new(Code::NotFound).with_detail("There is no film with this id."))
        }
    }
}

fn refused(why: String) -> Problem {
    let error =
        FieldError { pointer: "/text".to_owned(), code: "invalid", detail: format!("Expected {why}.") };
    Problem::new(Code::InvalidBody).with_errors(vec![error])
}
