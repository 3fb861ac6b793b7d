//! What the gateway does before any function is asked.

use std::collections::BTreeSet;

use futures::future::join_all;
use http::Method;
use screensort_routes::{Access, Route, TABLE};
use screensort_tests::{Ask, ORIGIN, Product, shared};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A path of the route's shape.
fn path(route: &Route) -> String {
    route.path.replace("{asset}", "start.js").replace("{code}", "gone").replace("{id}", "13")
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let product = shared().await;
    for path in [
        "/",
        "/nope",
        "/movies/",
        "/movies//",
        "//movies",
        "/movies/13/",
        "/movies/13/nope",
        "/movies//similar",
        "/movies/13/similar/x",
        "/Movies",
        "/MOVIES",
        "/movies;x=1",
        "/movies%2f13",
        "/movies%3fq=x",
        "/mov%69es",
        "/%6dovies",
        "/.",
        "/..",
        "/./movies",
        "/../v1/movies",
        "/%2e%2e/movies",
        "/movies/%2e%2e/genres",
        "/movies/13/../11",
        "/movies/.%00./similar/x",
        "/_local",
        "/_local/",
        "/_local/nope",
        "/.well-known/",
        "/.well-known/jwks.json/x",
        "/docs/",
        "/docs/a/b",
        "/search/",
        "/people/",
        "/people",
        "/problems/",
        "/v1/movies",
        "/%00",
        "/\\movies",
        "/movies\\13",
        "/$default",
        "/*",
        "/{id}",
        "/movies/{id}/{id}",
        "/.git/config",
        "/.env",
        "/movies.json",
        "/robots.txt",
        "/admin",
        "/graphql",
    ] {
        product.get(path).await.refused(404, "not_found");
    }
    for target in
        ["/", "/v1", "/v2/movies", "/movies", "/v1x/movies", "/V1/movies", "//v1/movies", "/%76%31/movies"]
    {
        product.ask(Ask::outside(Method::GET, target)).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_path_that_looks_like_a_parameter_is_one() {
    let product = shared().await;
    for id in ["..", "%2e%2e", "%2e%2e%2f", ".", "%00", "~", "13%2fsimilar", "{id}", "similar", "%252e"] {
        product.get(&format!("/movies/{id}")).await.refuses("id");
    }
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let product = shared().await;
    let methods =
        ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "X"];
    for route in TABLE {
        let there: Vec<&str> = TABLE
            .iter()
            .filter(|other| other.path == route.path)
            .map(|other| other.method.as_str())
            .collect();
        for method in methods.iter().filter(|method| !there.contains(method)) {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = product.ask(Ask::new(method.clone(), &path(route))).await;
            let allow = there.join(", ");
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allow.as_str())),
                "{method} {}",
                route.path
            );
            if method == Method::HEAD {
                assert!(answer.body.is_empty());
            } else {
                answer.refused(405, "method_not_allowed");
            }
        }
    }
    product.ask(Ask::new(Method::POST, "/nope")).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_method_in_a_header_or_parameter_changes_nothing() {
    let product = shared().await;
    let ask =
        Ask::get("/movies/13").with("x-http-method-override", "DELETE").with("x-method-override", "PUT");
    assert_eq!(product.ask(ask).await.status, 200);
    product.get("/movies/13?_method=DELETE").await.refuses("_method");
}

#[tokio::test]
async fn a_call_that_takes_no_body_refuses_one() {
    let product = shared().await;
    for route in TABLE.iter().filter(|r| r.method == Method::GET && r.access == Access::Anyone) {
        let ask = Ask::get(&path(route)).with("content-type", "application/json").with_body("{\"id\":1}");
        product.ask(ask).await.refused(400, "body_not_allowed");
    }
    // A body that is larger than any function takes is not read to its end.
    let mut bytes = b"GET /v1/movies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7340032\r\n\r\n".to_vec();
    bytes.resize(bytes.len() + (7 << 20), b'x');
    let answer = raw(product, &bytes, false).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn each_answer_has_an_id_of_its_own_and_none_is_taken_from_the_caller() {
    let product = shared().await;
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let mine = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let ask = Ask::get("/health").with("x-request-id", mine).with("x-amzn-requestid", mine);
        let id = product.ask(ask).await.header("x-request-id").unwrap().to_owned();
        assert!(id != mine && seen.insert(id));
    }
}

