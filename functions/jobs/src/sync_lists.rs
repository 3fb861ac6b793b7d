//! `sync_lists`: genres, age ratings, operators, and the films that trend.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use screensort_catalog::Lookup;
use screensort_model::reference::{Genre, Reference};
use screensort_model::{GenreId, Kind, MovieId, Operator, Region, Window};
use screensort_runtime::{JobError, Stack};
use screensort_tmdb::{Client, Language, MovieList, TrendWindow, WatchProvider};
use serde_json::Value;

use crate::film::{operator, region};
use crate::run::{count, logged, published, summary, tmdb};
use crate::{Counts, Error, Outcome, Watch};

/// Pages of each list, 20 films a page.
const PAGES: u32 = 5;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, &watch).await)
    })
}

/// Reads all lists, and queues films on them that the catalogue lacks.
///
/// # Errors
/// If TMDb or the store fails; lists that were read stay.
pub async fn run(stack: &Stack, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_lists", async {
        let client = tmdb(stack, 200).await?;
        let catalogue = stack.catalogue();
        let mut counts = Counts::new();
        let reference = reference(&client).await?;
        count(&mut counts, "genres", reference.genres.len());
        count(&mut counts, "regions_with_ratings", reference.certifications.len());
        catalogue.keep_reference(&reference).await?;
        watch.tell(1, 5);
        let operators = operators(stack, client.watch_providers(None).await?);
        count(&mut counts, "operators", operators.len());
        catalogue.keep_operators(&operators).await?;
        watch.tell(2, 5);
        let mut seen = BTreeSet::new();
        for (window, theirs) in [(Window::Day, TrendWindow::Day), (Window::Week, TrendWindow::Week)] {
            let films = trending(&client, theirs).await?;
            count(&mut counts, "trending", films.len());
            if !films.is_empty() {
                catalogue.keep_trending(window, &films, stack.clock().now()).await?;
            }
            seen.extend(films);
        }
        watch.tell(3, 5);
        for list in [MovieList::Popular, MovieList::TopRated, MovieList::NowPlaying, MovieList::Upcoming] {
            seen.extend(listed(&client, list).await?);
        }
        watch.tell(4, 5);
        let catalog = published(stack).await?;
        let known = |id: &MovieId| {
            catalog.as_ref().is_some_and(|catalog| !matches!(catalog.lookup(*id), Lookup::Unknown))
        };
        let unknown: Vec<MovieId> = seen.into_iter().filter(|id| !known(id)).collect();
        stack.progress().enqueue(&unknown).await?;
        count(&mut counts, "queued", unknown.len());
        watch.tell(5, 5);
        Ok(Outcome::done(counts))
    })
    .await
}

/// Genres and ratings. What TMDb leaves empty stays as it is built in.
async fn reference(client: &Client) -> Result<Reference, Error> {
    let mut reference = Reference::built_in();
    let english = Language::parse("en");
    let genres = match &english {
        Some(english) => client.genres(english).await?,
        None => Vec::new(),
    };
    let genres: Vec<Genre> = genres
        .into_iter()
        .filter_map(|genre| Some(Genre { id: GenreId::new(genre.id)?, name: genre.name }))
        .collect();
    if !genres.is_empty() {
        reference.genres = genres;
    }
    for (code, mut ratings) in client.certifications().await? {
        if let Some(region) = region(&code) {
            ratings.sort_by_key(|rating| rating.order);
            reference.set_certifications(region, ratings.into_iter().map(|rating| rating.certification));
        }
    }
    Ok(reference)
}

fn operators(stack: &Stack, providers: Vec<WatchProvider>) -> Vec<Operator> {
    let now = stack.clock().now();
    providers
        .into_iter()
        .map(|provider| Operator {
            id: operator(provider.provider_id),
            kind: Kind::Streaming,
            name: provider.provider_name,
            description: String::new(),
            homepage: None,
            email: None,
            phone: None,
            default_language: None,
            regions: provider
                .display_priorities
                .keys()
                .filter_map(region)
                .collect::<BTreeSet<Region>>()
                .into_iter()
                .collect(),
            modes: Vec::new(),
            logo_path: provider.logo_path.map(|path| path.to_string()),
            updated_at: now,
        })
        .collect()
}

async fn trending(client: &Client, window: TrendWindow) -> Result<Vec<MovieId>, Error> {
    let mut films = Vec::new();
    for page in 1..=PAGES {
        let answer = client.trending(window, page).await?;
        films.extend(answer.results.iter().filter_map(|film| MovieId::new(film.id)));
        if page >= answer.total_pages {
            break;
        }
    }
    let mut seen = BTreeSet::new();
    films.retain(|id| seen.insert(*id));
    Ok(films)
}

async fn listed(client: &Client, list: MovieList) -> Result<Vec<MovieId>, Error> {
    let mut films = Vec::new();
    for page in 1..=PAGES {
        let answer = client.list(list, page).await?;
        let wanted = answer.results.iter().filter(|film| film.adult != Some(true) && !film.video);
        films.extend(wanted.filter_map(|film| MovieId::new(film.id)));
        if page >= answer.total_pages {
            break;
        }
    }
    Ok(films)
}
