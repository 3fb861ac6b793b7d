//! Health, documents and attribution.

use flate2::read::GzDecoder;
use screensort_http::Code;
use screensort_tests::{Product, contract, shared};

use std::io::Read;

#[tokio::test]
async fn it_says_that_it_is_up_and_nothing_more() {
    let product = shared().await;
    let body = product.get("/health").await.ok();
    assert_eq!((&body["status"], body.as_object().unwrap().len()), (&"ok".into(), 2));
    assert_eq!(product.get("/health?deep=0").await.status, 200);
    let deep = product.get("/health?deep=1").await;
    deep.refused(401, "unauthorized");
    assert_eq!(deep.header("www-authenticate"), Some("Bearer realm=\"screensort\""));
    product.get("/health?deep=yes").await.refuses("deep");
}

#[tokio::test]
async fn it_names_whom_it_owes_what_it_shows() {
    let body = shared().await.get("/about").await.ok();
    assert_eq!(body["name"], "ScreenSort");
    let owed = &body["attribution"];
    assert!(owed["tmdb"].as_str().unwrap().contains("not endorsed or certified by TMDB"));
    assert!(owed["justwatch"].as_str().unwrap().contains("JustWatch"));
    assert_eq!(
        shared().await.get(body["docs"].as_str().unwrap().strip_prefix("/v1").unwrap()).await.status,
        200
    );
}

#[tokio::test]
async fn the_reference_is_the_committed_document() {
    let answer = shared().await.get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.json(), *contract::DOCUMENT);
}

#[tokio::test]
async fn the_reference_page_runs_only_what_this_host_serves() {
    let product = shared().await;
    let page = product.get("/docs").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && policy.contains("style-src 'self'"), "{policy}");
    let html = page.text();
    let sources: Vec<&str> = html
        .split('<')
        .filter(|tag| {
            tag.starts_with("script") || tag.starts_with("link") && !tag.contains("rel=\"canonical\"")
        })
        .map(|tag| {
            let (_, rest) =
                tag.split_once("src=\"").or_else(|| tag.split_once("href=\"")).expect("a file, not inline");
            assert!(tag.ends_with('>') || tag.ends_with(">\n"), "text inside a script: {tag}");
            rest.split('"').next().unwrap()
        })
        .collect();
    assert_eq!(sources.len(), 4, "{sources:?}");
    for handler in [" onload", " onerror", " onclick", "javascript:", " style=", "http:", "https:"] {
        assert!(!html.contains(handler), "{handler}");
    }
    for source in sources {
        let asset = product.get(&format!("/{source}")).await;
        assert_eq!(asset.status, 200, "{source}");
        let kind = if source.ends_with(".js") { "text/javascript" } else { "text/css" };
        assert_eq!(asset.header("content-type"), Some(format!("{kind}; charset=utf-8").as_str()), "{source}");
    }
}

#[tokio::test]
async fn vendored_files_are_served_as_they_were_published() {
    let product = shared().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/system/docs");
    for name in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        let packed = std::fs::read(format!("{folder}/{name}.gz")).unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        assert_eq!(product.get(&format!("/docs/{name}")).await.body, bytes, "{name}");
    }
}

#[tokio::test]
async fn only_the_pages_own_files_are_served() {
    let product = shared().await;
    for name in [
        "index.html",
        "README.md",
        "swagger-ui-bundle.js.gz",
        "..%2fopenapi.json",
        "%2e%2e%2fCargo.toml",
        "..",
        "START.JS",
        "start.js%2f",
        "..%5c..%5cCargo.toml",
        "start.js%3Fx",
    ] {
        product.get(&format!("/docs/{name}")).await.refused(404, "not_found");
    }
    for name in ["a".repeat(61), "a".repeat(10_000)] {
        product.get(&format!("/docs/{name}")).await.refuses("asset");
    }
    product.get("/docs/start.js?x=1").await.refuses("x");
}

#[tokio::test]
async fn every_problem_explains_itself_at_its_type() {
    let product = shared().await;
    for code in Code::ALL {
        let body = product.get(&format!("/problems/{}", code.word())).await.ok();
        assert_eq!(body["code"], code.word());
        assert_eq!(body["status"], code.status().as_u16());
        assert_eq!(body["title"], code.title());
        assert_eq!(body["advice"], code.advice());
    }
    let refusal = product.get("/movies/0").await.refused(400, "bad_parameter");
    let kind = refusal["type"].as_str().unwrap().strip_prefix("/v1").unwrap();
    assert_eq!(product.get(kind).await.ok()["code"], "bad_parameter");
    product.get("/problems/nope").await.refused(404, "not_found");
    product.get("/problems/GONE").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_weakness_can_be_reported_for_another_half_year() {
    let product = Product::small().await;
    let answer = product.get("/.well-known/security.txt").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let lines: Vec<&str> = answer.text().lines().collect();
    assert!(lines[0].starts_with("Contact: mailto:"), "{lines:?}");
    assert_eq!(lines[1], "Expires: 2027-05-21T00:00:00Z", "{lines:?}");
    product.clock.advance(std::time::Duration::from_secs(86_400));
    assert!(product.get("/.well-known/security.txt").await.text().contains("Expires: 2027-05-22T00:00:00Z"));
}
