//! What invented people leave behind besides opinions: reviews in every state, reports of them, histories, a watchlist
//! and a link, so that pages, records and the queue of editors have something to show.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use screensort_auth::event::Event;
use screensort_catalog::{Catalog, Lookup};
use screensort_http::{Problem, trail_of};
use screensort_model::{Language, MovieId, Thumb};
use screensort_runtime::Stack;
use screensort_store::{
    Change, FilmState, Hand, Invitation, Link, LinkChange, Review, ReviewState, Side, Stage, Watch,
};

use super::{Dice, Error, REQUEST};

/// Films that are reviewed, of those with the most opinions.
const REVIEWED: usize = 30;
/// Reviews of each, at most.
const EACH: usize = 3;
/// Entries of the history of each of those who can sign in.
const WATCHED: usize = 12;

/// What is written about a film that somebody likes, and about one that they do not.
const GOOD: [&str; 6] = [
    "I went in without expecting much and came out two hours later wanting to see it again at once.",
    "The pictures alone are worth it; the story takes its time, and that is what makes it.",
    "Seen it three times by now. Each time there is something in the background that I had missed.",
    "Everybody I showed it to has thanked me. The last ten minutes are the best I know.",
    "Funny where you do not expect it, and sad where you do. The cast is a joy to watch.",
    "Not a minute too long. I would have liked to stay with these people for another one.",
];
const BAD: [&str; 3] = [
    "It looks expensive, and that is all that I can say for it. I kept looking at the clock.",
    "A good idea for half an hour, and then an hour and a half of the same idea again.",
    "Everybody talks about it, so I watched it to the end. I need not have.",
];
const LINKED: &str = "Look at https://films.example/cheap for this one and many others, today only!";

/// Somebody invented.
pub(super) struct Invented {
    pub id: String,
    pub name: String,
}

/// Writes it all.
///
/// # Errors
/// If the store fails.
pub(super) async fn leave(
    stack: &Stack,
    people: &[Invented],
    states: &[(String, FilmState)],
    now: Timestamp,
    dice: &mut Dice,
) -> Result<(), Error> {
    let catalog = stack.catalog().await?;
    let mut by_film: BTreeMap<MovieId, Vec<&(String, FilmState)>> = BTreeMap::new();
    for state in states.iter().filter(|(_, state)| state.thumb.is_some()) {
        by_film.entry(state.1.movie).or_default().push(state);
    }
    let mut films: Vec<_> = by_film.into_values().collect();
    films.sort_by_key(|said| std::cmp::Reverse(said.len()));
    let mut written = Vec::new();
    for said in films.iter().take(REVIEWED) {
        for _ in 0..1 + dice.below(EACH) {
            let (account, state) = said[dice.below(said.len())];
            let Some(author) = people.iter().find(|person| person.id == *account) else { continue };
            written.extend(review(stack, author, state, now, dice).await?);
        }
    }
    for review in written.iter().filter(|review| review.state == ReviewState::Published).take(4) {
        let reporter = &people[people.len() - 1 - dice.below(20.min(people.len()))];
        if reporter.id != review.account {
            report(stack, &reporter.id, review, now).await?;
        }
    }
    for person in people.iter().take(2) {
        let own: Vec<&FilmState> =
            states.iter().filter(|(account, _)| *account == person.id).map(|(_, state)| state).collect();
        watch(stack, &catalog, person, &own, now, dice).await?;
    }
    if let [asker, asked, ..] = people {
        link(stack, asker, asked, now).await?;
    }
    Ok(())
}

