//! API9:2023, improper inventory management. That routes, endpoints, binaries, functions and the reference are the same
//! list is `tests/coverage`'s; here the served product is asked whether it takes what the reference says and nothing
//! else, field by field, and whether anything answers that nobody listed.

use std::collections::BTreeSet;

use screensort_routes::TABLE;
use serde_json::{Value, json};

use crate::victim::{bodies, path_of};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_body_takes_the_fields_that_the_reference_lists_and_no_others() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let mut fields = 0;
    for (at, (route, schema)) in bodies().into_iter().enumerate() {
        world.product.wait(60);
        let admin = world.product.admin_token().await;
        let (bearer, path) = (format!("Bearer {admin}"), path_of(route, &ann));
        let source = format!("11.0.{at}.1");
        let headers = [("authorization", bearer.as_str()), ("x-local-source", source.as_str())];
        let ask = |body: Value| world.product.ask(route.method.as_str(), &path, &headers, body);
        if ask(json!({"planted": 1})).await.code() == "forbidden" {
            continue;
        }
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
        for field in schema["properties"].as_object().unwrap().keys() {
            // Under a value of no type that any field has: what is known is refused for its type.
            let got = ask(json!({field: {"planted": {"planted": []}}})).await;
            let what = format!("{} {path} {field}: {} {}", route.method, got.status, got.text);
            assert_eq!(got.code(), "invalid_body", "{what}");
            let refused = got.body["errors"][0]["code"].as_str().unwrap();
            let pointer = got.body["errors"][0]["pointer"].as_str().unwrap();
            // Inside of it something may be unknown; itself it is not.
            assert!(
                refused != "unknown_field" || pointer != format!("/{field}"),
                "the reference lists what is not taken: {what}"
            );
            fields += 1;
        }
        // What the reference demands is demanded, one thing at a time, and nothing else is.
        if let Some(missed) = ask(json!({})).await.body["errors"][0]["pointer"].as_str()
            && !required.is_empty()
        {
            assert!(required.contains(missed.trim_start_matches('/')), "{} {path}: {missed}", route.method);
        }
    }
    assert!(fields > 80, "{fields} fields");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answers_that_is_not_listed() {
    let world = World::start().await;
    let admin = world.product.admin_token().await;
    let words = [
        "v0",
        "v2",
        "beta",
        "alpha",
        "old",
        "internal",
        "private",
        "debug",
        "test",
        "dev",
        "staging",
        "console",
        "shell",
        "env",
        "config",
        "metrics",
        "actuator",
        "status",
        "info",
        "version",
        "swagger",
        "swagger.json",
        "api-docs",
        "openapi.yaml",
        "graphql",
        "graphiql",
        "rpc",
        "soap",
        "wsdl",
        "backup",
        "dump",
        "export",
        "import",
        "users",
        "user",
        "accounts",
        "account",
        "auth",
        "oauth",
        "token/revoke",
        "token/introspect",
        "authorize",
        "userinfo",
        ".well-known/openid-configuration",
        ".well-known/change-password",
        "robots.txt",
        "sitemap.xml",
        "favicon.ico",
        "crossdomain.xml",
        "server-status",
        "phpinfo.php",
        "wp-login.php",
        "cgi-bin/",
        ".git/HEAD",
        ".env",
        ".aws/credentials",
        "admin",
        "admin/",
        "admin/login",
        "admin/jobs",
        "admin/users/all",
        "admin/keys",
        "admin/secrets",
        "admin/config",
        "admin/export",
        "admin/impersonate",
        "admin/audit/delete",
        "admin/movies",
        "moderation",
        "sessions/all",
        "profile/all",
        "thumbs/all",
        "recommendations",
        "movies/all",
        "movies/13/edit",
        "keys",
        "api_keys/all",
    ];
    let listed = |path: &str| {
        TABLE.iter().any(|route| {
            let same = |(ours, theirs): (&str, &str)| ours == theirs || ours.starts_with('{');
            route.path.split('/').count() == path.split('/').count()
                && route.path.split('/').zip(path.split('/')).all(same)
        })
    };
    for word in words {
        let path = format!("/{word}");
        if listed(&path) {
            continue;
        }
        for method in ["GET", "POST", "PUT", "DELETE"] {
            world.product.with(&admin, method, &path, Value::Null).await.expect(404, "not_found");
        }
    }
    let outside = world.product.url().strip_suffix("/v1").unwrap().to_owned();
    for path in
        ["/", "/v2/movies", "/v0/movies", "/movies", "/latest/movies", "/prod/v1/movies", "/_local/mail"]
    {
        let got = reqwest::Client::new().get(format!("{outside}{path}")).send().await.unwrap();
        assert_eq!(got.status().as_u16(), 404, "{path}");
    }
}

#[test]
fn what_is_deployed_is_what_is_listed() {
    let api = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/api.yaml")).unwrap();
    let (mut deployed, mut path) = (BTreeSet::new(), String::new());
    for line in
        api.lines().skip_while(|line| *line != "paths:").skip(1).take_while(|line| line.starts_with(' '))
    {
        let of_path = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'));
        if let Some(found) =
            of_path.map(|line| line.trim_matches(['\'', '"'])).filter(|line| line.starts_with('/'))
        {
            path = found.to_owned();
        } else if let Some(method) = line.strip_prefix("    ").and_then(|line| line.strip_suffix(':'))
            && ["get", "post", "put", "patch", "delete", "head", "options"].contains(&method)
        {
            deployed.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let listed: BTreeSet<String> =
        TABLE.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(deployed, listed);
}
