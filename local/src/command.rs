//! The command line.

mod arguments;
mod serve;
mod synchronise;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use screensort_auth::event::Event;
use screensort_http::Problem;
use screensort_jobs::{rotate_keys, ship_audit};
use screensort_model::Movie;
use screensort_runtime::{Stack, clock};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) use arguments::Recommend;
pub(crate) use serve::first_catalogue;

use arguments::{AuditCommand, AuditSource, Bench, Cli, Command, Ring, StreamsCommand};
use serve::serve;
use synchronise::synchronise;

use crate::attack::Kind;
use crate::recent::Noting;
use crate::stand::{Choices, Stand};
use crate::{deployed, events, import, product};

/// Exit code when another process holds the data.
const IN_USE: u8 = 2;
/// Exit code for a file that cannot be used: that of arguments that make no sense.
const UNUSABLE: u8 = 2;
/// Exit code when the user stopped the command.
const INTERRUPTED: u8 = 130;

/// Of each thread, as a Lambda has it: whole runs of jobs are one future.
const STACK: usize = 8 << 20;

/// A failed command: what to print, and the exit code.
pub(crate) struct Failure(pub(crate) String, u8);

impl Failure {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned(), 1)
    }

    /// A file that was named cannot be used.
    pub(crate) fn unusable(text: &str) -> Self {
        Self(text.to_owned(), UNUSABLE)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut at = error.source();
        while let Some(deeper) = at {
            text = format!("{text}: {deeper}");
            at = deeper.source();
        }
        Self(text, 1)
    }
}

/// Runs what the process's arguments ask for.
#[allow(clippy::print_stderr, reason = "a command's failure is for people")]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // What `sync` has to say is its bar and its table; a try that failed before one that did not is not in them.
    let logged = match &cli.command {
        Some(Command::Sync(_)) => {
            "warn,dynoxide=error,screensort_tmdb=off,screensort_jobs::run=off,screensort_jobs::sync_exports=off"
        }
        _ => "warn,dynoxide=error",
    };
    let complaints = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(tracing_subscriber::EnvFilter::new(logged));
    // Events are below what a person wants to read of a log: they are at `/v1/_local/events`.
    let noted = tracing_subscriber::EnvFilter::new(
        "off,security=info,screensort=info,screensort_jobs=info,\
        screensort_accounts=info,screensort_runtime=info,screensort_tmdb=error",
    );
    let noting = Noting { prints: cli.command.is_none() }.with_filter(noted);
    tracing_subscriber::registry().with(complaints).with(noting).init();
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("screensort: no threads: {error}");
                return ExitCode::FAILURE;
            }
        };
    match runtime.block_on(perform(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text, code)) => {
            eprintln!("screensort: {text}");
            ExitCode::from(code)
        }
    }
}

