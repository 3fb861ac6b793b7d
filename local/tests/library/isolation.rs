use aws_sdk_dynamodb::types::AttributeValue;
use screensort_auth::Permission;
use screensort_routes::{Access, Area, Route, TABLE};
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD};
use crate::world::World;

/// What only ann may see.
const PLANTED: &str = "planted: it is long, it is loud, and I liked every minute of it";

/// What somebody has that others might try to reach.
struct Owned {
    token: String,
    account: String,
    film: u64,
    entry: String,
    review: String,
    export: String,
    import: String,
}

impl World {
    /// Somebody who has two of everything that there are lists of.
    async fn owner(&self, name: &str) -> Owned {
        let token = self.person(name).await;
        let account = self.id(&token).await;
        let ask = async |method: &str, path: &str, body: Value| {
            let got = self.product.with(&token, method, path, body).await;
            assert!(got.status < 300, "{method} {path}: {}", got.text);
            got
        };
        let (mut entry, mut review) = (String::new(), String::new());
        for film in &self.films[..2] {
            self.product.wait(1);
            ask("POST", "/thumbs_action", json!({"movie_id": film, "action": "thumbs_up"})).await;
            ask("PUT", &format!("/movies/{film}/rating"), json!({"value": 9.5})).await;
            ask("PUT", &format!("/watchlist/{film}"), Value::Null).await;
            entry = ask("POST", "/history", json!({"movie_id": film})).await.str("id");
            review = ask("PUT", &format!("/movies/{film}/review"), json!({"text": PLANTED})).await.str("id");
        }
        for film in &self.films[2..4] {
            ask("PUT", &format!("/movies/{film}/hidden"), Value::Null).await;
        }
        let told = json!({"bio": "planted", "display_name": "planted", "birth_year": 1990});
        ask("PATCH", "/profile", told).await;
        ask("PUT", "/preferences", json!({"max_runtime": 321})).await;
        let wish = json!({"reason": {"type": "popular"}, "action": "less"});
        ask("POST", &format!("/recommendation/{}/why", self.films[5]), wish).await;
        let export = ask("POST", "/profile/export", Value::Null).await.str("id");
        let file = json!({"source": "letterboxd", "content": "Name,Year\nplanted,1901\n"});
        let import = ask("POST", "/imports", file).await.str("id");
        self.product.gateway.follow_changes().await.unwrap();
        Owned { token, account, film: self.films[1], entry, review, export, import }
    }

    /// Every item of somebody's partition.
    async fn partition(&self, account: &str) -> String {
        let stack = &self.product.stand.stack;
        let query = stack.dynamodb().query().table_name(&stack.settings().tables.library);
        let query = query.key_condition_expression("pk = :pk").consistent_read(true);
        let pk = AttributeValue::S(format!("PERSON#{account}"));
        let found = query.expression_attribute_values(":pk", pk).send().await.unwrap();
        let mut items: Vec<String> = found
            .items()
            .iter()
            .map(|item| {
                let mut fields: Vec<String> =
                    item.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                fields.sort_unstable();
                fields.join(", ")
            })
            .collect();
        items.sort_unstable();
        items.join("\n")
    }
}

/// A route's path with somebody's things in it.
fn path(route: &Route, of: &Owned) -> String {
    let id = match route.path {
        "/profile/export/{id}" => of.export.clone(),
        "/imports/{id}" => of.import.clone(),
        _ => of.film.to_string(),
    };
    route
        .path
        .replace("{id}", &id)
        .replace("{movie_id}", &of.film.to_string())
        .replace("{hid}", &of.entry)
        .replace("{rid}", &of.review)
        .replace("{user_id}", &of.account)
}

/// What a route is called with. A route that stands nowhere here is tried by nobody: that is a mistake.
fn body(route: &Route, of: &Owned) -> Value {
    match (route.method.as_str(), route.path) {
        ("POST", "/thumbs_action") => json!({"movie_id": of.film, "action": "thumbs_down"}),
        ("PUT", "/movies/{id}/rating") => json!({"value": 1.5}),
        ("POST", "/history") => json!({"movie_id": of.film}),
        ("PATCH", "/history/{hid}") => json!({"rewatch": true}),
        ("PUT", "/movies/{id}/review") => json!({"text": "Another text, which is long enough to be taken."}),
        ("POST", "/reviews/{rid}/report") => json!({"reason": "spam"}),
        ("POST", "/moderation/reviews/{rid}") => json!({"decision": "remove"}),
        ("PATCH", "/profile") => json!({"bio": "something else"}),
        ("DELETE", "/profile") => json!({"password": PASSWORD}),
        ("POST", "/profile/export") => json!({"format": "json"}),
        ("POST", "/imports") => json!({"source": "letterboxd", "content": "Name,Year\nNobody's,1901\n"}),
        ("PUT", "/preferences") => json!({"max_runtime": 99}),
        ("POST", "/recommendation/{movie_id}/why") => {
            json!({"reason": {"type": "popular"}, "action": "more"})
        }
        ("GET", "/thumbs" | "/ratings" | "/hidden" | "/history" | "/watchlist" | "/reviews" | "/profile")
        | ("GET", "/preferences" | "/security" | "/profile/export/{id}" | "/imports/{id}")
        | ("GET", "/movies/{id}/reviews" | "/moderation/reviews" | "/recommendation")
        | ("GET", "/recommendation/{movie_id}/why" | "/admin/recommendations/{user_id}")
        | ("PUT" | "DELETE", "/movies/{id}/hidden" | "/watchlist/{movie_id}")
        | ("DELETE", "/movies/{id}/rating" | "/movies/{id}/review" | "/history/{hid}") => Value::Null,
        (method, path) => panic!("{method} {path} is not tried for isolation"),
    }
}

