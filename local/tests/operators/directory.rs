use serde_json::{Value, json};

use crate::{id, names, with_operators};

const HYPERCAT: &str = "application/vnd.hypercat.catalogue+json";

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_stand_side_by_side_and_are_found_by_every_filter() {
    let product = with_operators().await;
    let (token, _) = product.signed_in("ann").await;
    let all = product.get(&token, "/operators").await.expect(200, "");
    let expected = ["<b>Bold & Sons</b>", "Apple TV Store", "Avanti West Coast", "Greater Anglia", "Netflix"];
    assert_eq!(names(&all), expected);
    assert!(!all.text.contains('<'), "markup in JSON");
    for (query, found) in [
        ("kind=streaming", vec!["Apple TV Store", "Netflix"]),
        ("mode=train", vec!["Avanti West Coast", "Greater Anglia"]),
        ("mode=010&q=ANGLIA", vec!["Greater Anglia"]),
        ("mode=stream&region=DE", vec!["Netflix"]),
        ("region=FR", vec![]),
        ("kind=transport&mode=101", vec![]),
        ("rel=urn:X-screensort:rels:mode&val=007", vec!["Greater Anglia"]),
    ] {
        let got = product.get(&token, &format!("/operators?{query}")).await.expect(200, "");
        assert_eq!(names(&got), found, "{query}");
    }
    let netflix = product.get(&token, &format!("/operators/{}", id("tmdb", "8"))).await.expect(200, "");
    assert_eq!(
        netflix.body,
        json!({
            "id": id("tmdb", "8"), "kind": "streaming", "name": "Netflix", "description": "", "homepage": null,
            "email": null, "phone": null, "default_language": null, "regions": ["US", "DE"],
            "modes": [{"id": "101", "code": "stream", "name": "subscription", "description": "films by subscription"}],
            "logo_url": "https://image.tmdb.org/t/p/w92/logo.jpg", "updated_at": "2026-11-22T12:00:00Z",
            "attribution": "Where to watch: data by JustWatch.",
        })
    );
    let anglia = product.get(&token, &format!("/operators/{}", id("open-transport", "011"))).await;
    assert_eq!(anglia.body["email"], "contactcentre@greateranglia.co.uk");
    assert_eq!(anglia.body["attribution"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_comes_in_pages_that_belong_to_who_asked() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let (mut seen, mut path) = (Vec::new(), "/operators?limit=2".to_owned());
    let mut cursor = String::new();
    loop {
        let got = product.get(&ann, &path).await.expect(200, "");
        seen.extend(names(&got).into_iter().map(str::to_owned));
        let Some(next) = got.body["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
        path = format!("/operators?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 5);
    product.get(&bob, &format!("/operators?limit=2&cursor={cursor}")).await.expect(400, "bad_cursor");
    product.get(&ann, &format!("/operators?kind=transport&cursor={cursor}")).await.expect(400, "bad_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_verified_token_sees_any_of_it() {
    let product = with_operators().await;
    let one = format!("/operators/{}", id("tmdb", "8"));
    for path in ["/operators", "/operators?kind=transport", &one, "/modes", "/operators/unknown"] {
        for header in ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "bearer null"] {
            let headers = [("authorization", header)];
            let headers = if header.is_empty() { &headers[..0] } else { &headers[..] };
            let got = product.ask("GET", path, headers, Value::Null).await.expect(401, "unauthorized");
            assert!(got.headers.contains_key("www-authenticate"));
            assert!(!got.text.contains("Netflix") && !got.text.contains("train"), "{path}");
        }
        for cookie in ["__Host-session=x", "__Host-session=a.b", "session=1"] {
            product.ask("GET", path, &[("cookie", cookie)], Value::Null).await.expect(401, "unauthorized");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_malformed_filters_are_named() {
    let product = with_operators().await;
    let (token, _) = product.signed_in("ann").await;
    for (query, pointer) in [
        ("filterString=001", "/filterString"),
        ("mode=099", "/mode"),
        ("mode=Train", "/mode"),
        ("region=gb", "/region"),
        ("kind=all", "/kind"),
        ("q=", "/q"),
        ("mode=bus&mode=train", "/mode"),
        ("limit=0", "/limit"),
        ("rel=", "/rel"),
        ("mode=010'%20OR%20'1'='1", "/mode"),
    ] {
        let got = product.get(&token, &format!("/operators?{query}")).await.expect(400, "bad_parameter");
        assert_eq!(got.body["errors"][0]["pointer"], pointer, "{query}");
    }
    product.get(&token, "/modes?q=x").await.expect(400, "bad_parameter");
    product.get(&token, "/operators/001").await.expect(400, "bad_parameter");
    product.get(&token, &format!("/operators/{}", id("tmdb", "9999"))).await.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_modes_are_open_transports_and_ours() {
    let product = with_operators().await;
    let (token, _) = product.signed_in("ann").await;
    let modes = product.get(&token, "/modes").await.expect(200, "");
    let rows = modes.body.as_array().unwrap();
    assert_eq!(rows.len(), 22);
    assert_eq!(
        rows[8],
        json!({
            "id": "009", "short-desc": "metro & subway", "code": "metro", "kind": "transport",
            "long-desc": "includes any light rail transit and their interconnecting systems",
        })
    );
    let ours = product.get(&token, "/modes?kind=streaming").await.expect(200, "");
    assert_eq!(ours.body.as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_there_as_a_hypercat_catalogue() {
    let product = with_operators().await;
    let (token, _) = product.signed_in("ann").await;
    let bearer = format!("Bearer {token}");
    let ask = async |path: &str, accept: &str| {
        product.ask("GET", path, &[("authorization", &bearer), ("accept", accept)], Value::Null).await
    };
    let got = ask("/operators?kind=transport", HYPERCAT).await.expect(200, "");
    assert_eq!(got.headers["content-type"], format!("{HYPERCAT}; charset=utf-8"));
    let fact = |rel: &str, val: &str| json!({"rel": rel, "val": val});
    let about = got.body["catalogue-metadata"].as_array().unwrap();
    assert!(about.contains(&fact("urn:X-hypercat:rels:isContentType", HYPERCAT)));
    assert!(about.contains(&fact("urn:X-hypercat:rels:supportsSearch", "urn:X-hypercat:search:simple")));
    let items = got.body["items"].as_array().unwrap();
    let avanti =
        items.iter().find(|item| item["href"] == format!("/v1/operators/{}", id("open-transport", "001")));
    let facts = avanti.unwrap()["item-metadata"].as_array().unwrap();
    assert!(facts.contains(&fact("urn:X-hypercat:rels:hasDescription:en", "Avanti West Coast")));
    assert!(facts.contains(&fact("urn:X-hypercat:rels:hasHomepage", "https://www.avantiwestcoast.co.uk")));
    // Simple search: one fact has both, at one address.
    for (query, found) in [
        ("rel=urn:X-screensort:rels:mode&val=010", 2),
        ("val=007", 1),
        ("rel=urn:X-screensort:rels:mode&val=streaming", 0),
        ("href=/v1/operators/nothing", 0),
        (&format!("href=/v1/operators/{}", id("tmdb", "8")), 1),
    ] {
        let got = ask(&format!("/operators?{query}"), HYPERCAT).await.expect(200, "");
        assert_eq!(got.body["items"].as_array().unwrap().len(), found, "{query}");
    }
    let one = ask(&format!("/operators/{}", id("tmdb", "8")), HYPERCAT).await.expect(200, "");
    assert_eq!(one.body["items"].as_array().unwrap().len(), 1);
    let modes = ask("/modes?rel=urn:X-screensort:rels:kind&val=transport", HYPERCAT).await.expect(200, "");
    assert_eq!(modes.body["items"].as_array().unwrap().len(), 16);
    // What there is not is said, and only to who may ask at all.
    for accept in ["text/html", "application/xml", &format!("{HYPERCAT};q=0")] {
        for path in ["/operators", "/modes"] {
            ask(path, accept).await.expect(406, "not_acceptable");
        }
    }
    product
        .ask("GET", "/operators", &[("accept", "text/html")], Value::Null)
        .await
        .expect(401, "unauthorized");
    let json = ask("/operators", &format!("{HYPERCAT};q=0.5, application/json")).await.expect(200, "");
    assert!(json.body["next_cursor"].is_null() && json.body["items"][0]["id"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrators_edit_survives_the_sync_and_a_second_import() {
    let product = with_operators().await;
    let (user, _) = product.signed_in("ann").await;
    let admin = product.admin_token().await;
    let (netflix, avanti) = (id("tmdb", "8"), id("open-transport", "001"));
    let path = format!("/admin/operators/{netflix}");
    let edit = json!({"kind": "streaming", "name": "Netflix, edited", "homepage": "https://netflix.example/",
        "regions": ["GB"], "modes": ["stream", "102"]});
    product.with(&user, "PUT", &path, edit.clone()).await.expect(403, "forbidden");
    product.ask("PUT", &path, &[], edit.clone()).await.expect(401, "unauthorized");
    let tag = product.get(&user, &format!("/operators/{netflix}")).await.headers["etag"].clone();
    let put = async |tag: &str, body: Value| {
        let bearer = format!("Bearer {admin}");
        product.ask("PUT", &path, &[("authorization", &bearer), ("if-match", tag)], body).await
    };
    let edited = put(tag.to_str().unwrap(), edit.clone()).await.expect(200, "");
    assert_eq!(
        (edited.body["revision"].as_u64(), edited.headers["etag"].to_str().unwrap()),
        (Some(1), "\"v1\"")
    );
    put(tag.to_str().unwrap(), edit.clone()).await.expect(412, "precondition_failed");
    put(
        "\"v1\"",
        json!({"kind": "streaming", "name": "", "modes": ["train", "stream", "stream"],
        "homepage": "http://x.example", "phone": "call me", "email": "nobody"}),
    )
    .await
    .expect(422, "invalid_body");
    put("\"v1\"", json!({"kind": "streaming", "name": "A", "user_id": 1})).await.expect(422, "invalid_body");
    let gone = format!("/admin/operators/{avanti}");
    product.with(&admin, "DELETE", &gone, Value::Null).await.expect(204, "");
    product.with(&admin, "DELETE", &gone, Value::Null).await.expect(404, "not_found");
    // The sync writes its operators again, and the file is loaded again.
    let stack = &product.stand.stack;
    let operators = stack.catalogue().operators().await.unwrap();
    stack.catalogue().keep_operators(&operators).await.unwrap();
    let file = json!([{"id": "001", "description": "Avanti, again"}]).to_string();
    let listings = screensort::directory_file::read(file.as_bytes(), product.clock.now()).unwrap();
    let loaded = screensort::directory_file::keep(stack, &listings, |_| {}).await.unwrap();
    assert_eq!((loaded.added, loaded.changed, loaded.edited), (0, 0, 1));
    let got = product.get(&user, &format!("/operators/{netflix}")).await.expect(200, "");
    assert_eq!(
        (got.str("name"), got.body["modes"][1]["code"].as_str()),
        ("Netflix, edited".into(), Some("free"))
    );
    assert_eq!(got.body["logo_url"], "https://image.tmdb.org/t/p/w92/logo.jpg");
    product.get(&user, &format!("/operators/{avanti}")).await.expect(404, "not_found");
    // It comes back by hand, and one that no source knows is made.
    let back = json!({"kind": "transport", "name": "Avanti", "modes": ["train"]});
    product.with(&admin, "PUT", &gone, back.clone()).await.expect(201, "");
    let new = format!("/admin/operators/{}", id("hand", "1"));
    product.with(&admin, "PUT", &new, back).await.expect(201, "");
    assert_eq!(names(&product.get(&user, "/operators?q=avanti").await).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_edits_of_one_version_one_is_made() {
    let product = with_operators().await;
    let admin = product.admin_token().await;
    let bearer = format!("Bearer {admin}");
    let path = format!("/admin/operators/{}", id("tmdb", "8"));
    let edits = (0..12).map(|n| {
        let (bearer, path, product) = (&bearer, &path, &product);
        async move {
            let body = json!({"kind": "streaming", "name": format!("Name {n}")});
            product.ask("PUT", path, &[("authorization", bearer), ("if-match", "\"v0\"")], body).await
        }
    });
    let answers = futures::future::join_all(edits).await;
    assert_eq!(answers.iter().filter(|got| got.status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|got| [200, 412].contains(&got.status)), "{answers:?}");
}
