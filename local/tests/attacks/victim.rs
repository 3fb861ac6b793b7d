//! Somebody who has one of everything, and what the reference says may be sent.

use screensort_routes::{Route, TABLE};
use serde_json::{Value, json};

use crate::product::PASSWORD;
use crate::world::World;

/// What only the victim may see.
pub(crate) const SECRET: &str = "planted: nobody else reads this, however they ask for it";

pub(crate) struct Victim {
    pub(crate) token: String,
    pub(crate) account: String,
    pub(crate) film: u64,
    pub(crate) session: String,
    pub(crate) key: String,
    pub(crate) client: String,
    pub(crate) key_secret: String,
    pub(crate) link: String,
    pub(crate) entry: String,
    pub(crate) review: String,
    pub(crate) export: String,
    pub(crate) import: String,
    pub(crate) operator: String,
}

impl World {
    /// Somebody with one of everything, linked to an account that is theirs too.
    pub(crate) async fn victim(&self, name: &str) -> Victim {
        let other = format!("{name}-too");
        let (token, other_token) = (self.person(name).await, self.person(&other).await);
        let (film, account) = (self.films[1], self.id(&token).await);
        let ask = async |token: &str, method: &str, path: &str, body: Value| {
            let got = self.product.with(token, method, path, body).await;
            assert!(got.status < 300, "{method} {path}: {}", got.text);
            got
        };
        let mine = async |method: &str, path: &str, body: Value| ask(&token, method, path, body).await;
        mine("POST", "/thumbs_action", json!({"movie_id": film, "action": "thumbs_up"})).await;
        mine("PUT", &format!("/movies/{film}/rating"), json!({"value": 9.5})).await;
        mine("PUT", &format!("/watchlist/{film}"), Value::Null).await;
        mine("PATCH", "/profile", json!({"bio": SECRET, "region": "GB", "birth_year": 1990})).await;
        let entry = mine("POST", "/history", json!({"movie_id": film})).await.str("id");
        let review = mine("PUT", &format!("/movies/{film}/review"), json!({"text": SECRET})).await.str("id");
        let export = mine("POST", "/profile/export", Value::Null).await.str("id");
        let file = json!({"source": "letterboxd", "content": "Name,Year\nplanted,1901\n"});
        let import = mine("POST", "/imports", file).await.str("id");
        let wanted = json!({"name": "query tool", "scopes": ["operators:read"]});
        let key = mine("POST", "/api_keys", wanted).await;
        let (key, client, key_secret) = (key.str("id"), key.str("client_id"), key.str("key"));
        let wanted =
            json!({"email": format!("{other}@example.org"), "scopes": ["history", "ratings", "watchlist"]});
        let link = mine("POST", "/links", wanted).await.str("id");
        let mailed = self.product.mailed(&format!("{other}@example.org"), "yours too").await;
        ask(&other_token, "POST", "/links/confirm", json!({"token": mailed})).await;
        let sessions = mine("GET", "/sessions", Value::Null).await;
        let session = sessions.body["items"][0]["id"].as_str().unwrap().to_owned();
        let operators = mine("GET", "/operators?limit=1", Value::Null).await;
        let operator = operators.body["items"][0]["id"].as_str().unwrap().to_owned();
        mine("PUT", &format!("/favourites/{operator}"), Value::Null).await;
        mine("PUT", "/queries", json!({"kept": true})).await;
        self.product.gateway.follow_changes().await.unwrap();
        Victim {
            token,
            account,
            film,
            session,
            key,
            client,
            key_secret,
            link,
            entry,
            review,
            export,
            import,
            operator,
        }
    }

    /// All that the victim reads of their own, but what moves by being read.
    pub(crate) async fn belongings(&self, of: &Victim) -> Vec<String> {
        let mut all = Vec::new();
        for path in [
            "/profile",
            "/preferences",
            "/thumbs",
            "/ratings",
            "/hidden",
            "/history",
            "/watchlist",
            "/reviews",
            "/api_keys",
            "/links",
            "/favourites",
            "/queries",
            "/sessions",
            "/session",
            "/security",
        ] {
            let got = self.get(&of.token, path).await.expect(200, "");
            all.push(format!("{path} {}", got.text));
        }
        all
    }
}

