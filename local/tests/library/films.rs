use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_is_given_changed_and_taken_back_and_never_somebody_elses() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let (one, two) = (world.films[0], world.films[1]);
    let up = world.thumb(&ann, one, "thumbs_up").await.expect(200, "");
    assert_eq!(up.body, json!({"movie_id": one, "thumb": "up"}));
    // The session beside the quota, then the film.
    assert_eq!(world.product.store_requests("thumbs_action"), 3);
    world.product.wait(1);
    world.thumb(&ann, two, "thumbs_down").await.expect(200, "");
    // The same again changes nothing, not even the order.
    world.product.wait(1);
    world.thumb(&ann, one, "thumbs_up").await.expect(200, "");
    assert_eq!(world.listed(&ann, "/thumbs").await, [two, one]);
    assert_eq!(world.product.store_requests("thumbs"), 2);
    assert_eq!(world.listed(&ann, "/thumbs?thumb=up").await, [one]);
    assert_eq!(world.listed(&ann, "/thumbs?thumb=down").await, [two]);
    assert!(world.listed(&bob, "/thumbs").await.is_empty());
    let cleared = world.thumb(&ann, two, "clear").await.expect(200, "");
    assert_eq!(cleared.body["thumb"], Value::Null);
    world.thumb(&ann, two, "clear").await.expect(200, "");
    assert_eq!(world.listed(&ann, "/thumbs").await, [one]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_never_names_the_person_and_the_film_must_exist() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let send = |body: Value| world.product.with(&ann, "POST", "/thumbs_action", body);
    let got = send(json!({"movie_id": world.films[0], "action": "thumbs_up", "user_id": "x"})).await;
    got.expect(422, "invalid_body");
    let bearer = format!("Bearer {ann}");
    let got = world
        .product
        .ask("POST", "/thumbs_action?user_id=x", &[("authorization", &bearer)], Value::Null)
        .await;
    got.expect(400, "bad_parameter");
    for bad in [
        json!({"movie_id": world.films[0], "action": "love"}),
        json!({"movie_id": "550", "action": "clear"}),
        json!({"movie_id": -1, "action": "clear"}),
        json!({"movie_id": null, "action": "clear"}),
        json!({"action": "clear"}),
    ] {
        send(bad).await.expect(422, "invalid_body");
    }
    send(json!({"movie_id": 1_999_999_999, "action": "thumbs_up"})).await.expect(404, "not_found");
    send(json!({"movie_id": 1_999_999_999, "action": "clear"})).await.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rating_is_halves_and_shows_in_the_film() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let film = world.films[2];
    let path = format!("/movies/{film}");
    let rated = world.rate(&ann, film, 7.5).await.expect(200, "");
    assert_eq!(rated.body, json!({"movie_id": film, "value": 7.5}));
    assert_eq!(world.product.store_requests("movie_rating"), 3);
    for bad in [0.0, 10.5, 7.25, -1.0] {
        world.rate(&ann, film, bad).await.expect(422, "invalid_body");
    }
    world.rate(&ann, 1_999_999_999, 5.0).await.expect(404, "not_found");
    let seen = world.get(&ann, &path).await.expect(200, "");
    assert_eq!(seen.body["me"]["rating"], 7.5);
    assert_eq!(world.get(&bob, &path).await.body["me"]["rating"], Value::Null);
    let items = world.items(&ann, "/ratings").await;
    assert_eq!((items.len(), &items[0]["value"]), (1, &json!(7.5)));
    assert_eq!(items[0]["movie"]["id"], film);
    let gone = world.product.with(&ann, "DELETE", &format!("{path}/rating"), Value::Null).await;
    gone.expect(204, "");
    assert!(world.items(&ann, "/ratings").await.is_empty());
    let again = world.product.with(&ann, "DELETE", &format!("{path}/rating"), Value::Null).await;
    again.expect(204, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unwanted_is_left_out_of_the_list_for_its_owner_alone() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let (one, two) = (world.films[0], world.films[1]);
    let path = format!("/movies/{one}/hidden");
    world.product.with(&ann, "PUT", &path, Value::Null).await.expect(204, "");
    world.thumb(&ann, two, "thumbs_down").await.expect(200, "");
    let ids = |got: crate::product::Got| -> Vec<u64> {
        got.body["items"].as_array().unwrap().iter().map(|film| film["id"].as_u64().unwrap()).collect()
    };
    let anns = ids(world.get(&ann, "/movies?limit=100").await.expect(200, ""));
    let bobs = ids(world.get(&bob, "/movies?limit=100").await.expect(200, ""));
    assert_eq!((anns.len(), bobs.len()), (world.films.len() - 2, world.films.len()));
    assert!(!anns.contains(&one) && !anns.contains(&two));
    assert_eq!(world.listed(&ann, "/hidden").await, [one]);
    // A cursor of hers is nobody else's.
    let page = world.get(&ann, "/movies?limit=5").await;
    let cursor = page.str("next_cursor");
    world.get(&bob, &format!("/movies?limit=5&cursor={cursor}")).await.expect(400, "bad_cursor");
    world.product.with(&ann, "DELETE", &format!("/movies/{one}/hidden"), Value::Null).await.expect(204, "");
    assert!(world.listed(&ann, "/hidden").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchlist_can_be_cut_down_to_what_is_available() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    for film in &world.films[..10] {
        world.product.wait(1);
        world.product.with(&ann, "PUT", &format!("/watchlist/{film}"), Value::Null).await.expect(204, "");
    }
    assert_eq!(world.product.store_requests("watchlist_entry"), 3);
    let mut newest: Vec<u64> = world.films[..10].to_vec();
    newest.reverse();
    assert_eq!(world.listed(&ann, "/watchlist").await, newest);
    world.get(&ann, "/watchlist?available=mine").await.expect(400, "bad_parameter");
    world.get(&ann, "/watchlist?available=yours").await.expect(400, "bad_parameter");
    world
        .product
        .with(&ann, "DELETE", &format!("/watchlist/{}", newest[0]), Value::Null)
        .await
        .expect(204, "");
    assert_eq!(world.listed(&ann, "/watchlist").await, newest[1..]);
    world.product.with(&ann, "PUT", "/watchlist/1999999999", Value::Null).await.expect(404, "not_found");
}
