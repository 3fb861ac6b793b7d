//! API10:2023, unsafe consumption of APIs. The client of TMDb and the jobs are attacked in `shared/tmdb/tests` and
//! `functions/jobs/tests`; here what TMDb says goes through the whole product to whoever reads it.

use screensort_testkit::tmdb_standin::{Fault, Script};
use serde_json::{Value, json};

use crate::api07_forgery::with_tmdb;
use crate::product::Product;

const MARKUP: &str = "<script>alert(document.domain)</script>";

/// A read as a guest makes it: status, headers and text as they travel.
async fn read(product: &Product, path: &str) -> (u16, String, String) {
    let got = reqwest::get(format!("{}{path}", product.url())).await.unwrap();
    (got.status().as_u16(), format!("{:?}", got.headers()), got.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tmdb_says_of_a_film_is_text_and_its_pictures_are_tmdbs() {
    let (world, tmdb) = with_tmdb().await;
    let product = &world.product;
    let admin = product.admin_token().await;
    let mut film = tmdb.movie(550).unwrap();
    let planted = [
        ("title", format!("{MARKUP}\r\nSet-Cookie: planted=1")),
        ("original_title", "planted \u{202e}gnp.exe\u{2066} \u{0} \u{feff}x".to_owned()),
        ("overview", format!("{MARKUP}{}", "planted ".repeat(40_000))),
        ("tagline", "javascript:alert(1) ${jndi:ldap://x/y} {{7*7}} '; DROP TABLE".to_owned()),
        ("poster_path", "//evil.example/x.jpg".to_owned()),
        ("backdrop_path", "/../../../../evil.jpg?x=<b>".to_owned()),
        ("homepage", "javascript:alert(1)".to_owned()),
        ("imdb_id", "tt1\"><script>".to_owned()),
    ];
    for (field, value) in &planted {
        film[*field] = json!(value);
    }
    if let Some(cast) = film["credits"]["cast"].as_array_mut() {
        for person in cast {
            person["name"] = json!(MARKUP);
            person["character"] = json!("\" onmouseover=alert(1)");
            person["profile_path"] = json!("https://evil.example/p.jpg");
        }
    }
    film["videos"] = json!({"results": [{"site": "YouTube", "key": "x\"><script>", "type": "Trailer", "name": MARKUP,
        "official": true, "iso_639_1": "en"}]});
    assert!(tmdb.set_movie(film));
    if !world.films.contains(&550) {
        product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": 550})).await.expect(201, "");
    } else {
        let film = screensort_model::MovieId::new(550).unwrap();
        let quiet = screensort_jobs::Watch::by(|_, _| {});
        screensort_jobs::sync_movies::read(&product.stand.stack, &[film], &quiet).await.unwrap();
    }
    product.ask("POST", "/_local/jobs/publish_catalog", &[], Value::Null).await;
    product.wait(301);
    for path in [
        "/movies/550",
        "/movies?limit=100",
        "/search?q=script",
        "/search?q=planted",
        "/search/suggest?q=scr",
        "/movies/550/similar",
        "/trending",
    ] {
        let (status, headers, text) = read(product, path).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(!text.contains('<') && !text.contains('>'), "{path} travels as markup: {text}");
        assert!(!headers.contains("planted"), "{path}: {headers}");
        assert!(text.len() < 200_000, "{path}: {} bytes", text.len());
        let body: Value = serde_json::from_str(&text).unwrap();
        all_texts(&body, &mut |at, said| {
            let is_hidden = |c: char| {
                c.is_control() && c != '\n'
                    || ('\u{202a}'..='\u{202e}').contains(&c)
                    || ('\u{2066}'..='\u{2069}').contains(&c)
            };
            assert!(!said.contains(is_hidden), "{path}{at} hides something: {said:?}");
            if at.ends_with("_url") || at.ends_with("/url") {
                let hosts =
                    ["https://image.tmdb.org/", "https://www.youtube.com/", "https://www.themoviedb.org/"];
                assert!(hosts.iter().any(|host| said.starts_with(host)), "{path}{at} leads to {said}");
                assert!(
                    !said.contains("..") && !said.contains('"') && !said.contains("evil"),
                    "{path}{at}: {said}"
                );
            }
        });
    }
    let (_, _, text) = read(product, "/movies/550").await;
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(seen["poster_url"], Value::Null, "a picture of somebody else's is none: {text}");
    assert!(!seen["imdb_id"].to_string().contains("script"), "{text}");
}

/// Every text of a document with where it stands.
fn all_texts(value: &Value, said: &mut impl FnMut(&str, &str)) {
    fn walk(value: &Value, at: &str, said: &mut impl FnMut(&str, &str)) {
        match value {
            Value::String(text) => said(at, text),
            Value::Array(items) => items.iter().for_each(|item| walk(item, at, said)),
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| walk(value, &format!("{at}/{name}"), said))
            }
            _ => {}
        }
    }
    walk(value, "", said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tmdb_that_lies_floods_or_fails_takes_nothing_from_those_who_read() {
    let (world, tmdb) = with_tmdb().await;
    let product = &world.product;
    let films = |text: &str| serde_json::from_str::<Value>(text).unwrap()["items"].clone();
    let before = films(&read(product, "/movies?limit=100").await.2);
    assert_eq!(before.as_array().unwrap().len(), world.films.len());
    let id = tmdb.movie_ids().into_iter().find(|id| !world.films.contains(&u64::from(*id))).unwrap();
    let deep = format!("{}{}", "{\"belongs_to_collection\":".repeat(20_000), "}".repeat(20_000));
    for fault in [
        Fault::InvalidJson,
        Fault::Body(200, "[]".into()),
        Fault::Body(200, "null".into()),
        Fault::Body(200, "{\"id\": \"550\", \"title\": {\"$ne\": null}}".into()),
        Fault::Body(200, deep),
        Fault::Body(200, format!("{{\"id\": {id}, \"title\": null, \"genres\": 7, \"runtime\": -1e308}}")),
        Fault::Body(500, "<html>planted stack trace</html>".into()),
        Fault::WrongId(13),
        Fault::Flood(64 << 20),
        Fault::Bomb(64 << 20),
        Fault::Oversized(64 << 20),
        Fault::CutShort,
        Fault::Unauthorized,
        Fault::Echo,
        Fault::ContentType("text/html"),
    ] {
        tmdb.behave();
        tmdb.script(Script::on(&format!("/3/movie/{id}")).fault(fault.clone()).always());
        product.wait(61);
        let admin = product.admin_token().await;
        let got = product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": id})).await;
        assert!([422, 503, 401].contains(&got.status), "{fault:?}: {} {}", got.status, got.text);
        for word in ["planted", "<html", tmdb.token(), "127.0.0.1", "serde"] {
            assert!(!got.text.contains(word), "{fault:?} says {word}: {}", got.text);
        }
        assert_eq!(films(&read(product, "/movies?limit=100").await.2), before, "{fault:?}");
        assert_eq!(read(product, &format!("/movies/{id}")).await.0, 404, "{fault:?}");
    }
}
