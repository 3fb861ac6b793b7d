//! A TMDb on loopback, to try the sync without a key of one's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use screensort_testkit::tmdb_standin::{self, TOKEN};

const HELP: &str =
    "A stand-in for TMDb on loopback, with some fifty films, of which a handful changes every day.

Usage: tmdb_standin [--port PORT] [--token TOKEN]

  --port PORT    the port to listen on [default: 8089]
  --token TOKEN  the key to accept [default: standin-token]
  --help         this text";

#[derive(Debug)]
struct Choices {
    port: u16,
    token: String,
}

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to people")]
async fn main() -> ExitCode {
    let choices = match choices(std::env::args().skip(1)) {
        Ok(Some(choices)) => choices,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("tmdb_standin: {why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let Choices { port, token } = choices;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Tried before anything is promised; `run` binds it for good.
    if let Err(error) = std::net::TcpListener::bind(address) {
        eprintln!("tmdb_standin: port {port} cannot be listened on: {error}; --port chooses another one");
        return ExitCode::FAILURE;
    }
    println!(
        "In TMDb's place at http://{address}; Ctrl-C stops it. In another terminal:

  export TMDB_BASE_URL=http://{address}/3
  export TMDB_EXPORTS_URL=http://{address}/p/exports
  export TMDB_TOKEN={token}
  cargo run -- sync"
    );
    match tmdb_standin::run(address, &token).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tmdb_standin: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the arguments ask for; `None` for help.
fn choices(mut arguments: impl Iterator<Item = String>) -> Result<Option<Choices>, String> {
    let mut choices = Choices { port: 8089, token: TOKEN.to_owned() };
    while let Some(argument) = arguments.next() {
        let (name, joined) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || joined.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--port" => choices.port = value()?.parse().map_err(|_| "--port is a number from 1 to 65535")?,
            "--token" => choices.token = value()?,
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("{other} is not known")),
        }
    }
    if choices.port == 0 {
        return Err("--port is a number from 1 to 65535".to_owned());
    }
    let sound = !choices.token.is_empty() && choices.token.bytes().all(|b| b.is_ascii_graphic());
    if sound { Ok(Some(choices)) } else { Err("--token is printable ASCII without spaces".to_owned()) }
}
