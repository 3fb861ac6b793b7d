//! `GET /movies`: what each filter lets through is compared with the films that the catalogue was made of.

use std::collections::BTreeSet;

use screensort_model::reference::Reference;
use screensort_model::{Mode, Movie, OperatorId, Region};
use screensort_tests::{Product, shared};
use unicode_normalization::UnicodeNormalization;

use crate::{assert_no_doubles, id, ids};

type Lets = Box<dyn Fn(&Movie) -> bool>;

fn filter(query: impl Into<String>, lets: impl Fn(&Movie) -> bool + 'static) -> (String, Lets) {
    (query.into(), Box::new(lets))
}

fn has_genre(movie: &Movie, genre: u32) -> bool {
    movie.genres.iter().any(|id| id.get() == genre)
}

fn offered(movie: &Movie, region: Option<Region>, operator: Option<OperatorId>, mode: Option<Mode>) -> bool {
    movie.offers.iter().filter(|(r, _)| region.is_none_or(|want| want == **r)).any(|(_, modes)| {
        modes
            .iter()
            .filter(|(m, _)| mode.is_none_or(|want| want == **m))
            .any(|(_, ids)| operator.map_or(!ids.is_empty(), |want| ids.contains(&want)))
    })
}

fn is_rated_up_to(movie: &Movie, region: Region, strictest: &str) -> bool {
    let reference = Reference::built_in();
    let most = reference.strictness(region, strictest);
    let own = movie.certifications.get(&region).and_then(|c| reference.strictness(region, c));
    own.is_some() && own <= most
}

/// Every filter, with values that let some films through and not others.
fn filters(product: &Product) -> Vec<(String, Lets)> {
    let (us, gb): (Region, Region) = ("US".parse().unwrap(), "GB".parse().unwrap());
    let forrest = product.film(13);
    let person = forrest.directors[0].id;
    let keyword = forrest.keywords[0].id;
    let harbour = OperatorId::derived("sample", "harbour-rental");
    let made_by = move |m: &Movie| {
        let named = m.directors.iter().chain(&m.writers).map(|p| p.id);
        named.chain(m.cast.iter().map(|c| c.id)).any(|id| id == person)
    };
    vec![
        filter("genre=18", |m| has_genre(m, 18)),
        filter("genre=28,878", |m| has_genre(m, 28) && has_genre(m, 878)),
        filter("without_genre=18,35", |m| !has_genre(m, 18) && !has_genre(m, 35)),
        filter("year_gte=1999", |m| m.year().is_some_and(|y| y >= 1999)),
        filter("year_lte=1975", |m| m.year().is_some_and(|y| y <= 1975)),
        filter("min_rating=7.9", |m| m.vote_average >= 7.9),
        filter("min_votes=9000", |m| m.vote_count >= 9_000),
        filter("max_runtime=95", |m| m.runtime.is_some_and(|r| r <= 95)),
        filter("language=ja", |m| m.original_language.as_str() == "ja"),
        filter(format!("person={person}"), made_by),
        filter(format!("keyword={keyword}"), move |m| m.keywords.iter().any(|k| k.id == keyword)),
        filter("certification_lte=PG&region=US", move |m| is_rated_up_to(m, us, "PG")),
        filter(format!("operator={harbour}"), move |m| offered(m, None, Some(harbour), None)),
        filter("mode=free", |m| offered(m, None, None, Some(Mode::Free))),
        filter("mode=rent&region=GB", move |m| offered(m, Some(gb), None, Some(Mode::Rent))),
    ]
}

/// The names that a query gives.
fn names(query: &str) -> BTreeSet<&str> {
    query.split('&').filter_map(|part| part.split('=').next()).collect()
}

async fn assert_lets(product: &Product, query: &str, lets: impl Fn(&Movie) -> bool) -> usize {
    let found = ids(&product.pages(&format!("/movies?{query}"), 100).await);
    assert_no_doubles(query, &found);
    let expected: BTreeSet<u64> =
        product.films.iter().filter(|m| lets(m)).map(|m| u64::from(m.id.get())).collect();
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{query}");
    expected.len()
}

#[tokio::test]
async fn each_filter_lets_through_exactly_the_films_that_it_names() {
    let product = shared().await;
    for (query, lets) in filters(product) {
        let count = assert_lets(product, &query, lets).await;
        assert!(count > 0 && count < product.films.len(), "{query} shows nothing: {count}");
    }
}

