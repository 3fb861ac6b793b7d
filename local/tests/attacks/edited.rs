//! What an intercepting proxy does: calls of an honest session, each sent again with one thing changed. Tokens that are
//! signed again with our own key are `a_token_signed_with_our_own_key_must_say_the_right_things`'s; here the attacker
//! has what travels, and no key.

use screensort_crypto::{decode_base64url, encode_base64url};
use screensort_http::member::SESSION_COOKIE;
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD};
use crate::world::World;

/// A call as it was recorded.
#[derive(Clone)]
struct Call {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    /// As text, so that a name can stand in it twice.
    body: Option<String>,
}

impl Call {
    fn new(method: &'static str, path: &str, token: &str, body: Value) -> Self {
        let body = (!body.is_null()).then(|| body.to_string());
        Self {
            method,
            path: path.to_owned(),
            headers: vec![("authorization", format!("Bearer {token}"))],
            body,
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    async fn send(&self, world: &World) -> Got {
        let url = format!("{}{}", world.product.url(), self.path);
        let mut asked = world.product.client.request(self.method.parse().unwrap(), url);
        for (name, value) in &self.headers {
            asked = asked.header(*name, value);
        }
        if let Some(body) = &self.body {
            asked = asked.header("content-type", "application/json").body(body.clone());
        }
        let got = asked.send().await.unwrap();
        let (status, headers, text) =
            (got.status().as_u16(), got.headers().clone(), got.text().await.unwrap());
        Got { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }
}

/// Every token that can be made of an honest one without a key.
fn forged(token: &str, other: &str, somebody: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let others: Vec<&str> = other.split('.').collect();
    let read = |part: &str| -> Value { serde_json::from_slice(&decode_base64url(part).unwrap()).unwrap() };
    let write = |value: &Value| encode_base64url(value.to_string());
    let (head, claims) = (read(parts[0]), read(parts[1]));
    let mut all = vec![
        format!("{}.{}.{}", parts[0], others[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], others[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[2]),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], encode_base64url([0_u8; 64])),
        token.to_uppercase(),
        format!("{token}="),
        format!("{token} {other}"),
        format!("{token},{other}"),
    ];
    for (field, value) in [
        ("sub", json!(somebody)),
        ("sid", json!(format!("{somebody}-{somebody}"))),
        ("roles", json!(["admin"])),
        ("role", json!("admin")),
        ("scope", json!("users:manage")),
        ("acr", json!("aal2")),
        ("email", json!("admin@screensort.example")),
        ("exp", json!(9_999_999_999_i64)),
        ("iat", json!(0)),
        ("aud", json!("*")),
        ("admin", json!(true)),
    ] {
        let mut claims = claims.clone();
        claims[field] = value;
        // The old signature, none, and none that says so.
        all.push(format!("{}.{}.{}", parts[0], write(&claims), parts[2]));
        for alg in ["none", "None", "nOnE", "HS256", "HS512", "RS256"] {
            let mut head = head.clone();
            head["alg"] = json!(alg);
            all.push(format!("{}.{}.", write(&head), write(&claims)));
            all.push(format!("{}.{}.{}", write(&head), write(&claims), parts[2]));
        }
    }
    for (field, value) in [
        ("jwk", json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/x.pem")),
        ("kid", json!("' OR '1'='1")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        let mut head = head.clone();
        head[field] = value;
        all.push(format!("{}.{}.{}", write(&head), parts[1], parts[2]));
    }
    // What it says already is no change.
    all.retain(|one| one != token);
    all
}

/// The calls of a session as its owner and an administrator make them.
async fn recorded(world: &World, ann: &str, admin: &str) -> (Vec<Call>, Vec<Call>) {
    let (film, other) = (world.films[1], world.films[2]);
    // Of somebody else: who is changed by an administrator may have to sign in again.
    let id = world.id(&world.person("carl").await).await;
    let own = vec![
        Call::new("POST", "/thumbs_action", ann, json!({"movie_id": film, "action": "thumbs_up"})),
        Call::new("PUT", &format!("/movies/{film}/rating"), ann, json!({"value": 7.5})),
        Call::new(
            "PUT",
            &format!("/movies/{film}/review"),
            ann,
            json!({"text": "Long enough to be taken by anybody."}),
        ),
        Call::new("PUT", &format!("/watchlist/{other}"), ann, Value::Null),
        Call::new("POST", "/history", ann, json!({"movie_id": film, "rewatch": false})),
        Call::new("PATCH", "/profile", ann, json!({"bio": "mine", "birth_year": 1990})),
        Call::new("PUT", "/preferences", ann, json!({"max_runtime": 120})),
        Call::new("GET", "/profile", ann, Value::Null),
        Call::new("GET", "/thumbs?limit=2", ann, Value::Null),
    ];
    let staff = vec![
        Call::new("GET", "/admin/users?limit=5", admin, Value::Null),
        Call::new("PATCH", &format!("/admin/users/{id}"), admin, json!({"roles": ["user"]})),
        Call::new("PUT", "/admin/blocklist/203.0.113.9", admin, json!({"reason": "Scanning"})),
        Call::new("POST", "/admin/add_movie", admin, json!({"title": "Ferry"})),
    ];
    for call in own.iter().chain(&staff) {
        let got = call.send(world).await;
        assert!(got.status < 300, "{} {} as it was recorded: {}", call.method, call.path, got.text);
    }
    (own, staff)
}

/// What an account is, as an administrator sees it, and what it has.
async fn standing(world: &World, admin: &str, token: &str, name: &str) -> String {
    let users = world.get(admin, "/admin/users?limit=100").await.expect(200, "");
    let found = users.body["items"].as_array().unwrap().iter().find(|user| user["username"] == name).cloned();
    let mut all = format!(
        "{:?}",
        found.map(|user| (user["roles"].clone(), user["disabled"].clone(), user["grants"].clone()))
    );
    for path in ["/thumbs", "/ratings", "/history", "/watchlist", "/reviews", "/profile", "/preferences"] {
        all.push_str(&world.get(token, path).await.expect(200, "").text);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_call_with_one_thing_changed_is_refused_or_has_no_effect() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let admin = world.product.admin_token().await;
    let bobs = world.id(&bob).await;
    let (own, staff) = recorded(&world, &ann, &admin).await;
    let (anns, before) =
        (standing(&world, &admin, &ann, "ann").await, standing(&world, &admin, &bob, "bob").await);
    let mut sent = 0;
    for call in own.iter().chain(&staff) {
        let what = |changed: &str, got: &Got| {
            format!("{} {} with {changed}: {} {}", call.method, call.path, got.status, got.text)
        };
        let tokens =
            if staff.iter().any(|one| one.path == call.path) { [&admin, &bob] } else { [&ann, &admin] };
        for token in forged(tokens[0], tokens[1], &bobs) {
            let got = call.clone().with("authorization", &format!("Bearer {token}")).send(&world).await;
            assert_eq!(got.status, 401, "{}", what(&token, &got));
            sent += 1;
        }
        // An administrator's call with a user's token.
        if tokens[0] == &admin {
            let got = call.clone().with("authorization", &format!("Bearer {ann}")).send(&world).await;
            assert_eq!((got.status, got.code()), (403, "forbidden"), "{}", what("a user's token", &got));
        }
        // Whose it is, in the query, in the body, and in headers.
        let joint = if call.path.contains('?') { '&' } else { '?' };
        for more in [
            format!("user_id={bobs}"),
            format!("sub={bobs}"),
            "role=admin".into(),
            "price=0".into(),
            "debug=1".into(),
        ] {
            let mut call = call.clone();
            call.path = format!("{}{joint}{more}", call.path);
            let got = call.send(&world).await;
            assert_eq!((got.status, got.code()), (400, "bad_parameter"), "{}", what(&more, &got));
        }
        if call.path.contains("limit=") {
            let mut call = call.clone();
            call.path = format!("{}&limit=100", call.path);
            let got = call.send(&world).await;
            assert_eq!((got.status, got.code()), (400, "bad_parameter"), "{}", what("limit twice", &got));
        }
        if let Some(body) = &call.body {
            let fields: Value = serde_json::from_str(body).unwrap();
            let (name, value) = fields.as_object().unwrap().iter().next().unwrap();
            let inner = body.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
            let escaped: String = name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
            for changed in [
                format!("{{{inner},\"{name}\":{value}}}"),
                format!("{{{inner},\"{escaped}\":{value}}}"),
                format!("{{{inner},\"user_id\":\"{bobs}\"}}"),
                format!("{{{inner},\"email\":\"admin@screensort.example\"}}"),
                format!("{{{inner},\"price\":0}}"),
                format!("{{{inner},\"role\":\"admin\"}}"),
                format!("{{{inner},\"__proto__\":{{\"admin\":true}}}}"),
                format!("{{{inner}}}{{{inner}}}"),
                format!("[{{{inner}}}]"),
                format!("{{{inner},}}"),
                format!("{{{inner}/**/}}"),
                inner.replace(':', "="),
            ] {
                let call = Call { body: Some(changed.clone()), ..call.clone() };
                let got = call.send(&world).await;
                assert!([400, 422].contains(&got.status), "{}", what(&changed, &got));
                sent += 1;
            }
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "application/xml",
                "multipart/form-data; boundary=x",
            ] {
                let url = format!("{}{}", world.product.url(), call.path);
                let asked = world.product.client.request(call.method.parse().unwrap(), url);
                let asked = asked.header("authorization", &call.headers[0].1).header("content-type", kind);
                assert_eq!(
                    asked.body(body.clone()).send().await.unwrap().status().as_u16(),
                    415,
                    "{} {kind}",
                    call.path
                );
            }
        }
        if call.method == "GET" {
            // A read stays a read, whatever a header says that it is.
            for (name, value) in [
                ("x-http-method-override", "DELETE"),
                ("x-http-method", "DELETE"),
                ("x-method-override", "PUT"),
                ("x-user-id", bobs.as_str()),
                ("x-original-url", "/v1/admin/users"),
            ] {
                let (plain, got) =
                    (call.send(&world).await, call.clone().with(name, value).send(&world).await);
                let said = |got: &Got| (got.status, got.body["items"].clone(), got.body["bio"].clone());
                assert_eq!(said(&got), said(&plain), "{}", what(name, &got));
            }
        }
        world.product.wait(1);
    }
    assert!(sent > 1_000, "{sent} edited calls");
    assert_eq!(
        standing(&world, &admin, &ann, "ann").await,
        anns,
        "an edited call has changed something of ann's"
    );
    assert_eq!(
        standing(&world, &admin, &bob, "bob").await,
        before,
        "an edited call has changed something of bob's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_edited_on_the_way_signs_nobody_else_in() {
    let world = World::start().await;
    let product = &world.product;
    world.person("ann").await;
    let admin = product.admin.as_ref().unwrap().email.clone();
    let password = serde_json::to_string(PASSWORD).unwrap();
    let send = async |body: &str| {
        let call =
            Call { method: "POST", path: "/login".into(), headers: vec![], body: Some(body.to_owned()) };
        call.send(&world).await
    };
    for (body, statuses) in [
        // Another's address or name beside one's own password; both; twice; and as more than text.
        (format!("{{\"email\":\"{admin}\",\"password\":{password}}}"), &[401][..]),
        (format!("{{\"username\":\"admin\",\"password\":{password}}}"), &[401]),
        (
            format!("{{\"email\":\"ann@example.org\",\"username\":\"admin\",\"password\":{password}}}"),
            &[401, 422],
        ),
        (format!("{{\"email\":\"ann@example.org\",\"email\":\"{admin}\",\"password\":{password}}}"), &[422]),
        (format!("{{\"email\":[\"ann@example.org\",\"{admin}\"],\"password\":{password}}}"), &[422]),
        (format!("{{\"email\":{{\"$ne\":null}},\"password\":{password}}}"), &[422]),
        ("{\"email\":\"ann@example.org\",\"password\":{\"$gt\":\"\"}}".into(), &[422]),
        ("{\"email\":\"ann@example.org\",\"password\":null}".into(), &[422]),
        ("{\"email\":\"ann@example.org\",\"password\":true}".into(), &[422]),
        ("{\"email\":\"ann@example.org\"}".into(), &[422]),
        (format!("{{\"email\":\"ann@example.org\",\"password\":{password},\"roles\":[\"admin\"]}}"), &[422]),
        (format!("{{\"email\":\"ann@example.org\",\"password\":{password},\"mfa\":false}}"), &[422]),
        (format!("{{\"email\":\"ann@example.org\\u0000{admin}\",\"password\":{password}}}"), &[401, 422]),
        (format!("{{\"email\":\"ann@example.org\\r\\nBcc: {admin}\",\"password\":{password}}}"), &[401, 422]),
    ] {
        let got = send(&body).await;
        assert!(statuses.contains(&got.status), "{body}: {} {}", got.status, got.text);
        assert!(
            got.body.get("access_token").is_none() && got.body.get("mfa_token").is_none(),
            "{body}: {}",
            got.text
        );
    }
    // A step of one login does not finish another's, and says of itself nothing that could be edited.
    let own = product.login("ann@example.org").await;
    let (_, _, raised) = product.enrol(&own.str("access_token")).await;
    let ticket = product.login("ann@example.org").await.str("mfa_token");
    for body in [
        json!({"mfa_token": ticket, "code": "000000", "user_id": "x"}),
        json!({"mfa_token": ticket, "code": "000000", "acr": "aal2"}),
        json!({"mfa_token": ticket, "verified": true}),
        json!({"mfa_token": ticket}),
    ] {
        let got = product.post("/login/mfa", body.clone()).await;
        assert_eq!(got.status, 422, "{body}: {}", got.text);
    }
    product.with(&raised, "GET", "/session", Value::Null).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_edited_or_somebody_elses_makes_a_call_nobodys() {
    let world = World::start().await;
    let product = &world.product;
    let mut sessions = Vec::new();
    for name in ["ann", "bob"] {
        let email = product.person(name).await;
        let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
        let cookie = product.post("/login", body).await.expect(200, "").cookie(SESSION_COOKIE).unwrap();
        let pair = format!("{SESSION_COOKIE}={cookie}");
        let csrf = product.ask("GET", "/csrf", &[("cookie", &pair)], Value::Null).await.str("csrf_token");
        sessions.push((cookie, csrf));
    }
    let [(ann, csrf), (bob, other)] = &sessions[..] else { panic!("two sessions") };
    let change = |cookie: String, csrf: String| async move {
        let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
        product.ask("PATCH", "/profile", &headers, json!({"bio": "edited"})).await
    };
    let pair = |cookie: &str| format!("{SESSION_COOKIE}={cookie}");
    change(pair(ann), other.clone()).await.expect(403, "csrf");
    let (anns, bobs) = (ann.split_once('.').unwrap(), bob.split_once('.').unwrap());
    let at = ann.len() - 6;
    let flipped =
        format!("{}{}{}", &ann[..at], if ann[at..].starts_with('A') { "B" } else { "A" }, &ann[at + 1..]);
    for cookie in [
        pair(&format!("{}.{}", bobs.0, anns.1)),
        pair(&format!("{}.{}", anns.0, bobs.1)),
        pair(&format!("{}.", anns.0)),
        pair(&flipped),
        pair(&ann.to_lowercase()),
        pair(&format!("{ann}x")),
        format!("{}; {}", pair(ann), pair(bob)),
        format!("{}; {}", pair(bob), pair(ann)),
        format!("session={ann}"),
        format!("__Secure-session={ann}"),
    ] {
        let got = change(cookie.clone(), csrf.clone()).await;
        assert!([400, 401, 403].contains(&got.status), "{cookie}: {} {}", got.status, got.text);
    }
    // A cookie and a token together are not two chances.
    let token = product.login("bob@example.org").await.str("access_token");
    let headers = [
        ("cookie", pair(ann)),
        ("x-csrf-token", csrf.clone()),
        ("authorization", format!("Bearer {token}x")),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let got = product.ask("PATCH", "/profile", &headers, json!({"bio": "edited"})).await;
    assert!([400, 401].contains(&got.status), "{}", got.text);
    for (cookie, _) in &sessions {
        let profile =
            product.ask("GET", "/profile", &[("cookie", &pair(cookie))], Value::Null).await.expect(200, "");
        assert_eq!(profile.body["bio"], Value::Null);
    }
    change(pair(ann), csrf.clone()).await.expect(200, "");
}