async fn perform(cli: Cli) -> Result<(), Failure> {
    let data = (!cli.place.memory).then_some(cli.place.data);
    match cli.command {
        None => serve(data, cli.serve).await,
        Some(Command::Openapi) => Ok(std::io::stdout().write_all(product::openapi().as_bytes())?),
        Some(Command::FirstKeys) => {
            let stack = deployed::stack()?;
            let made = crate::rings::make(&stack, stack.clock().now()).await?;
            say(&match made.as_slice() {
                [] => "All key rings were there already; nothing was changed.".to_owned(),
                made => format!("Made: {}. Functions read them at their next start.", made.join(", ")),
            });
            Ok(())
        }
        Some(Command::RotateKey { ring }) => {
            let stack = deployed::stack()?;
            let ring = match ring {
                Ring::Index => rotate_keys::Ring::Index,
                Ring::Mac => rotate_keys::Ring::Mac,
                Ring::Cursor => rotate_keys::Ring::Cursor,
                Ring::Lasting => rotate_keys::Ring::Lasting,
            };
            let done = rotate_keys::at_once(&stack, ring).await?;
            let step = &done["steps"][0];
            let key = step["key"].as_str().unwrap_or_default();
            say(&match step["event"].as_str() {
                None => "Nothing to do yet: a key waits ten minutes between two steps.".to_owned(),
                Some(event) if event == Event::RingKeyPublished.name() => {
                    format!("{key} is in the ring. Run this again in ten minutes: then it comes into use.")
                }
                Some(event) if event == Event::RingKeyRotated.name() => {
                    format!("{key} is in use. The ones before stay for as long as what they made lives.")
                }
                Some(_) => format!("{key} is gone: nothing that it made lives any more."),
            });
            Ok(())
        }
        Some(Command::Demo { seed }) => demo(data, seed).await,
        Some(Command::Recommend(Recommend::List)) => {
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            say(&crate::recommend::list(&stand.stack).await?);
            Ok(stand.cloud.shutdown().await?)
        }
        Some(Command::Recommend(Recommend::Rollback { version })) => {
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            let rolled =
                screensort_jobs::train_recommender::roll_back(&stand.stack, version.as_deref()).await;
            stand.cloud.shutdown().await?;
            say(&format!("The model {} is served again.", rolled?.version));
            Ok(())
        }
        Some(Command::Events { json: false }) => Ok(std::io::stdout().write_all(events::page().as_bytes())?),
        Some(Command::Events { json: true }) => {
            say(&format!("{:#}", events::json()));
            Ok(())
        }
        Some(Command::Audit(AuditCommand::Verify { from, aws })) => verify(data, from, aws).await,
        Some(Command::Attack { kind: Kind::Tamper, .. }) => {
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            let done = crate::attack::tamper(&stand.stack).await;
            stand.cloud.shutdown().await?;
            done.map(|text| say(&text))
        }
        Some(Command::Attack { kind, url, wait }) => {
            crate::attack::run(kind, &url, !wait).await.map(|text| say(&text))
        }
        Some(Command::Streams(StreamsCommand::Replay { dry_run, only, aws })) => {
            replay(data, dry_run, only.as_deref(), aws).await
        }
        Some(Command::FirstAdmin { username, email }) => {
            say(&deployed::first_admin(&deployed::stack()?, &username, &email).await?);
            Ok(())
        }
        Some(Command::Recommend(what)) => {
            let done = tokio::task::spawn_blocking(|| crate::recommend::run(what)).await??;
            Ok(std::io::stdout().write_all(done.as_bytes())?)
        }
        Some(Command::Bench(Bench::Requests { catalog, synthetic })) => {
            crate::bench::requests(catalog, synthetic).await.map(|table| say(&table))
        }
        Some(Command::Bench(Bench::Argon2 { target, rounds })) => {
            let done = tokio::task::spawn_blocking(move || crate::argon2::run(target, rounds)).await??;
            say(&done);
            Ok(())
        }
        Some(Command::Bench(Bench::Coldstart { binaries, rounds })) => {
            crate::coldstart::run(&binaries, rounds).await.map(|table| say(&table))
        }
        Some(Command::Import { file, aws }) => {
            // Read before anything is touched: a bad file changes nothing.
            let films = File::open(&file)
                .map_err(Failure::from)
                .and_then(|opened| Ok(import::read(opened, clock().now())?))
                .map_err(|Failure(text, code)| Failure(format!("{}: {text}", file.display()), code))?;
            let published = if aws {
                import_films(&deployed::stack()?, &films).await?
            } else {
                let stand = stand(Choices { data, ..Choices::default() }).await?;
                let published = import_films(&stand.stack, &films).await?;
                stand.cloud.shutdown().await?;
                published
            };
            say(&format!("{} films imported; the catalogue holds {published}.", films.len()));
            Ok(())
        }
        Some(Command::ImportAccounts { file }) => {
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            let done = crate::import_accounts::run(&stand.stack, &file).await;
            stand.cloud.shutdown().await?;
            say(&done?);
            Ok(())
        }
        Some(Command::ImportOperators { file }) => {
            // Read before anything is touched: a bad file changes nothing.
            let listings = File::open(&file)
                .map_err(Failure::from)
                .and_then(|opened| Ok(crate::directory_file::read(opened, clock().now())?))
                .map_err(|Failure(text, code)| Failure(format!("{}: {text}", file.display()), code))?;
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            let bar = bar(listings.len(), "operators");
            let kept =
                crate::directory_file::keep(&stand.stack, &listings, |at| bar.set_position(at as u64)).await;
            bar.finish_and_clear();
            stand.cloud.shutdown().await?;
            say(&kept.map_err(|problem| Failure(why(problem), 1))?.to_string());
            Ok(())
        }
        Some(Command::Sync(args)) => synchronise(data, args).await,
        Some(Command::Publish) => {
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            let published = screensort_jobs::publish_catalog::run(&stand.stack, true).await?;
            say(&format!(
                "A catalogue of {} films is published.",
                published.counts.get("films").unwrap_or(&0)
            ));
            stand.cloud.shutdown().await?;
            Ok(())
        }
    }
}