#[tokio::test]
async fn filters_combine_by_and() {
    let product = shared().await;
    let filters = filters(product);
    let (mut tried, mut fruitful) = (0, 0);
    for (at, (one, lets_one)) in filters.iter().enumerate() {
        for (other, lets_other) in &filters[at + 1..] {
            // These hold of one offer, or are refused together: see the tests below.
            let apart = [["year_gte", "year_lte"], ["operator=", "mode="], ["region=", "operator="]];
            let combine = apart.iter().all(|[a, b]| !(one.contains(a) && other.contains(b)));
            if combine && names(one).is_disjoint(&names(other)) {
                let both = |m: &Movie| lets_one(m) && lets_other(m);
                let count = assert_lets(product, &format!("{one}&{other}"), both).await;
                (tried, fruitful) = (tried + 1, fruitful + usize::from(count > 0));
            }
        }
    }
    assert!(tried > 60 && fruitful > 40, "{tried} tried, {fruitful} with films");
}

#[tokio::test]
async fn operator_mode_and_region_must_hold_of_one_offer() {
    let product = shared().await;
    let gb: Region = "GB".parse().unwrap();
    for key in ["harbour-rental", "lantern-street", "marigold-public", "old-tram-cinemas"] {
        let operator = OperatorId::derived("sample", key);
        for mode in Mode::ALL {
            let query = format!("operator={operator}&mode={}&region=GB", mode.name());
            assert_lets(product, &query, |m| offered(m, Some(gb), Some(operator), Some(mode))).await;
        }
    }
}

#[tokio::test]
async fn a_card_shows_what_the_film_is() {
    let product = shared().await;
    let cards = product.pages("/movies?region=GB", 100).await;
    assert_eq!(cards.len(), product.films.len());
    let gb: Region = "GB".parse().unwrap();
    for card in cards {
        let film = product.film(id(&card));
        assert_eq!(card["title"], film.title.as_str());
        assert_eq!(card["original_title"], film.original_title.as_str());
        assert_eq!(card["original_language"], film.original_language.as_str());
        assert_eq!(card["release_date"].as_str(), film.release_date.map(|d| d.to_string()).as_deref());
        assert_eq!(card["runtime"].as_u64(), film.runtime.map(u64::from));
        assert_eq!(card["vote_count"], film.vote_count);
        assert_eq!(card["vote_average"].as_f64().map(|v| v as f32), Some(film.vote_average));
        let genres: Vec<u32> = film.genres.iter().map(|g| g.get()).collect();
        assert_eq!(
            ids(card["genres"].as_array().unwrap()),
            genres.iter().map(|g| u64::from(*g)).collect::<Vec<_>>()
        );
        assert_eq!(
            card["certification"].as_str(),
            film.certifications.get(&gb).map(String::as_str),
            "{film:?}"
        );
    }
}

#[tokio::test]
async fn a_region_alone_hides_no_film() {
    let product = shared().await;
    let count = assert_lets(product, "region=ZZ", |_| true).await;
    assert_eq!(count, product.films.len());
}

#[tokio::test]
async fn films_that_trend_come_first_only_when_asked() {
    let product = shared().await;
    let popular = ids(&product.get("/movies?limit=50").await.items());
    let asked = ids(&product.get("/movies?limit=50&sort=popularity").await.items());
    // No list of TMDb's is known to the sample: what is popular trends.
    let trending = ids(&product.get("/movies?limit=50&sort=trending").await.items());
    assert_eq!((&popular, &popular), (&asked, &trending));
}

#[tokio::test]
async fn popularity_falls() {
    let product = shared().await;
    let films = ids(&product.pages("/movies?sort=popularity", 100).await);
    let popularity = |id: u64| product.film(id).popularity;
    assert!(films.windows(2).all(|two| popularity(two[0]) >= popularity(two[1])));
}

#[tokio::test]
async fn newest_goes_back_in_time() {
    let product = shared().await;
    let films = ids(&product.pages("/movies?sort=newest", 100).await);
    let released = |id: u64| product.film(id).release_date;
    // Films without a date are the oldest: `None` is less than any date.
    assert!(films.windows(2).all(|two| released(two[0]) >= released(two[1])));
}