#[tokio::test]
async fn only_pages_of_a_named_origin_may_read_answers() {
    let product = shared().await;
    // That no other origin is ever named is part of every answer's contract.
    for path in ["/movies?limit=1", "/movies/13", "/movies/0", "/movies?nope=1", "/genres"] {
        let answer = product.ask(Ask::get(path).with("origin", ORIGIN)).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN), "{path}");
        assert!(answer.header("access-control-expose-headers").unwrap().contains("ETag"), "{path}");
    }
    for origin in [
        "null",
        "*",
        "",
        "http://app.example.org",
        "https://app.example.org:444",
        "https://app.example.org.evil.example",
        "https://evil.example",
        "HTTPS://APP.EXAMPLE.ORG",
        "https://app.example.org/",
        "https://app.example.org, https://evil.example",
    ] {
        let answer = product.ask(Ask::get("/movies?limit=1").with("origin", origin)).await;
        assert_eq!(answer.status, 200, "{origin}");
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{origin}");
    }
}

#[tokio::test]
async fn the_source_address_is_the_connections_whatever_proxies_claim() {
    let product = Product::small().await;
    let ask =
        Ask::get("/health").with("x-forwarded-for", "198.51.100.1").with("forwarded", "for=198.51.100.1");
    let answer = product.ask(ask.with("x-real-ip", "198.51.100.1")).await;
    assert_eq!(product.record(&answer).unwrap().source, "127.0.0.1");
    // On this machine only: so that limits can be tried.
    let answer = product.ask(Ask::get("/health").with("x-local-source", "203.0.113.7")).await;
    assert_eq!(product.record(&answer).unwrap().source, "203.0.113.7");
    let answer = product.ask(Ask::get("/health").with("x-local-source", "not an address")).await;
    assert_eq!(product.record(&answer).unwrap().source, "127.0.0.1");
}

#[tokio::test]
async fn only_who_asks_this_machine_by_its_own_name_is_answered() {
    let product = shared().await;
    for host in [
        "a b",
        "evil.example/path",
        "[::1",
        "x\"y",
        "<script>",
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:3000",
        "localhost@evil.example",
        "evil.example@localhost",
        "0.0.0.0",
        "192.168.0.1",
        "2130706433",
    ] {
        for path in ["/health", "/movies?limit=1", "/_local/mail", "/nope"] {
            let answer = product.ask(Ask::get(path).with("host", host)).await;
            answer.refused(400, "bad_parameter");
            let repeated =
                |value: &http::HeaderValue| value.as_bytes().windows(4).any(|part| part == b"evil");
            assert!(!answer.headers.values().any(repeated) && !answer.text().contains("evil"), "{host}");
        }
    }
    for ours in ["localhost", "LOCALHOST:3000", "127.0.0.1", "127.0.0.1:1", "[::1]:3000"] {
        assert_eq!(product.ask(Ask::get("/health").with("host", ours)).await.status, 200, "{ours}");
    }
    // Two names are one too many, and one in the target is no better.
    for head in [
        "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
        "GET /v1/health HTTP/1.1\r\nHost: evil.example\r\nHost: localhost",
        "GET http://evil.example/v1/health HTTP/1.1\r\nHost: localhost",
        "GET http://localhost/v1/health HTTP/1.1\r\nHost: evil.example",
    ] {
        let answer = raw(product, format!("{head}\r\nConnection: close\r\n\r\n").as_bytes(), false).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_starts_nothing_on_this_machine() {
    let product = Product::small().await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", ORIGIN),
        ("origin", "http://localhost:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for ask in [
            Ask::new(Method::POST, "/_local/jobs/publish_catalog"),
            Ask::new(Method::POST, "/_local/streams/replay"),
            Ask::get("/_local/mail"),
        ] {
            product.ask(ask.with(name, value)).await.refused(403, "origin_refused");
        }
    }
    let own = format!("http://{}", product.address());
    let ask = Ask::get("/_local/mail").with("origin", &own).with("sec-fetch-site", "same-origin");
    assert_eq!(product.ask(ask).await.status, 200);
    let typed = Ask::get("/_local/mail").with("sec-fetch-site", "none");
    assert_eq!(product.ask(typed).await.status, 200);
}

#[tokio::test]
async fn a_record_holds_the_route_and_nothing_that_the_caller_typed() {
    let product = Product::small().await;
    let path = "/search?q=planted-text&type=planted-type";
    let answer = product.ask(Ask::get(path).with("authorization", "Bearer planted-token")).await;
    let record = product.record(&answer).unwrap();
    assert_eq!((record.route, record.endpoint, record.status), ("/search", "search", 400));
    assert_eq!(record.problem, Some("bad_parameter"));
    assert!(!format!("{record:?}").contains("planted"), "{record:?}");
    assert!(!record.json().contains("planted"), "{}", record.json());
}

#[tokio::test]
async fn the_last_requests_can_be_looked_at_on_this_machine() {
    let product = Product::small().await;
    let answer = product.get("/movies/13").await;
    let events = product.get("/_local/events").await.items();
    let event = events.iter().find(|e| e["request_id"].as_str() == answer.header("x-request-id")).unwrap();
    assert_eq!((&event["route"], &event["status"]), (&"/movies/{id}".into(), &200.into()));
    for (method, path, allow) in
        [(Method::POST, "/_local/events", "GET"), (Method::GET, "/_local/jobs/retention", "POST")]
    {
        let answer = product.ask(Ask::new(method, path)).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow));
    }
    product.ask(Ask::new(Method::POST, "/_local/jobs/nope")).await.refused(404, "not_found");
    let answer = product.ask(Ask::new(Method::POST, "/_local/jobs/publish_catalog")).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
}

