//! `bench requests`: the CPU time that a warm request takes in our code, through the whole of an endpoint:
//! opening, handler, JSON, headers, entity tag. The event's way in and out of Lambda is not part of it.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use cpu_time::ThreadTime;
use http::{HeaderMap, Method};
use screensort_catalog::{Catalog, Contents};
use screensort_http::{Endpoint, Incoming};
use screensort_model::id::FIRST_LOCAL_ID;
use screensort_model::reference::Reference;
use screensort_model::{Movie, MovieId};
use screensort_runtime::Stack;
use screensort_store::Why;

use crate::command::{Failure, stand};
use crate::stand::Choices;
use crate::{import, product};

/// Requests measured of each kind.
const ROUNDS: usize = 400;

/// Films that the table is given.
const IN_TABLE: usize = 500;

/// The kinds of request: a name, a route and queries to take turns.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("movies", "/movies", &["", "sort=rating", "sort=newest&limit=100"]),
    (
        "movies, filtered",
        "/movies",
        &["genre=18&min_votes=500&year_gte=1990&sort=rating", "language=fr&max_runtime=100"],
    ),
    ("movies, nothing fits", "/movies", &["genre=37,878&min_rating=9.9"]),
    ("search", "/search", &["q=the+godfather", "q=godfahter", "q=star+wars", "q=lord+of+the+r"]),
    ("suggest", "/search/suggest", &["q=the+g", "q=incep"]),
    ("similar", "/movies/{id}/similar", &[""]),
    ("movie", "/movies/{id}", &[""]),
];

/// Measures and returns a table.
pub(crate) async fn requests(catalog: Option<PathBuf>, synthetic: Option<usize>) -> Result<String, Failure> {
    // All work on this thread, so that its CPU time is the requests'.
    let threads = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(measure(catalog, synthetic))
    });
    threads.join().map_err(|_| Failure::new("the measuring thread panicked"))?
}

async fn measure(catalog: Option<PathBuf>, synthetic: Option<usize>) -> Result<String, Failure> {
    let stand = stand(Choices::default()).await?;
    let now = stand.stack.clock().now();
    let films = match catalog {
        Some(file) => import::read(File::open(file)?, now)?,
        None => import::sample(now)?.0,
    };
    let mut text = String::from("median CPU time of a warm request; 95th percentile in brackets\n");
    text.push_str(&table(&stand.stack, &films).await?);
    if let Some(count) = synthetic {
        text.push_str(&table(&stand.stack, &invented(&films, count)).await?);
    }
    stand.cloud.shutdown().await?;
    Ok(text)
}

async fn table(stack: &Stack, films: &[Movie]) -> Result<String, Failure> {
    // The table needs the films that `movie` is asked for; the catalogue holds all.
    let films_in_table = &films[..films.len().min(IN_TABLE)];
    stack.catalogue().keep_all(films_in_table, Why::Sample, |_| {}).await?;
    let began = std::time::Instant::now();
    let now = stack.clock().now();
    let (catalog, file) = Catalog::make(Contents {
        version: format!("bench-{}", films.len()),
        made_at: now,
        movies: films.to_vec(),
        operators: Vec::new(),
        reference: Reference::built_in(),
        trending_day: Vec::new(),
        trending_week: Vec::new(),
        withdrawn: Vec::new(),
        merged: Vec::new(),
    })?;
    let (published, bytes, built) = (catalog.len(), file.len(), began.elapsed());
    drop(catalog);
    stack.artifacts().publish(&format!("bench-{}", films.len()), file, now).await?;
    let began = std::time::Instant::now();
    stack.catalog_changed();
    stack.catalog().await.map_err(|p| Failure::new(&p.causes().unwrap_or_default()))?;
    let loaded = began.elapsed();
    let megabytes = bytes as f64 / 1e6;
    let mut text = format!(
        "{published} films, {megabytes:.1} MB (built in {built:.1?}, fetched and loaded in {loaded:.1?})\n"
    );
    let endpoints = product::endpoints();
    for (name, route, queries) in KINDS {
        let times = kind(&endpoints, stack, films_in_table, route, queries).await?;
        text.push_str(&format!(
            "  {name:<22} {:>8.3} ms  [{:.3}]\n",
            times[times.len() / 2].as_secs_f64() * 1e3,
            times[times.len() * 95 / 100].as_secs_f64() * 1e3
        ));
    }
    Ok(text)
}

async fn kind(
    endpoints: &[Endpoint<Stack>],
    stack: &Stack,
    films: &[Movie],
    route: &str,
    queries: &[&str],
) -> Result<Vec<Duration>, Failure> {
    let endpoint = endpoints
        .iter()
        .find(|endpoint| endpoint.operations().iter().any(|operation| operation.route.path == route))
        .ok_or_else(|| Failure::new("a measured route is not served"))?;
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + 20 {
        let film = films[round * 7919 % films.len()].id;
        let request = request(route, film, queries[round % queries.len()]);
        let began = ThreadTime::now();
        let answer = endpoint.answer(route, request, stack.clone()).await;
        let took = began.elapsed();
        if !answer.status.is_success() {
            return Err(Failure::new(&format!("{route} answered {}", answer.status)));
        }
        if round >= 20 {
            times.push(took);
        }
    }
    times.sort_unstable();
    Ok(times)
}

fn request(route: &str, film: MovieId, query: &str) -> Incoming {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Incoming {
        method: Method::GET,
        path: route.replace("{id}", &film.to_string()),
        path_parameters: vec![("id".into(), film.to_string())],
        query: pairs.map(|(name, value)| (name.to_owned(), value.replace('+', " "))).collect(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        source: [127, 0, 0, 1].into(),
        request_id: "bench".into(),
        checked: Default::default(),
    }
}

/// `count` films whose titles are put together from those of `films` and whose facts are theirs.
fn invented(films: &[Movie], count: usize) -> Vec<Movie> {
    let words: Vec<&str> = films.iter().flat_map(|film| film.title.split_whitespace()).collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    // SplitMix64 (Steele, Lea and Flood 2014): the same films in every run.
    let mut next = |below: usize| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % below.max(1) as u64).unwrap_or(0)
    };
    let id = |at: usize| u32::try_from(at).ok().and_then(|at| MovieId::new(FIRST_LOCAL_ID / 2 + at));
    (0..count)
        .filter_map(|at| {
            let mut film = films[next(films.len())].clone();
            film.id = id(at)?;
            film.title = (0..=next(4)).map(|_| words[next(words.len())]).collect::<Vec<_>>().join(" ");
            film.original_title.clone_from(&film.title);
            film.imdb_id = None;
            film.popularity *= next(1_000) as f32 / 1_000.0;
            Some(film)
        })
        .collect()
}
