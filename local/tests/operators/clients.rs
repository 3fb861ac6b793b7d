use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};
use crate::with_operators;

fn wanted() -> Value {
    json!({"name": "query tool", "scopes": ["operators:read"]})
}

fn asking(key: &Got) -> Value {
    json!({
        "grant_type": "client_credentials",
        "client_id": key.str("client_id"),
        "client_secret": key.str("key"),
    })
}

async fn token(product: &Product, key: &Got) -> String {
    product.post("/token", asking(key)).await.expect(200, "").str("access_token")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_client_reads_the_directory_and_nothing_of_people() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    assert!(key.str("key").starts_with("ssk_") && key.str("key").starts_with(&key.str("prefix")));
    let got = product.post("/token", asking(&key)).await.expect(200, "");
    assert_eq!((got.str("token_type"), got.str("scope")), ("Bearer".into(), "operators:read".into()));
    assert_eq!(got.body["expires_in"], 300);
    let service = got.str("access_token");
    for path in ["/operators", "/modes", "/operators?kind=transport"] {
        product.get(&service, path).await.expect(200, "");
    }
    // A program is no person: whatever a person's route is, the token is none there.
    for route in screensort_routes::TABLE {
        use screensort_routes::Access;
        let (Access::Member(_) | Access::Recent(_)) = route.access else { continue };
        let path = route.path.replace("{id}", "1").replace("{operator_id}", "1");
        product.with(&service, route.method.as_str(), &path, Value::Null).await.expect(401, "unauthorized");
    }
    // Nor is a person's token a key.
    let body =
        json!({"grant_type": "client_credentials", "client_id": key.str("client_id"), "client_secret": ann});
    product.post("/token", body).await.expect(401, "invalid_credentials");
    assert!(!product.get(&ann, "/api_keys").await.text.contains(&key.str("key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_says_is_pinned() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let service = token(&product, &key).await;
    let part = |at: usize| -> Value {
        let text = service.split('.').nth(at).unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let (head, claims) = (part(0), part(1));
    assert_eq!((head["typ"].as_str(), head["alg"].as_str()), (Some("service+jwt"), Some("ES256")));
    assert_eq!(claims["azp"], key.str("client_id"));
    assert_eq!(
        (claims["aud"].as_str(), claims["scope"].as_str()),
        (Some("screensort-api"), Some("operators:read"))
    );
    assert!(claims.get("sid").is_none());
    // Changed anywhere, it is no token: header, claims, signature, or another kind's header.
    let parts: Vec<&str> = service.split('.').collect();
    let person: Vec<&str> = ann.split('.').collect();
    for forged in [
        format!("{}.{}.{}", person[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], person[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], person[2]),
        format!("{}.{}.", parts[0], parts[1]),
    ] {
        product.get(&forged, "/operators").await.expect(401, "unauthorized");
    }
    product.wait(306);
    product.get(&service, "/operators").await.expect(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_foreign_and_malformed_credentials_get_one_answer() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let other = product.with(&bob, "POST", "/api_keys", wanted()).await.expect(201, "");
    let (id, secret) = (key.str("client_id"), key.str("key"));
    let ask = |id: &str, secret: &str| {
        product.post(
            "/token",
            json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret}),
        )
    };
    let mut texts = std::collections::BTreeSet::new();
    for (id, secret) in [
        (id.as_str(), "ssk_wrong"),
        (&id, &other.str("key")),
        (&other.str("client_id"), &secret),
        (&id, secret.strip_prefix("ssk_").unwrap()),
        ("nobody", &secret),
        ("", ""),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV-01ARZ3NDEKTSV4RRFFQ69G5FAV", &secret),
        (&format!("{id}' OR '1'='1"), &secret),
    ] {
        let got = ask(id, secret).await.expect(401, "invalid_credentials");
        assert!(got.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        texts.insert(got.str("detail"));
    }
    assert_eq!(texts.len(), 1, "the cause is not said: {texts:?}");
    ask(&id, &secret).await.expect(200, "");
    // HTTP Basic takes the place of the body's fields; both at once are refused.
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let grant = json!({"grant_type": "client_credentials"});
    let by_header = |body: Value, header: &str| {
        let header = header.to_owned();
        let product = &product;
        async move { product.ask("POST", "/token", &[("authorization", &header)], body).await }
    };
    by_header(grant.clone(), &basic).await.expect(200, "");
    by_header(asking(&key), &basic).await.expect(401, "invalid_credentials");
    by_header(grant.clone(), "Basic !!!").await.expect(401, "invalid_credentials");
    by_header(grant.clone(), "Bearer x").await.expect(401, "invalid_credentials");
    product.post("/token", grant).await.expect(401, "invalid_credentials");
    product.post("/token", json!({"grant_type": "password"})).await.expect(422, "invalid_body");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    product.ask("POST", "/token", &form, json!({})).await.expect(415, "unsupported_media_type");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_opens_nothing_from_the_next_request_on() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let service = token(&product, &key).await;
    let path = format!("/api_keys/{}", key.str("id"));
    product.with(&bob, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    product.get(&service, "/operators").await.expect(200, "");
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    product.get(&service, "/operators").await.expect(401, "unauthorized");
    product.get(&service, "/modes").await.expect(401, "unauthorized");
    product.post("/token", asking(&key)).await.expect(401, "invalid_credentials");
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_with_its_time_its_owner_and_its_owners_rights() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let body =
        json!({"name": "short", "scopes": ["operators:read", "movies:read_public"], "expires_in_days": 1});
    let short = product.with(&ann, "POST", "/api_keys", body).await.expect(201, "");
    let long = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let both = token(&product, &short).await;
    product.get(&both, "/operators").await.expect(200, "");
    // A token may hold less than its key, never more.
    let scoped = |scope: &str| {
        let mut body = asking(&short);
        body["scope"] = json!(scope);
        product.post("/token", body)
    };
    let less = scoped("movies:read_public").await.expect(200, "").str("access_token");
    product.get(&less, "/operators").await.expect(403, "forbidden");
    for scope in ["users:manage", "operators:read operators:write", "", "all", "reviews:read"] {
        scoped(scope).await.expect(422, "invalid_body");
    }
    let admin = product.admin_token().await;
    let users = product.get(&admin, "/admin/users").await;
    let items = users.body["items"].as_array().unwrap();
    let id = items.iter().find(|item| item["username"] == "ann").unwrap()["id"].as_str().unwrap();
    let change = async |body: Value| {
        product.with(&admin, "PATCH", &format!("/admin/users/{id}"), body).await.expect(200, "")
    };
    change(json!({"denials": ["operators:read"]})).await;
    product.get(&both, "/operators").await.expect(403, "forbidden");
    product.post("/token", asking(&long)).await.expect(401, "invalid_credentials");
    change(json!({"denials": []})).await;
    product.get(&both, "/operators").await.expect(200, "");
    change(json!({"disabled": true})).await;
    product.get(&both, "/operators").await.expect(401, "unauthorized");
    product.post("/token", asking(&long)).await.expect(401, "invalid_credentials");
    change(json!({"disabled": false})).await;
    product.wait(24 * 3600);
    product.post("/token", asking(&short)).await.expect(401, "invalid_credentials");
    product.post("/token", asking(&long)).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_with_an_overlap_and_only_once() {
    let product = with_operators().await;
    let (ann, refresh) = product.signed_in("ann").await;
    let old = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let body = json!({"replaces": old.str("id"), "overlap_hours": 2});
    let new = product.with(&ann, "POST", "/api_keys", body.clone()).await.expect(201, "");
    assert_eq!(
        (new.str("name"), new.body["scopes"].clone()),
        ("query tool".into(), json!(["operators:read"]))
    );
    product.with(&ann, "POST", "/api_keys", body).await.expect(409, "conflict");
    let list = product.get(&ann, "/api_keys").await.expect(200, "");
    let items = list.body["items"].as_array().unwrap();
    let status = |id: &str| items.iter().find(|item| item["id"] == id).unwrap()["status"].clone();
    assert_eq!((status(&old.str("id")), status(&new.str("id"))), (json!("replaced"), json!("active")));
    assert!(!list.text.contains("hash") && !list.text.contains(&new.str("key")));
    let running = token(&product, &old).await;
    token(&product, &new).await;
    product.wait(2 * 3600 - 60);
    token(&product, &old).await;
    product.wait(60);
    product.post("/token", asking(&old)).await.expect(401, "invalid_credentials");
    product.get(&running, "/operators").await.expect(401, "unauthorized");
    token(&product, &new).await;
    // By now the owner has to prove again who they are.
    let _ = refresh;
    let ann = product.login("ann@example.org").await.str("access_token");
    product
        .with(&ann, "POST", "/api_keys", json!({"replaces": old.str("id")}))
        .await
        .expect(422, "invalid_body");
    let (bob, _) = product.signed_in("bob").await;
    product
        .with(&bob, "POST", "/api_keys", json!({"replaces": new.str("id")}))
        .await
        .expect(422, "invalid_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn making_a_key_needs_a_recent_proof_and_sound_wishes() {
    let product = with_operators().await;
    let (ann, refresh) = product.signed_in("ann").await;
    for body in [
        json!({"scopes": ["operators:read"]}),
        json!({"name": "x"}),
        json!({"name": "", "scopes": ["operators:read"]}),
        json!({"name": "x\u{202e}", "scopes": ["operators:read"]}),
        json!({"name": "x", "scopes": []}),
        json!({"name": "x", "scopes": ["operators:write"]}),
        json!({"name": "x", "scopes": ["history:read_own"]}),
        json!({"name": "x", "scopes": ["*"]}),
        json!({"name": "x", "scopes": ["operators:read"], "expires_in_days": 366}),
        json!({"name": "x", "scopes": ["operators:read"], "overlap_hours": 169}),
        json!({"name": "x", "scopes": ["operators:read"], "owner": "bob"}),
    ] {
        product.with(&ann, "POST", "/api_keys", body).await.expect(422, "invalid_body");
    }
    for _ in 0..20 {
        product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    }
    let got = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(429, "too_many_attempts");
    assert!(got.headers.contains_key("retry-after"));
    product.wait(10 * 60);
    let (token, _) = product.refreshed(&refresh).await;
    product.with(&token, "POST", "/api_keys", wanted()).await.expect(403, "reauthentication_required");
    // Taking one away never waits.
    let list = product.get(&token, "/api_keys").await.expect(200, "");
    let path = format!("/api_keys/{}", list.body["items"][0]["id"].as_str().unwrap());
    product.with(&token, "DELETE", &path, Value::Null).await.expect(204, "");
    let mails = product.mails().await;
    assert!(mails.iter().any(|m| m["to"] == "ann@example.org" && m["subject"] == "A new API key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn use_is_noted_and_no_key_is_in_the_tables() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    assert!(product.get(&ann, "/api_keys").await.body["items"][0]["last_used_at"].is_null());
    product.wait(60);
    let service = token(&product, &key).await;
    let used = product.get(&ann, "/api_keys").await.body["items"][0]["last_used_at"].clone();
    assert_eq!(used, "2026-11-22T12:01:00Z");
    product.post_from("198.51.100.9", "/token", asking(&key)).await.expect(200, "");
    let client = product.stand.stack.dynamodb();
    let mut dump = String::new();
    for table in client.list_tables().send().await.unwrap().table_names() {
        let items = client.scan().table_name(table).send().await.unwrap();
        dump.push_str(&format!("{:?}", items.items()));
    }
    assert!(dump.contains(&key.str("prefix")) && dump.contains("198.51.100"));
    let secret = key.str("key");
    for planted in [secret.as_str(), secret.strip_prefix("ssk_").unwrap(), &service, PASSWORD] {
        assert!(!dump.contains(planted), "{planted} is in the dump");
    }
}
