//! What the other side sees of the pace.

use std::time::Duration;

use screensort_testkit::tmdb_standin::Fault;

use super::rig::{rig, rig_with};

#[tokio::test(start_paused = true)]
async fn many_callers_together_keep_the_rate() {
    let rig = rig().await;
    let calls: Vec<_> = (0..80)
        .map(|_| {
            let client = rig.client.clone();
            tokio::spawn(async move { client.check_key().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let at: Vec<_> = rig.tmdb.requests().iter().map(|request| request.at).collect();
    assert_eq!(at.len(), 80);
    for (i, from) in at.iter().enumerate() {
        let within = at[i..].iter().take_while(|to| **to - *from < Duration::from_secs(1)).count();
        assert!(within <= 28, "{within} in a second");
    }
    assert!(*at.last().unwrap() - at[0] >= Duration::from_millis(3_500));
}

#[tokio::test(start_paused = true)]
async fn one_429_pauses_everybody() {
    let rig = rig().await;
    rig.once("/3/movie/550", Fault::Throttled("5"));
    let throttled = tokio::spawn({
        let client = rig.client.clone();
        async move { client.movie(550).await }
    });
    while rig.log.named("tmdb.request").is_empty() {
        tokio::task::yield_now().await;
    }
    rig.client.check_key().await.unwrap();
    throttled.await.unwrap().unwrap();
    let requests = rig.tmdb.requests();
    assert_eq!(requests.len(), 3);
    for later in &requests[1..] {
        assert!(later.at - requests[0].at >= Duration::from_secs(5));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_cap_are_in_flight() {
    let rig = rig_with(|config| config.pacing.concurrent = 3).await;
    rig.always(Fault::Slow(Duration::from_secs(5)));
    let calls: Vec<_> = (0..7)
        .map(|_| {
            let client = rig.client.clone();
            tokio::spawn(async move { client.check_key().await })
        })
        .collect();
    for arrived in [3, 6, 7] {
        rig.tmdb.arrived(arrived).await;
        // Whoever could leave has had the chance to.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        assert_eq!(rig.arrived(), arrived);
        tokio::time::advance(Duration::from_secs(6)).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}
