//! The bad days: every fault, and what becomes of it.

use std::time::Duration;

use screensort_testkit::tmdb_standin::{Fault, Script};
use screensort_tmdb::{Client, Config, Error, Fetched, MovieList, Token};
use tokio::time::Instant;
use tracing::Level;

use super::rig::{SECRET, rig, rig_with};

const MOVIE: &str = "/3/movie/550";

/// A fault, and whether an error is the one it should become.
type Case = (Fault, fn(&Error) -> bool);

#[tokio::test(start_paused = true)]
async fn a_passing_fault_is_retried() {
    for fault in [
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
        Fault::Status(408),
        Fault::Truncated,
        Fault::CutShort,
        Fault::Hangup,
        Fault::Throttled("0"),
    ] {
        let rig = rig().await;
        rig.once(MOVIE, fault.clone());
        assert!(matches!(rig.client.movie(550).await, Ok(Fetched::Found(_))), "{fault:?}");
        assert_eq!(rig.arrived(), 2, "{fault:?}");
        assert_eq!(rig.log.field("tmdb.request", "attempt"), ["1", "2"], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_is_an_error_by_cause_after_bounded_tries() {
    let cases: [Case; 6] = [
        (Fault::Status(500), |error| {
            matches!(error, Error::Unavailable { status: 500, route: "/movie/{id}" })
        }),
        (Fault::Status(504), |error| matches!(error, Error::Unavailable { status: 504, .. })),
        (Fault::Truncated, |error| matches!(error, Error::Truncated { source: Some(_), .. })),
        (Fault::CutShort, |error| matches!(error, Error::Truncated { source: None, .. })),
        (Fault::Hangup, |error| matches!(error, Error::Transport { .. })),
        (Fault::Throttled("0"), |error| matches!(error, Error::Throttled { .. })),
    ];
    for (fault, expected) in cases {
        let rig = rig().await;
        rig.always(fault.clone());
        let error = rig.client.movie(550).await.unwrap_err();
        assert!(expected(&error), "{fault:?}: {error:?}");
        assert_eq!(rig.arrived(), 4, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_try_would_not_cure_is_not_tried_again() {
    let html = "text/html; charset=utf-8";
    let cases: [Case; 8] = [
        (Fault::ContentType(html), |error| matches!(error, Error::BadAnswer { .. })),
        (Fault::ContentType("application/jsonp"), |error| matches!(error, Error::BadAnswer { .. })),
        (Fault::WrongId(551), |error| matches!(error, Error::BadAnswer { .. })),
        (Fault::InvalidJson, |error| matches!(error, Error::BadAnswer { .. })),
        (Fault::Oversized(5 << 20), |error| matches!(error, Error::TooLarge { limit: 4_194_304, .. })),
        (Fault::Flood(5 << 20), |error| matches!(error, Error::TooLarge { .. })),
        (Fault::Bomb(8 << 20), |error| matches!(error, Error::TooLarge { .. })),
        (Fault::Status(400), |error| matches!(error, Error::Refused { status: 400, code: Some(22), .. })),
    ];
    for (fault, expected) in cases {
        let rig = rig().await;
        rig.always(fault.clone());
        let error = rig.client.movie(550).await.unwrap_err();
        assert!(expected(&error), "{fault:?}: {error:?}");
        assert_eq!(rig.arrived(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_have_a_smaller_cap_than_details() {
    let rig = rig().await;
    rig.always(Fault::Flood(2 << 20));
    let list = rig.client.list(MovieList::Popular, 1).await;
    assert!(matches!(list, Err(Error::TooLarge { limit: 1_048_576, .. })));
    // Two megabytes of white space are within a film's cap, and no film.
    assert!(matches!(rig.client.movie(550).await, Err(Error::Truncated { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_told_once_and_loudly() {
    for status in [401, 403] {
        let rig = rig().await;
        rig.always(Fault::Status(status));
        let error = rig.client.check_key().await.unwrap_err();
        assert!(matches!(error, Error::KeyRejected { status: told } if told == status));
        assert_eq!(rig.arrived(), 1);
        let told = rig.log.named("tmdb.key_rejected");
        assert_eq!((told.len(), told[0].level), (1, Level::ERROR));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_refused_and_an_empty_one_never_sent() {
    let rig = rig_with(|config| config.token = Token::new("another")).await;
    assert!(matches!(rig.client.movie(550).await, Err(Error::KeyRejected { status: 401 })));
    assert!(matches!(Client::new(Config::new(Token::new(" "))), Err(Error::KeyMissing)));
}

#[tokio::test(start_paused = true)]
async fn a_404_that_is_not_tmdbs_own_does_not_make_a_film_gone() {
    let rig = rig().await;
    rig.once(MOVIE, Fault::Body(404, r#"{"error": "no such route"}"#.to_owned()));
    assert!(matches!(rig.client.movie(550).await, Err(Error::Refused { status: 404, code: None, .. })));
    rig.tmdb.remove_movie(550);
    rig.once(MOVIE, Fault::ContentType("text/html"));
    assert!(matches!(rig.client.movie(550).await, Err(Error::BadAnswer { .. })));
    rig.once("/3/movie/popular", Fault::NotFound);
    let list = rig.client.list(MovieList::Popular, 1).await;
    assert!(matches!(list, Err(Error::Refused { status: 404, code: Some(34), .. })));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed_even_to_the_same_host() {
    let rig = rig().await;
    rig.once(MOVIE, Fault::Redirect(MOVIE.to_owned()));
    let refused = rig.client.movie(550).await;
    assert!(matches!(refused, Err(Error::Refused { status: 302, .. })), "{refused:?}");
    assert_eq!(rig.arrived(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_time_out() {
    let rig = rig_with(|config| config.persistence.tries = 2).await;
    rig.always(Fault::Slow(Duration::from_secs(3600)));
    let client = rig.client.clone();
    let call = tokio::spawn(async move { client.movie(550).await });
    for try_ in 1..=2 {
        rig.tmdb.arrived(try_).await;
        tokio::time::advance(Duration::from_secs(21)).await;
    }
    assert!(matches!(call.await.unwrap(), Err(Error::TimedOut { route: "/movie/{id}" })));
    assert_eq!(rig.log.field("tmdb.request", "outcome"), ["timed_out", "timed_out"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_within_the_time_is_an_answer() {
    let rig = rig().await;
    rig.once(MOVIE, Fault::Slow(Duration::from_secs(10)));
    let client = rig.client.clone();
    let call = tokio::spawn(async move { client.movie(550).await });
    rig.tmdb.arrived(1).await;
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(matches!(call.await.unwrap(), Ok(Fetched::Found(_))));
}

#[tokio::test(start_paused = true)]
async fn nobody_at_the_address_is_a_transport_error() {
    let rig = rig_with(|config| config.base_url = "http://127.0.0.1:1/3".to_owned()).await;
    let error = rig.client.movie(550).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert_eq!(rig.log.field("tmdb.request", "status"), ["0"; 4]);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_sends_nothing_and_closes_after_a_good_probe() {
    let rig = rig_with(|config| config.persistence.breaker_failures = 5).await;
    rig.always(Fault::Status(502));
    assert!(matches!(rig.client.movie(550).await, Err(Error::Unavailable { .. })));
    // It opens in the middle of this call, which tells the failure and not the breaker.
    assert!(matches!(rig.client.movie(550).await, Err(Error::Unavailable { status: 502, .. })));
    assert_eq!(rig.arrived(), 5);
    assert!(matches!(rig.client.movie(550).await, Err(Error::BreakerOpen { .. })));
    assert_eq!((rig.arrived(), rig.log.named("tmdb.breaker_open").len()), (5, 1));

    tokio::time::advance(Duration::from_secs(31)).await;
    rig.tmdb.behave();
    assert!(rig.client.movie(550).await.is_ok());
    assert!(rig.client.movie(603).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn answers_about_the_question_do_not_open_the_breaker() {
    let rig = rig_with(|config| config.persistence.breaker_failures = 2).await;
    for fault in
        [Fault::NotFound, Fault::Status(400), Fault::WrongId(1), Fault::Throttled("0"), Fault::NotFound]
    {
        rig.once(MOVIE, fault);
    }
    for _ in 0..4 {
        let _ = rig.client.movie(550).await;
    }
    assert!(matches!(rig.client.movie(550).await, Ok(Fetched::Found(_))));
}

#[tokio::test(start_paused = true)]
async fn a_budget_bounds_what_is_sent_and_each_run_has_its_own() {
    let rig = rig().await;
    let run = rig.client.with_budget(3);
    rig.tmdb.script(Script::on(MOVIE).fault(Fault::Status(500)).times(2));
    assert!(run.movie(550).await.is_ok());
    assert_eq!(run.budget_left(), Some(0));
    assert!(matches!(run.clone().movie(550).await, Err(Error::BudgetExhausted { budget: 3 })));
    assert_eq!(rig.arrived(), 3);
    assert!(rig.client.with_budget(1).movie(550).await.is_ok());
    assert_eq!(rig.client.budget_left(), None);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_waits_at_least_a_second_whatever_tmdb_says() {
    for (asked, least) in [("0", 1), ("soon", 1), ("7", 7), ("-3", 1)] {
        let rig = rig().await;
        rig.once(MOVIE, Fault::Throttled(asked));
        let start = Instant::now();
        rig.client.movie(550).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(least), "{asked}: {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_patience_is_an_error_for_everybody_and_ends() {
    let rig = rig().await;
    rig.once(MOVIE, Fault::Throttled("600"));
    let told = rig.client.movie(550).await;
    assert!(matches!(told, Err(Error::Throttled { retry_after }) if retry_after > Duration::from_secs(590)));
    assert!(matches!(rig.client.clone().check_key().await, Err(Error::Throttled { .. })));
    assert_eq!(rig.arrived(), 1);
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(rig.client.movie(550).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_is_logged_with_its_template_and_figures() {
    let rig = rig_with(|config| config.key_version = Some("v7\u{1b}[31m".to_owned())).await;
    rig.client.movie(550).await.unwrap();
    let line = &rig.log.named("tmdb.request")[0];
    assert_eq!((line.fields["route"].as_str(), line.fields["status"].as_str()), ("/movie/{id}", "200"));
    assert_eq!((line.fields["outcome"].as_str(), line.fields["key_version"].as_str()), ("ok", "v7[31m"));
    assert!(line.fields["bytes"].parse::<u64>().unwrap() > 1000 && line.fields.contains_key("duration_ms"));
    assert!(!format!("{:?}", rig.client).contains(SECRET));
}
