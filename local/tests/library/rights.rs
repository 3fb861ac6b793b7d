use screensort_routes::{Access, Area, TABLE};
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn guests_get_nothing_and_nobody_sees_anothers_library() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let film = world.films[0];
    world.thumb(&ann, film, "thumbs_up").await.expect(200, "");
    world.rate(&ann, film, 8.0).await.expect(200, "");
    world.product.with(&ann, "PUT", &format!("/movies/{film}/hidden"), Value::Null).await.expect(204, "");
    world.product.with(&ann, "PUT", &format!("/watchlist/{film}"), Value::Null).await.expect(204, "");
    world.product.with(&ann, "POST", "/history", json!({"movie_id": film})).await.expect(201, "");
    for route in TABLE {
        let ours = matches!(route.area, Area::Library | Area::Profile | Area::Reviews);
        if !ours || route.access == Access::Anyone {
            continue;
        }
        let path = route.path.replace("{id}", &film.to_string()).replace("{movie_id}", &film.to_string());
        let path = path
            .replace("{hid}", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
            .replace("{rid}", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        world.product.ask(route.method.as_str(), &path, &[], Value::Null).await.expect(401, "unauthorized");
        if route.method == "GET"
            && route.access != Access::Member(screensort_auth::Permission::ReviewsModerate)
        {
            let got = world.get(&bob, &path).await;
            let empty = got.body["items"].as_array().is_none_or(Vec::is_empty);
            assert!((got.status == 200 && empty) || got.status == 404, "{path}: {}", got.text);
        }
    }
    // What bob takes back is his own, which is nothing.
    for path in
        [format!("/movies/{film}/rating"), format!("/movies/{film}/hidden"), format!("/watchlist/{film}")]
    {
        world.product.with(&bob, "DELETE", &path, Value::Null).await.expect(204, "");
    }
    for list in ["/thumbs", "/ratings", "/hidden", "/watchlist", "/history"] {
        assert_eq!(world.listed(&ann, list).await, [film], "{list}");
    }
}
