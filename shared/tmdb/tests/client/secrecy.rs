//! The key turns up nowhere: not in a log at any level, not in an error, not in `Debug`.

use std::error::Error as _;

use jiff::civil::date;
use screensort_testkit::tmdb_standin::{Fault, Script};
use screensort_tmdb::{Config, Error, Language, MovieList, Token};

use super::rig::{SECRET, rig};

/// An error in every way it could be printed.
fn printed(error: &Error) -> String {
    let mut all = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        all += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    all
}

#[tokio::test(start_paused = true)]
async fn the_key_and_raw_addresses_are_in_no_log_and_no_error() {
    let rig = rig().await;
    let mut texts = vec![format!("{:?} {:#?}", rig.client, Config::new(Token::new(SECRET)))];
    for fault in [
        Fault::Unauthorized,
        Fault::NotFound,
        Fault::Status(403),
        Fault::Status(400),
        Fault::Status(500),
        Fault::Throttled("0"),
        Fault::Truncated,
        Fault::CutShort,
        Fault::Hangup,
        Fault::ContentType("text/plain"),
        Fault::InvalidJson,
        Fault::WrongId(1),
        Fault::Flood(5 << 20),
        Fault::Echo,
        Fault::Body(400, format!("{{\"status_message\": \"{SECRET}\", \"status_code\": 5}}")),
        Fault::Body(200, format!("{{\"id\": \"{SECRET}\", \"title\": \"{SECRET}\"}}")),
        Fault::Body(200, format!("{{\"{SECRET}\": ")),
    ] {
        rig.tmdb.script(Script::anywhere().fault(fault).always());
        let client = rig.client.with_budget(50);
        texts.extend(client.movie(550).await.err().as_ref().map(printed));
        texts.extend(client.list(MovieList::Popular, 1).await.err().as_ref().map(printed));
        texts.extend(client.genres(&Language::parse("en").unwrap()).await.err().as_ref().map(printed));
        texts.extend(client.export(date(2026, 11, 2), |_| {}).await.err().as_ref().map(printed));
        rig.tmdb.behave();
        tokio::time::advance(std::time::Duration::from_secs(3600)).await;
        client.movie(550).await.unwrap();
    }
    assert!(texts.len() > 40, "{}", texts.len());

    let address = rig.tmdb.url().replace("http://", "").replace("/3", "");
    let logged: Vec<_> = rig.log.all().iter().map(|line| format!("{line:?}")).collect();
    assert!(logged.len() > 100);
    for text in texts.iter().chain(&logged) {
        assert!(!text.contains(SECRET) && !text.contains("planted"), "{text}");
    }
    let ours = rig.log.all().into_iter().filter(|line| line.name.starts_with("tmdb."));
    for text in ours.map(|line| format!("{line:?}")).chain(texts.iter().skip(1).cloned()) {
        assert!(!text.contains("movie/550") && !text.contains(&address), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_is_sent_to_the_api_in_one_header_and_nowhere_else() {
    let rig = rig().await;
    rig.client.movie(550).await.unwrap();
    rig.client.export(date(2026, 11, 2), |_| {}).await.unwrap();
    for request in rig.tmdb.requests() {
        let holding: Vec<_> = request
            .headers
            .iter()
            .filter(|(_, value)| value.contains(SECRET))
            .map(|(name, _)| name.as_str())
            .collect();
        let expected: &[&str] = if request.path.starts_with("/3/") { &["authorization"] } else { &[] };
        assert_eq!(holding, expected);
        assert!(!request.path.contains(SECRET) && !request.query.contains(SECRET));
    }
}
