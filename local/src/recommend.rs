//! `recommend`: the recommender on plain rating files, for anyone who wants to check it on public data.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use indicatif::ProgressBar;
use screensort_recommend::commands::{self, Progress};
use screensort_recommend::{Card, TrainOptions};
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
            // Beside the target first: a run that fails leaves the model before as it was.
            let draft = out.with_extension("part");
            let report = commands::train(input, BufWriter::new(create(&draft)?), &options, &mut progress)?;
            std::fs::rename(&draft, &out).map_err(|e| named(&out, e))?;
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
        Recommend::Apply { model, fold_in, top, out } => {
            let output = BufWriter::new(create(&out)?);
            let report = commands::apply(open(&model)?, open(&fold_in)?, top, output, &mut progress)?;
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
        Recommend::Evaluate { ratings, seeds, threads, json } => {
            let options = TrainOptions { threads, ..TrainOptions::default() };
            let mut table = Vec::new();
            commands::evaluate(open(&ratings)?, &seeds, json, &mut table, &options, &mut progress)?;
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
    File::open(path).map(BufReader::new).map_err(|e| named(path, e))
}

fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|e| named(path, e))
}

fn named(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(&format!("{}: {error}", path.display()))
}
