//! Running the binary, and asking it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use serde_json::Value;

/// Far more than anything takes, so that a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with `arguments` on `data`, and nothing of this process's environment that could matter.
pub(crate) fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_screensort"));
    command.args(arguments).arg("--data").arg(data);
    for name in ["TMDB_TOKEN", "TMDB_BASE_URL", "TMDB_EXPORTS_URL"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Looks until `found` is something.
pub(crate) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process that is killed with the test, if it lives so long.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self(command(data, arguments).spawn().unwrap())
    }

    /// As `kill -9` does it.
    pub(crate) fn kill(mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "it had ended already: the test proves nothing");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The product, serving.
pub(crate) struct Served {
    pub(crate) process: Process,
    /// Its address, with the stage.
    pub(crate) url: String,
    /// What it said until it served.
    pub(crate) welcome: String,
    lines: Receiver<String>,
}

impl Served {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let mut process = Process::start(data, &[&["--port", "0"], arguments].concat());
        let out = process.0.stdout.take().unwrap();
        let (heard, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = heard.send(line);
            }
        });
        let (mut welcome, mut url) = (String::new(), None);
        while !welcome.contains("Ctrl-C stops it") {
            let line = lines.recv_timeout(PATIENCE).expect("the product starts");
            let address = line.split_whitespace().find(|word| word.starts_with("http"));
            url = url.or(address.map(str::to_owned).filter(|_| line.starts_with("ScreenSort")));
            welcome += &line;
            welcome.push('\n');
        }
        Self { process, url: url.expect("the welcome has the address"), welcome, lines }
    }

    /// Stops it as a service manager does, and waits for its end.
    pub(crate) fn stop(mut self) {
        self.process.signal("TERM");
        let status = eventually("the product to stop", || self.process.0.try_wait().unwrap());
        assert!(status.success());
        assert!(self.lines.try_iter().any(|line| line == "Stopping."));
    }

    /// Status and body.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = client().get(format!("{}{path}", self.url)).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// The ids of all films, page by page.
    pub(crate) async fn films(&self) -> Vec<u64> {
        let (mut ids, mut path) = (Vec::new(), "/movies?limit=100".to_owned());
        loop {
            let (status, page) = self.get(&path).await;
            assert_eq!(status, 200, "{page}");
            ids.extend(page["items"].as_array().unwrap().iter().map(|film| film["id"].as_u64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/movies?limit=100&cursor={cursor}"),
                None => break,
            }
        }
        ids.sort_unstable();
        ids
    }
}

/// A client that follows nothing.
pub(crate) fn client() -> reqwest::Client {
    // The client wants a provider even where it speaks no TLS; a second installation is no matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}
