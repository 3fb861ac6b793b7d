//! Services that are not ours, played by a listener on this machine; and people who come from elsewhere.

use std::sync::{Arc, Mutex};

use ring::digest;
use screensort::stand::Choices;
use screensort_accounts::import::{Fault, Imported, Line, keep};
use screensort_runtime::ChallengeVerifier;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::product::{PASSWORD, Product};

/// A listener that answers every request with what `answer` says, and keeps the requests. It says nothing at all
/// where that is empty.
async fn listener(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (kept, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
    let asked = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
            tokio::spawn(async move {
                let mut bytes = vec![0; 16_384];
                let mut read = 0;
                // The head, and as much of a body as was announced.
                let request = loop {
                    let more = stream.read(&mut bytes[read..]).await.unwrap();
                    read += more;
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    let head = text.to_lowercase();
                    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                    let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
                    if more == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length)
                    {
                        break text;
                    }
                };
                let text = answer(&request);
                asked.lock().unwrap().push(request);
                if text.is_empty() {
                    // Longer than anybody waits.
                    std::future::pending::<()>().await;
                }
                stream.write_all(text.as_bytes()).await.unwrap();
            });
        }
    });
    (url, kept)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn sha1(password: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

const BREACHED: &str = "Crimson-ladder9 waits";

#[tokio::test(flavor = "multi_thread")]
async fn a_password_from_a_breach_is_refused_and_only_five_digits_leave() {
    let suffix = sha1(BREACHED)[5..].to_owned();
    let (url, asked) =
        listener(move |_| ok(&format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{suffix}:42\r\n"))).await;
    let choices = Choices { password_range_url: Some(format!("{url}/range/")), ..Choices::default() };
    let product = Product::start_with(choices).await;
    let refused = |got: crate::product::Got| {
        let got = got.expect(422, "weak_password");
        assert_eq!(got.body["errors"][0]["code"], "breached");
    };
    let register = json!({"username": "ann", "email": "ann@example.org", "password": BREACHED});
    refused(product.post("/register", register).await);
    let (token, _) = product.signed_in("ann").await;
    let change = json!({"current_password": PASSWORD, "new_password": BREACHED});
    refused(product.with(&token, "PUT", "/password", change).await);
    product.post("/password/forgot", json!({"email": "ann@example.org"})).await.expect(202, "");
    let mailed = product.mailed("ann@example.org", "Set a new").await;
    let reset = json!({"token": mailed, "new_password": BREACHED});
    refused(product.post("/password/reset", reset).await);
    let asked = asked.lock().unwrap().clone();
    assert!(asked.len() >= 4, "registration twice, change and reset");
    for request in &asked {
        let path = request.split(' ').nth(1).unwrap();
        let digits = path.strip_prefix("/range/").unwrap();
        assert!(digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
        for password in [BREACHED, PASSWORD] {
            assert!(!request.contains(password) && !request.contains(&sha1(password)[..8]), "{request}");
        }
    }
    assert!(asked[0].starts_with(&format!("GET /range/{} ", &sha1(BREACHED)[..5])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_answer_keeps_nobody_from_registering() {
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for answer in [busy.to_owned(), ok("<html>busy</html>"), String::new()] {
        let (url, asked) = listener(move |_| answer.clone()).await;
        let choices = Choices { password_range_url: Some(url), ..Choices::default() };
        let product = Product::start_with(choices).await;
        let register = json!({"username": "ann", "email": "ann@example.org", "password": BREACHED});
        product.post("/register", register).await.expect(202, "");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
    let choices = Choices { password_range_url: Some("http://127.0.0.1:1".to_owned()), ..Choices::default() };
    let product = Product::start_with(choices).await;
    product.person("ann").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_may_verify_challenges() {
    let (url, asked) = listener(|request| {
        ok(if request.contains("response=good%26answer") {
            "{\"success\":true}"
        } else {
            "{\"success\":false}"
        })
    })
    .await;
    let verifier =
        ChallengeVerifier::Site { url: format!("{url}/siteverify"), secret: "screensort/challenge".into() };
    let product = Product::start_with(Choices { challenge: Some(verifier), ..Choices::default() }).await;
    let create = product.stand.stack.secrets().create_secret();
    create.name("screensort/challenge").secret_string("site key").send().await.unwrap();
    product.ask("GET", "/login/challenge", &[], json!(null)).await.expect(404, "not_found");
    let email = product.person("ann").await;
    let wrong = json!({"email": email, "password": "Wrong-guess1 here"});
    for _ in 0..3 {
        product.post("/login", wrong.clone()).await.expect(401, "invalid_credentials");
    }
    let with = |answer: &str| json!({"email": email, "password": PASSWORD, "challenge": answer});
    product.post("/login", with("bad")).await.expect(401, "challenge_required");
    product.post("/login", with("good&answer")).await.expect(200, "");
    let asked = asked.lock().unwrap().clone();
    assert!(asked.iter().all(|request| request.starts_with("POST /siteverify ")));
    assert!(asked[0].contains("secret=site%20key&response=bad"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_another_system_sign_in_and_their_hashes_are_replaced() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let digest: String = digest::digest(&digest::SHA256, format!("salty{PASSWORD}").as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let hashes = [bcrypt::hash(PASSWORD, 4).unwrap(), format!("sha256-before$73616c7479${digest}")];
    let line = |name: &str, hash: &str, verified: bool| -> Line {
        let email = format!("{name}@example.org");
        serde_json::from_value(json!({"username": name, "email": email, "hash": hash, "verified": verified}))
            .unwrap()
    };
    let stored = async |name: &str| {
        let accounts = stack.accounts().list(None, 100).await.unwrap();
        let id = accounts.into_iter().find(|account| account.username == name).unwrap().id;
        stack.accounts().person(&id).await.unwrap().unwrap().credentials.password
    };
    for (name, hash) in [("ann", &hashes[0]), ("bob", &hashes[1])] {
        assert_eq!(keep(stack, &line(name, hash, true)).await.unwrap(), Imported::Made);
        let before = stored(name).await;
        assert!(!before.contains(hash.as_str()) && !before.contains("|-|"), "the old hash is wrapped");
        let body = |password: &str| json!({"username": name, "password": password});
        product.post("/login", body("Wrong-guess1 here")).await.expect(401, "invalid_credentials");
        assert_eq!(stored(name).await, before);
        product.post("/login", body(PASSWORD)).await.expect(200, "");
        let after = stored(name).await;
        assert!(after.contains("|-|$argon2id$"), "the login made a hash of our own");
        product.post("/login", body(PASSWORD)).await.expect(200, "");
        assert_eq!(stored(name).await, after);
        // Once more changes nothing.
        assert_eq!(keep(stack, &line(name, &hashes[0], true)).await.unwrap(), Imported::Known);
        assert_eq!(stored(name).await, after);
    }
    keep(stack, &line("carl", &hashes[0], false)).await.unwrap();
    let carl = json!({"username": "carl", "password": PASSWORD});
    product.post("/login", carl).await.expect(403, "email_unverified");
    let other: Line =
        serde_json::from_value(json!({"username": "ANN", "email": "other@example.org", "hash": hashes[0]}))
            .unwrap();
    assert!(matches!(keep(stack, &other).await, Err(Fault::NameTaken)));
    // A right password that everybody knows is no proof: its owner sets another one by mail.
    keep(stack, &line("eve", &bcrypt::hash("Password123", 4).unwrap(), true)).await.unwrap();
    let eve = json!({"username": "eve", "password": "Password123"});
    let got = product.post("/login", eve).await.expect(403, "password_expired");
    assert!(got.str("detail").contains("data breaches"));
    product.post("/password/forgot", json!({"email": "eve@example.org"})).await.expect(202, "");
    let mailed = product.mailed("eve@example.org", "Set a new").await;
    let reset = json!({"token": mailed, "new_password": PASSWORD});
    product.post("/password/reset", reset).await.expect(204, "");
    product.login("eve@example.org").await;
    for hash in
        ["", "plain", "$2b$31$abcdefghijklmnopqrstuuIVy1OaJDSp6fQNCs6x4Qh8q0R0vMzG2", "sha256-before$zz$00"]
    {
        assert!(matches!(keep(stack, &line("dora", hash, true)).await, Err(Fault::Hash)), "{hash}");
    }
}
