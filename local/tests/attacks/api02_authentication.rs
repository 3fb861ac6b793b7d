//! API2:2023, broken authentication. Guessing, replay, rotation, expiry and forged tokens are attacked in
//! `local/tests/accounts`; here every secret that the product hands out is tried at every door but its own.

use screensort_http::member::SESSION_COOKIE;
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD};
use crate::world::World;

/// A door: what takes a secret, and which kind of secret it is there for.
const DOORS: [(&str, &[&str]); 12] = [
    ("bearer", &["access"]),
    ("directory", &["access", "service"]),
    ("cookie", &["cookie"]),
    ("refresh", &["refresh"]),
    ("verify", &["verify"]),
    ("reset", &["reset"]),
    ("confirm", &["address"]),
    ("second factor", &["ticket"]),
    ("client", &["key"]),
    ("csrf", &["csrf"]),
    ("password", &["password"]),
    ("csrf cookie", &[]),
];

struct Held {
    secrets: Vec<(&'static str, String)>,
    cookie: String,
    key_id: String,
    token: String,
}

impl World {
    async fn held(&self) -> Held {
        let product = &self.product;
        let ann = self.victim("ann").await;
        let login = product.login("ann@example.org").await;
        let body = json!({"email": "ann@example.org", "password": PASSWORD, "session": "cookie"});
        let got = product.post("/login", body).await.expect(200, "");
        let (cookie, device) = (got.cookie(SESSION_COOKIE).unwrap(), got.cookie("__Host-device"));
        let pair = format!("{SESSION_COOKIE}={cookie}");
        let csrf = product.ask("GET", "/csrf", &[("cookie", &pair)], Value::Null).await.str("csrf_token");
        let grant = json!({"grant_type": "client_credentials", "client_id": ann.client, "client_secret": ann.key_secret});
        let service = product.post("/token", grant).await.expect(200, "").str("access_token");
        // Somebody whose second factor is owed, with recovery codes.
        let (dan, _) = product.signed_in("dan").await;
        let (secret, recovery, _) = product.enrol(&dan).await;
        product.wait(30);
        let ticket = product.login("dan@example.org").await.str("mfa_token");
        // Somebody whose address is not verified.
        let eve = json!({"username": "eve", "email": "eve@example.org", "password": PASSWORD});
        product.post("/register", eve).await.expect(202, "");
        let verify = product.mailed("eve@example.org", "Verify").await;
        // Not ann's: what is mailed to an address that was given up resets nothing, and hers changes below.
        product.post("/password/forgot", json!({"email": "dan@example.org"})).await.expect(202, "");
        let reset = product.mailed("dan@example.org", "Set a new").await;
        let token = login.str("access_token");
        product.with(&token, "POST", "/email", json!({"email": "new@example.org"})).await.expect(202, "");
        let address = product.mailed("new@example.org", "Confirm").await;
        let page = self.get(&token, "/operators?limit=1").await;
        let secrets = vec![
            ("access", token.clone()),
            ("refresh", login.str("refresh_token")),
            ("cookie", cookie.clone()),
            ("device", device.unwrap_or_default()),
            ("csrf", csrf),
            ("service", service),
            ("key", ann.key_secret.clone()),
            ("recovery", recovery[0].clone()),
            ("authenticator", secret.to_base32().to_string()),
            ("ticket", ticket),
            ("verify", verify),
            ("reset", reset),
            ("address", address),
            ("cursor", page.body["next_cursor"].as_str().unwrap_or("none").to_owned()),
            ("session", ann.session.clone()),
            ("export", ann.export.clone()),
            ("account", ann.account.clone()),
            ("empty", String::new()),
        ];
        Held { secrets, cookie: pair, key_id: ann.client, token }
    }
}

/// Knocks with a secret, from a network of its own so that no limit answers in the place of the check.
async fn knock(world: &World, held: &Held, door: &str, secret: &str, source: &str) -> Got {
    let product = &world.product;
    let bearer = format!("Bearer {secret}");
    let from = ("x-local-source", source);
    match door {
        "bearer" => product.ask("GET", "/sessions", &[from, ("authorization", &bearer)], Value::Null).await,
        "directory" => {
            product.ask("GET", "/operators", &[from, ("authorization", &bearer)], Value::Null).await
        }
        "cookie" => {
            let cookie = format!("{SESSION_COOKIE}={secret}");
            product.ask("GET", "/sessions", &[from, ("cookie", &cookie)], Value::Null).await
        }
        "refresh" => product.post_from(source, "/token/refresh", json!({"refresh_token": secret})).await,
        "verify" => product.post_from(source, "/register/verify", json!({"token": secret})).await,
        "reset" => {
            let body = json!({"token": secret, "new_password": "Another-kettle8 sings"});
            product.post_from(source, "/password/reset", body).await
        }
        "confirm" => {
            let headers = [from, ("authorization", &format!("Bearer {}", held.token))];
            product.ask("POST", "/email/confirm", &headers, json!({"token": secret})).await
        }
        "second factor" => {
            product.post_from(source, "/login/mfa", json!({"mfa_token": secret, "code": "000000"})).await
        }
        "client" => {
            let body = json!({"grant_type": "client_credentials", "client_id": held.key_id, "client_secret": secret});
            product.post_from(source, "/token", body).await
        }
        "csrf" => {
            let headers = [from, ("cookie", held.cookie.as_str()), ("x-csrf-token", secret)];
            product.ask("PATCH", "/profile", &headers, json!({})).await
        }
        "csrf cookie" => {
            let cookie = format!("__Host-csrf={secret}");
            product.ask("GET", "/sessions", &[from, ("cookie", &cookie)], Value::Null).await
        }
        _ => {
            // As another account's password, so that ann's own counter is left alone.
            let body = json!({"email": "ann-too@example.org", "password": secret});
            product.post_from(source, "/login", body).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_secret_opens_its_own_door_and_no_other() {
    let world = World::start().await;
    let held = world.held().await;
    let mut source = 0_u32;
    for (door, homes) in DOORS {
        for (kind, secret) in held.secrets.iter().filter(|(kind, _)| !homes.contains(kind)) {
            source += 1;
            let from = std::net::Ipv4Addr::from_bits(0x0B00_0000 + source * 256).to_string();
            let got = knock(&world, &held, door, secret, &from).await;
            // Of a code's ticket it is the code that is wrong; of everything else it is the ticket.
            let refused = [400, 401, 403, 404, 410, 422].contains(&got.status);
            // Passwords are guessed at: the account's limit may answer instead, which opens nothing either.
            assert!(
                refused || (door == "password" && got.status == 429),
                "{kind} at {door}: {} {}",
                got.status,
                got.text
            );
            assert!(
                secret.is_empty() || secret.len() < 20 || !got.text.contains(secret.as_str()),
                "{kind} at {door}"
            );
        }
    }
    // Nothing was used up by being tried elsewhere: each still opens its own.
    for (door, home) in [
        ("bearer", "access"),
        ("directory", "service"),
        ("cookie", "cookie"),
        ("csrf", "csrf"),
        ("client", "key"),
        ("refresh", "refresh"),
        ("verify", "verify"),
        ("confirm", "address"),
        ("reset", "reset"),
    ] {
        let secret = &held.secrets.iter().find(|(kind, _)| *kind == home).unwrap().1;
        let got = knock(&world, &held, door, secret, "192.0.2.1").await;
        assert!(got.status < 300, "{home} at {door}: {} {}", got.status, got.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_in_its_header_alone() {
    let world = World::start().await;
    let (token, _) = world.product.signed_in("ann").await;
    let basic = format!("Basic {token}");
    for headers in [
        [("authorization", token.as_str())],
        [("authorization", basic.as_str())],
        [("x-api-key", token.as_str())],
        [("x-access-token", token.as_str())],
        [("x-auth-token", token.as_str())],
        [("proxy-authorization", &format!("Bearer {token}"))],
        [("cookie", &format!("access_token={token}; token={token}"))],
        [("cookie", &format!("__Secure-session={token}; session={token}"))],
    ] {
        let got = world.product.ask("GET", "/sessions", &headers, Value::Null).await;
        got.expect(401, "unauthorized");
    }
    for name in ["access_token", "token", "authorization", "api_key", "jwt"] {
        let got = world.product.ask("GET", &format!("/sessions?{name}={token}"), &[], Value::Null).await;
        got.expect(401, "unauthorized");
        let body = json!({"bio": "x", name: token});
        world.product.ask("PATCH", "/profile", &[], body).await.expect(401, "unauthorized");
    }
}
