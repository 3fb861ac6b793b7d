//! Every route for every kind of caller: who may is let in, who may not is not.

use screensort_auth::{Permissions, Role};
use screensort_routes::{Access, Caching, Route, TABLE};
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

/// A path of the table with somebody else's ids in the place of its parameters.
fn filled(route: &Route) -> String {
    let path = route.path.replace("{movie_id}", "550").replace("{code}", "gone");
    let path = path.replace("{asset}", "page.css").replace("{operator_id}", "8");
    if path.starts_with("/movies/") { path.replace("{id}", "550") } else { path.replace("{id}", NOBODYS) }
}

/// A film of the sample.
const FILM: u32 = 550;

async fn with_films() -> Product {
    let product = Product::start().await;
    let (films, operators) = screensort::import::sample(product.clock.now()).unwrap();
    assert!(films.iter().any(|film| film.id.get() == FILM));
    screensort::import::keep(&product.stand.stack, &films, &operators, |_| {}).await.unwrap();
    product
}

/// The id of nothing that is anybody's.
const NOBODYS: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// Somebody with the roles, a second factor shown, and how to sign in again.
struct Somebody {
    name: &'static str,
    roles: &'static [Role],
    token: String,
}

impl Somebody {
    fn may(&self) -> Permissions {
        self.roles.iter().fold(Permissions::NONE, |set, role| set.union(role.permissions()))
    }
}

async fn editor(product: &Product) -> String {
    let email = product.person("edith").await;
    let token = product.login(&email).await.str("access_token");
    let (secret, ..) = product.enrol(&token).await;
    product.wait(30);
    let admin = product.admin_token().await;
    let users = product.with(&admin, "GET", "/admin/users?limit=100", Value::Null).await.expect(200, "");
    let edith = users.body["items"].as_array().unwrap().iter().find(|user| user["username"] == "edith");
    let path = format!("/admin/users/{}", edith.unwrap()["id"].as_str().unwrap());
    product.with(&admin, "PATCH", &path, json!({"roles": ["user", "editor"]})).await.expect(200, "");
    product.wait(30);
    let ticket = product.login(&email).await.str("mfa_token");
    let body = json!({"mfa_token": ticket, "code": product.code(&secret)});
    product.post("/login/mfa", body).await.expect(200, "").str("access_token")
}

async fn service(product: &Product, owner: &str) -> String {
    let wanted = json!({"name": "a program", "scopes": ["operators:read"]});
    let key = product.with(owner, "POST", "/api_keys", wanted).await.expect(201, "");
    let grant = json!({
        "grant_type": "client_credentials",
        "client_id": key.str("client_id"),
        "client_secret": key.str("key"),
    });
    product.post("/token", grant).await.expect(200, "").str("access_token")
}

