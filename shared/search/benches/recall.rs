//! Recall and speed on a real catalogue, and speed on 200,000 invented films.
//!
//! `cargo bench -p screensort-search -- CATALOG.ndjson.gz [--seed N] [--misses]`
//!
//! The catalogue is JSON lines, gzipped, with `title`, `original_title`, `vote_count` and `release_date`.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use flate2::read::GzDecoder;
use screensort_search::{Builder, Entry, Index, Kind, KindSet};
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

/// Queries per class.
const SAMPLE: usize = 500;

/// Only films that somebody may look for: at least this many votes.
const ASKED_FOR: u64 = 500;

const SYNTHETIC: usize = 200_000;

struct Film {
    title: String,
    original: Option<String>,
    votes: u64,
    year: Option<u16>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let option = |name: &str| args.iter().position(|a| a == name);
    let misses = option("--misses").is_some();
    let seed = option("--seed").and_then(|i| args.get(i + 1)).and_then(|s| s.parse().ok()).unwrap_or(7);
    let Some(path) = args.first().filter(|a| !a.starts_with("--")) else {
        println!("No catalogue given, nothing measured. Try:");
        println!("    cargo bench -p screensort-search -- /absolute/path/to/catalog.ndjson.gz");
        println!("(JSON lines, gzipped: title, original_title, vote_count, release_date)");
        return;
    };
    let films = read(path);
    let mut dice = Dice(seed);
    println!("== {} films of {path}, seed {seed}", films.len());
    let index = build(&films);
    for (name, queries) in classes(&films, &mut dice) {
        report(&index, &films, name, &queries, misses);
    }
    let films = invent(&films, &mut dice);
    println!("\n== {} invented films", films.len());
    let index = build(&films);
    for (name, queries) in classes(&films, &mut dice) {
        report(&index, &films, name, &queries, false);
    }
    let hard: Vec<(usize, String)> = [
        "the",
        "a",
        "t",
        "of the",
        "the man of the",
        "love",
        "th lov",
        "teh mna",
        "in the",
        "the the the",
        "zzzzzz",
    ]
    .map(|q| (0, q.to_owned()))
    .into();
    report(&index, &films, "commonest words", &hard, false);
    for (_, query) in &hard {
        let rounds =
            || (0..100).for_each(|_| drop(std::hint::black_box(index.search(query, KindSet::ALL, 20))));
        println!("    {query:?}: {:.2} ms", ms(timed(rounds)) / 100.0);
    }
}

fn read(path: &str) -> Vec<Film> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let film = |line: String| {
        let row: serde_json::Value = serde_json::from_str(&line).ok()?;
        Some(Film {
            title: row["title"].as_str()?.to_owned(),
            original: row["original_title"].as_str().map(str::to_owned),
            votes: row["vote_count"].as_u64().unwrap_or(0),
            year: row["release_date"].as_str().and_then(|d| d.get(..4)?.parse().ok()),
        })
    };
    BufReader::new(GzDecoder::new(file)).lines().map_while(Result::ok).filter_map(film).collect()
}

fn build(films: &[Film]) -> Index {
    let most = films.iter().map(|f| f.votes).max().unwrap_or(1).max(1) as f32;
    let start = Instant::now();
    let mut builder = Builder::new();
    for film in films {
        let titles: Vec<&str> =
            std::iter::once(&film.title).chain(&film.original).map(String::as_str).collect();
        let weight = (film.votes as f32).ln_1p() / most.ln_1p();
        builder.add(Entry { kind: Kind::Movie, titles: &titles, weight, year: film.year });
    }
    let index = builder.build().unwrap();
    let built = start.elapsed();
    let bytes = index.to_bytes();
    let size = bytes.len();
    let load = (0..9).map(|_| bytes.clone()).map(|b| timed(|| Index::from_bytes(b).unwrap())).min().unwrap();
    println!(
        "built in {:.0} ms, {size} bytes ({:.0} a film), loaded in {:.2} ms",
        ms(built),
        size as f64 / films.len() as f64,
        ms(load)
    );
    index
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let (start, on_cpu) = (Instant::now(), cpu_time());
    let result = work();
    let taken = match (on_cpu, cpu_time()) {
        (Some(before), Some(after)) if after > before => after - before,
        _ => start.elapsed(),
    };
    drop(std::hint::black_box(result));
    taken
}

/// Time this thread has spent on a processor, where the system (Linux) tells: what else runs on the
/// machine then counts less.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

type Queries = Vec<(usize, String)>;

