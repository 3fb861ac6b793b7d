use std::collections::BTreeSet;

use screensort::product;
use screensort_auth::Role;
use screensort_routes::{Access, TABLE};
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

/// A path of the table with something in the place of its parameters.
fn filled(path: &str) -> String {
    let path = path.replace("{id}", "1").replace("{asset}", "page.css").replace("{code}", "gone");
    path.replace("{movie_id}", "1").replace("{hid}", "1").replace("{rid}", "1")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_what_the_table_says_and_refuses_everybody_else() {
    let product = Product::start().await;
    for operation in product::endpoints().iter().flat_map(|endpoint| endpoint.operations()) {
        assert_eq!(operation.access, operation.route.access, "{}", operation.route.path);
    }
    let email = product.person("ann").await;
    let (user, _) = product.signed_in("bob").await;
    let closed = product.login(&email).await.str("access_token");
    let admin = product.admin_token().await;
    let ann = account_id(&product, &admin, "ann").await;
    let path = format!("/admin/users/{ann}");
    product.with(&admin, "PATCH", &path, json!({"disabled": true})).await.expect(200, "");
    for route in TABLE {
        let (method, path) = (route.method.as_str(), filled(route.path));
        let (permission, recent) = match route.access {
            Access::Anyone => continue,
            Access::Member(permission) | Access::Caller(permission) => (permission, false),
            Access::Recent(permission) => (permission, true),
        };
        product.ask(method, &path, &[], Value::Null).await.expect(401, "unauthorized");
        product.with(&closed, method, &path, Value::Null).await.expect(401, "unauthorized");
        if !screensort_auth::Role::User.permissions().contains(permission) {
            product.with(&user, method, &path, Value::Null).await.expect(403, "forbidden");
        }
        let harmless =
            permission.as_str().contains("own") || permission == screensort_auth::Permission::ReviewsReport;
        assert!(method == "GET" || harmless || recent, "{path} is destructive");
    }
}

/// What asks for a recent proof of everybody: what leads to other credentials, or lets somebody else in.
const GUARDED: [(&str, &str); 12] = [
    ("POST", "/api_keys"),
    ("POST", "/email"),
    ("POST", "/links"),
    ("POST", "/links/confirm"),
    ("POST", "/mfa/totp"),
    ("DELETE", "/mfa/totp"),
    ("PUT", "/mfa/email"),
    ("DELETE", "/mfa/email"),
    ("POST", "/mfa/sms"),
    ("DELETE", "/mfa/sms"),
    ("POST", "/mfa/recovery_codes"),
    ("POST", "/moderation/reviews/{rid}"),
];

#[test]
fn what_is_sensitive_asks_for_a_second_factor_or_a_recent_proof() {
    let (mut staffs, mut guarded) = (0, 0);
    for route in TABLE {
        let (method, path) = (route.method.as_str(), route.path);
        let (permission, is_recent) = match route.access {
            Access::Anyone => {
                assert!(!path.starts_with("/admin") && !path.starts_with("/moderation"), "{path} is open");
                continue;
            }
            Access::Member(permission) | Access::Caller(permission) => (permission, false),
            Access::Recent(permission) => (permission, true),
        };
        let holders = Role::ALL.into_iter().filter(|role| role.permissions().contains(permission));
        let is_staffs = holders.clone().all(Role::needs_second_factor);
        if path.starts_with("/admin") || path.starts_with("/moderation") {
            assert!(is_staffs && holders.count() > 0, "{method} {path} needs no second factor");
        }
        if is_staffs {
            staffs += 1;
            assert!(is_recent || method == "GET", "{method} {path} needs no recent proof");
        }
        if GUARDED.contains(&(method, path)) {
            guarded += 1;
            assert!(is_recent, "{method} {path} needs no recent proof");
        }
    }
    assert!(staffs >= 15, "{staffs} routes of staff");
    assert_eq!(guarded, GUARDED.len(), "a route is not in the table any more");
}

async fn account_id(product: &Product, admin: &str, name: &str) -> String {
    let got = product.with(admin, "GET", "/admin/users?limit=100", Value::Null).await.expect(200, "");
    let items = got.body["items"].as_array().unwrap();
    items.iter().find(|item| item["username"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unsafe_route_refuses_a_cookie_session_without_its_page() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie", "remember": true});
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let got = product.post("/login", body.clone()).await.expect(200, "");
        let cookie = format!("__Host-session={}", got.cookie("__Host-session").unwrap());
        let token = product.ask("GET", "/csrf", &[("cookie", &cookie)], Value::Null).await.str("csrf_token");
        sessions.push((cookie, token));
    }
    let form = product.ask("GET", "/csrf", &[], Value::Null).await.str("csrf_token");
    product.wait(2 * 3600);
    let (cookie, late) = &sessions[0];
    let fresh = async |cookie: &str| {
        product.ask("GET", "/csrf", &[("cookie", cookie)], Value::Null).await.str("csrf_token")
    };
    let (token, others) = (fresh(cookie).await, fresh(&sessions[1].0).await);
    let unsafe_ones = TABLE.iter().filter(|route| route.method != "GET" && route.access != Access::Anyone);
    let mut routes = 0;
    for route in unsafe_ones {
        routes += 1;
        let (method, path) = (route.method.as_str(), filled(route.path));
        let cookie = ("cookie", cookie.as_str());
        let right = ("x-csrf-token", token.as_str());
        product.ask(method, &path, &[cookie], Value::Null).await.expect(403, "csrf");
        for wrong in ["", "wrong", &others, late, &form] {
            let headers = [cookie, ("x-csrf-token", wrong)];
            product.ask(method, &path, &headers, Value::Null).await.expect(403, "csrf");
        }
        for elsewhere in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let headers = [cookie, right, elsewhere];
            product.ask(method, &path, &headers, Value::Null).await.expect(403, "csrf");
        }
        // A form can only send other types; with the right token it is the type that is refused, or the rights.
        let typed = [cookie, right, ("content-type", "application/x-www-form-urlencoded")];
        let got = product.ask(method, &path, &typed, json!({})).await;
        assert!(got.status >= 400 && got.code() != "csrf", "{method} {path}: {}", got.text);
    }
    assert!(routes >= 10, "{routes}");
    product.ask("GET", "/session", &[("cookie", cookie)], Value::Null).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rights_acts_on_the_very_next_request() {
    let product = Product::start().await;
    let (user, _) = product.signed_in("ann").await;
    let admin = product.admin_token().await;
    let ann = account_id(&product, &admin, "ann").await;
    let path = format!("/admin/users/{ann}");
    let change = |body: Value| product.with(&admin, "PATCH", &path, body);
    let made = change(json!({"roles": ["user", "admin"]})).await.expect(200, "");
    assert_eq!(made.body["roles"], json!(["user", "admin"]));
    product.with(&user, "GET", "/session", Value::Null).await.expect(401, "unauthorized");
    // The role counts only with a second factor.
    let token = product.login("ann@example.org").await.str("access_token");
    product.with(&token, "GET", "/admin/users", Value::Null).await.expect(403, "forbidden");
    change(json!({"disabled": true})).await.expect(200, "");
    product.with(&token, "GET", "/session", Value::Null).await.expect(401, "unauthorized");
    let login = json!({"email": "ann@example.org", "password": PASSWORD});
    product.post("/login", login.clone()).await.expect(401, "invalid_credentials");
    change(json!({"disabled": false, "roles": ["user"], "denials": ["sessions:read_own"]}))
        .await
        .expect(200, "");
    let token = product.post("/login", login).await.expect(200, "").str("access_token");
    product.with(&token, "GET", "/sessions", Value::Null).await.expect(403, "forbidden");
    change(json!({"roles": ["god"]})).await.expect(422, "invalid_body");
    change(json!({"roles": ["guest"]})).await.expect(409, "conflict");
    change(json!({"grants": ["reviews:moderate"]})).await.expect(403, "forbidden");
    let unknown = product.with(&admin, "PATCH", "/admin/users/nobody", json!({"disabled": true})).await;
    unknown.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_their_own_roles_and_a_destructive_call_needs_a_recent_proof() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let own = account_id(&product, &admin, "admin").await;
    let path = format!("/admin/users/{own}");
    product.with(&admin, "PATCH", &path, json!({"roles": ["user"]})).await.expect(403, "forbidden");
    let list = product.with(&admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    assert!(!list.text.contains('@'), "an administrator sees no address");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_page_by_page() {
    let product = Product::start().await;
    for n in 0..4 {
        product.person(&format!("name{n}")).await;
    }
    let admin = product.admin_token().await;
    let (mut names, mut path) = (Vec::new(), "/admin/users?limit=2".to_owned());
    loop {
        let got = product.with(&admin, "GET", &path, Value::Null).await.expect(200, "");
        let items = got.body["items"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["username"].as_str().unwrap().to_owned()));
        match got.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/admin/users?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(names.len(), 5);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_the_table_holds_nothing_that_could_be_used() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let got = product.login(&email).await;
    let token = got.str("access_token");
    let (secret, codes, token) = product.enrol(&token).await;
    product.post("/password/forgot", json!({"email": email})).await.expect(202, "");
    let reset = product.mailed(&email, "Set a new").await;
    let ticket = product.login(&email).await.str("mfa_token");
    product.with(&token, "POST", "/email", json!({"email": "pending@example.org"})).await.expect(202, "");
    let client = product.stand.stack.dynamodb();
    let mut dump = String::new();
    for table in client.list_tables().send().await.unwrap().table_names() {
        let items = client.scan().table_name(table).send().await.unwrap();
        dump.push_str(&format!("{:?}", items.items()));
    }
    assert!(dump.contains("ann"), "the dump is of the right table");
    let planted = [
        email.as_str(),
        "pending@example.org",
        PASSWORD,
        &got.str("refresh_token"),
        &token,
        &reset,
        &ticket,
        &secret.to_base32(),
        &codes[0],
        &codes[0].replace('-', ""),
    ];
    for planted in planted {
        assert!(!dump.contains(planted), "{planted} is in the dump");
    }
}
