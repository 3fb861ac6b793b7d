//! `demo`: a few hundred invented people with tastes, so that recommendations have something to learn from. A taste
//! begins with two or three films; its owner sees and likes mostly what is near to them.
//!
//! Everybody is drawn from a seed: the same films, day and seed give the same people, but for their ids and keys. They
//! are written to the embedded services of this machine alone, and nothing of this is part of any Lambda.

mod lives;

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use screensort_accounts::person::{hash, key_context, seal, terms};
use screensort_auth::event::Event;
use screensort_auth::password::Password;
use screensort_auth::{Email, Username};
use screensort_catalog::{Catalog, FilmRef};
use screensort_crypto::{KeyService, OneTimeToken};
use screensort_http::{Problem, new_id, trail_of};
use screensort_jobs::{recount_films, train_recommender};
use screensort_model::{GenreId, MovieId, Rating, Thumb};
use screensort_runtime::Stack;
use screensort_store::{Account, Credentials, Filler, FilmState, NewAccount, Registered};

use lives::Invented;

/// People, besides those who can sign in.
pub const PEOPLE: usize = 320;
/// The request that invented things say they came from.
const REQUEST: &str = "demo";
/// How far back invented opinions reach.
const DAYS: u64 = 700;
/// Popularity counts less than it would: people have tastes of their own.
const FAME: f64 = 0.6;
/// Films that somebody's taste may begin with: the most popular ones.
const SEEDS: usize = 200;
/// Films near to one of those that its lovers get to see.
const NEAR: usize = 40;
/// How many of the films that somebody sees are near to their taste.
const FAITHFUL: f64 = 0.75;

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The services are not this machine's own.
    #[error("the demonstration is for a store on this machine only, and this one is at {0}")]
    NotLocal(String),
    /// It was done before.
    #[error(
        "the invented people are there already; their passwords were shown once. To begin anew, delete the data \
         directory or name another one with --data"
    )]
    Done,
    /// The catalogue is empty.
    #[error("there are no films to like")]
    NoFilms,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] screensort_store::Error),
    /// The model could not be trained or published.
    #[error(transparent)]
    Train(#[from] screensort_jobs::Error),
    /// An account could not be made.
    #[error("an account could not be made: {0}")]
    Account(String),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Account(problem.causes().unwrap_or_else(|| problem.code().title().to_owned()))
    }
}

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The address.
    pub email: String,
    /// The password: random, shown once.
    pub password: String,
    /// What they like.
    pub taste: &'static str,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many of so many accounts were made.
    People(usize, usize),
    /// So many of so many opinions were written.
    Opinions(usize, usize),
    /// Reviews, histories and a link are written, and all of it is counted.
    Lives,
    /// The model is being trained.
    Training,
}

/// Those who can sign in: name, favourite genres by TMDb's id, and how to put it. Without a genre they have said
/// nothing yet.
const GUESTS: [(&str, &[u32], &str); 3] = [
    ("demo-space", &[878, 12], "science fiction and adventures"),
    ("demo-romance", &[10749, 35], "romances and comedies"),
    ("demo-new", &[], "nothing yet: everything is still general"),
];

/// Fills the store with invented people, trains on them and publishes the model.
///
/// # Errors
/// If the store is not this machine's own, holds the people already, or fails.
pub async fn run(stack: &Stack, seed: u64, progress: impl Fn(Step)) -> Result<Vec<SignIn>, Error> {
    check_local(stack)?;
    let guests = invent(stack, PEOPLE, seed, &progress).await?;
    progress(Step::Training);
    train_recommender::run(stack, train_recommender::Choices::default(), |_| {}).await?;
    Ok(guests)
}

/// Nobody's real people are to meet invented ones.
fn check_local(stack: &Stack) -> Result<(), Error> {
    let settings = stack.settings();
    for url in [&settings.dynamodb_url, &settings.services_url] {
        let at = url.as_deref().unwrap_or("AWS");
        if !is_local(at) {
            return Err(Error::NotLocal(at.to_owned()));
        }
    }
    Ok(())
}

/// Whether a service's address is one that no other machine has.
fn is_local(url: &str) -> bool {
    let host = url.parse::<http::Uri>().ok().and_then(|uri| Some(uri.host()?.to_owned()));
    host.and_then(|host| host.parse::<std::net::IpAddr>().ok()).is_some_and(|ip| ip.is_loopback())
}

