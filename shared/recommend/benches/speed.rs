//! Speed of training, loading and serving. `cargo bench -p screensort-recommend`; a word after `--` picks what runs
//! (`train`, `load`, `serve`).
//!
//! Plain timing without a framework: every number is one that a promise was made about, and is printed beside it.

#[path = "../tests/world/mod.rs"]
mod world;

use std::time::Instant;

use screensort_recommend::{Film, Model, PageOptions, Profile, Signal, Step, Thumb, TrainOptions, train};
use world::{Dice, films, table};

/// Opinions of the shape of ML-1M's: long-tailed films, people from 20 to some hundred opinions. Some repeat, and are
/// dropped later.
fn million(people: u64, films: u32, opinions: usize) -> Vec<Signal> {
    let mut dice = Dice(11);
    let mut signals = Vec::with_capacity(opinions);
    while signals.len() < opinions {
        let person = 1 + dice.below(people);
        let each = 20 + (300.0 * dice.unit().powi(2)) as usize;
        let taste = dice.below(16) as u32;
        for _ in 0..each {
            let kind = if dice.unit() < 0.6 { taste } else { dice.below(16) as u32 };
            let rank = (dice.unit().powi(3) * f64::from(films / 16)) as u32;
            let film = (rank * 16 + kind).clamp(1, films);
            let value = if dice.unit() < 0.58 { 1.0 } else { 0.0 };
            signals.push(Signal { person, film, value, at: dice.below(1_000_000_000) as i64 });
        }
    }
    signals
}

fn bare(count: u32) -> Vec<Film> {
    (1..=count).map(|movie_id| Film { movie_id, ..Film::default() }).collect()
}

#[expect(clippy::print_stdout, reason = "a bench prints")]
fn say(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}

fn training() {
    let table = table(million(6_040, 3_706, 1_450_000));
    for tune in [false, true] {
        let options = TrainOptions { threads: 1, tune, ..TrainOptions::default() };
        let begun = Instant::now();
        let mut last = begun;
        let mut progress = |step: Step| {
            say(format_args!("    {:6.2} s  {step}", last.elapsed().as_secs_f64()));
            last = Instant::now();
        };
        let trained = train(&table, bare(3_706), &options, &mut progress).expect("a model");
        say(format_args!(
            "train: {} opinions, 3,706 films, one thread, {}: {:.1} s, {} bytes",
            table.intake().kept,
            if tune { "with tuning" } else { "at given settings (a fit to judge, a fit to keep)" },
            begun.elapsed().as_secs_f64(),
            trained.bytes.len()
        ));
    }
}

/// A model of `count` films with full content, quickly trained: serving does not care how well.
fn model(count: u32) -> Vec<u8> {
    let mut options = TrainOptions { threads: 0, tune: false, ..TrainOptions::default() };
    options.settings.epochs = 1;
    options.settings.kept = if count > 5_000 { 100 } else { 256 };
    let signals = million(3_000, count.min(6_000), 300_000);
    train(&table(signals), films(count), &options, &mut |_| {}).expect("a model").bytes
}

fn loading() {
    for count in [3_500, 20_000] {
        let bytes = model(count);
        let begun = Instant::now();
        for _ in 0..20 {
            std::hint::black_box(Model::read(bytes.as_slice()).expect("a whole artifact"));
        }
        let each = begun.elapsed().as_secs_f64() * 50.0;
        say(format_args!("load: {count} films, {} bytes: {each:.2} ms (promised under 50)", bytes.len()));
    }
}

fn serving() {
    let bytes = model(20_000);
    let model = Model::read(bytes.as_slice()).expect("a whole artifact");
    let mut dice = Dice(3);
    for thumbs in [0, 1, 10, 100] {
        let likes: Vec<Thumb> =
            (0..thumbs).map(|_| Thumb { movie_id: 1 + dice.below(6_000) as u32, weight: 1.0 }).collect();
        let dislikes =
            likes.iter().take(thumbs / 10).map(|t| Thumb { movie_id: t.movie_id + 1, weight: 1.0 }).collect();
        let profile =
            Profile { likes, dislikes, exclude: (1..500).map(|k| k * 3).collect(), lifts: Vec::new() };
        let options = PageOptions { explore: Some(1), ..PageOptions::default() };
        let mut times: Vec<f64> = (0..300)
            .map(|_| {
                let begun = Instant::now();
                std::hint::black_box(model.recommend(&profile, |movie_id| movie_id % 7 != 0, &options));
                begun.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        say(format_args!(
            "serve: {thumbs} thumbs, 20,000 films: median {:.0} us, 95th {:.0} us (promised under 2,000)",
            times[150], times[285]
        ));
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    if runs("load") {
        loading();
    }
    if runs("serve") {
        serving();
    }
    if runs("train") {
        training();
    }
}
