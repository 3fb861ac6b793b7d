//! What people made of a film, counted. Changes of people's items arrive late, twice and out of order; each says
//! which version of the item it made. For each item the version that was counted last, and what it said, is kept
//! beside the counters and changed together with them: an older version is ignored, a newer one counts by its
//! difference. So the counters are always the sum of what was counted, whatever arrives how often.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::TransactWriteItem;
use screensort_model::{MovieId, Thumb};

use crate::catalogue::{Item, counters, key, movie_of, number, text};
use crate::library::FilmState;
use crate::vault::{Vault, Written, n};
use crate::{Catalogue, Counters, Error, Library};

const COUNTED: &str = "COUNTED";
/// Items of one transaction: with their films' counters they stay below the store's hundred.
const CHUNK: usize = 48;
/// How often items that others were counting meanwhile are looked at again.
const MEETINGS: usize = 8;

/// What a version of somebody's item says of a film, as far as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Whose item it is, unreadably: the catalogue knows nobody.
    who: String,
    /// The film.
    movie: MovieId,
    /// The item's version.
    version: u64,
    says: Says,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Says {
    up: bool,
    down: bool,
    halves: u8,
    reviewed: bool,
}

/// What counting again found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recounted {
    /// Items whose newest version had not been counted.
    pub missed: usize,
    /// Items that were counted and are gone.
    pub orphans: usize,
    /// Films whose counters were not the sum of what was counted.
    pub repaired: usize,
}

impl Opinion {
    /// What `state` of `account` says.
    pub fn of(account: &str, state: &FilmState) -> Self {
        let says = Says {
            up: state.thumb == Some(Thumb::Up),
            down: state.thumb == Some(Thumb::Down),
            halves: state.rating.map_or(0, |rating| rating.halves()),
            reviewed: state.review_published,
        };
        Self { who: hashed(account, state.movie), movie: state.movie, version: state.version, says }
    }

    /// What a change in the table's stream says, as Lambda is given it; `None` if it changes nothing that counts.
    pub fn of_change(record: &serde_json::Value) -> Option<Self> {
        let change = record.get("dynamodb")?;
        let field = |image: &serde_json::Value, name: &str, kind: &str| -> Option<String> {
            image.get(name)?.get(kind)?.as_str().map(str::to_owned)
        };
        let keys = change.get("Keys")?;
        let account = field(keys, "pk", "S")?;
        let account = account.strip_prefix("PERSON#")?;
        let movie = field(keys, "sk", "S")?.strip_prefix("F#")?.trim_start_matches('0').parse().ok()?;
        let says = |image: Option<&serde_json::Value>| match image.filter(|image| image.get("gone").is_none())
        {
            None => Says::default(),
            Some(image) => Says {
                up: field(image, "thumb", "S").as_deref() == Some("up"),
                down: field(image, "thumb", "S").as_deref() == Some("down"),
                halves: field(image, "rating", "N").and_then(|halves| halves.parse().ok()).unwrap_or(0),
                reviewed: field(image, "review_state", "S").as_deref() == Some("published"),
            },
        };
        let version =
            |image: Option<&serde_json::Value>| -> Option<u64> { field(image?, "v", "N")?.parse().ok() };
        let (old, new) = (change.get("OldImage"), change.get("NewImage"));
        // What was removed has no version: it comes after the one that was there.
        let version = version(new).or_else(|| version(old).map(|old| old + 1))?;
        let (before, after) = (says(old), says(new));
        (before != after).then(|| Self { who: hashed(account, movie), movie, version, says: after })
    }
}

fn hashed(account: &str, movie: MovieId) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{account}#{movie}").as_bytes());
    digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn counted_key(who: &str) -> Item {
    key(&format!("COUNTED#{who}"), COUNTED)
}

fn says_of(item: &Item) -> Says {
    let thumb = number::<u8>(item, "thumb").unwrap_or(0);
    Says {
        up: thumb == 1,
        down: thumb == 2,
        halves: number(item, "halves").unwrap_or(0),
        reviewed: number::<u8>(item, "review") == Some(1),
    }
}

/// What was counted, as it is kept.
fn opinion_of(item: &Item) -> Option<Opinion> {
    Some(Opinion {
        who: text(item, "pk")?.strip_prefix("COUNTED#")?.to_owned(),
        movie: number::<u32>(item, "movie").and_then(MovieId::new)?,
        version: number(item, "v")?,
        says: says_of(item),
    })
}

/// Which of so many slices a hash lies in.
fn slice_of(who: &str, slices: u64) -> u64 {
    let head = who.get(..8).and_then(|head| u64::from_str_radix(head, 16).ok()).unwrap_or(0);
    (head * slices) >> 32
}

/// A difference of counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Difference {
    up: i64,
    down: i64,
    ratings: i64,
    halves: i64,
    reviews: i64,
}