/// Makes `people` invented people and those who can sign in, with all their opinions.
///
/// # Errors
/// As [`run`].
pub async fn invent(
    stack: &Stack,
    people: usize,
    seed: u64,
    progress: &impl Fn(Step),
) -> Result<Vec<SignIn>, Error> {
    check_local(stack)?;
    let catalog = stack.catalog().await?;
    let mut films = Films::of(&catalog);
    if films.all.is_empty() {
        return Err(Error::NoFilms);
    }
    let now = stack.clock().now();
    let mut dice = Dice(seed);
    let (mut guests, mut states, mut invented) = (Vec::new(), Vec::new(), Vec::new());
    let all = people + GUESTS.len();
    // Nobody knows this password: those people are only there to have opinions.
    let nobodys = hashed(stack, &random_text()?).await?;
    for (at, (name, genres, taste)) in GUESTS.into_iter().enumerate() {
        let password = random_text()?;
        let (email, id) = account(stack, name, hashed(stack, &password).await?, now).await?;
        let genres: Vec<GenreId> = genres.iter().filter_map(|id| GenreId::new(*id)).collect();
        if !genres.is_empty() {
            let seeds = films.of_genres(&genres);
            states.extend(films.opinions(&id, &seeds, 24, now, &mut dice));
        }
        invented.push(Invented { id, name: name.to_owned() });
        guests.push(SignIn { email, password, taste });
        progress(Step::People(at + 1, all));
    }
    for at in 0..people {
        let name = format!("demo-{at:03}");
        let (_, id) = account(stack, &name, nobodys.clone(), now).await?;
        let seeds: Vec<usize> =
            (0..2 + dice.below(2)).map(|_| dice.below(SEEDS.min(films.all.len()))).collect();
        let count = 12 + dice.below(48);
        states.extend(films.opinions(&id, &seeds, count, now, &mut dice));
        invented.push(Invented { id, name });
        progress(Step::People(at + 1 + GUESTS.len(), all));
    }
    let filler = Filler::new(stack.dynamodb().clone(), stack.settings().tables.library.clone());
    let total = states.len();
    filler.fill(&states, REQUEST, |written| progress(Step::Opinions(written, total))).await?;
    progress(Step::Lives);
    lives::leave(stack, &invented, &states, now, &mut dice).await?;
    recount_films::run(stack).await?;
    Ok(guests)
}

fn random_text() -> Result<String, Error> {
    let token = OneTimeToken::generate().map_err(Problem::from)?;
    Ok(token.to_text().to_string())
}

async fn hashed(stack: &Stack, password: &str) -> Result<String, Error> {
    let password = Password::parse(password).map_err(|e| Problem::from(screensort_auth::Error::from(e)))?;
    Ok(hash(stack, &password).await?)
}

/// Makes an account that is old enough to have a say. Gives back its address and id.
async fn account(
    stack: &Stack,
    name: &str,
    password: String,
    now: Timestamp,
) -> Result<(String, String), Error> {
    let refused = |e: screensort_auth::Error| Error::from(Problem::from(e));
    let email = Email::parse(&format!("{name}@people.example")).map_err(|e| refused(e.into()))?;
    let name = Username::parse(name).map_err(|e| refused(e.into()))?;
    let made = now - SignedDuration::from_hours(24 * 3);
    let id = new_id(made)?;
    let data = stack.keys().generate_data_key(&key_context(&id)).await.map_err(Problem::from)?;
    let mut others = terms(stack, &email).await?;
    let account = Account {
        username: name.as_str().to_owned(),
        email: seal(&data.key, &id, "email", email.as_str().as_bytes())?,
        email_term: others.remove(0),
        former_term: None,
        pending_email: None,
        pending_term: None,
        verified_at: Some(made),
        roles: vec!["user".to_owned()],
        grants: Vec::new(),
        denials: Vec::new(),
        disabled: false,
        generation: 0,
        created_at: made,
        id: id.clone(),
    };
    let new = NewAccount {
        account,
        credentials: Credentials::of_password(password, made),
        wrapped_key: data.wrapped.to_text(),
        unique_name: name.unique_form(),
        other_terms: others,
        administers: false,
        contests: None,
    };
    let trail = trail_of(Event::AccountCreated, REQUEST, &id, REQUEST, now)?;
    match stack.accounts().register(&new, None, &trail).await? {
        Registered::Yes => Ok((email.as_str().to_owned(), id)),
        Registered::NameTaken | Registered::EmailTaken => Err(Error::Done),
    }
}

/// The films, with what drawing from them takes. The most popular ones come first.
struct Films<'c> {
    catalog: &'c Catalog,
    all: Vec<Drawn>,
    /// Sums of fame, for drawing by it.
    ends: Vec<f64>,
    /// The films near to a seed, once it was asked for.
    near: HashMap<usize, Vec<usize>>,
}

struct Drawn {
    id: MovieId,
    genres: Vec<GenreId>,
    /// TMDb's mean vote, 0 to 1: good films are liked more often.
    merit: f64,
}

