//! Markup and line breaks in every name and text that somebody can set, and every place that shows it.

use serde_json::{Value, json};

use crate::product::{Got, PASSWORD};
use crate::world::World;

/// What is planted. Some of it may be refused; what is taken must come back as text.
const PLANTED: [&str; 6] = [
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "a\r\nBcc: evil@example.net\r\n\r\n<h1>hello</h1>",
    "a\nSet-Cookie: planted=1",
    "&lt;b&gt; %0d%0aX-Planted: 1",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
];

/// That an answer can be taken for no markup and sets no header that was planted.
#[track_caller]
fn is_text(what: &str, got: &Got) {
    assert!(!got.text.contains('<') && !got.text.contains('>'), "{what} travels as markup: {}", got.text);
    assert_eq!(got.headers["x-content-type-options"], "nosniff");
    let headers = format!("{:?}", got.headers).to_lowercase();
    assert!(!headers.contains("planted") && !headers.contains("bcc:"), "{what}: {headers}");
    assert!(headers.contains("json"), "{what}: {headers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_call_themselves_and_things_is_text_wherever_it_is_shown() {
    let world = World::start().await;
    let product = &world.product;
    let film = world.films[0];
    let (mut ann, mut bob) = (world.person("ann").await, world.person("bob").await);
    let mut admin = product.admin_token().await;
    let operators = world.get(&admin, "/operators?limit=1").await;
    let operator = operators.body["items"][0]["id"].as_str().unwrap().to_owned();
    for planted in PLANTED {
        // Names of accounts are letters and digits: nothing else gets into a mail, a link or a review by them.
        let register = json!({"username": planted, "email": "new@example.org", "password": PASSWORD});
        product.post("/register", register).await.expect(422, "invalid_body");
        for email in
            [format!("{planted}@example.org"), format!("a@{planted}"), format!("\"{planted}\"@example.org")]
        {
            for path in ["/password/forgot", "/register/resend"] {
                product.post(path, json!({"email": email})).await.expect(422, "invalid_body");
            }
            let asked = json!({"email": email, "scopes": ["history"]});
            world.product.with(&ann, "POST", "/links", asked).await.expect(422, "invalid_body");
        }
        // What may be any text is taken as text or refused, and shown as text.
        for (token, method, path, body) in [
            (&ann, "PATCH", "/profile".to_owned(), json!({"display_name": planted})),
            (&ann, "PATCH", "/profile".to_owned(), json!({"bio": planted})),
            (
                &ann,
                "PUT",
                format!("/movies/{film}/review"),
                json!({"text": format!("{planted} and twenty characters more")}),
            ),
            (&ann, "POST", "/api_keys".to_owned(), json!({"name": planted, "scopes": ["operators:read"]})),
            (
                &admin,
                "PUT",
                format!("/admin/operators/{operator}"),
                json!({"kind": "streaming", "name": planted, "description": planted, "homepage": planted,
                    "email": planted, "phone": planted}),
            ),
            (
                &admin,
                "PUT",
                format!("/admin/operators/{operator}"),
                json!({"kind": "streaming", "name": planted}),
            ),
            (&admin, "PUT", "/admin/blocklist/203.0.113.9".to_owned(), json!({"reason": planted})),
            (&admin, "POST", "/admin/add_movie".to_owned(), json!({"title": planted})),
            (
                &admin,
                "POST",
                "/admin/add_movie".to_owned(),
                json!({"title": "Ferry", "overview": planted, "tagline": planted}),
            ),
        ] {
            let got = product.with(token, method, &path, body).await;
            assert!(
                got.status < 300 || [409, 422, 429].contains(&got.status),
                "{method} {path}: {} {}",
                got.status,
                got.text
            );
            is_text(&format!("{method} {path} with {planted:?}"), &got);
        }
        for (token, path) in [
            (&ann, "/profile"),
            (&ann, "/reviews"),
            (&ann, "/api_keys"),
            (&ann, "/session"),
            (&bob, "/operators?limit=100"),
            (&bob, &format!("/operators/{operator}")),
            (&admin, "/admin/blocklist"),
            (&admin, "/admin/users"),
        ] {
            is_text(path, &world.get(token, path).await.expect(200, ""));
        }
        // The Hypercat catalogue is read by other programs, which show it: it is JSON in which nothing is markup.
        let bearer = format!("Bearer {bob}");
        let accept =
            [("authorization", bearer.as_str()), ("accept", "application/vnd.hypercat.catalogue+json")];
        for path in ["/operators?limit=100", &format!("/operators/{operator}"), "/modes"] {
            let got = product.ask("GET", path, &accept, Value::Null).await.expect(200, "");
            is_text(path, &got);
            assert!(got.headers["content-type"].to_str().unwrap().contains("hypercat"), "{path}");
            all_addresses(&got.body, &mut |address| {
                let sound =
                    ["/v1/", "https://", "http://", "urn:"].iter().any(|start| address.starts_with(start));
                assert!(sound && !address.contains(['"', ' ', '\n']), "{path} leads to {address}");
            });
        }
        product.wait(61);
        admin = product.admin_token().await;
        ann = product.login("ann@example.org").await.str("access_token");
        bob = product.login("bob@example.org").await.str("access_token");
    }
}

/// Every address of a Hypercat catalogue.
fn all_addresses(value: &Value, said: &mut impl FnMut(&str)) {
    let items = value["items"].as_array().into_iter().flatten().chain(std::iter::once(value));
    for item in items {
        if let Some(address) = item["href"].as_str() {
            said(address);
        }
        for fact in item["item-metadata"].as_array().into_iter().flatten() {
            if fact["rel"].as_str().unwrap().ends_with("hasHomepage") {
                said(fact["val"].as_str().unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mail_says_in_its_head_or_body_what_a_stranger_planted() {
    let world = World::start().await;
    let product = &world.product;
    product.person("ann").await;
    // A browser's own words about itself get into the notice of a new sign-in, as one of the words that we know.
    for (n, agent) in [
        "Mozilla/5.0 <img src=x onerror=alert(1)> Firefox/140.0",
        "<script>alert(1)</script>",
        "\" onmouseover=alert(1) Chrome/1 planted",
        "planted%0d%0aBcc: evil@example.net Safari/1",
        "{{7*7}} planted Edg/1",
    ]
    .into_iter()
    .enumerate()
    {
        let login = json!({"email": "ann@example.org", "password": PASSWORD});
        let source = format!("11.{n}.0.1");
        let headers = [("user-agent", agent), ("x-local-source", source.as_str())];
        let got = product.ask("POST", "/login", &headers, login).await.expect(200, "");
        let token = got.str("access_token");
        for path in ["/sessions", "/logins", "/security"] {
            let got = world.get(&token, path).await.expect(200, "");
            is_text(path, &got);
            assert!(!got.text.contains("planted") && !got.text.contains("alert"), "{path}: {}", got.text);
        }
    }
    // A link's invitation carries the asker's name into somebody else's mailbox; the name is one of ours.
    let (bob, _) = product.signed_in("bob.b-o_b").await;
    let wanted = json!({"email": "ann@example.org", "scopes": ["history"]});
    product.with(&bob, "POST", "/links", wanted).await.expect(202, "");
    let mails = product.mails().await;
    let about: Vec<&Value> = mails.iter().filter(|mail| mail["to"] == "ann@example.org").collect();
    assert!(about.iter().any(|mail| mail["text"].as_str().unwrap().contains("bob.b-o_b")), "{about:?}");
    assert!(about.iter().any(|mail| mail["subject"] == "A new sign-in"), "{about:?}");
    for mail in &mails {
        let (subject, text) = (mail["subject"].as_str().unwrap(), mail["text"].as_str().unwrap());
        assert!(!subject.contains(['\r', '\n', '<', '>']), "{mail}");
        assert!(!text.contains('\r') && !text.contains(['<', '>']) && !text.contains("planted"), "{mail}");
        assert!(!text.contains("Bcc") && !text.contains("alert"), "{mail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_reference_is_one_file_that_shows_nobodys_words() {
    let world = World::start().await;
    let read = async |path: String| {
        let asked = world.product.client.get(format!("{}{path}", world.product.url()));
        let got = asked
            .header("user-agent", "<planted>")
            .header("referer", "https://planted.example/")
            .send()
            .await;
        let got = got.unwrap();
        (got.status().as_u16(), format!("{:?}", got.headers()), got.text().await.unwrap())
    };
    let (status, _, page) = read("/docs".into()).await;
    assert_eq!(status, 200);
    assert!(page.contains("<link rel=\"canonical\" href=\"docs\">"), "{page}");
    assert!(!page.contains("planted") && !page.contains("<script>"), "{page}");
    for path in [
        "/docs?url=https://planted.example/x.json",
        "/docs?configUrl=//planted.example",
        "/docs?%3Cplanted%3E",
    ] {
        let (status, headers, text) = read(path.into()).await;
        assert_eq!(status, 400, "{path}");
        assert!(!text.contains('<') && !headers.contains("planted.example"), "{path}: {headers} {text}");
    }
}