/// A route's path with the victim's things in it.
pub(crate) fn path_of(route: &Route, of: &Victim) -> String {
    let id = match route.path {
        "/sessions/{id}" => of.session.clone(),
        "/api_keys/{id}" => of.key.clone(),
        "/operators/{id}" | "/admin/operators/{id}" => of.operator.clone(),
        "/profile/export/{id}" => of.export.clone(),
        "/imports/{id}" => of.import.clone(),
        "/admin/users/{id}" => of.account.clone(),
        path if path.starts_with("/links/") => of.link.clone(),
        _ => of.film.to_string(),
    };
    route
        .path
        .replace("{id}", &id)
        .replace("{movie_id}", &of.film.to_string())
        .replace("{operator_id}", &of.operator)
        .replace("{hid}", &of.entry)
        .replace("{rid}", &of.review)
        .replace("{user_id}", &of.account)
        .replace("{cidr}", "203.0.113.7-32")
        .replace("{code}", "gone")
        .replace("{asset}", "page.css")
}

/// What a route must be given in its query.
pub(crate) fn query_of(route: &Route) -> &'static str {
    match route.path {
        "/search" | "/search/suggest" => "?q=the",
        "/movies/{id}/operators" => "?region=US",
        _ => "",
    }
}

/// The reference.
pub(crate) fn reference() -> Value {
    serde_json::from_str(screensort_system::openapi::DOCUMENT).unwrap()
}

/// Every route that takes a body, with the schema of the body, references followed once.
pub(crate) fn bodies() -> Vec<(&'static Route, Value)> {
    let document = reference();
    let schema = |route: &'static Route| {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        Some((route, followed(&document, schema)?))
    };
    TABLE.iter().filter_map(|route| schema(route)).collect()
}

/// A schema, or the one that it refers to.
pub(crate) fn followed(document: &Value, schema: &Value) -> Option<Value> {
    if schema.is_null() {
        return None;
    }
    let Some(name) = schema["$ref"].as_str() else { return Some(schema.clone()) };
    Some(document.pointer(name.strip_prefix('#').unwrap()).unwrap().clone())
}

/// A body that the route takes, so that what is added to it is what is judged.
pub(crate) fn sound_body(route: &Route, of: &Victim) -> Value {
    match (route.method.as_str(), route.path) {
        ("POST", "/thumbs_action") => json!({"movie_id": of.film, "action": "thumbs_up"}),
        ("PUT", "/movies/{id}/rating") => json!({"value": 7.5}),
        ("POST", "/history") => json!({"movie_id": of.film}),
        ("PATCH", "/history/{hid}") => json!({"rewatch": true}),
        ("PUT", "/movies/{id}/review") => {
            json!({"text": "A text of mine, long enough to be taken by anybody."})
        }
        ("PATCH", "/profile") => json!({"bio": "mine"}),
        ("PUT", "/preferences") => json!({"max_runtime": 99}),
        ("PUT", "/queries") => json!({"kept": false}),
        ("POST", "/register") => {
            json!({"username": "mallory", "email": "mallory@example.org", "password": PASSWORD})
        }
        ("POST", "/api_keys") => json!({"name": "mine", "scopes": ["operators:read"]}),
        ("POST", "/links") => json!({"email": "nobody@example.org", "scopes": ["history"]}),
        ("POST", "/recommendation/{movie_id}/why") => {
            json!({"reason": {"type": "popular"}, "action": "more"})
        }
        ("PATCH", "/admin/users/{id}") => json!({"disabled": false}),
        ("PUT", "/admin/blocklist/{cidr}") => json!({"reason": "mine"}),
        ("POST", "/admin/add_movie") => json!({"title": "Ferry"}),
        ("PUT", "/admin/operators/{id}") => json!({"kind": "streaming", "name": "Ours"}),
        _ => json!({}),
    }
}