fn routes() -> Vec<&'static Route> {
    let areas = [Area::Library, Area::Profile, Area::Reviews, Area::Recommendations];
    let here =
        |route: &&&Route| areas.contains(&route.area) || ["/profile", "/security"].contains(&route.path);
    let mut routes: Vec<&Route> = TABLE.iter().filter(here).copied().collect();
    // Who is deleted can be asked nothing any more.
    routes.sort_by_key(|route| (route.path == "/profile" && route.method == "DELETE", route.method != "GET"));
    routes
}

/// Whether a route leads to a thing of one person by an id that nobody else has.
fn names_a_thing(route: &Route) -> bool {
    ["{hid}", "{rid}", "/profile/export/{id}", "/imports/{id}"].iter().any(|part| route.path.contains(part))
}

fn is_for_staff(route: &Route) -> bool {
    let staff = [Permission::ReviewsModerate, Permission::RecommendationsReadAll];
    staff.iter().any(|may| [Access::Member(*may), Access::Recent(*may)].contains(&route.access))
}

#[track_caller]
fn shows_nothing(what: &str, got: &Got, of: &Owned) {
    let ids = [&of.entry, &of.review, &of.export, &of.import];
    let told = ["planted", "\"value\":9.5", "\"max_runtime\":321"];
    for secret in told.into_iter().chain(ids.map(String::as_str)) {
        // A problem says which path it is about.
        assert!(what.contains(secret) || !got.text.contains(secret), "{what} shows {secret}: {}", got.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_or_changes_anything_of_anybody_elses_by_path_query_body_or_cursor() {
    let world = World::start().await;
    let (mut ann, mut bob) = (world.owner("ann").await, world.person("bob").await);
    let again =
        async |name: &str| world.product.login(&format!("{name}@example.org")).await.str("access_token");
    let before = world.partition(&ann.account).await;
    assert!(before.lines().count() > 12 && routes().len() > 30);
    for (at, route) in routes().into_iter().enumerate() {
        // Calls are counted by the minute, and tokens live five of them.
        world.product.wait(20);
        if at % 10 == 9 {
            (ann.token, bob) = (again("ann").await, again("bob").await);
        }
        let (method, path, body) = (route.method.as_str(), path(route, &ann), body(route, &ann));
        let what = format!("{method} {path}");
        // A guest.
        let got = world.product.ask(method, &path, &[], body.clone()).await;
        let is_open = route.access == Access::Anyone;
        assert_eq!(got.status, if is_open { 200 } else { 401 }, "{what}: {}", got.text);
        shows_nothing(&what, &got, &ann);
        // Another person: in the query, in the body, by cursor, and last in the path alone.
        for query in ["user_id", "account", "owner", "pk"] {
            let path = format!("{path}?{query}={}", ann.account);
            let got = world.product.with(&bob, method, &path, body.clone()).await;
            assert!([400, 403].contains(&got.status), "{what} with {query}: {} {}", got.status, got.text);
        }
        if body.is_object() {
            for field in ["user_id", "account_id", "by", "pk"] {
                let mut body = body.clone();
                body[field] = ann.account.clone().into();
                let got = world.product.with(&bob, method, &path, body).await;
                assert!([422, 403].contains(&got.status), "{what} with {field}: {}", got.text);
            }
        }
        if method == "GET" && !path.contains('?') {
            let page = world.get(&ann.token, &format!("{path}?limit=1")).await;
            if let Some(cursor) = page.body["next_cursor"].as_str() {
                let got = world.get(&bob, &format!("{path}?limit=1&cursor={cursor}")).await;
                got.expect(400, "bad_cursor");
            }
        }
        let got = world.product.with(&bob, method, &path, body).await;
        match (is_for_staff(route), names_a_thing(route)) {
            (true, _) => assert_eq!(got.status, 403, "{what}: {}", got.text),
            (_, true) => assert_eq!(got.status, 404, "{what}: {}", got.text),
            // It is bob's own that is read and changed.
            _ => assert!(got.status < 300 || got.status == 404, "{what}: {} {}", got.status, got.text),
        }
        shows_nothing(&what, &got, &ann);
        assert_eq!(world.partition(&ann.account).await, before, "{what} changed something of ann's");
    }
    // The same calls are hers to make.
    let mut ann = world.owner("cat").await;
    for (at, route) in routes().into_iter().enumerate() {
        world.product.wait(20);
        if at % 10 == 9 {
            ann.token = again("cat").await;
        }
        let (method, path) = (route.method.as_str(), path(route, &ann));
        let got = world.product.with(&ann.token, method, &path, body(route, &ann)).await;
        let expected = match (is_for_staff(route), method, route.path) {
            (true, ..) => got.status == 403,
            // A review of one's own is not reported, and one that waits is there for nobody.
            (_, "POST", "/reviews/{rid}/report") => [404, 409].contains(&got.status),
            _ => got.status < 300,
        };
        assert!(expected, "{method} {path} by its owner: {} {}", got.status, got.text);
    }
}