/// Keeps films and publishes the catalogue. Returns how many it holds.
async fn import_films(stack: &Stack, films: &[Movie]) -> Result<usize, Failure> {
    let bar = bar(films.len(), "films");
    let published = import::keep(stack, films, &[], |kept| bar.set_position(kept as u64)).await;
    bar.finish_and_clear();
    Ok(published?)
}

/// Fills the store with invented people.
async fn demo(data: Option<PathBuf>, seed: u64) -> Result<(), Failure> {
    use crate::demo::Step;
    let stand = stand(Choices { data, ..Choices::default() }).await?;
    first_catalogue(&stand).await?;
    let began = std::time::Instant::now();
    let bar = bar(0, "people");
    let shown = bar.clone();
    let guests = crate::demo::run(&stand.stack, seed, move |step| {
        let (done, all, what) = match step {
            Step::People(done, all) => (done, all, "people"),
            Step::Opinions(done, all) => (done, all, "opinions"),
            Step::Lives => (0, 0, "reviews, histories and a link"),
            Step::Training => (0, 0, "training the recommender"),
        };
        shown.set_message(what);
        shown.set_length(all as u64);
        shown.set_position(done as u64);
    });
    let guests = guests.await;
    bar.finish_and_clear();
    stand.cloud.shutdown().await?;
    let mut text = format!(
        "{} invented people have opinions, and a model has learnt from them ({:.0} s). Three of them can sign in:\n",
        crate::demo::PEOPLE,
        began.elapsed().as_secs_f64()
    );
    for guest in guests? {
        text.push_str(&format!("  {}  {}  likes {}\n", guest.email, guest.password, guest.taste));
    }
    text.push_str(
        "These passwords are shown once. Start the server, then POST /v1/login and GET /v1/recommendation.",
    );
    say(&text);
    Ok(())
}

async fn verify(data: Option<PathBuf>, from: AuditSource, aws: bool) -> Result<(), Failure> {
    let source = match from {
        AuditSource::S3 => ship_audit::Source::Shipped,
        AuditSource::Table => ship_audit::Source::Table,
    };
    let links = if aws {
        ship_audit::verify(&deployed::stack()?, source).await
    } else {
        let stand = stand(Choices { data, ..Choices::default() }).await?;
        let links = ship_audit::verify(&stand.stack, source).await;
        stand.cloud.shutdown().await?;
        links
    };
    say(&format!("The trail holds: {} links checked.", links?));
    Ok(())
}

async fn replay(data: Option<PathBuf>, dry: bool, only: Option<&str>, aws: bool) -> Result<(), Failure> {
    if let Some(name) = only.filter(|name| screensort_jobs::by_name(name).is_none()) {
        let names = screensort_jobs::NAMES.join(", ");
        return Err(Failure(format!("there is no job {name}; there are {names}"), 1));
    }
    if aws {
        return crate::letters::report(&deployed::stack()?, dry, only).await.map(|text| say(&text));
    }
    let stand = stand(Choices { data, ..Choices::default() }).await?;
    let done = crate::letters::report(&stand.stack, dry, only).await;
    stand.cloud.shutdown().await?;
    done.map(|text| say(&text))
}

pub(crate) async fn stand(choices: Choices) -> Result<Stand, Failure> {
    Stand::set_up(choices, clock()).await.map_err(|error| match &error {
        crate::stand::Error::Cloud(screensort_cloud::Error::InUse { .. }) => {
            Failure(error.to_string(), IN_USE)
        }
        _ => Failure::from(error),
    })
}

/// Why a problem came to be, in words.
fn why(problem: Problem) -> String {
    problem.causes().unwrap_or_else(|| problem.code().title().to_owned())
}

pub(crate) fn bar(length: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    let bar = ProgressBar::new(length as u64).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[allow(clippy::print_stdout, reason = "a command's answer is for people")]
fn say(text: &str) {
    println!("{text}");
}
