//! An invented public: films of a few kinds, people who like one or two of them, a few hits that everybody saw.

#![allow(dead_code, reason = "each test and bench uses its part")]

use screensort_recommend::{Film, Limits, Signal, Table, TrainOptions, Trained, Votes, train};

/// Kinds of films. A film's kind is its id modulo this, its genre, and half of its keywords.
pub const KINDS: u32 = 8;

/// SplitMix64: small, seeded, good enough to invent people.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Films with ids `1..=count`, of kind `id % KINDS`.
pub fn films(count: u32) -> Vec<Film> {
    let film = |movie_id: u32| Film {
        movie_id,
        genres: vec![movie_id % KINDS],
        keywords: vec![movie_id % KINDS, 100 + movie_id % 37, 200 + movie_id % 53],
        people: vec![movie_id % 211],
        year: Some(1950 + (movie_id % 70) as u16),
        votes: Some(Votes { average: 0.5, count: movie_id % 100 }),
    };
    (1..=count).map(film).collect()
}

/// Opinions of `people` people on `films` films, about `each` a person. A person has one kind that is mostly liked, and
/// sees popular films (low numbers within a kind) more often.
pub fn signals(people: u64, films: u32, each: u32, seed: u64) -> Vec<Signal> {
    let mut dice = Dice(seed);
    let mut signals = Vec::new();
    for person in 1..=people {
        let taste = dice.below(u64::from(KINDS)) as u32;
        let count = u64::from(each) / 2 + dice.below(u64::from(each) + 1);
        for _ in 0..count {
            let own = dice.unit() < 0.6;
            let kind = if own { taste } else { dice.below(u64::from(KINDS)) as u32 };
            let rank = (dice.unit().powi(2) * f64::from(films / KINDS)) as u32;
            let film = (rank * KINDS + kind).clamp(1, films);
            let liked = dice.unit() < if kind == taste { 0.8 } else { 0.35 };
            let value = if liked { 1.0 } else { -f32::from(u8::from(dice.unit() < 0.5)) };
            signals.push(Signal { person, film, value, at: 1_500_000_000 + dice.below(100_000_000) as i64 });
        }
    }
    signals
}

pub fn table(signals: Vec<Signal>) -> Table {
    Table::gather(signals, |_| true, Limits::default()).expect("invented opinions are finite")
}

/// Small and quick settings for tests.
pub fn quick() -> TrainOptions {
    let mut options = TrainOptions { threads: 1, tune: false, ..TrainOptions::default() };
    options.settings.dims = 16;
    options.settings.epochs = 6;
    options
}

/// A trained model of `count` films and `people` people.
pub fn trained(people: u64, count: u32, options: &TrainOptions) -> Trained {
    train(&table(signals(people, count, 24, 7)), films(count), options, &mut |_| {}).expect("a model")
}

/// The opinions as the `ratings.csv` that would bring them.
pub fn csv(signals: &[Signal]) -> String {
    let mut text = String::from("userId,movieId,rating,timestamp\n");
    for Signal { person, film, value, at } in signals {
        let rating = if *value > 0.0 {
            "4.5"
        } else if *value < 0.0 {
            "1.5"
        } else {
            "3.0"
        };
        text += &format!("{person},{film},{rating},{at}\n");
    }
    text
}
