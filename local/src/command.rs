//! The command line.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use screensort_auth::event::Event;
use screensort_http::{Limits, Problem};
use screensort_jobs::{rotate_keys, ship_audit};
use screensort_model::{Movie, MovieId};
use screensort_runtime::{Otlp, Stack, Texts, clock};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::attack::Kind;
use crate::gateway::Gateway;
use crate::recent::Noting;
use crate::server::Server;
use crate::stand::{Choices, Stand};
use crate::sync::{self, What};
use crate::{deployed, events, import, product};

/// Exit code when another process holds the data.
const IN_USE: u8 = 2;
/// Exit code for a file that cannot be used: that of arguments that make no sense.
const UNUSABLE: u8 = 2;
/// Exit code when the user stopped the command.
const INTERRUPTED: u8 = 130;

/// Of each thread, as a Lambda has it: whole runs of jobs are one future.
const STACK: usize = 8 << 20;

/// ScreenSort: films to browse, search and be recommended.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

const EXAMPLES: &str = "Examples:
  screensort                          start the product with the sample catalogue
  screensort --memory --port 0        the same, keeping nothing, on any free port
  screensort --tls                    the same over HTTPS
  screensort import films.ndjson.gz   load a catalogue from a file of lines of JSON
  screensort import-operators ot.json load an Open Transport operator directory
  screensort sync                     bring the catalogue in step with TMDb (needs TMDB_TOKEN)
  screensort sync --ids 550,27205     read just these films
  screensort recommend evaluate --ratings ratings.csv
                                      judge the recommender on a file of ratings
  screensort openapi                  print the OpenAPI document";

#[derive(Debug, Args)]
struct PlaceArgs {
    /// Where everything is kept.
    #[arg(long, global = true, value_name = "DIR", default_value = ".screensort")]
    data: PathBuf,
    /// Keep everything in memory; it is gone at the end.
    #[arg(long, global = true, conflicts_with = "data")]
    memory: bool,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The port to listen on; 0 for any.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Serve HTTPS with a certificate of our own; plain HTTP on the next port sends pages on and refuses calls.
    #[arg(long)]
    tls: bool,
    /// Fixed ports for the embedded DynamoDB and the other services, for Lambda binaries run by hand.
    #[arg(long, value_name = "PORT,PORT", value_parser = two_ports)]
    service_ports: Option<(u16, u16)>,
    /// An origin that browsers may call from; may be repeated.
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Vec<String>,
    /// Where breached passwords are looked up: an address that answers `/5BAA6` like Pwned Passwords.
    #[arg(long, env = "PASSWORD_RANGE_URL", value_name = "URL")]
    password_range_url: Option<String>,
    /// Country codes that one-time codes may be texted to, such as `+44,+49`; none by default. Texts are shown with the
    /// mail.
    #[arg(long, env = "SCREENSORT_SMS_COUNTRIES", value_name = "CODES")]
    sms_countries: Option<String>,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    tmdb: TmdbArgs,
}

/// Other quotas, to see what happens at their end.
#[derive(Debug, Args)]
struct LimitArgs {
    /// Calls that an account's service clients have in a minute.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    client_calls_per_minute: Option<u32>,
    /// Calls that they have in a day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    client_calls_per_day: Option<u32>,
    /// Calls to the operator directory that a person has in a day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    directory_calls_per_day: Option<u32>,
    /// Changes of their own data that a person has in a minute.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    writes_per_minute: Option<u32>,
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            client_calls_per_minute: self.client_calls_per_minute.unwrap_or(usual.client_calls_per_minute),
            client_calls_per_day: self.client_calls_per_day.unwrap_or(usual.client_calls_per_day),
            directory_calls_per_day: self.directory_calls_per_day.unwrap_or(usual.directory_calls_per_day),
            writes_per_minute: self.writes_per_minute.unwrap_or(usual.writes_per_minute),
            ..usual
        }
    }
}

/// Another server in TMDb's place.
#[derive(Debug, Args)]
struct TmdbArgs {
    /// Another server in TMDb's place, for trials.
    #[arg(long, env = "TMDB_BASE_URL", value_name = "URL")]
    tmdb_url: Option<String>,
    /// Where that server has the daily exports [default: /p/exports beside the API].
    #[arg(long, env = "TMDB_EXPORTS_URL", value_name = "URL")]
    exports_url: Option<String>,
}

