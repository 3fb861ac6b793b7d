use screensort_jobs::count_films;
use screensort_store::Library;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn counters_follow_what_people_do() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let film = world.films[0];
    world.thumb(&ann, film, "thumbs_up").await.expect(200, "");
    world.thumb(&bob, film, "thumbs_up").await.expect(200, "");
    world.rate(&ann, film, 9.5).await.expect(200, "");
    world.rate(&bob, film, 4.0).await.expect(200, "");
    assert_eq!(world.community(film).await, json!([2, 0, 2, 27, 0]));
    let seen = world.get(&ann, &format!("/movies/{film}")).await;
    assert_eq!(seen.body["community"]["rating_average"], 6.75);
    world.thumb(&bob, film, "thumbs_down").await.expect(200, "");
    world.rate(&ann, film, 1.0).await.expect(200, "");
    assert_eq!(world.community(film).await, json!([1, 1, 2, 10, 0]));
    world.thumb(&ann, film, "clear").await.expect(200, "");
    assert_eq!(world.community(film).await, json!([0, 1, 2, 10, 0]));
}

/// A small generator, so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// What somebody holds of a film.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Held {
    /// -1, 0 or 1.
    thumb: i8,
    /// 0: none.
    halves: u8,
    listed: bool,
    hidden: bool,
    watched: bool,
}

/// What twenty people hold of five films.
type Model = Vec<Vec<Held>>;

fn expected(model: &Model, film: usize) -> Value {
    let held: Vec<Held> = model.iter().map(|person| person[film]).collect();
    let count = |holds: fn(&Held) -> bool| held.iter().filter(|one| holds(one)).count();
    let halves: u64 = held.iter().map(|held| u64::from(held.halves)).sum();
    json!([count(|h| h.thumb == 1), count(|h| h.thumb == -1), count(|h| h.halves > 0), halves, 0])
}

