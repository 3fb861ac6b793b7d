//! What may be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use screensort_http::Limits;
use screensort_model::MovieId;
use screensort_runtime::{ConfigError, Texts};

use crate::attack::Kind;
use crate::stand::Choices;

/// ScreenSort: films to browse, search and be recommended.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) place: PlaceArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

pub(super) const EXAMPLES: &str = "Examples:
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
pub(super) struct PlaceArgs {
    /// Where everything is kept.
    #[arg(long, global = true, value_name = "DIR", default_value = ".screensort")]
    pub(super) data: PathBuf,
    /// Keep everything in memory; it is gone at the end.
    #[arg(long, global = true, conflicts_with = "data")]
    pub(super) memory: bool,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The port to listen on; 0 for any.
    #[arg(long, default_value_t = 3000)]
    pub(super) port: u16,
    /// Serve HTTPS with a certificate of our own; plain HTTP on the next port sends pages on and refuses calls.
    #[arg(long)]
    pub(super) tls: bool,
    /// Fixed ports for the embedded DynamoDB and the other services, for Lambda binaries run by hand.
    #[arg(long, value_name = "PORT,PORT", value_parser = two_ports)]
    pub(super) service_ports: Option<(u16, u16)>,
    /// An origin that browsers may call from; may be repeated.
    #[arg(long, value_name = "ORIGIN")]
    pub(super) cors_origin: Vec<String>,
    /// Where breached passwords are looked up: an address that answers `/5BAA6` like Pwned Passwords.
    #[arg(long, env = "PASSWORD_RANGE_URL", value_name = "URL")]
    pub(super) password_range_url: Option<String>,
    #[command(flatten)]
    pub(super) texts: TextArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    #[command(flatten)]
    pub(super) tmdb: TmdbArgs,
}

/// One-time codes by text message. Texts are shown with the mail.
#[derive(Debug, Args)]
pub(super) struct TextArgs {
    /// Country codes that one-time codes may be texted to, such as `+44,+49`; none by default.
    #[arg(long, env = "SCREENSORT_SMS_COUNTRIES", value_name = "CODES")]
    sms_countries: Option<String>,
    /// Who texts come from.
    #[arg(long, env = "SCREENSORT_SMS_SENDER", value_name = "NAME")]
    sms_sender: Option<String>,
    /// How many texts may be sent in a day [default: 500].
    #[arg(long, env = "SCREENSORT_SMS_PER_DAY", value_name = "N")]
    sms_per_day: Option<String>,
}

impl TextArgs {
    pub(super) fn texts(&self) -> Result<Option<Texts>, ConfigError> {
        Texts::from_lookup(&|name| match name {
            "SCREENSORT_SMS_COUNTRIES" => self.sms_countries.clone(),
            "SCREENSORT_SMS_SENDER" => self.sms_sender.clone(),
            "SCREENSORT_SMS_PER_DAY" => self.sms_per_day.clone(),
            _ => None,
        })
    }
}

/// Other quotas, to see what happens at their end.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// Calls that an account's service clients have in a minute.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) client_calls_per_minute: Option<u32>,
    /// Calls that they have in a day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) client_calls_per_day: Option<u32>,
    /// Calls to the operator directory that a person has in a day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) directory_calls_per_day: Option<u32>,
    /// Changes of their own data that a person has in a minute.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) writes_per_minute: Option<u32>,
}

impl LimitArgs {
    pub(super) fn limits(&self) -> Limits {
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
pub(super) struct TmdbArgs {
    /// Another server in TMDb's place, for trials.
    #[arg(long, env = "TMDB_BASE_URL", value_name = "URL")]
    pub(super) tmdb_url: Option<String>,
    /// Where that server has the daily exports [default: /p/exports beside the API].
    #[arg(long, env = "TMDB_EXPORTS_URL", value_name = "URL")]
    pub(super) exports_url: Option<String>,
}

impl TmdbArgs {
    pub(super) fn choices(self, data: Option<PathBuf>) -> Choices {
        // A variable that is set to nothing is not set.
        let url = |url: Option<String>| url.filter(|url| !url.trim().is_empty());
        let (tmdb_url, tmdb_exports_url) = (url(self.tmdb_url), url(self.exports_url));
        Choices { data, tmdb_url, tmdb_exports_url, ..Choices::default() }
    }
}

#[derive(Debug, Args)]
pub(super) struct SyncArgs {
    /// Everything that TMDb lists (the first time: hours); the default before the first sync.
    #[arg(long, group = "what")]
    pub(super) full: bool,
    /// What TMDb has changed since the last time; the default after the first sync.
    #[arg(long, group = "what")]
    pub(super) changes: bool,
    /// Just these films, by TMDb id.
    #[arg(long, group = "what", value_delimiter = ',', value_name = "ID,ID", value_parser = movie_id)]
    pub(super) ids: Vec<MovieId>,
    /// TMDb's API read access token (themoviedb.org, Settings, API). It is kept encrypted with the data.
    #[arg(long, env = "TMDB_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(super) token: Option<String>,
    #[command(flatten)]
    pub(super) tmdb: TmdbArgs,
}

pub(super) fn movie_id(text: &str) -> Result<MovieId, String> {
    text.parse().map_err(|refused: screensort_model::Refused| refused.0.to_owned())
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
pub(super) enum AuditCommand {
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
pub(super) enum StreamsCommand {
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
pub(super) enum Ring {
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
pub(super) enum AuditSource {
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
pub(super) enum Bench {
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

pub(super) fn two_ports(text: &str) -> Result<(u16, u16), String> {
    let (one, other) = text.split_once(',').ok_or("two ports joined by a comma, such as 8000,4566")?;
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text} is not a port"));
    Ok((port(one)?, port(other)?))
}