impl Difference {
    fn add(&mut self, says: Says, sign: i64) {
        self.up += sign * i64::from(says.up);
        self.down += sign * i64::from(says.down);
        self.ratings += sign * i64::from(says.halves > 0);
        self.halves += sign * i64::from(says.halves);
        self.reviews += sign * i64::from(says.reviewed);
    }

    fn of(counters: Counters) -> Self {
        Self {
            up: counters.thumbs_up.into(),
            down: counters.thumbs_down.into(),
            ratings: counters.rating_count.into(),
            halves: i64::try_from(counters.rating_halves).unwrap_or(i64::MAX),
            reviews: counters.reviews.into(),
        }
    }

    fn values(self) -> crate::vault::Values {
        vec![
            (":up", n(self.up)),
            (":down", n(self.down)),
            (":ratings", n(self.ratings)),
            (":halves", n(self.halves)),
            (":reviews", n(self.reviews)),
        ]
    }
}

impl Catalogue {
    fn vault(&self) -> Vault {
        Vault::new(self.client.clone(), self.table.clone())
    }

    /// Counts `opinions`; how many were newer than what had been counted, and said something else.
    ///
    /// # Errors
    /// If the store fails; what was counted until then stays, and counting the same again changes nothing.
    pub async fn count_opinions(&self, opinions: Vec<Opinion>) -> Result<usize, Error> {
        let mut newest: BTreeMap<(MovieId, String), Opinion> = BTreeMap::new();
        for opinion in opinions {
            let at = (opinion.movie, opinion.who.clone());
            if newest.get(&at).is_none_or(|other| other.version < opinion.version) {
                newest.insert(at, opinion);
            }
        }
        // A film's items stand together, so that its counters change once for all of them.
        let all: Vec<Opinion> = newest.into_values().collect();
        let mut counted = 0;
        for chunk in all.chunks(CHUNK) {
            counted += self.count_chunk(chunk).await?;
        }
        Ok(counted)
    }

    async fn count_chunk(&self, chunk: &[Opinion]) -> Result<usize, Error> {
        let vault = self.vault();
        for _ in 0..MEETINGS {
            let keys = chunk.iter().map(|opinion| counted_key(&opinion.who)).collect();
            let mut before = BTreeMap::new();
            for item in vault.get_all(keys).await? {
                let version: u64 = number(&item, "v").unwrap_or(0);
                let who = text(&item, "pk").and_then(|pk| pk.strip_prefix("COUNTED#")).unwrap_or_default();
                before.insert(who.to_owned(), (version, says_of(&item)));
            }
            let (mut writes, mut films) = (Vec::new(), BTreeMap::<MovieId, Difference>::new());
            let mut counted = 0;
            for opinion in chunk {
                let old = before.get(&opinion.who).copied();
                if old.is_some_and(|(version, _)| version >= opinion.version) {
                    continue;
                }
                let said = old.map_or(Says::default(), |(_, says)| says);
                if said != opinion.says {
                    counted += 1;
                    let difference = films.entry(opinion.movie).or_default();
                    difference.add(opinion.says, 1);
                    difference.add(said, -1);
                }
                writes.push(counting(&vault, opinion, old.map(|(version, _)| version))?);
            }
            if writes.is_empty() {
                return Ok(0);
            }
            for (movie, difference) in films {
                let mut values = difference.values();
                values.push((":one", n(1)));
                writes.push(vault.updating(
                    key(&format!("MOVIE#{movie}"), "COUNTERS"),
                    "ADD thumbs_up :up, thumbs_down :down, rating_count :ratings, rating_halves :halves, \
                     reviews :reviews, changes :one",
                    "attribute_not_exists(gone)",
                    values,
                )?);
            }
            match vault.transact(writes).await? {
                Written::Done => return Ok(counted),
                // Somebody else counts the same: what they counted is looked at again.
                Written::Refused(_) => {}
            }
        }
        Err(Error::Throttled {
            operation: "TransactWriteItems",
            cause: "others were counting the same".into(),
        })
    }

    /// Counts everything again from what people's items in `library` say: what was missed, what is gone, and counters
    /// that are not the sum of what was counted. It may run while others count: a film that changes meanwhile is left
    /// to them. Of people's items no more than about `at_once` are held in memory, however many there are.
    ///
    /// # Errors
    /// If the store fails; running it again goes on.
    pub async fn recount(&self, library: &Library, at_once: usize) -> Result<Recounted, Error> {
        let (mut missed, mut there, mut start) = (0, 0, None);
        loop {
            let (states, next) = library.page_of_everyone(start).await?;
            there += states.len();
            let opinions = states.iter().map(|(account, state)| Opinion::of(account, state));
            missed += self.count_opinions(opinions.collect()).await?;
            match next {
                Some(_) => start = next,
                None => break,
            }
        }
        let slices = there.div_ceil(at_once.max(1)).max(1) as u64;
        let mut orphans = 0;
        for slice in 0..slices {
            orphans += self.forget_orphans(library, slice, slices).await?;
        }
        Ok(Recounted { missed, orphans, repaired: self.repair().await? })
    }

