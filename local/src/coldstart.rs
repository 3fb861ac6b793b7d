//! `bench coldstart`: the time from exec to a Lambda binary's first poll and to its first answer.
//!
//! It plays the runtime API (`/2018-06-01/runtime/invocation/next` and `.../response`), gives each process one
//! event, and ends it. Binaries work on the embedded services of this process, as they would on AWS's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Failure, first_catalogue, stand};
use crate::stand::Choices;

/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One start.
struct Start {
    poll: Duration,
    answer: Duration,
    resident_kib: u64,
}

/// Measures `binaries` in turns and returns a table; ratios are to the first.
pub(crate) async fn run(binaries: &[std::path::PathBuf], rounds: usize) -> Result<String, Failure> {
    let stand = stand(Choices::default()).await?;
    first_catalogue(&stand).await?;
    let endpoints = stand.cloud.endpoints().clone();
    let settings = stand.stack.settings().clone();
    let environment = vec![
        ("AWS_REGION", endpoints.region.to_owned()),
        ("AWS_ACCESS_KEY_ID", endpoints.access_key),
        ("AWS_SECRET_ACCESS_KEY", endpoints.secret_key),
        ("AWS_ENDPOINT_URL", endpoints.services),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb),
        ("SCREENSORT_TABLE_CATALOG", settings.tables.catalog),
        ("SCREENSORT_BUCKET_ARTIFACTS", settings.artifacts_bucket),
    ];
    let binaries = binaries.to_vec();
    let measured = tokio::task::spawn_blocking(move || {
        let mut starts: Vec<Vec<Start>> = binaries.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds.max(1) {
            for (binary, starts) in binaries.iter().zip(&mut starts) {
                starts.push(start(binary, &environment)?);
            }
        }
        Ok::<_, Failure>((binaries, starts))
    });
    let (binaries, starts) = measured.await??;
    stand.cloud.shutdown().await?;
    Ok(table(&binaries, starts))
}

fn table(binaries: &[std::path::PathBuf], mut starts: Vec<Vec<Start>>) -> String {
    let median = |starts: &mut Vec<Start>, of: fn(&Start) -> Duration| {
        starts.sort_by_key(of);
        of(&starts[starts.len() / 2]).as_secs_f64() * 1e3
    };
    let mut text = format!(
        "{:<18} {:>14} {:>6} {:>14} {:>6} {:>9} {:>9}\n",
        "binary", "first poll ms", "ratio", "first answer", "ratio", "file MB", "RSS MB"
    );
    let mut yardstick = None;
    for (binary, starts) in binaries.iter().zip(&mut starts) {
        let (poll, answer) = (median(starts, |s| s.poll), median(starts, |s| s.answer));
        let (base_poll, base_answer) = *yardstick.get_or_insert((poll, answer));
        let resident = starts.iter().map(|s| s.resident_kib).max().unwrap_or(0) as f64 / 1024.0;
        let size = std::fs::metadata(binary).map_or(0, |meta| meta.len()) as f64 / 1e6;
        let name = binary.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        text.push_str(&format!(
            "{name:<18} {poll:>14.2} {:>6.2} {answer:>14.2} {:>6.2} {size:>9.2} {resident:>9.1}\n",
            poll / base_poll,
            answer / base_answer
        ));
    }
    text.trim_end().to_owned()
}

fn start(binary: &Path, environment: &[(&str, String)]) -> Result<Start, Failure> {
    let runtime = TcpListener::bind(("127.0.0.1", 0))?;
    let began = Instant::now();
    let mut child = Command::new(binary)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
        .env("AWS_LAMBDA_RUNTIME_API", runtime.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| Failure::new(&format!("{} cannot be started: {e}", binary.display())))?;
    let result = watch(&runtime, began, &event_for(binary), &child);
    // It would poll for ever.
    let _ = child.kill();
    let _ = child.wait();
    result.map_err(|error| Failure::new(&format!("{}: {error}", binary.display())))
}

fn watch(runtime: &TcpListener, began: Instant, event: &str, child: &Child) -> std::io::Result<Start> {
    let mut poll = None;
    loop {
        let (stream, _) = runtime.accept()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        while let Some((line, _)) = read_request(&mut reader)? {
            let now = began.elapsed();
            if line.contains("/invocation/next") && poll.is_none() {
                poll = Some(now);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: bench\r\nlambda-runtime-deadline-ms: 99999999999999\r\n\
                     lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:000000000000:function:bench\r\n\
                     lambda-runtime-trace-id: Root=1-0-0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    event.len()
                );
                write_all(reader.get_mut(), &[head.as_bytes(), event.as_bytes()])?;
            } else if line.contains("/response") {
                let resident_kib = resident(child.id());
                return Ok(Start { poll: poll.unwrap_or(now), answer: now, resident_kib });
            } else if line.contains("/error") {
                return Err(std::io::Error::other("it reported an error instead of an answer"));
            }
        }
    }
}

fn write_all(stream: &mut TcpStream, parts: &[&[u8]]) -> std::io::Result<()> {
    let whole = parts.concat();
    stream.write_all(&whole)
}

/// One HTTP request's first line and body; `None` at the connection's end.
fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let (mut length, mut chunked) = (0_usize, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.trim().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        chunked |= lower.starts_with("transfer-encoding:") && lower.contains("chunked");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if chunked && !first.contains("/response") {
        return Err(std::io::Error::other("a chunked request was not expected"));
    }
    Ok(Some((first, body)))
}

/// Peak resident memory of a process in KiB, where the system tells.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
}

/// The gateway's event for the endpoint that the binary is named after; a plain one for a stranger.
fn event_for(binary: &Path) -> String {
    let name = binary.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let route = screensort_routes::TABLE.iter().find(|route| route.binary == name);
    let route = route.copied().unwrap_or(screensort_routes::HEALTH);
    let query: &[(String, String)] = &match route.binary {
        "search" | "suggest" => vec![("q".to_owned(), "godfather".to_owned())],
        "movie_operators" => vec![("region".to_owned(), "US".to_owned())],
        _ => Vec::new(),
    };
    let parameters: Vec<(&str, &str)> = route.parameters().map(|name| (name, "27205")).collect();
    screensort_runtime::event(&screensort_runtime::Event {
        route,
        path: &route.path.replace("{id}", "27205"),
        path_parameters: &parameters,
        query,
        headers: &http::HeaderMap::new(),
        body: b"",
        source: [203, 0, 113, 7].into(),
        request_id: "bench",
        at_ms: 0,
    })
    .to_string()
}
