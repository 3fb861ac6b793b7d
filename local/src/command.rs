//! The command line.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use screensort_model::MovieId;
use screensort_runtime::clock;

use crate::gateway::Gateway;
use crate::server::Server;
use crate::stand::{Choices, Stand};
use crate::sync::{self, What};
use crate::{import, product};

/// Exit code when another process holds the data.
const IN_USE: u8 = 2;

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
  screensort sync                     bring the catalogue in step with TMDb (needs TMDB_TOKEN)
  screensort sync --ids 550,27205     read just these films
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
    /// Another server in TMDb's place, for trials.
    #[arg(long, env = "TMDB_BASE_URL", value_name = "URL")]
    tmdb_url: Option<String>,
    /// Where the daily exports are, if another server is in TMDb's place.
    #[arg(long, env = "TMDB_EXPORTS_URL", value_name = "URL")]
    exports_url: Option<String>,
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
    },
    /// Bring the catalogue in step with TMDb. Stopped at any point, the next run goes on.
    Sync(SyncArgs),
    /// Build the catalogue from the table and publish it.
    Publish,
    /// Print the OpenAPI document.
    Openapi,
}

fn two_ports(text: &str) -> Result<(u16, u16), String> {
    let (one, other) = text.split_once(',').ok_or("two ports joined by a comma, such as 8000,4566")?;
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text} is not a port"));
    Ok((port(one)?, port(other)?))
}

/// A failed command: what to print, and the exit code.
struct Failure(String, u8);

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
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new("warn"))
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
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
        Some(Command::Import { file }) => {
            let stand = stand(Choices { data, ..Choices::default() }).await?;
            let films = import::read(File::open(&file)?, stand.stack.clock().now())?;
            let bar = bar(films.len(), "films");
            let published =
                import::keep(&stand.stack, &films, &[], |kept| bar.set_position(kept as u64)).await?;
            bar.finish_and_clear();
            say(&format!("{} films imported; the catalogue holds {published}.", films.len()));
            stand.cloud.shutdown().await?;
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

async fn synchronise(data: Option<PathBuf>, args: SyncArgs) -> Result<(), Failure> {
    let choices =
        Choices { data, tmdb_url: args.tmdb_url, tmdb_exports_url: args.exports_url, ..Choices::default() };
    let stand = stand(choices).await?;
    if let Some(token) = &args.token {
        stand.set_tmdb_token(token).await?;
    }
    first_catalogue(&stand).await?;
    let synced: Option<jiff::civil::Date> = stand.stack.progress().cursor("sync_exports").await?;
    let what = match (args.ids.is_empty(), args.full, args.changes || synced.is_some()) {
        (false, ..) => What::Films(args.ids),
        (true, false, true) => What::Changes,
        (true, ..) => What::Full,
    };
    let lines = sync::run(&stand.stack, what).await;
    stand.cloud.shutdown().await?;
    say(&sync::table(&lines?));
    Ok(())
}

async fn stand(choices: Choices) -> Result<Stand, Failure> {
    Stand::set_up(choices, clock()).await.map_err(|error| match &error {
        crate::stand::Error::Cloud(screensort_cloud::Error::InUse { .. }) => {
            Failure(error.to_string(), IN_USE)
        }
        _ => Failure::from(error),
    })
}

async fn serve(data: Option<PathBuf>, args: ServeArgs) -> Result<(), Failure> {
    let began = std::time::Instant::now();
    let choices = Choices {
        data: data.clone(),
        service_ports: args.service_ports,
        cors_origins: args.cors_origin,
        ..Choices::default()
    };
    let stand = stand(choices).await?;
    let films = first_catalogue(&stand).await?;
    let gateway = Gateway::new(product::endpoints(), stand.stack.clone(), true, args.tls);
    gateway.show_mail(stand.cloud.mailbox());
    let admin = screensort_accounts::first_admin(&stand.stack, "admin", "admin@screensort.example").await;
    let admin = admin.map_err(|problem| {
        Failure(problem.causes().unwrap_or_else(|| problem.code().title().to_owned()), 1)
    })?;
    let server = Server::start(gateway, args.port, data.clone()).await?;
    stand.cloud.announce(&server.url)?;
    say(&welcome(&server, data, films, began.elapsed()));
    if let Some(admin) = admin {
        // Once: nothing of it can be read back.
        say(&format!("admin {} {} {}", admin.email, admin.password, admin.otpauth_uri));
    }
    if args.service_ports.is_some() {
        say(&lambda_hints(&stand));
    }
    stop_signal().await?;
    say("Stopping.");
    server.stop().await;
    stand.cloud.shutdown().await?;
    Ok(())
}

/// Loads the sample catalogue where nothing was published yet. Returns how many films are served.
async fn first_catalogue(stand: &Stand) -> Result<usize, Failure> {
    if stand.stack.artifacts().current().await?.is_none() {
        let (films, operators) = import::sample(stand.stack.clock().now())?;
        let bar = bar(films.len(), "sample films");
        import::keep(&stand.stack, &films, &operators, |kept| bar.set_position(kept as u64)).await?;
        bar.finish_and_clear();
    }
    let catalog = stand.stack.catalog().await.map_err(|problem| {
        Failure(problem.causes().unwrap_or_else(|| problem.code().title().to_owned()), 1)
    })?;
    Ok(catalog.len())
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
  export SCREENSORT_TABLE_CATALOG={} SCREENSORT_TABLE_AUTH={} SCREENSORT_BUCKET_ARTIFACTS={}",
        endpoints.region,
        endpoints.access_key,
        endpoints.secret_key,
        endpoints.services,
        endpoints.dynamodb,
        settings.tables.catalog,
        settings.tables.auth,
        settings.artifacts_bucket
    )
}

async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
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
