//! `recommend`: the recommender on plain rating files, for anyone who wants to check it on public data.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use screensort_recommend::commands::{self, Progress};
use screensort_recommend::{Card, Error, TrainOptions};
use screensort_runtime::Stack;

use crate::command::{Failure, Recommend};

/// Does what is asked for and returns what to print.
pub(crate) fn run(what: Recommend) -> Result<String, Failure> {
    let spinner = ProgressBar::new_spinner();
    let mut progress = |step: Progress| {
        spinner.set_message(step.to_string());
        spinner.tick();
    };
    let text = match what {
        Recommend::Train { ratings, out, seed, threads } => {
            let options = TrainOptions {
                seed,
                threads,
                model_version: format!("seed-{seed}"),
                ..TrainOptions::default()
            };
            let input = open(&ratings)?;
            let report = written(&out, |output| {
                commands::train(input, output, &options, &mut progress).map_err(|e| about(e, &ratings, None))
            })?;
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
        Recommend::Apply { model, fold_in, top, out } => {
            let (artifact, input) = (open(&model)?, open(&fold_in)?);
            let report = written(&out, |output| {
                commands::apply(artifact, input, top, output, &mut progress)
                    .map_err(|e| about(e, &fold_in, Some(&model)))
            })?;
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
        Recommend::Evaluate { ratings, seeds, threads, json } => {
            let options = TrainOptions { threads, ..TrainOptions::default() };
            let mut table = Vec::new();
            commands::evaluate(open(&ratings)?, &seeds, json, &mut table, &options, &mut progress)
                .map_err(|e| about(e, &ratings, None))?;
            String::from_utf8(table)?
        }
        Recommend::List | Recommend::Rollback { .. } => {
            return Err(Failure::new("this is about the served model, not about files"));
        }
    };
    spinner.finish_and_clear();
    Ok(text)
}

/// The models that are kept, the one that is served first.
pub(crate) async fn list(stack: &Stack) -> Result<String, Failure> {
    let versions = stack.models().versions().await?;
    if versions.is_empty() {
        return Ok("No model has been published yet.".to_owned());
    }
    let mut text =
        String::from("version                     made at               people  opinions  NDCG@100");
    for version in versions {
        let card: Card = serde_json::from_value(version.about).unwrap_or_default();
        let quality = card.quality.map(|q| q.ndcg_at_100);
        let quality =
            quality.map_or("not judged".to_owned(), |q| format!("{:.4} ± {:.4}", q.mean, q.standard_error));
        text.push_str(&format!(
            "\n{:<26}  {:.0}  {:>6}  {:>8}  {quality}",
            version.version, version.made_at, card.people, card.intake.kept
        ));
    }
    Ok(text)
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let unusable = |e| Failure::unusable(&format!("{}: {e}", path.display()));
    File::open(path).map(BufReader::new).map_err(unusable)
}

/// A failure with the name of the file that it is about: one of ratings, or a model.
fn about(error: Error, ratings: &Path, model: Option<&Path>) -> Failure {
    let file = match &error {
        Error::Row { .. } | Error::Nothing { .. } => Some(ratings),
        Error::Foreign
        | Error::Format { .. }
        | Error::Truncated { .. }
        | Error::Checksum
        | Error::Absurd { .. }
        | Error::Card { .. } => model,
        _ => None,
    };
    let failure = Failure::from(error);
    match file {
        Some(file) => Failure::unusable(&format!("{}: {}", file.display(), failure.0)),
        None => failure,
    }
}

/// Writes beside `path` first: work that fails leaves what was there before as it was, and nothing of its own. What is
/// no plain file, such as a pipe or a link, is written to as it is.
fn written<T>(path: &Path, work: impl FnOnce(BufWriter<File>) -> Result<T, Failure>) -> Result<T, Failure> {
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return work(BufWriter::new(create(path)?));
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let draft = PathBuf::from(name);
    let moved = |report| std::fs::rename(&draft, path).map(|()| report).map_err(|e| named(path, e));
    let done = work(BufWriter::new(create(&draft)?)).and_then(moved);
    if done.is_err() {
        // The failure that is told is the first one.
        let _ = std::fs::remove_file(&draft);
    }
    done
}

fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|e| named(path, e))
}

fn named(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(&format!("{}: {error}", path.display()))
}