impl TmdbArgs {
    fn choices(self, data: Option<PathBuf>) -> Choices {
        // A variable that is set to nothing is not set.
        let url = |url: Option<String>| url.filter(|url| !url.trim().is_empty());
        let (tmdb_url, tmdb_exports_url) = (url(self.tmdb_url), url(self.exports_url));
        Choices { data, tmdb_url, tmdb_exports_url, ..Choices::default() }
    }
}

#[derive(Debug, Args)]
struct SyncArgs {
    /// Everything that TMDb lists (the first time: hours); the default before the first sync.
    #[arg(long, group = "what")]
    full: bool,
    /// What TMDb has changed since the last time; the default after the first sync.
    #[arg(long, group = "what")]
    changes: bool,
    /// Just these films, by TMDb id.
    #[arg(long, group = "what", value_delimiter = ',', value_name = "ID,ID", value_parser = movie_id)]
    ids: Vec<MovieId>,
    /// TMDb's API read access token (themoviedb.org, Settings, API). It is kept encrypted with the data.
    #[arg(long, env = "TMDB_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    #[command(flatten)]
    tmdb: TmdbArgs,
}

fn movie_id(text: &str) -> Result<MovieId, String> {
    text.parse().map_err(|refused: screensort_model::Refused| refused.0.to_owned())
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load films from a file of lines of JSON (may be gzip) and publish the catalogue.
    Import {
        /// The file. Fields: id, title, original_title, original_language, release_date, genres, runtime,
        /// popularity, vote_average, vote_count, keywords, imdb_id, directors, cast, certifications.
        file: PathBuf,
        /// Into the deployment in AWS that the environment names (docs/deploy.md) instead of this machine's data.
        #[arg(long)]
        aws: bool,
    },
    /// Load accounts of another system from a file of lines of JSON; whoever is there already stays as they are.
    ImportAccounts {
        /// The file. Fields: username, email, hash (bcrypt, or sha256-before$SALT$DIGEST and sha256-after$SALT$DIGEST
        /// in hexadecimal), and verified, true unless given.
        file: PathBuf,
    },
    /// Load an Open Transport operator directory (JSON); what was edited by hand stays as it is. Loaded again, it
    /// changes only what the file says otherwise.
    ImportOperators {
        /// The file: a list of operators, or an object that has one under `operators`. Fields: id, and name or
        /// description; homepage, phone, email, default_language (such as en), modes (001 to 016).
        file: PathBuf,
    },
    /// Bring the catalogue in step with TMDb. Stopped at any point, the next run goes on.
    Sync(SyncArgs),
    /// Build the catalogue from the table and publish it.
    Publish,
    /// Fill the store of this machine with a few hundred invented people and train the recommender on them.
    Demo {
        /// The same seed gives the same people.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Make the key rings of a deployment, once. It works in AWS, with the credentials and names of the environment
    /// (docs/deploy.md), and leaves alone what is there.
    FirstKeys,
    /// Take the next of the two steps to another key of a ring, in the deployment that the environment names
    /// (docs/runbook.md). The signing key has a job of its own.
    RotateKey {
        /// Which ring.
        #[arg(value_enum)]
        ring: Ring,
    },
    /// Print the list of events as docs/events.md has it.
    Events {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// The trail of what happened.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Attack a server on this machine, to see what is noticed and how (docs/detections.md).
    Attack {
        /// The attack.
        #[arg(value_enum)]
        kind: Kind,
        /// The server; only loopback addresses are taken.
        #[arg(long, default_value = "http://127.0.0.1:3000/v1")]
        url: String,
        /// Leave the looking to the server's own schedule (every minute here).
        #[arg(long)]
        wait: bool,
    },
    /// What tables' streams brought and a function failed on (docs/trail.md).
    #[command(subcommand)]
    Streams(StreamsCommand),
    /// Make the first administrator of a deployment in AWS, which the environment names (docs/trail.md). Refuses
    /// where there is one.
    FirstAdmin {
        /// Their user name.
        #[arg(long)]
        username: String,
        /// Their address.
        #[arg(long)]
        email: String,
    },
    /// Train, apply and judge recommendation models on plain rating files (`userId,movieId,rating,timestamp`), and
    /// see and choose the model that is served.
    #[command(subcommand)]
    Recommend(Recommend),
    /// Measure: what a warm request costs, and how fast a Lambda binary starts.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check that nothing was changed, dropped, moved or inserted since it was written down.
    Verify {
        /// What to check: what was shipped to S3, or the table.
        #[arg(long, value_enum, default_value = "s3")]
        from: AuditSource,
        /// Check the deployment in AWS that the environment names instead of this machine's data.
        #[arg(long)]
        aws: bool,
    },
}

#[derive(Debug, Subcommand)]
enum StreamsCommand {
    /// Give dead letters to their functions again, oldest first. Those that are taken are deleted; the others stay,
    /// and doing it again changes nothing.
    Replay {
        /// Only say what would be given to whom.
        #[arg(long)]
        dry_run: bool,
        /// Only this function's letters, such as capture_changes.
        #[arg(long, value_name = "JOB")]
        only: Option<String>,
        /// The letters of the deployment in AWS that the environment names instead of this machine's.
        #[arg(long)]
        aws: bool,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Ring {
    /// The blind index over addresses.
    Index,
    /// Cookies, refresh tokens, CSRF tokens, challenges, codes.
    Mac,
    /// Cursors.
    Cursor,
    /// Recovery codes, checkpoints and hashes in the trail.
    Lasting,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AuditSource {
    S3,
    Table,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recommend {
    /// Train a model on a file of ratings; a rating of 4 or more is a like, of 2 or less a dislike.
    Train {
        /// CSV `userId,movieId,rating,timestamp`.
        #[arg(long, value_name = "FILE")]
        ratings: PathBuf,
        /// Where to write the model.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The same file and seed give the same model.
        #[arg(long, default_value_t = 1)]
        seed: u32,
        /// Threads; 0 for one per core.
        #[arg(long, default_value_t = 0)]
        threads: usize,
    },
    /// Rank films for each person of a file of ratings, by the model's pure scores.
    Apply {
        /// A model that `train` wrote.
        #[arg(long, value_name = "FILE")]
        model: PathBuf,
        /// CSV `userId,movieId,rating,timestamp`: what is known of each person. These films are left out.
        #[arg(long, value_name = "FILE")]
        fold_in: PathBuf,
        /// Films a person.
        #[arg(long, default_value_t = 100)]
        top: usize,
        /// Where to write CSV `userId,movieId,rank,score`.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Judge the method on held-out people: Recall@20, Recall@50, NDCG@100, coverage@20, times and sizes.
    Evaluate {
        /// CSV `userId,movieId,rating,timestamp`.
        #[arg(long, value_name = "FILE")]
        ratings: PathBuf,
        /// Seeds of the splits; settings are chosen on the first.
        #[arg(long, value_delimiter = ',', default_value = "1,2,3")]
        seeds: Vec<u32>,
        /// Threads; 0 for one per core.
        #[arg(long, default_value_t = 0)]
        threads: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// The models that are kept, the one that is served first.
    List,
    /// Serve an earlier model again: the one before the current one unless another is named.
    Rollback {
        /// A version that `list` shows.
        version: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// CPU time of warm requests through the handlers, on a catalogue in memory.
    Requests {
        /// Films to measure with, as `import` reads them; the sample if none is given.
        #[arg(long, value_name = "FILE")]
        catalog: Option<PathBuf>,
        /// Also measure with so many films made up from their words and facts.
        #[arg(long, value_name = "N")]
        synthetic: Option<usize>,
    },
    /// What hashing a password takes on this machine, and which cost is the highest that fits.
    Argon2 {
        /// Milliseconds that one hash may take.
        #[arg(long, value_name = "MS", default_value_t = 150)]
        target: u64,
        /// Hashes of each cost.
        #[arg(long, default_value_t = 7)]
        rounds: usize,
    },
    /// Time from exec to the first poll and to the first answer of Lambda binaries, the first one being the
    /// yardstick: build `cargo build --release -p screensort-runtime --example hello` and name it first.
    Coldstart {
        /// The binaries.
        #[arg(required = true, value_name = "BINARY")]
        binaries: Vec<PathBuf>,
        /// Starts of each.
        #[arg(long, default_value_t = 20)]
        rounds: usize,
    },
}

fn two_ports(text: &str) -> Result<(u16, u16), String> {
    let (one, other) = text.split_once(',').ok_or("two ports joined by a comma, such as 8000,4566")?;
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text} is not a port"));
    Ok((port(one)?, port(other)?))
}

/// How often streams are looked at for what no request has brought.
const FEEDING: std::time::Duration = std::time::Duration::from_secs(2);

/// Rounds between two looks for what a schedule starts each minute.
const MINUTE: u64 = 30;

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

async fn synchronise(data: Option<PathBuf>, args: SyncArgs) -> Result<(), Failure> {
    let stand = stand(args.tmdb.choices(data)).await?;
    let token = args.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    match token {
        Some(token) => {
            // One that TMDb refuses must not take the place of one that it takes.
            screensort_jobs::check_token(&stand.stack, token).await?;
            stand.set_tmdb_token(token).await?;
        }
        None if stand
            .stack
            .secret_if_any(&stand.stack.settings().tmdb_secret)
            .await
            .ok()
            .flatten()
            .is_none() =>
        {
            return Err(screensort_jobs::Error::KeyMissing.into());
        }
        None => {}
    }
    first_catalogue(&stand).await?;
    let synced: Option<jiff::civil::Date> = stand.stack.progress().cursor("sync_exports").await?;
    let what = match (args.ids.is_empty(), args.full, args.changes || synced.is_some()) {
        (false, ..) => What::Films(args.ids),
        (true, false, true) => What::Changes,
        (true, ..) => What::Full,
    };
    let stop = stop_on_interrupt();
    let report = sync::run(&stand.stack, what, &stop).await;
    stand.cloud.shutdown().await?;
    if !report.lines.is_empty() {
        say(&sync::table(&report.lines));
    }
    match report.failed {
        Some(error) => {
            let Failure(text, code) = error.into();
            let kept =
                if report.lines.is_empty() { "" } else { "\nWhat was read is kept; the next sync goes on." };
            Err(Failure(format!("{text}{kept}"), code))
        }
        None if stop.load(Ordering::Relaxed) => {
            Err(Failure("stopped. What was read is kept; the next sync goes on.".into(), INTERRUPTED))
        }
        None if report.lines.iter().any(|line| line.outcome.paused) => {
            say("Some films could not be read now; the next sync tries them again.");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Becomes true with the first Ctrl-C; the second one ends the process.
#[allow(clippy::print_stderr, reason = "who presses Ctrl-C wants to see that it was noticed")]
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let pressed = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            pressed.store(true, Ordering::Relaxed);
            eprintln!(
                "\nStopping: what was read is published first. Ctrl-C again ends it at once, which loses nothing."
            );
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    stop
}

pub(crate) async fn stand(choices: Choices) -> Result<Stand, Failure> {
    Stand::set_up(choices, clock()).await.map_err(|error| match &error {
        crate::stand::Error::Cloud(screensort_cloud::Error::InUse { .. }) => {
            Failure(error.to_string(), IN_USE)
        }
        _ => Failure::from(error),
    })
}

async fn serve(data: Option<PathBuf>, args: ServeArgs) -> Result<(), Failure> {
    let began = std::time::Instant::now();
    let texts = |name: &str| match name {
        "SCREENSORT_SMS_COUNTRIES" => args.sms_countries.clone(),
        _ => std::env::var(name).ok(),
    };
    let choices = Choices {
        service_ports: args.service_ports,
        cors_origins: args.cors_origin,
        limits: Some(args.limits.limits()),
        password_range_url: args.password_range_url.filter(|url| !url.trim().is_empty()),
        texts: Texts::from_lookup(&texts).map_err(|error| Failure(error.to_string(), 1))?,
        otlp: Otlp::from_environment().map_err(|error| Failure(error.to_string(), 1))?,
        ..args.tmdb.choices(data.clone())
    };
    let stand = stand(choices).await?;
    let films = first_catalogue(&stand).await?;
    first_model(&stand).await?;
    let gateway = Gateway::new(product::endpoints(), stand.stack.clone(), true, args.tls);
    gateway.show_mail(stand.cloud.mailbox());
    gateway.follow_all(&stand.cloud).await;
    let admin = screensort_accounts::first_admin(&stand.stack, "admin", "admin@screensort.example").await;
    let admin = admin.map_err(|problem| {
        Failure(problem.causes().unwrap_or_else(|| problem.code().title().to_owned()), 1)
    })?;
    let feeding = tokio::spawn(feed_streams(Arc::clone(&gateway)));
    let server = Server::start(gateway, args.port, data.clone()).await?;
    stand.cloud.announce(&server.url)?;
    // Whoever reads the welcome may want to stop it at once.
    let stopped = stop_signal()?;
    say(&welcome(&server, data, films, began.elapsed()));
    if let Some(admin) = admin {
        // Once: nothing of it can be read back.
        say(&format!("admin {} {} {}", admin.email, admin.password, admin.otpauth_uri));
    }
    if args.service_ports.is_some() {
        say(&lambda_hints(&stand));
    }
    stopped.await?;
    say("Stopping.");
    server.stop().await;
    feeding.abort();
    stand.cloud.shutdown().await?;
    Ok(())
}

/// Looks at the tables' streams again and again, as AWS does, and once a minute for attacks and for what waits to be done.
async fn feed_streams(gateway: Arc<Gateway>) {
    for round in 1_u64.. {
        tokio::time::sleep(FEEDING).await;
        if let Err(error) = gateway.feed(None).await {
            tracing::warn!(name: "stream.unread", %error, "changes wait to be delivered: {error}");
        }
        if round % MINUTE == 0 {
            // The job says in the log what went wrong; the next round looks again.
            let _ = screensort_jobs::detect::job(serde_json::json!({}), gateway.stack().clone()).await;
            if let Err(error) = gateway.run_errands().await {
                tracing::warn!(name: "errands.undone", %error, "exports or imports wait to be done: {error}");
            }
            gateway.forget_people().await;
        }
    }
}

/// Why a problem came to be, in words.
fn why(problem: Problem) -> String {
    problem.causes().unwrap_or_else(|| problem.code().title().to_owned())
}

/// Loads the sample catalogue where nothing was published yet. Returns how many films are served.
pub(crate) async fn first_catalogue(stand: &Stand) -> Result<usize, Failure> {
    if let Ok(None) = stand.stack.artifacts().current().await {
        let (films, operators) = import::sample(stand.stack.clock().now())?;
        let bar = bar(films.len(), "sample films");
        import::keep(&stand.stack, &films, &operators, |kept| bar.set_position(kept as u64)).await?;
        bar.finish_and_clear();
    }
    let catalog = match stand.stack.catalog().await {
        Ok(catalog) => catalog,
        Err(problem) => {
            // The table holds all that the file held.
            say(&format!("The published catalogue is unusable ({}). It is made again.", why(problem)));
            screensort_jobs::publish_catalog::run(&stand.stack, true).await?;
            stand.stack.catalog().await.map_err(|problem| Failure(why(problem), 1))?
        }
    };
    Ok(catalog.len())
}

/// Publishes a model of the catalogue alone where none was published yet: recommendations then go by what films have
/// in common, until there are people to learn from.
async fn first_model(stand: &Stand) -> Result<(), Failure> {
    if let Ok(None) = stand.stack.models().current().await {
        screensort_jobs::train_recommender::run(&stand.stack, Default::default(), |_| {}).await?;
    }
    Ok(())
}

fn welcome(server: &Server, data: Option<PathBuf>, films: usize, took: std::time::Duration) -> String {
    let url = &server.url;
    let insecure = if server.plain_url.is_some() { "-k " } else { "" };
    let kept = data.map_or("nothing is kept (--memory)".into(), |data| format!("kept in {}", data.display()));
    let plain = server
        .plain_url
        .as_ref()
        .map(|plain| format!("  plain     {plain} (pages are sent on, calls refused)\n"));
    format!(
        "ScreenSort {} serves {films} films at {url} ({kept}; started in {:.1} s)
{}  reference {url}/docs
  try       curl {insecure}'{url}/movies?genre=878&sort=rating&limit=3'
            curl {insecure}'{url}/search?q=godfather'
            curl {insecure}'{url}/movies/27205/similar?limit=3'
Ctrl-C stops it; screensort --help lists the other commands.",
        screensort_system::VERSION,
        took.as_secs_f64(),
        plain.unwrap_or_default(),
    )
}

/// The environment that a Lambda binary needs to work on this server's services.
fn lambda_hints(stand: &Stand) -> String {
    let endpoints = stand.cloud.endpoints();
    let settings = stand.stack.settings();
    format!(
        "For Lambda binaries run by hand:
  export AWS_REGION={} AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}
  export AWS_ENDPOINT_URL={} AWS_ENDPOINT_URL_DYNAMODB={}
  export SCREENSORT_TABLE_CATALOG={} SCREENSORT_TABLE_AUTH={} SCREENSORT_TABLE_LIBRARY={}
  export SCREENSORT_TABLE_AUDIT={} SCREENSORT_BUCKET_ARTIFACTS={}",
        endpoints.region,
        endpoints.access_key,
        endpoints.secret_key,
        endpoints.services,
        endpoints.dynamodb,
        settings.tables.catalog,
        settings.tables.auth,
        settings.tables.library,
        settings.tables.audit,
        settings.artifacts_bucket
    )
}

/// Listens for the wish to stop from now on; the future ends when it comes.
fn stop_signal() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok(())
        })
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c())
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