/// What would end the caller's own session: asked last, once for each.
fn ends_the_session(route: &Route) -> bool {
    ["/logout", "/logout/all", "/sessions"].contains(&route.path) && route.method != "GET"
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_exactly_who_may() {
    let product = with_films().await;
    let (owner, _) = product.signed_in("ann").await;
    let service = service(&product, &owner).await;
    let closed_email = product.person("carl").await;
    let editor = editor(&product).await;
    product.wait(30);
    let admin = product.admin_token().await;
    let user = product.login("ann@example.org").await.str("access_token");
    let closed = product.login(&closed_email).await.str("access_token");
    let users = product.with(&admin, "GET", "/admin/users?limit=100", Value::Null).await;
    let carl = users.body["items"].as_array().unwrap().iter().find(|user| user["username"] == "carl");
    let path = format!("/admin/users/{}", carl.unwrap()["id"].as_str().unwrap());
    product.with(&admin, "PATCH", &path, json!({"disabled": true})).await.expect(200, "");
    let people = [
        Somebody { name: "user", roles: &[Role::User], token: user },
        Somebody { name: "editor", roles: &[Role::User, Role::Editor], token: editor },
        Somebody { name: "admin", roles: &[Role::User, Role::Admin], token: admin },
    ];
    let (last, first): (Vec<&Route>, Vec<&Route>) = TABLE.iter().partition(|route| ends_the_session(route));
    let mut asked = 0;
    for route in first.into_iter().chain(last) {
        let (method, path) = (route.method.as_str(), filled(route));
        let permission = match route.access {
            Access::Anyone if route.caching != Caching::NoStore => continue,
            Access::Anyone => {
                // Nobody is turned away for who they are, not even with credentials that are no good.
                let got = product.ask(method, &path, &[], Value::Null).await;
                assert!(got.status != 403 || got.code() == "csrf", "{method} {path}: {}", got.text);
                continue;
            }
            Access::Member(permission) | Access::Recent(permission) | Access::Caller(permission) => {
                permission
            }
        };
        asked += 1;
        product.ask(method, &path, &[], Value::Null).await.expect(401, "unauthorized");
        product.with(&closed, method, &path, Value::Null).await.expect(401, "unauthorized");
        let got = product.with(&service, method, &path, Value::Null).await;
        match route.access {
            Access::Caller(permission) if Role::Service.permissions().contains(permission) => {
                assert!(![401, 403].contains(&got.status), "service {method} {path}: {}", got.text);
            }
            Access::Caller(_) => assert_eq!(got.status, 403, "service {method} {path}"),
            _ => assert_eq!(got.status, 401, "service {method} {path}"),
        }
        for person in people.iter().filter(|_| !ends_the_session(route)) {
            let got = product.with(&person.token, method, &path, Value::Null).await;
            let what = format!("{} {method} {path}: {} {}", person.name, got.status, got.text);
            if person.may().contains(permission) {
                assert!(![401, 403].contains(&got.status), "{what}");
                // The body is missing or the object is nobody's: an empty call changes nothing.
                assert!(got.status < 500, "{what}");
            } else {
                assert_eq!((got.status, got.code()), (403, "forbidden"), "{what}");
            }
        }
    }
    assert!(asked > 60, "{asked} routes");
    for person in &people {
        product.with(&person.token, "POST", "/logout", Value::Null).await.expect(204, "");
        product.with(&person.token, "GET", "/thumbs", Value::Null).await.expect(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_before_the_proof_is_there_leaves_with_nobody_whose_session_has_ended() {
    let product = with_films().await;
    let email = product.person("ann").await;
    let token = product.login(&email).await.str("access_token");
    let thumb = json!({"movie_id": FILM, "action": "thumbs_up"});
    product.with(&token, "POST", "/thumbs_action", thumb).await.expect(200, "");
    // The first list of a process waits for the key of cursors.
    product.with(&token, "GET", "/thumbs", Value::Null).await.expect(200, "");
    product.with(&token, "GET", "/thumbs", Value::Null).await.expect(200, "");
    // The session beside the data: two requests, one step.
    assert_eq!(product.store_cost("thumbs"), (2, 1));
    for (path, endpoint) in [
        ("/ratings", "ratings"),
        ("/hidden", "hidden"),
        ("/history", "history"),
        ("/watchlist", "watchlist"),
        ("/reviews", "reviews"),
        ("/preferences", "preferences"),
        ("/queries", "queries"),
        ("/links", "links"),
        ("/logins", "logins"),
        ("/profile", "profile"),
        ("/sessions", "sessions"),
        ("/security", "security"),
        ("/api_keys", "api_keys"),
        ("/recommendation", "recommendation"),
    ] {
        product.with(&token, "GET", path, Value::Null).await.expect(200, "");
        let (_, steps) = product.store_cost(endpoint);
        assert_eq!(steps, 1, "{path}");
    }
    let cookie = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    let got = product.post("/login", cookie).await.expect(200, "");
    let cookie = format!("__Host-session={}", got.cookie("__Host-session").unwrap());
    product.ask("GET", "/thumbs", &[("cookie", &cookie)], Value::Null).await.expect(200, "");
    assert_eq!(product.store_cost("thumbs"), (2, 2), "a cookie is proven first");
    product.with(&token, "POST", "/logout", Value::Null).await.expect(204, "");
    let personal = TABLE.iter().filter(|route| route.method == "GET" && route.access != Access::Anyone);
    for route in personal {
        let got = product.with(&token, "GET", &filled(route), Value::Null).await.expect(401, "unauthorized");
        assert!(!got.text.contains("movie_id"), "{}", got.text);
    }
    // Wrong input of somebody who is nobody any more is not discussed either.
    product.with(&token, "GET", "/thumbs?limit=x", Value::Null).await.expect(401, "unauthorized");
}