#[tokio::test]
async fn fifty_mixed_requests_at_once_are_all_answered() {
    let product = shared().await;
    let paths = [
        ("/movies?limit=100&sort=rating", 200),
        ("/movies/13", 200),
        ("/movies/550/similar?limit=100", 200),
        ("/movies/12/operators?region=US", 200),
        ("/search?q=the&limit=100", 200),
        ("/search/suggest?q=s", 200),
        ("/genres", 200),
        ("/movies?nope=1", 400),
        ("/movies/1", 404),
        ("/docs/swagger-ui-bundle.js", 200),
    ];
    let asked = (0..50).map(|at| {
        let (path, status) = paths[at % paths.len()];
        async move { (product.get(path).await, status) }
    });
    for (answer, status) in join_all(asked).await {
        assert_eq!(answer.status, status, "{}", answer.target);
    }
}

/// Sends bytes as they are and reads whatever comes back until the connection is closed; `hang_up` says that no more
/// is to be expected.
async fn raw(product: &Product, bytes: &[u8], hang_up: bool) -> String {
    let mut stream = TcpStream::connect(product.address()).await.unwrap();
    // A product that has seen enough may be gone before everything is sent.
    let _ = stream.write_all(bytes).await;
    if hang_up {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    // A connection that is reset has been answered enough.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bytes_that_are_not_http_end_the_connection_and_nothing_else() {
    let product = shared().await;
    let endless = vec![b'a'; 1 << 20];
    for bytes in [
        b"\x16\x03\x01\x02\x00".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/movies HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET /v1/movies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n",
        b"GET /v1/movies HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /v1/movies HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /v1/mo\x00vies HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &endless,
    ] {
        let answer = raw(product, bytes, true).await;
        assert!(!answer.contains(" 200 ") && !answer.contains(" 500 "), "{answer}");
        assert!(!answer.to_lowercase().contains("server:"), "{answer}");
    }
    assert_eq!(product.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_target_in_another_form_is_answered_or_refused_but_never_followed() {
    let product = shared().await;
    for line in [
        "GET http://evil.example/v1/health HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT evil.example:443 HTTP/1.1",
        "GET /v1/health?\u{202e} HTTP/1.1",
        "GET /v1/caf\u{e9} HTTP/1.1",
        "GET /v1/health#x HTTP/1.1",
    ] {
        let request = format!("{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = raw(product, request.as_bytes(), false).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{line}: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 5"), "{line}: {answer}");
        assert!(!answer.to_lowercase().contains("location: http"), "{line}: {answer}");
    }
}
