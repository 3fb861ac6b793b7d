//! `GET /people/{id}`: a person and their films.

use std::collections::BTreeMap;

use screensort_model::Movie;
use screensort_tests::shared;
use serde_json::json;

use crate::texts;

fn roles(film: &Movie, person: u32) -> Vec<&'static str> {
    let directed = film.directors.iter().any(|p| p.id.get() == person);
    let wrote = film.writers.iter().any(|p| p.id.get() == person);
    let acted = film.cast.iter().any(|p| p.id.get() == person);
    [(directed, "director"), (wrote, "writer"), (acted, "cast")]
        .into_iter()
        .filter_map(|(did, role)| did.then_some(role))
        .collect()
}

#[tokio::test]
async fn a_filmography_is_complete_and_the_newest_film_comes_first() {
    let product = shared().await;
    let people: BTreeMap<u32, &str> = product
        .films
        .iter()
        .step_by(40)
        .flat_map(|m| {
            m.directors
                .iter()
                .map(|p| (p.id.get(), p.name.as_str()))
                .chain(m.cast.iter().map(|p| (p.id.get(), p.name.as_str())))
        })
        .collect();
    assert!(people.len() > 50);
    for (person, name) in people {
        let body = product.get(&format!("/people/{person}")).await.ok();
        assert_eq!((&body["id"], &body["name"]), (&json!(person), &json!(name)));
        let shown: BTreeMap<u64, Vec<String>> = body["films"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| (part["movie"]["id"].as_u64().unwrap(), texts(&part["roles"])))
            .collect();
        let known: BTreeMap<u64, Vec<String>> = product
            .films
            .iter()
            .map(|m| {
                (u64::from(m.id.get()), roles(m, person).into_iter().map(str::to_owned).collect::<Vec<_>>())
            })
            .filter(|(_, roles)| !roles.is_empty())
            .collect();
        assert_eq!(shown, known, "{name}");
        let dates: Vec<&str> = body["films"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|p| p["movie"]["release_date"].as_str())
            .collect();
        assert!(dates.windows(2).all(|two| two[0] >= two[1]), "{name}: {dates:?}");
    }
}

#[tokio::test]
async fn nobody_is_behind_an_id_that_was_never_given() {
    let product = shared().await;
    product.get("/people/1").await.refused(404, "not_found");
    for id in ["0", "-1", "x", "2147483648", "%D9%A1", "1%00"] {
        product.get(&format!("/people/{id}")).await.refuses("id");
    }
}