impl<'c> Films<'c> {
    fn of(catalog: &'c Catalog) -> Self {
        let count = u32::try_from(catalog.len()).unwrap_or(u32::MAX);
        let films = || (0..count).map(|ordinal| catalog.at(ordinal));
        let drawn = |film: FilmRef<'_>| Drawn {
            id: film.id(),
            genres: film.genres().map(|genre| genre.id).collect(),
            merit: f64::from(film.vote_average() / 10.0),
        };
        let mut sum = 0.0;
        let end = |film: FilmRef<'_>| {
            sum += f64::from(film.popularity().max(0.1)).powf(FAME);
            sum
        };
        let (all, ends) = (films().map(drawn).collect(), films().map(end).collect());
        Self { catalog, all, ends, near: HashMap::new() }
    }

    /// The three most popular films that have all of these genres; of fewer genres where there are none.
    fn of_genres(&self, genres: &[GenreId]) -> Vec<usize> {
        let has = |film: &Drawn| genres.iter().all(|genre| film.genres.contains(genre));
        let seeds: Vec<usize> = (0..self.all.len()).filter(|at| has(&self.all[*at])).take(3).collect();
        match genres.len() {
            2.. if seeds.is_empty() => self.of_genres(&genres[1..]),
            _ => seeds,
        }
    }

    /// The films that are most like a seed, and the seed itself.
    fn near(&mut self, seed: usize) -> &[usize] {
        let catalog = self.catalog;
        self.near.entry(seed).or_insert_with(|| {
            let film = catalog.at(u32::try_from(seed).unwrap_or(0));
            let similar = catalog.similar(film).into_iter().take(NEAR).map(|s| s.film.ordinal as usize);
            std::iter::once(seed).chain(similar).collect()
        })
    }

    fn by_fame(&self, dice: &mut Dice) -> usize {
        let point = dice.unit() * self.ends.last().copied().unwrap_or(0.0);
        self.ends.partition_point(|end| *end < point).min(self.all.len() - 1)
    }

    /// What somebody whose taste begins with `seeds` did with about `count` films.
    fn opinions(
        &mut self,
        account: &str,
        seeds: &[usize],
        count: usize,
        now: Timestamp,
        dice: &mut Dice,
    ) -> Vec<(String, FilmState)> {
        let mut met = BTreeMap::new();
        for _ in 0..count {
            if dice.unit() < FAITHFUL && !seeds.is_empty() {
                let near = self.near(seeds[dice.below(seeds.len())]);
                // The nearest ones first.
                let rank = (dice.unit().powi(2) * near.len() as f64) as usize;
                let film = near[rank.min(near.len() - 1)];
                met.insert(film, 0.85);
            } else {
                let film = self.by_fame(dice);
                met.entry(film).or_insert(0.6 * self.all[film].merit - 0.1);
            }
        }
        let state = |(at, chance): (usize, f64)| {
            let liked = dice.unit() < chance;
            (account.to_owned(), opinion(self.all[at].id, liked, now, dice))
        };
        met.into_iter().map(state).collect()
    }
}

fn opinion(movie: MovieId, liked: bool, now: Timestamp, dice: &mut Dice) -> FilmState {
    let seconds = i64::try_from(dice.roll() % (DAYS * 86_400)).unwrap_or(0);
    let at = now - SignedDuration::from_secs(seconds + 60);
    let mut state = FilmState {
        movie,
        thumb: None,
        thumb_at: None,
        rating: None,
        rating_at: None,
        hidden_at: None,
        watchlist_at: None,
        watched_at: None,
        review_id: None,
        review_published: false,
        version: 1,
        at,
    };
    let way = dice.unit();
    if way < 0.7 {
        // Who does not like a film seldom says so.
        let says = liked || dice.unit() < 0.6;
        state.thumb = says.then_some(if liked { Thumb::Up } else { Thumb::Down });
        state.thumb_at = says.then_some(at);
    }
    if way > 0.5 || state.thumb.is_none() {
        let halves = if liked { 15 + dice.below(6) } else { 3 + dice.below(10) };
        state.rating = u8::try_from(halves).ok().and_then(Rating::from_halves);
        state.rating_at = Some(at);
    }
    if dice.unit() < 0.5 {
        state.watched_at = Some(at);
    }
    state
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same people for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap_or(0)
    }

    /// 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_local() {
        assert!(is_local("http://127.210.24.216:39305") && is_local("http://127.0.0.1:8000"));
        for far in [
            "AWS",
            "",
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://127.0.0.1.example.org:80",
            "http://10.0.0.1",
        ] {
            assert!(!is_local(far), "{far}");
        }
    }
}