    /// Takes back what was counted of items that are not there any more, in one slice of all. First what was counted
    /// is read, then what is there: an item that is not there any more by then is gone.
    async fn forget_orphans(&self, library: &Library, slice: u64, slices: u64) -> Result<usize, Error> {
        let mut alone: HashMap<String, Opinion> = HashMap::new();
        self.each_counted(|opinion| {
            if opinion.says != Says::default() && slice_of(&opinion.who, slices) == slice {
                alone.insert(opinion.who.clone(), opinion);
            }
        })
        .await?;
        let mut start = None;
        loop {
            let (states, next) = library.page_of_everyone(start).await?;
            for (account, state) in &states {
                alone.remove(&hashed(account, state.movie));
            }
            match next {
                Some(_) => start = next,
                None => break,
            }
        }
        let gone = alone.into_values();
        let gone = gone.map(|o| Opinion { version: o.version + 1, says: Says::default(), ..o }).collect();
        self.count_opinions(gone).await
    }

    async fn each_counted(&self, mut each: impl FnMut(Opinion)) -> Result<(), Error> {
        let mut start = None;
        loop {
            let (items, next) = self.vault().scan(COUNTED, start).await?;
            for opinion in items.iter().filter_map(opinion_of) {
                each(opinion);
            }
            match next {
                Some(_) => start = next,
                None => return Ok(()),
            }
        }
    }

    /// Sets the counters that are not the sum of what was counted. The counters are read before what they count:
    /// if they have not changed when they are set, nothing that they count has.
    async fn repair(&self) -> Result<usize, Error> {
        let vault = self.vault();
        let (mut before, mut start) = (BTreeMap::new(), None);
        loop {
            let (items, next) = vault.scan("COUNTERS", start).await?;
            for item in &items {
                if let Some(movie) = movie_of(item) {
                    let changes: u64 = number(item, "changes").unwrap_or(0);
                    before.insert(movie, (changes, Difference::of(counters(item))));
                }
            }
            if next.is_none() {
                break;
            }
            start = next;
        }
        let mut sums: BTreeMap<MovieId, Difference> = BTreeMap::new();
        self.each_counted(|opinion| sums.entry(opinion.movie).or_default().add(opinion.says, 1)).await?;
        let mut repaired = 0;
        for movie in before.keys().chain(sums.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (changes, found) = before.get(movie).copied().unwrap_or_default();
            let sum = sums.get(movie).copied().unwrap_or_default();
            if found == sum {
                continue;
            }
            let mut values = sum.values();
            values.extend([(":changes", n(changes)), (":next", n(changes + 1)), (":zero", n(0))]);
            let set = "SET thumbs_up = :up, thumbs_down = :down, rating_count = :ratings, \
                       rating_halves = :halves, reviews = :reviews, changes = :next";
            let unchanged = "changes = :changes OR (:changes = :zero AND attribute_not_exists(changes))";
            let at = key(&format!("MOVIE#{movie}"), "COUNTERS");
            repaired += usize::from(vault.update(at, set, Some(unchanged), values).await?.is_some());
        }
        Ok(repaired)
    }
}

/// The write that notes `opinion` in the place of the version `old`.
fn counting(vault: &Vault, opinion: &Opinion, old: Option<u64>) -> Result<TransactWriteItem, Error> {
    let says = opinion.says;
    let thumb = if says.up { 1 } else { u8::from(says.down) * 2 };
    let mut values = vec![
        (":movie", n(opinion.movie)),
        (":v", n(opinion.version)),
        (":thumb", n(thumb)),
        (":halves", n(says.halves)),
        (":review", n(u8::from(says.reviewed))),
    ];
    let condition = match old {
        Some(old) => {
            values.push((":old", n(old)));
            "v = :old"
        }
        None => "attribute_not_exists(pk)",
    };
    let set = "SET movie = :movie, v = :v, thumb = :thumb, halves = :halves, review = :review";
    vault.updating(counted_key(&opinion.who), set, condition, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_lies_in_one_slice() {
        let movie = MovieId::new(550).unwrap();
        for slices in [1, 2, 7, 64] {
            let mut found = vec![0; slices as usize];
            for person in 0..2_000 {
                found[slice_of(&hashed(&person.to_string(), movie), slices) as usize] += 1;
            }
            assert!(found.iter().all(|count| *count > 0), "{found:?}");
        }
        assert_eq!((slice_of("ffffffff", 7), slice_of("00000000", 7)), (6, 0));
    }
}
