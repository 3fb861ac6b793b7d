//! Daily exports: streamed, bounded, complete or an error.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use jiff::civil::{Date, date};
use screensort_testkit::tmdb_standin::Fault;
use screensort_tmdb::{Client, Error, ExportLine, ExportSummary};

use super::rig::{rig, rig_with};

const DAY: Date = date(2026, 11, 2);
const FILE: &str = "/p/exports/movie_ids_11_02_2026.json.gz";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn lines(count: u32) -> String {
    (1..=count)
        .map(|id| format!("{{\"adult\":false,\"id\":{id},\"original_title\":\"Film {id}\",\"popularity\":1.5,\"video\":false}}\n"))
        .collect()
}

async fn read(client: &Client) -> (Result<ExportSummary, Error>, Vec<ExportLine>) {
    let mut films = Vec::new();
    let result = client.export(DAY, |film| films.push(film)).await;
    (result, films)
}

#[tokio::test(start_paused = true)]
async fn an_export_holds_all_films_and_no_key_is_sent_for_it() {
    let rig = rig().await;
    rig.tmdb.remove_movie(603);
    let (summary, films) = read(&rig.client).await;
    let ids: Vec<_> = films.iter().map(|film| film.id).collect();
    assert_eq!(ids, rig.tmdb.movie_ids());
    assert!(!ids.contains(&603));
    assert_eq!(summary.unwrap().lines as usize, ids.len());
    let request = &rig.tmdb.requests()[0];
    assert_eq!(request.path, FILE);
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test(start_paused = true)]
async fn a_long_export_in_several_members_is_streamed_line_by_line() {
    let rig = rig().await;
    let (first, second) = (lines(30_000), "{\"id\":40000,\"original_title\":\"No last newline\"}");
    rig.tmdb.set_export(DAY, [gzip(&first), gzip(second)].concat());
    let (summary, films) = read(&rig.client).await;
    let summary = summary.unwrap();
    assert_eq!((summary.lines, summary.refused, films.len()), (30_001, 0, 30_001));
    assert_eq!(summary.unpacked as usize, first.len() + second.len());
    assert_eq!(films[29_999].original_title, "Film 30000");
    assert_eq!((films[30_000].id, films[30_000].adult), (40_000, None));
}

#[tokio::test(start_paused = true)]
async fn an_export_that_is_not_there_says_so() {
    let rig = rig().await;
    rig.tmdb.withhold_export(DAY);
    let (missing, _) = read(&rig.client).await;
    assert!(matches!(missing, Err(Error::ExportMissing { date: DAY })));
    assert_eq!((rig.arrived(), rig.log.named("tmdb.key_rejected").len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_export_that_ends_early_is_an_error() {
    let rig = rig().await;
    let whole = gzip(&lines(30_000));
    rig.tmdb.set_export(DAY, whole.clone());
    rig.once(FILE, Fault::Truncated);
    let (cut, films) = read(&rig.client).await;
    assert!(matches!(cut, Err(Error::Truncated { .. })), "{cut:?}");
    // Something was given out, so nothing was tried again behind the caller's back.
    assert!(!films.is_empty() && films.len() < 30_000);
    assert_eq!(rig.arrived(), 1);

    for missing in [1, 4, 8, 1000] {
        rig.tmdb.set_export(DAY, whole[..whole.len() - missing].to_vec());
        let (cut, _) = read(&rig.client).await;
        assert!(matches!(cut, Err(Error::Truncated { .. })), "{missing}: {cut:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_first_line_is_retried() {
    let rig = rig().await;
    rig.tmdb.set_export(DAY, gzip(&lines(3)));
    for fault in [Fault::Status(503), Fault::Hangup, Fault::Status(429)] {
        rig.once(FILE, fault);
    }
    let (summary, films) = read(&rig.client).await;
    assert_eq!((summary.unwrap().lines, films.len(), rig.arrived()), (3, 3, 4));
}

#[tokio::test(start_paused = true)]
async fn an_export_past_a_cap_is_an_error() {
    let rig = rig_with(|config| {
        config.limits.export = 1 << 20;
        config.limits.export_unpacked = 4 << 20;
        config.limits.export_line = 1000;
    })
    .await;
    let title = "x".repeat(1000);
    let cases = [
        (vec![0x1f; 2 << 20], 1 << 20),
        (gzip(&lines(200_000)), 4 << 20),
        (gzip(&format!("{{\"id\":1,\"original_title\":\"{title}\"}}\n")), 1000),
        (gzip(&" ".repeat(3 << 20)), 1000),
    ];
    for (bytes, cap) in cases {
        rig.tmdb.set_export(DAY, bytes);
        let (result, _) = read(&rig.client).await;
        match result {
            Err(Error::TooLarge { limit, .. }) => assert_eq!(limit, cap),
            // What is no gzip is refused before its size matters.
            Err(Error::BadAnswer { .. }) if cap == 1 << 20 => {}
            other => panic!("{cap}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_export_is_an_error() {
    let rig = rig().await;
    for bytes in [
        b"<html>".to_vec(),
        gzip(""),
        gzip("\n\n"),
        gzip("not json\n"),
        b"\x1f\x8b\xff\xffnot what it says".to_vec(),
    ] {
        rig.tmdb.set_export(DAY, bytes);
        let (result, _) = read(&rig.client).await;
        assert!(matches!(result, Err(Error::BadAnswer { .. })), "{result:?}");
    }
    for junk in ["junk", "a lot more junk than a header is long"] {
        rig.tmdb.set_export(DAY, [gzip(&lines(2)), junk.into()].concat());
        assert!(read(&rig.client).await.0.is_err());
    }
    let mut damaged = gzip(&lines(2));
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    rig.tmdb.set_export(DAY, damaged);
    assert!(read(&rig.client).await.0.is_err());
    rig.tmdb.set_export(DAY, gzip(&lines(2)));
    rig.once(FILE, Fault::ContentType("text/html"));
    assert!(matches!(read(&rig.client).await.0, Err(Error::BadAnswer { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_few_bad_lines_are_left_out_and_many_are_an_error() {
    let rig = rig().await;
    let bad = "{\"id\":-1}\n{\"id\":0}\n";
    rig.tmdb.set_export(DAY, gzip(&(lines(500) + bad)));
    let (summary, films) = read(&rig.client).await;
    assert_eq!((summary.unwrap().refused, films.len()), (2, 500));
    rig.tmdb.set_export(DAY, gzip(&(lines(100) + bad)));
    assert!(matches!(read(&rig.client).await.0, Err(Error::BadAnswer { .. })));
}
