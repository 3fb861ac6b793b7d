//! A session is recorded, ended, and played again: nothing personal is shown any more.

use std::collections::BTreeSet;

use screensort_routes::{Access, TABLE};
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};
use crate::{id, with_films};

/// What browsers, proxies and impatient programs send about copies that they have or want.
const CACHE: [(&str, &str); 9] = [
    ("if-none-match", "*"),
    ("if-none-match", "\"v0\", \"v1\", W/\"v1\""),
    ("if-modified-since", "Sun, 22 Nov 2026 12:00:00 GMT"),
    ("if-unmodified-since", "Sun, 22 Nov 2026 13:00:00 GMT"),
    ("cache-control", "only-if-cached"),
    ("cache-control", "max-stale=86400, stale-if-error=86400"),
    ("cache-control", "no-cache"),
    ("range", "bytes=0-"),
    ("if-range", "\"v1\""),
];

/// Where pairs of them are tried.
const PAIRED: [&str; 4] = ["/profile", "/favourites", "/history", "/recommendation"];

/// A path of a route with something of ann's in its place.
fn filled(path: &str, link: &str, key: &str) -> String {
    let operator = id("tmdb", "8");
    let path = path.replace("{operator_id}", &operator).replace("{movie_id}", "27205");
    let own = match path.as_str() {
        path if path.starts_with("/movies/") => "27205",
        path if path.starts_with("/links/") => link,
        path if path.starts_with("/api_keys/") => key,
        path if path.starts_with("/operators/") => &operator,
        _ => "01KAAAAAAAAAAAAAAAAAAAAAAA",
    };
    let path = path.replace("{id}", own).replace("{cidr}", "198.51.100.9").replace("{user_id}", own);
    // Whatever else is named: it only has to be asked for.
    path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}

/// An answer that shows nothing but that nobody is signed in.
fn check(got: &Got, what: &str) {
    assert_eq!((got.status, got.code()), (401, "unauthorized"), "{what}: {}", got.text);
    let fields: BTreeSet<&str> = got.body.as_object().unwrap().keys().map(String::as_str).collect();
    let problem = ["code", "detail", "instance", "request_id", "status", "title", "type"];
    assert!(fields.is_subset(&problem.into()), "{what}: {}", got.text);
    assert_eq!(got.headers["cache-control"], "private, no-store", "{what}");
    for header in ["etag", "last-modified", "link", "content-range", "ratelimit"] {
        assert!(!got.headers.contains_key(header), "{what}: {header}");
    }
}

async fn signed_in_page(product: &Product) -> String {
    let body = json!({"email": "ann@example.org", "password": PASSWORD, "session": "cookie"});
    let got = product.post("/login", body).await.expect(200, "");
    format!("__Host-session={}", got.cookie("__Host-session").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_personal_address_is_shut_after_signing_out_whatever_a_cache_asks() {
    let product = with_films().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let cookie = signed_in_page(&product).await;
    // Something in every place: films, a link that opens everything, a key.
    for (method, path, body) in [
        ("PUT", "/movies/27205/rating", json!({"value": 9.5})),
        ("PUT", "/watchlist/27205", Value::Null),
        ("POST", "/history", json!({"movie_id": 27205})),
        ("PUT", "/queries", json!({"kept": true})),
    ] {
        assert!(product.with(&ann, method, path, body.clone()).await.status < 300, "{method} {path}");
        assert!(product.with(&bob, method, path, body).await.status < 300, "{method} {path}");
    }
    let asked = json!({"email": "bob@example.org", "scopes": ["history", "ratings", "watchlist"]});
    let link = product.with(&ann, "POST", "/links", asked).await.expect(202, "").str("id");
    let token = product.mailed("bob@example.org", "yours too").await;
    product.with(&bob, "POST", "/links/confirm", json!({"token": token})).await.expect(200, "");
    let wanted = json!({"name": "query tool", "scopes": ["operators:read"]});
    let key = product.with(&ann, "POST", "/api_keys", wanted).await.expect(201, "").str("id");
    let personal = TABLE.iter().filter(|route| !matches!(route.access, Access::Anyone));
    let personal: Vec<_> =
        personal.map(|route| (route.method.as_str(), filled(route.path, &link, &key))).collect();
    let reads: Vec<&String> =
        personal.iter().filter(|(method, _)| *method == "GET").map(|(_, path)| path).collect();
    assert!(reads.len() > 30, "{reads:?}");
    let bearer = format!("Bearer {ann}");
    let shown = [("authorization", bearer.as_str()), ("cookie", cookie.as_str())];
    // The session, recorded: what it is shown may be kept by nobody.
    let mut seen = 0;
    for path in &reads {
        for credential in shown {
            let got = product.ask("GET", path, &[credential], Value::Null).await;
            assert!([200, 403, 404].contains(&got.status), "{path}: {}", got.text);
            assert_eq!(got.headers["cache-control"], "private, no-store", "{path}");
            assert_eq!(got.headers["vary"], "Authorization, Cookie, Origin", "{path}");
            seen += usize::from(got.status == 200);
        }
    }
    assert!(seen > 40, "{seen} answers held something");
    let out = product.with(&ann, "POST", "/logout", json!({"all": true})).await.expect(204, "");
    assert!(out.headers["clear-site-data"].to_str().unwrap().contains("\"cache\""));
    // Played again: each header alone, some in pairs, and all at once.
    for path in &reads {
        for credential in shown {
            let mut tries: Vec<Vec<(&str, &str)>> = vec![vec![], CACHE.to_vec()];
            for (at, one) in CACHE.iter().enumerate() {
                tries.push(vec![*one]);
                // The same code answers for every route: pairs are tried on some.
                if !PAIRED.contains(&path.as_str()) {
                    continue;
                }
                tries.extend(CACHE[at + 1..].iter().filter(|two| two.0 != one.0).map(|two| vec![*one, *two]));
            }
            for cache in tries {
                let headers: Vec<_> = std::iter::once(credential).chain(cache).collect();
                let got = product.ask("GET", path, &headers, Value::Null).await;
                check(&got, &format!("{path} {headers:?}"));
            }
        }
    }
    // Nor can anything be changed.
    for (method, path) in personal.iter().filter(|(method, _)| *method != "GET") {
        let got = product.with(&ann, method, path, json!({})).await;
        check(&got, &format!("{method} {path}"));
    }
}
