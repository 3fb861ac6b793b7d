//! Cursors: opaque, and good for one query only.

use screensort_tests::{Product, shared};

/// The lists that have pages.
const LISTS: [&str; 5] = [
    "/movies",
    "/movies?genre=18&sort=title",
    "/movies/550/similar",
    "/trending?window=week",
    "/search?q=the",
];

async fn cursor(product: &Product, path: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let page = product.get(&format!("{path}{joint}limit=2")).await.ok();
    page["next_cursor"].as_str().unwrap_or_else(|| panic!("{path} has one page")).to_owned()
}

fn with_cursor(path: &str, cursor: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}cursor={}", screensort_tests::encoded(cursor))
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_query_whatever_the_limit_and_the_order_of_parameters() {
    let product = shared().await;
    for path in LISTS {
        let cursor = cursor(product, path).await;
        for limit in ["", "&limit=1", "&limit=100"] {
            assert_eq!(product.get(&format!("{}{limit}", with_cursor(path, &cursor))).await.status, 200);
        }
    }
    let cursor = cursor(product, "/movies?genre=18&sort=title").await;
    assert_eq!(product.get(&with_cursor("/movies?sort=title&genre=18", &cursor)).await.status, 200);
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let product = shared().await;
    for own in LISTS {
        let cursor = cursor(product, own).await;
        for other in
            LISTS.into_iter().chain(["/movies/13/similar", "/movies?genre=35&sort=title", "/search?q=th"])
        {
            if other != own {
                product.get(&with_cursor(other, &cursor)).await.refused(400, "bad_cursor");
            }
        }
    }
}

#[tokio::test]
async fn an_edited_cursor_is_refused() {
    let product = shared().await;
    for path in LISTS {
        let cursor = cursor(product, path).await;
        for at in (0..cursor.len()).step_by(5) {
            let mut edited: Vec<char> = cursor.chars().collect();
            edited[at] = if edited[at] == 'A' { 'B' } else { 'A' };
            let edited: String = edited.into_iter().collect();
            product.get(&with_cursor(path, &edited)).await.refused(400, "bad_cursor");
        }
        for edited in [
            &cursor[1..],
            &cursor[..cursor.len() - 1],
            &format!("{cursor}A"),
            &format!("{cursor}="),
            &cursor.to_lowercase(),
            "x",
            "null",
            "eyJpZCI6MX0",
            "2",
        ] {
            product.get(&with_cursor(path, edited)).await.refused(400, "bad_cursor");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_installation_is_refused() {
    let (product, other) = (shared().await, Product::small().await);
    let foreign = cursor(&other, "/movies").await;
    assert_eq!(other.get(&with_cursor("/movies", &foreign)).await.status, 200);
    product.get(&with_cursor("/movies", &foreign)).await.refused(400, "bad_cursor");
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_when_films_come_and_go() {
    let product = Product::small().await;
    let before = crate::ids(&product.pages("/movies?sort=title", 100).await);
    let first = product.get("/movies?sort=title&limit=10").await;
    let cursor = first.ok()["next_cursor"].as_str().unwrap().to_owned();
    // One film of the first page leaves: the second page starts where it would have.
    let gone = screensort_model::MovieId::new(u32::try_from(before[3]).unwrap()).unwrap();
    product.stack().catalogue().bury(gone, &screensort_store::Tombstone::Withdrawn).await.unwrap();
    product.publish().await;
    let second = product.get(&format!("/movies?sort=title&limit=10&cursor={cursor}")).await;
    assert_eq!(crate::ids(&second.items()), before[10..20]);
}