/// A review of a film that its author has a thumb for: most are published, some wait, and some are spam that waits.
/// None if they wrote one of it before.
async fn review(
    stack: &Stack,
    author: &Invented,
    state: &FilmState,
    now: Timestamp,
    dice: &mut Dice,
) -> Result<Option<Review>, Error> {
    let texts: &[&str] = if state.thumb == Some(Thumb::Up) { &GOOD } else { &BAD };
    let way = dice.unit();
    let is_spam = way > 0.95;
    let text = if is_spam { LINKED } else { texts[dice.below(texts.len())] };
    let at = state.at.min(now);
    let review = Review {
        id: stack.new_id()?,
        movie: state.movie,
        account: author.id.clone(),
        author: author.name.clone(),
        text: text.to_owned(),
        spoiler: way < 0.1,
        language: "en".parse::<Language>().ok(),
        state: if way < 0.8 { ReviewState::Published } else { ReviewState::Pending },
        links: u32::from(is_spam),
        reports: 0,
        note: None,
        created_at: at,
        updated_at: at,
        version: 1,
    };
    let event = match review.state {
        ReviewState::Published => Event::ReviewPublished,
        _ => Event::ReviewHeld,
    };
    let trail = trail_of(event, &author.id, &review.id, REQUEST, now)?;
    let change = Change { account: &author.id, request: REQUEST, at: now };
    let written = stack.library().write_review(&change, None, &review, 0, &trail).await?;
    Ok(written.is_ok().then_some(review))
}

async fn report(stack: &Stack, reporter: &str, review: &Review, now: Timestamp) -> Result<(), Error> {
    let trail = trail_of(Event::ReviewReported, reporter, &review.id, REQUEST, now)?;
    let change = Change { account: reporter, request: REQUEST, at: now };
    let place = (review.account.clone(), review.movie);
    stack.library().report_review(&change, (&review.id, &place), "spoiler", &trail).await?;
    Ok(())
}

/// Some of the films that somebody has an opinion of, watched; some others, to be watched.
async fn watch(
    stack: &Stack,
    catalog: &Catalog,
    person: &Invented,
    own: &[&FilmState],
    now: Timestamp,
    dice: &mut Dice,
) -> Result<(), Error> {
    let library = stack.library();
    let change = Change { account: &person.id, request: REQUEST, at: now };
    for state in own.iter().take(WATCHED) {
        let hours = i64::try_from(dice.below(24 * 90)).unwrap_or(1);
        let watched_at = now - SignedDuration::from_hours(hours + 1);
        let watch = Watch {
            id: stack.new_id()?,
            movie: state.movie,
            watched_at,
            rewatch: state.watched_at.is_some(),
            operator: None,
            mode: None,
        };
        library.watch(&change, &watch).await?;
    }
    let unseen = catalog.ids().filter(|id| own.iter().all(|state| state.movie != *id));
    for movie in unseen.filter(|id| matches!(catalog.lookup(*id), Lookup::Film(_))).step_by(7).take(6) {
        library.set_watchlist(&change, movie, true).await?;
    }
    Ok(())
}

/// A link between the first two, asked for and confirmed.
async fn link(stack: &Stack, asker: &Invented, asked: &Invented, now: Timestamp) -> Result<(), Error> {
    let scopes = vec!["history".to_owned(), "ratings".to_owned(), "watchlist".to_owned()];
    let link = Link {
        id: stack.new_id()?,
        side: Side::Asker,
        stage: Stage::Pending,
        scopes: scopes.clone(),
        other: None,
        other_name: None,
        created_at: now,
        expires_at: now + SignedDuration::from_mins(30),
        confirmed_at: None,
        ended_at: None,
    };
    let invitation = Invitation {
        link: link.id.clone(),
        asker: asker.id.clone(),
        asker_name: asker.name.clone(),
        scopes: scopes.clone(),
        token_hash: REQUEST.to_owned(),
        term: REQUEST.to_owned(),
        tries: 0,
        created_at: now,
        expires_at: link.expires_at,
    };
    let links = stack.links();
    let record = |event, by: &str| trail_of(event, by, &link.id, REQUEST, now);
    let (trail, hand) = (record(Event::LinkAsked, &asker.id)?, Hand { by: &asker.id, rid: REQUEST });
    links.ask(&asker.id, &link, &LinkChange { hand, at: now, letters: &[], trail: &trail }).await?;
    links.invite(&asked.id, &invitation, &record(Event::LinkInvited, REQUEST)?).await?;
    let (trail, hand) = (record(Event::LinkConfirmed, &asked.id)?, Hand { by: &asked.id, rid: REQUEST });
    let change = LinkChange { hand, at: now, letters: &[], trail: &trail };
    let confirmed = links.confirm((&asked.id, &asked.name), &invitation, &scopes, &change).await?;
    if confirmed {
        Ok(())
    } else {
        Err(Problem::internal("the link of the demonstration was not confirmed").into())
    }
}
