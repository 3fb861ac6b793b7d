//! The commands for anyone who wants to check the recommender on public data: `recommend train`, `apply`, `evaluate`.
//!
//! Files are readers and writers here; the command line opens them.

use std::io::{BufRead, Read, Write};

use serde::Serialize;

use crate::artifact::Card;
use crate::csv::read_ratings;
use crate::error::Error;
use crate::evaluate::{self, Report};
use crate::film::Film;
use crate::metrics::Mean;
use crate::model::Model;
use crate::profile::{Profile, Thumb};
use crate::signal::{Intake, Limits, Table};
use crate::train::{self, Step, TrainOptions};

/// What a command is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// So many ratings were read.
    Read(usize),
    /// The training run came further.
    Training(Step),
    /// So many of so many people got their list.
    Applied(usize, usize),
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(rows) => write!(f, "{rows} ratings read"),
            Self::Training(step) => step.fmt(f),
            Self::Applied(done, all) => write!(f, "{done} of {all} people"),
        }
    }
}

/// What [`train`] did.
#[derive(Clone, Debug, Serialize)]
pub struct TrainReport {
    /// What the model says about itself.
    pub card: Card,
    /// Size of the artifact.
    pub artifact_bytes: usize,
}

/// Trains on a `ratings.csv` and writes the artifact. The films are those that somebody likes.
///
/// # Errors
///
/// [`Error::Row`] with the line of a bad row, [`Error::Nothing`] for a file without ratings or likes, [`Error::Io`].
pub fn train(
    ratings: impl BufRead,
    mut out: impl Write,
    options: &TrainOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<TrainReport, Error> {
    let table = gather(ratings, progress)?;
    let everybody: Vec<usize> = (0..table.people()).collect();
    let film = |movie_id| Film { movie_id, ..Film::default() };
    let catalogue: Vec<Film> = table.liked_films(&everybody).into_iter().map(film).collect();
    if catalogue.is_empty() {
        return Err(Error::Nothing { what: "the file has no rating of 4 or more: nobody likes anything" });
    }
    let trained = train::train(&table, catalogue, options, &mut |step| progress(Progress::Training(step)))?;
    let written = out.write_all(&trained.bytes).and_then(|()| out.flush());
    written.map_err(|source| Error::Io { what: "the artifact", source })?;
    Ok(TrainReport { card: trained.card, artifact_bytes: trained.bytes.len() })
}

fn gather(ratings: impl BufRead, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Table, Error> {
    let signals = read_ratings(ratings, |rows| progress(Progress::Read(rows)))?;
    Table::gather(signals, |_| true, Limits::default())
}

/// What [`apply`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ApplyReport {
    /// People who got a list.
    pub people: usize,
    /// People without a like that the model knows: their list is the popularity prior.
    pub without_likes: usize,
    /// What was used of the fold-in file.
    pub intake: Intake,
}

/// Ranks films for every person of a fold-in file and writes `userId,movieId,rank,score`: the model's pure scores, best
/// first, at most `top` a person, ranks from 1. Films that the person rated in the fold-in file are left out. People come
/// in the order of their ids.
///
/// # Errors
///
/// Those of [`Model::read`] for the model, [`Error::Row`] or [`Error::Nothing`] for the fold-in file, [`Error::Io`].
pub fn apply(
    model: impl Read,
    fold_in: impl BufRead,
    top: usize,
    mut out: impl Write,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<ApplyReport, Error> {
    let model = Model::read(model)?;
    let signals = read_ratings(fold_in, |rows| progress(Progress::Read(rows)))?;
    let whole = Limits { opinions: usize::MAX, ..Limits::default() };
    let everything = Table::gather(signals, |_| true, whole)?;
    let io = |source| Error::Io { what: "the ranking", source };
    writeln!(out, "userId,movieId,rank,score").map_err(io)?;
    let people = everything.people();
    let mut report = ApplyReport { people, without_likes: 0, intake: everything.intake() };
    for person in 0..people {
        let own = everything.of(person);
        let profile = folded(own.iter().map(|s| (s.film, s.value)));
        let known = |thumb: &Thumb| model.likes_of(thumb.movie_id).is_some();
        report.without_likes += usize::from(!profile.likes.iter().any(known));
        report.intake.unknown_film += own.iter().filter(|s| model.likes_of(s.film).is_none()).count();
        let user = everything.person(person);
        for (place, ranked) in model.rank(&profile, top).into_iter().enumerate() {
            writeln!(out, "{user},{},{},{:.6}", ranked.movie_id, place + 1, ranked.score).map_err(io)?;
        }
        if (person + 1) % 1_000 == 0 || person + 1 == people {
            progress(Progress::Applied(person + 1, people));
        }
    }
    out.flush().map_err(io)?;
    Ok(report)
}

fn folded(opinions: impl Iterator<Item = (u32, f32)>) -> Profile {
    let mut profile = Profile::default();
    for (movie_id, value) in opinions {
        let thumb = Thumb { movie_id, weight: value.abs() };
        match value {
            like if like > 0.0 => profile.likes.push(thumb),
            dislike if dislike < 0.0 => profile.dislikes.push(thumb),
            _ => profile.exclude.push(movie_id),
        }
    }
    profile
}

/// Evaluates on a `ratings.csv`, and writes a table or, with `json`, one JSON object.
///
/// # Errors
///
/// [`Error::Row`] with the line of a bad row, [`Error::Nothing`] for a file with too few people, [`Error::Io`].
pub fn evaluate(
    ratings: impl BufRead,
    seeds: &[u32],
    json: bool,
    mut out: impl Write,
    options: &TrainOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let table = gather(ratings, progress)?;
    let report = evaluate::evaluate(&table, seeds, options, &mut |step| progress(Progress::Training(step)))?;
    let text = if json {
        serde_json::to_string_pretty(&report).map_err(|source| Error::Card { source })?
    } else {
        table_of(&report)
    };
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|source| Error::Io { what: "the report", source })?;
    Ok(report)
}

fn table_of(report: &Report) -> String {
    let seeds: Vec<String> = report.seeds.iter().map(u32::to_string).collect();
    let row = |name: &str, mean: Mean| format!("{name:<14} {:.4} ± {:.4}\n", mean.mean, mean.standard_error);
    let mut text = format!(
        "{} films, {} training people, {} test people, seeds {}\n\n",
        report.films,
        report.training_people,
        report.test_people,
        seeds.join(",")
    );
    text += &row("Recall@20", report.recall_at_20);
    text += &row("Recall@50", report.recall_at_50);
    text += &row("NDCG@100", report.ndcg_at_100);
    text += &format!("{:<14} {:.4}\n\n", "coverage@20", report.coverage_at_20);
    text += &format!(
        "training       {:.2} s a fit, {:.2} s of tuning\n",
        report.training_seconds, report.tuning_seconds
    );
    text += &format!("artifact       {} bytes\n", report.artifact_bytes);
    text += &format!("request        {:.0} microseconds", report.microseconds_per_request);
    text
}