/// What the store says that somebody holds of a film.
fn found(state: Option<&screensort_store::FilmState>) -> Held {
    use screensort_model::Thumb;
    state.map_or_else(Held::default, |state| Held {
        thumb: state.thumb.map_or(0, |thumb| if thumb == Thumb::Up { 1 } else { -1 }),
        halves: state.rating.map_or(0, |rating| rating.halves()),
        listed: state.watchlist_at.is_some(),
        hidden: state.hidden_at.is_some(),
        watched: state.watched_at.is_some(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_people_at_once_end_up_as_one_after_the_other_whatever_the_stream_does() {
    use screensort_model::{MovieId, Rating, Thumb};
    use screensort_store::{Change, Watch};
    let world = World::start().await;
    let stack = world.product.stand.stack.clone();
    let films: Vec<MovieId> =
        world.films[..5].iter().map(|id| MovieId::new(u32::try_from(*id).unwrap()).unwrap()).collect();
    let mut changes = world.product.stand.cloud.changes(&stack.settings().tables.library);
    // Every seed has people of its own, and the films have all of them.
    let mut totals = vec![[0_u64; 5]; films.len()];
    // Two thousand writes in all.
    for seed in 0..4 {
        let people = (0..20).map(|person| {
            let (library, films) = (stack.library(), films.clone());
            let at = world.product.clock.now();
            async move {
                let mut dice = Dice(seed * 100 + person);
                let account = format!("01P{seed:04}{person:019}");
                let change = Change { account: &account, request: "r", at };
                let mut held = vec![Held::default(); films.len()];
                for _ in 0..25 {
                    let film = dice.roll(films.len());
                    act(&library, &change, films[film], &mut held[film], &mut dice).await;
                }
                held
            }
        });
        let model: Model = futures::future::join_all(people).await;
        for (person, held) in model.iter().enumerate() {
            let states = stack.library().of_person(&format!("01P{seed:04}{person:019}")).await.unwrap();
            for (film, held) in films.iter().zip(held) {
                let state = states.iter().find(|state| state.movie == *film);
                assert_eq!(found(state), *held, "seed {seed}, person {person}, film {film}");
            }
        }
        let mut records = Vec::new();
        loop {
            let more = changes.next_batch().unwrap();
            if more.is_empty() {
                break;
            }
            records.extend(more);
        }
        // Late, twice and out of order, in batches of any size, two at a time.
        let mut dice = Dice(seed);
        let again: Vec<Value> =
            (0..records.len()).map(|_| records[dice.roll(records.len())].clone()).collect();
        records.extend(again);
        for at in (1..records.len()).rev() {
            records.swap(at, dice.roll(at + 1));
        }
        let batches: Vec<Value> =
            records.chunks(1 + dice.roll(120)).map(|batch| json!({"Records": batch})).collect();
        for pair in batches.chunks(2) {
            let runs = pair.iter().map(|batch| count_films::job(batch.clone(), stack.clone()));
            for run in futures::future::join_all(runs).await {
                run.unwrap();
            }
        }
        for (at, film) in films.iter().enumerate() {
            for (n, total) in totals[at].iter_mut().enumerate() {
                *total += expected(&model, at)[n].as_u64().unwrap();
            }
            assert_eq!(counted(&world, *film).await, json!(totals[at]), "seed {seed}, film {film}");
        }
    }
    // Counting again finds nothing to mend.
    let run = screensort_jobs::recount_films::run(&stack).await.unwrap();
    assert_eq!((run.counts["missed"], run.counts["orphans"], run.counts["repaired"]), (0, 0, 0));
    return;

    async fn act(library: &Library, change: &Change<'_>, film: MovieId, held: &mut Held, dice: &mut Dice) {
        match dice.roll(8) {
            0 => {
                library.set_thumb(change, film, Some(Thumb::Up)).await.unwrap();
                held.thumb = 1;
            }
            1 => {
                library.set_thumb(change, film, Some(Thumb::Down)).await.unwrap();
                held.thumb = -1;
            }
            2 => {
                library.set_thumb(change, film, None).await.unwrap();
                held.thumb = 0;
            }
            3 => {
                let halves = u8::try_from(dice.roll(20) + 1).unwrap();
                library.set_rating(change, film, Rating::from_halves(halves)).await.unwrap();
                held.halves = halves;
            }
            4 => {
                library.set_rating(change, film, None).await.unwrap();
                held.halves = 0;
            }
            5 => {
                held.hidden = dice.roll(2) == 0;
                library.set_hidden(change, film, held.hidden).await.unwrap();
            }
            6 => watch(library, change, film, held, dice).await,
            _ => {
                held.listed = dice.roll(2) == 0;
                library.set_watchlist(change, film, held.listed).await.unwrap();
            }
        }
    }

    /// One more time, or all of them taken back.
    async fn watch(library: &Library, change: &Change<'_>, film: MovieId, held: &mut Held, dice: &mut Dice) {
        if dice.roll(3) > 0 {
            let id = format!("{:026}", dice.0);
            let watch = Watch {
                id: id[id.len() - 26..].to_owned(),
                movie: film,
                watched_at: change.at,
                rewatch: false,
                operator: None,
                mode: None,
            };
            assert!(library.watch(change, &watch).await.unwrap());
            held.watched = true;
            return;
        }
        for (_, watch) in library.history(change.account, None, 1_000).await.unwrap() {
            if watch.movie == film {
                assert!(library.rewrite_watch(change, &watch, None).await.unwrap());
            }
        }
        held.watched = false;
    }
}

async fn counted(world: &World, film: screensort_model::MovieId) -> Value {
    let counters = world.product.stand.stack.catalogue().film(film).await.unwrap().counters;
    let (ratings, halves) = (counters.rating_count, counters.rating_halves);
    json!([counters.thumbs_up, counters.thumbs_down, ratings, halves, counters.reviews])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_miscounted_or_left_over_is_counted_again() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let film = world.films[0];
    world.thumb(&ann, film, "thumbs_up").await.expect(200, "");
    assert_eq!(world.community(film).await, json!([1, 0, 0, 0, 0]));
    let stack = &world.product.stand.stack;
    // The counters are lost, as after the catalogue was made again.
    let table = &stack.settings().tables.catalog;
    let attribute = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let delete = stack.dynamodb().delete_item().table_name(table);
    let delete = delete.key("pk", attribute(&format!("MOVIE#{film}"))).key("sk", attribute("COUNTERS"));
    delete.send().await.unwrap();
    assert_eq!(world.community(film).await, json!([0, 0, 0, 0, 0]));
    let run = screensort_jobs::recount_films::run(stack).await.unwrap();
    assert_eq!(run.counts["repaired"], 1);
    assert_eq!(world.community(film).await, json!([1, 0, 0, 0, 0]));
    // In slices, so that memory does not grow with what people say: what was counted of somebody who is gone.
    for film in &world.films[..12] {
        world.rate(&ann, *film, 8.0).await.expect(200, "");
    }
    assert_eq!(world.community(world.films[3]).await, json!([0, 0, 1, 16, 0]));
    let id = world.id(&ann).await;
    let states = stack.library().of_person(&id).await.unwrap();
    let ghosts = states.iter().map(|state| screensort_store::Opinion::of("nobody", state)).collect();
    assert_eq!(stack.catalogue().count_opinions(ghosts).await.unwrap(), 12);
    assert_eq!(counted(&world, movie(world.films[3])).await, json!([0, 0, 2, 32, 0]));
    let recounted = stack.catalogue().recount(&stack.library(), 3).await.unwrap();
    assert_eq!((recounted.missed, recounted.orphans, recounted.repaired), (0, 12, 0));
    assert_eq!(counted(&world, movie(world.films[3])).await, json!([0, 0, 1, 16, 0]));
    assert_eq!(counted(&world, movie(world.films[4])).await, json!([0, 0, 1, 16, 0]));
}

fn movie(id: u64) -> screensort_model::MovieId {
    screensort_model::MovieId::new(u32::try_from(id).unwrap()).unwrap()
}
