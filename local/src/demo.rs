//! `demo`: a few hundred invented people with tastes, so that recommendations have something to learn from.
//!
//! Everybody is drawn from a seed: the same films, day and seed give the same people, but for their ids and keys. They
//! are written to the embedded services of this machine alone, and nothing of this is part of any Lambda.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use screensort_accounts::person::{hash, key_context, new_id, seal, terms};
use screensort_auth::event::Event;
use screensort_auth::password::Password;
use screensort_auth::{Email, Username};
use screensort_catalog::{Catalog, FilmRef};
use screensort_crypto::{KeyService, OneTimeToken};
use screensort_http::{Problem, trail_of};
use screensort_jobs::train_recommender;
use screensort_model::{GenreId, MovieId, Rating, Thumb};
use screensort_runtime::Stack;
use screensort_store::{Account, Credentials, Filler, FilmState, NewAccount, Registered};

/// People, besides those who can sign in.
pub const PEOPLE: usize = 320;
/// The request that invented things say they came from.
const REQUEST: &str = "demo";
/// How far back invented opinions reach.
const DAYS: u64 = 700;
/// Popularity counts less than it would: people have tastes of their own.
const FAME: f64 = 0.6;
/// How much more often somebody meets a film of a favourite genre or decade.
const FAVOURITE: f64 = 4.0;

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
    let films = Films::of(&catalog);
    if films.all.is_empty() {
        return Err(Error::NoFilms);
    }
    let now = stack.clock().now();
    let mut dice = Dice(seed);
    let (mut guests, mut states) = (Vec::new(), Vec::new());
    let all = people + GUESTS.len();
    // Nobody knows this password: those people are only there to have opinions.
    let nobodys = hashed(stack, &random_text()?).await?;
    for (at, (name, genres, taste)) in GUESTS.into_iter().enumerate() {
        let password = random_text()?;
        let (email, id) = account(stack, name, hashed(stack, &password).await?, now).await?;
        let favourites: Vec<GenreId> = genres.iter().filter_map(|id| GenreId::new(*id)).collect();
        if !favourites.is_empty() {
            states.extend(films.opinions(&id, &favourites, 24, now, &mut dice));
        }
        guests.push(SignIn { email, password, taste });
        progress(Step::People(at + 1, all));
    }
    for at in 0..people {
        let name = format!("demo-{at:03}");
        let (_, id) = account(stack, &name, nobodys.clone(), now).await?;
        let favourites: Vec<GenreId> =
            (0..1 + dice.below(2)).filter_map(|_| films.genre(&mut dice)).collect();
        let count = 12 + dice.below(48);
        states.extend(films.opinions(&id, &favourites, count, now, &mut dice));
        progress(Step::People(at + 1 + GUESTS.len(), all));
    }
    let filler = Filler::new(stack.dynamodb().clone(), stack.settings().tables.library.clone());
    let total = states.len();
    filler.fill(&states, REQUEST, |written| progress(Step::Opinions(written, total))).await?;
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
    let account = Account {
        username: name.as_str().to_owned(),
        email: seal(&data.key, &id, "email", email.as_str().as_bytes())?,
        email_term: terms(stack, &email).await?.swap_remove(0),
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
    let credentials = Credentials {
        password,
        password_changed_at: made,
        totp: None,
        totp_pending: None,
        totp_step: None,
        mail_factor: false,
    };
    let new = NewAccount {
        account,
        credentials,
        wrapped_key: data.wrapped.to_text(),
        unique_name: name.unique_form(),
        administers: false,
    };
    let trail = trail_of(Event::AccountCreated, REQUEST, &id, REQUEST, now)?;
    match stack.accounts().register(&new, None, &trail).await? {
        Registered::Yes => Ok((email.as_str().to_owned(), id)),
        Registered::NameTaken | Registered::EmailTaken => Err(Error::Done),
    }
}

/// The films, with what drawing from them takes.
struct Films {
    all: Vec<Drawn>,
    genres: Vec<GenreId>,
}

struct Drawn {
    id: MovieId,
    genres: Vec<GenreId>,
    decade: Option<i16>,
    fame: f64,
    /// TMDb's mean vote, 0 to 1: good films are liked more often.
    merit: f64,
}

impl Films {
    fn of(catalog: &Catalog) -> Self {
        let drawn = |film: FilmRef<'_>| Drawn {
            id: film.id(),
            genres: film.genres().map(|genre| genre.id).collect(),
            decade: film.release_date().map(|date| date.year() / 10),
            fame: f64::from(film.popularity().max(0.1)).powf(FAME),
            merit: f64::from(film.vote_average() / 10.0),
        };
        let count = u32::try_from(catalog.len()).unwrap_or(u32::MAX);
        let all: Vec<Drawn> = (0..count).map(|ordinal| drawn(catalog.at(ordinal))).collect();
        let genres: BTreeSet<GenreId> = all.iter().flat_map(|film| film.genres.iter().copied()).collect();
        Self { all, genres: genres.into_iter().collect() }
    }

    fn genre(&self, dice: &mut Dice) -> Option<GenreId> {
        self.genres.get(dice.below(self.genres.len())).copied()
    }

    /// What somebody with these favourites did with about `count` films.
    fn opinions(
        &self,
        account: &str,
        favourites: &[GenreId],
        count: usize,
        now: Timestamp,
        dice: &mut Dice,
    ) -> Vec<(String, FilmState)> {
        let decade = self.all[dice.below(self.all.len())].decade;
        let likes = |film: &Drawn| film.genres.iter().any(|genre| favourites.contains(genre));
        let mut ends = Vec::with_capacity(self.all.len());
        let mut sum = 0.0;
        for film in &self.all {
            let own = if likes(film) { FAVOURITE } else { 1.0 };
            let near = if film.decade == decade { 2.0 } else { 1.0 };
            sum += film.fame * own * near;
            ends.push(sum);
        }
        let mut met = BTreeSet::new();
        for _ in 0..count {
            let point = dice.unit() * sum;
            met.insert(ends.partition_point(|end| *end < point).min(self.all.len() - 1));
        }
        let mut states = Vec::with_capacity(met.len());
        for at in met {
            let film = &self.all[at];
            let chance = if likes(film) { 0.45 + 0.5 * film.merit } else { 0.6 * film.merit - 0.1 };
            states.push((account.to_owned(), opinion(film.id, dice.unit() < chance, now, dice)));
        }
        states
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