#[tokio::test]
async fn titles_are_filed_as_in_a_dictionary() {
    let product = shared().await;
    let films = ids(&product.pages("/movies?sort=title", 100).await);
    let filed = |id: u64| {
        let title: String =
            product.film(id).title.nfkd().filter(|c| !('\u{300}'..='\u{36F}').contains(c)).collect();
        let title = title.to_lowercase();
        let title = title.trim_start_matches(|c: char| !c.is_alphanumeric());
        let short = ["the ", "a ", "an "].iter().find_map(|article| title.strip_prefix(article));
        short.unwrap_or(title).to_owned()
    };
    for two in films.windows(2) {
        assert!(filed(two[0]) <= filed(two[1]), "{} before {}", filed(two[0]), filed(two[1]));
    }
}

#[tokio::test]
async fn few_votes_count_for_little_in_the_order_of_rating() {
    let product = shared().await;
    let films = ids(&product.pages("/movies?sort=rating", 100).await);
    let mut counts: Vec<u32> = product.films.iter().map(|m| m.vote_count).collect();
    counts.sort_unstable();
    let imagined = f64::from(counts[counts.len() * 6 / 10]);
    let votes: f64 = product.films.iter().map(|m| f64::from(m.vote_count)).sum();
    let mean = product.films.iter().map(|m| f64::from(m.vote_average) * f64::from(m.vote_count)).sum::<f64>()
        / votes;
    let weighted = |id: u64| {
        let film = product.film(id);
        let own = f64::from(film.vote_count);
        (own * f64::from(film.vote_average) + imagined * mean) / (own + imagined)
    };
    for two in films.windows(2) {
        // The catalogue reckons in single precision.
        assert!(weighted(two[0]) >= weighted(two[1]) - 1e-4, "{} before {}", two[0], two[1]);
    }
}

#[tokio::test]
async fn pages_of_any_size_make_the_same_list_in_every_order() {
    let product = shared().await;
    for sort in ["popularity", "rating", "newest", "title", "trending"] {
        let path = format!("/movies?sort={sort}");
        let whole = ids(&product.pages(&path, 100).await);
        assert_eq!(whole.len(), product.films.len(), "{sort}");
        assert_no_doubles(sort, &whole);
        assert_eq!(ids(&product.pages(&path, 37).await), whole, "{sort}");
    }
    for sort in ["popularity", "rating", "newest", "title", "trending"] {
        let path = format!("/movies?sort={sort}&genre=36");
        let whole = ids(&product.pages(&path, 100).await);
        assert_eq!(ids(&product.pages(&path, 1).await), whole, "{sort}");
    }
}

#[tokio::test]
async fn a_text_narrows_the_list_and_the_order_stays() {
    let product = shared().await;
    let films = ids(&product.pages("/movies?q=star+wars&sort=newest", 100).await);
    assert!(films.contains(&11), "{films:?}");
    assert!(films.len() < product.films.len() / 2, "{}", films.len());
    let released = |id: u64| product.film(id).release_date;
    assert!(films.windows(2).all(|two| released(two[0]) >= released(two[1])));
    let dramas = ids(&product.pages("/movies?q=star+wars&genre=18", 100).await);
    assert!(dramas.iter().all(|id| films.contains(id) && has_genre(product.film(*id), 18)));
}

#[tokio::test]
async fn what_nobody_knows_lets_nothing_through() {
    let product = shared().await;
    for query in
        ["person=2147483647", "keyword=2147483647", "language=zz", "year_gte=2199", "mode=free&region=ZZ"]
    {
        assert!(product.get(&format!("/movies?{query}")).await.items().is_empty(), "{query}");
    }
    let nobody = OperatorId::derived("sample", "nobody");
    assert!(product.get(&format!("/movies?operator={nobody}")).await.items().is_empty());
}

#[tokio::test]
async fn values_that_contradict_or_do_not_exist_are_refused_by_name() {
    let product = shared().await;
    for (query, name) in [
        ("year_gte=2000&year_lte=1999", "year_gte"),
        ("certification_lte=PG", "region"),
        ("certification_lte=XYZ&region=US", "certification_lte"),
        ("certification_lte=PG&region=ZZ", "certification_lte"),
        ("genre=1", "genre"),
        ("without_genre=18,1", "without_genre"),
        ("genre=18,28,35,80,99,36", "genre"),
        ("genre=18,", "genre"),
        ("genre=,", "genre"),
    ] {
        product.get(&format!("/movies?{query}")).await.refuses(name);
    }
    assert_eq!(product.get("/movies?year_gte=1999&year_lte=1999").await.status, 200);
}