fn classes(films: &[Film], dice: &mut Dice) -> Vec<(&'static str, Queries)> {
    let known: Vec<usize> = (0..films.len()).filter(|i| films[*i].votes >= ASKED_FOR).collect();
    let mut class = |name, change: &dyn Fn(&Film, &mut Dice) -> Option<String>| {
        let mut pool = known.clone();
        let mut queries = Vec::new();
        while queries.len() < SAMPLE && !pool.is_empty() {
            let film = pool.swap_remove(dice.below(pool.len()));
            queries.extend(change(&films[film], dice).map(|q| (film, q)));
        }
        (name, queries)
    };
    vec![
        class("exact title", &|f, _| Some(f.title.clone())),
        class("exact, lower case, no punctuation", &|f, _| {
            Some(f.title.to_lowercase().replace(['\'', ':', ',', '.', '!', '?'], ""))
        }),
        class("diacritics dropped", &|f, _| {
            let plain = undecorated(&f.title);
            (plain != f.title).then_some(plain)
        }),
        class("original title", &|f, _| f.original.clone().filter(|o| *o != f.title)),
        class("first 70 %", &|f, _| {
            let chars: Vec<char> = f.title.chars().collect();
            let keep = (chars.len() as f32 * 0.7).round().max(1.0) as usize;
            Some(chars[..keep].iter().collect())
        }),
        class("one typo", &|f, d| Some(misspelt(&f.title, 1, d))),
        class("two typos", &|f, d| Some(misspelt(&f.title, 2, d))),
        class("two typos, 6 letters or more", &|f, d| {
            (f.title.chars().count() >= 6).then(|| misspelt(&f.title, 2, d))
        }),
        class("words reversed", &|f, _| {
            let words: Vec<&str> = f.title.split_whitespace().rev().collect();
            (words.len() > 1).then(|| words.join(" "))
        }),
        class("title and year", &|f, _| f.year.map(|y| format!("{} ({y})", f.title))),
        class("first 70 %, one typo", &|f, d| {
            let chars: Vec<char> = f.title.chars().collect();
            let keep = (chars.len() as f32 * 0.7).round().max(1.0) as usize;
            let start: String = chars[..keep].iter().collect();
            (keep >= 5).then(|| misspelt(&start, 1, d))
        }),
        class("a word missing", &|f, d| {
            let mut words: Vec<&str> = f.title.split_whitespace().collect();
            (words.len() > 2).then(|| {
                words.remove(d.below(words.len()));
                words.join(" ")
            })
        }),
        class("spaces dropped", &|f, _| {
            let words: Vec<&str> = f.title.split_whitespace().collect();
            (words.len() == 2).then(|| words.concat())
        }),
    ]
}

fn undecorated(text: &str) -> String {
    let from = "áàâäãåéèêëíìîïóòôöõúùûüýÿçñÁÀÂÄÅÉÈÊËÍÎÓÔÖÚÜÇÑ";
    let to = "aaaaaaeeeeiiiiooooouuuuyycnAAAAAEEEEIIOOOUUCN";
    text.chars().map(|c| from.chars().zip(to.chars()).find(|(f, _)| *f == c).map_or(c, |(_, t)| t)).collect()
}

/// Inserts, deletes, replaces or swaps, at any place of the title, spaces and punctuation included.
fn misspelt(title: &str, typos: usize, dice: &mut Dice) -> String {
    let mut chars: Vec<char> = title.to_lowercase().chars().collect();
    for _ in 0..typos {
        let before = chars.clone();
        while chars == before || chars.is_empty() {
            chars.clone_from(&before);
            let at = dice.below(chars.len());
            let letter = char::from(b'a' + dice.below(26) as u8);
            match dice.below(4) {
                0 => chars.insert(at, letter),
                1 => drop(chars.remove(at)),
                2 => chars[at] = letter,
                _ if at + 1 < chars.len() => chars.swap(at, at + 1),
                _ => {}
            }
        }
    }
    chars.into_iter().collect()
}

fn report(index: &Index, films: &[Film], name: &str, queries: &Queries, misses: bool) {
    if queries.is_empty() {
        return;
    }
    let (mut first, mut third, mut behind_namesakes) = (0, 0, 0);
    for (film, query) in queries {
        let hits = index.search(query, KindSet::ALL, 3);
        let place = hits.iter().position(|h| h.entry as usize == *film);
        first += usize::from(place == Some(0));
        third += usize::from(place.is_some());
        if place.is_none() {
            let wanted = &films[*film].title;
            let got: Vec<&str> = hits.iter().map(|h| films[h.entry as usize].title.as_str()).collect();
            let namesakes = got.len() == 3 && got.iter().all(|t| letters(t) == letters(wanted));
            behind_namesakes += usize::from(namesakes);
            if misses {
                println!("    {query:?} for {wanted:?}: {got:?}");
            }
        }
    }
    let n = queries.len() as f64;
    let time = |limit: Option<usize>| {
        let round = || {
            timed(|| {
                for (_, query) in queries {
                    match limit {
                        Some(limit) => drop(std::hint::black_box(index.search(query, KindSet::ALL, limit))),
                        None => drop(std::hint::black_box(index.suggest(query, 8))),
                    }
                }
            })
        };
        (0..3).map(|_| round()).min().unwrap().as_secs_f64() * 1e3 / n
    };
    println!(
        "{name:34} {:4} queries  recall@1 {:.3}  recall@3 {:.3} (+{:.3} behind namesakes)  search {:.3} ms  300 hits {:.3} ms  suggest {:.3} ms",
        queries.len(),
        first as f64 / n,
        third as f64 / n,
        behind_namesakes as f64 / n,
        time(Some(20)),
        time(Some(300)),
        time(None)
    );
}

/// What two titles of one name share.
fn letters(title: &str) -> String {
    let letters: String = title.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.to_lowercase()
}

/// Films whose titles recombine the words of real ones as often as they occur there, with votes that fall
/// off as in the real catalogue.
fn invent(films: &[Film], dice: &mut Dice) -> Vec<Film> {
    let words: Vec<Vec<&str>> = films.iter().map(|f| f.title.split_whitespace().collect()).collect();
    let all: Vec<&str> = words.iter().flatten().copied().collect();
    let mut invented = Vec::with_capacity(SYNTHETIC);
    for _ in 0..SYNTHETIC {
        let length = words[dice.below(words.len())].len();
        let mut title: Vec<String> = (0..length).map(|_| all[dice.below(all.len())].to_owned()).collect();
        if dice.below(3) == 0 {
            // A real catalogue's dictionary grows with it: some words are new.
            let at = dice.below(title.len());
            title[at] = misspelt(&title[at], 2, dice);
        }
        let votes = films[dice.below(films.len())].votes / (1 + dice.below(40) as u64);
        let year = films[dice.below(films.len())].year;
        invented.push(Film { title: title.join(" "), original: None, votes, year });
    }
    invented
}

/// SplitMix64: the same queries for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}
