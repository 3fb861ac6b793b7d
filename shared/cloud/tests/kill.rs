//! A process that writes is killed without warning; everything it was told is safe must be there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clients::{Clients, clients};
use screensort_cloud::{Cloud, Place};

/// Acknowledged writes before the kill, and kills.
const WRITES: usize = 60;
const ROUNDS: usize = 3;

/// An object that every write replaces.
const REPLACED: &str = "replaced";

#[tokio::test]
async fn whatever_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = Cloud::start(Place::Dir(data.clone())).await.unwrap();
    clients(cloud.endpoints()).create_table().await;
    cloud.shutdown().await.unwrap();

    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(write_until_killed(&data, round));
        let cloud = Cloud::start(Place::Dir(data.clone())).await.unwrap();
        let clients = clients(cloud.endpoints());
        for (kind, id) in &acknowledged {
            assert!(is_there(&clients, kind, id).await, "lost: {kind} {id}");
        }
        // What was not acknowledged may be there or not, but never in part.
        for key in clients.object_keys().await {
            let found = clients.object(&key).await.unwrap();
            assert!(found == object(&writer_of(&found)), "{key} is there in part");
        }
        let last = acknowledged.iter().rfind(|(kind, _)| kind == "object").map(|(_, id)| id.clone()).unwrap();
        let found = number_of(&writer_of(&clients.object(REPLACED).await.unwrap()));
        assert!(found >= number_of(&last), "{REPLACED} is older than {last}");
        cloud.shutdown().await.unwrap();
    }
    for kind in ["item", "key", "secret", "object"] {
        assert!(acknowledged.iter().any(|(of, _)| of == kind), "no {kind} was written");
    }
}

/// Not a test of its own: the process that is killed. It does nothing unless it is told a folder.
#[tokio::test]
#[ignore = "started by the test above"]
async fn the_writer() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let Some((round, data)) = line.trim_end().split_once(' ') else { return };
    let cloud = Cloud::start(Place::Dir(PathBuf::from(data))).await.unwrap();
    let clients = Arc::new(clients(cloud.endpoints()));
    let writers = ["item", "key", "secret", "object"].map(|kind| {
        let (clients, round) = (clients.clone(), round.to_owned());
        tokio::spawn(async move {
            for number in 0.. {
                let id = format!("{round}-{number}");
                write(&clients, kind, &id).await;
                acknowledge(kind, &id);
            }
        })
    });
    for writer in writers {
        writer.await.unwrap();
    }
}

fn write_until_killed(data: &Path, round: usize) -> Vec<(String, String)> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "the_writer", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(writer.stdin.take().unwrap(), "{round} {}", data.display()).unwrap();
    let mut acknowledged = Vec::new();
    // Lines that were written before the kill are still read after it.
    for line in BufReader::new(writer.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((kind, id)) = line.strip_prefix("ack ").and_then(|ack| ack.split_once(' ')) {
            acknowledged.push((kind.to_owned(), id.to_owned()));
        }
        if acknowledged.len() == WRITES {
            writer.kill().unwrap();
        }
    }
    writer.wait().unwrap();
    assert!(acknowledged.len() >= WRITES, "the writer ended by itself");
    acknowledged
}

fn acknowledge(kind: &str, id: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {kind} {id}").unwrap();
    out.flush().unwrap();
}

async fn write(clients: &Clients, kind: &str, id: &str) {
    match kind {
        "item" => clients.put_item(id).await,
        "key" => {
            let made = clients.kms.create_key().send().await.unwrap();
            let key = made.key_metadata.unwrap().key_id;
            let alias = clients.kms.create_alias().alias_name(format!("alias/{id}"));
            alias.target_key_id(key).send().await.unwrap();
        }
        "secret" => {
            clients.secrets.create_secret().name(id).secret_string(id).send().await.unwrap();
        }
        _ => {
            clients.put_object(&format!("{id}/new"), object(id)).await;
            clients.put_object(REPLACED, object(id)).await;
        }
    }
}

async fn is_there(clients: &Clients, kind: &str, id: &str) -> bool {
    match kind {
        "item" => clients.has_item(id).await,
        "key" => clients.kms.describe_key().key_id(format!("alias/{id}")).send().await.is_ok(),
        "secret" => clients.secret(id).await.as_deref() == Some(id),
        _ => clients.object(&format!("{id}/new")).await == Some(object(id)),
    }
}

/// An object that says throughout who wrote it, large enough to be caught half way.
fn object(id: &str) -> Vec<u8> {
    format!("{id}\n").repeat(400_000).into_bytes()
}

fn writer_of(object: &[u8]) -> String {
    String::from_utf8(object.split(|byte| *byte == b'\n').next().unwrap().to_vec()).unwrap()
}

/// Round and number of a write, in the order they were made.
fn number_of(id: &str) -> (usize, usize) {
    let (round, number) = id.split_once('-').unwrap();
    (round.parse().unwrap(), number.parse().unwrap())
}
