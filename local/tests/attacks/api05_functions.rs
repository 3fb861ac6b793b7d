//! API5:2023, broken function level authorization. `every_route_lets_in_exactly_who_may` asks every route as everybody;
//! here the address, the method and the caller are bent, so that a check that looks at one of them only is passed by.

use screensort_routes::{Access, TABLE};
use serde_json::Value;

use crate::victim::{path_of, query_of};
use crate::world::World;

/// Headers by which proxies and frameworks are told who calls, from where, or what is really meant.
const CLAIMS: [(&str, &str); 18] = [
    ("x-user-id", "admin"),
    ("x-user", "admin"),
    ("x-roles", "admin"),
    ("x-role", "admin"),
    ("x-admin", "true"),
    ("x-forwarded-user", "admin"),
    ("x-remote-user", "admin"),
    ("x-authenticated-userid", "admin"),
    ("x-amzn-oidc-identity", "admin"),
    ("x-amzn-oidc-data", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
    ("x-apigateway-event", "{\"requestContext\":{\"authorizer\":{\"roles\":\"admin\"}}}"),
    ("x-amzn-request-context", "{\"authorizer\":{\"principalId\":\"admin\"}}"),
    ("x-client-cert", "CN=admin"),
    ("x-original-url", "/v1/health"),
    ("x-rewrite-url", "/v1/health"),
    ("x-http-method-override", "GET"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-internal", "1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_right_by_saying_in_a_header_that_they_have_it() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let bearer = format!("Bearer {}", ann.token);
    let claims = |more: Option<(&'static str, String)>| {
        let mut headers: Vec<(&str, String)> =
            CLAIMS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.extend(more);
        headers
    };
    let mut asked = 0;
    for route in TABLE {
        let (Access::Member(permission) | Access::Recent(permission) | Access::Caller(permission)) =
            route.access
        else {
            continue;
        };
        let (method, path) = (route.method.as_str(), format!("{}{}", path_of(route, &ann), query_of(route)));
        let guest = claims(None);
        let headers: Vec<(&str, &str)> = guest.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.product.ask(method, &path, &headers, Value::Null).await.expect(401, "unauthorized");
        if !screensort_auth::Role::User.permissions().contains(permission) {
            let person = claims(Some(("authorization", bearer.clone())));
            let headers: Vec<(&str, &str)> =
                person.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.product.ask(method, &path, &headers, Value::Null).await.expect(403, "forbidden");
        }
        asked += 1;
    }
    assert!(asked > 60, "{asked} routes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_written_otherwise_leads_nowhere_and_never_past_a_check() {
    let world = World::start().await;
    let (ann, _) = world.product.signed_in("ann").await;
    let address = world.product.url().strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    let staffs = TABLE.iter().filter(|route| {
        let (Access::Member(permission) | Access::Recent(permission)) = route.access else { return false };
        !screensort_auth::Role::User.permissions().contains(permission)
    });
    for route in staffs {
        let path = route.path.replace("{id}", "550").replace("{user_id}", "x").replace("{rid}", "x");
        let path = path.replace("{cidr}", "203.0.113.7");
        let bent = [
            path.to_uppercase(),
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}/."),
            format!("/health/..{path}"),
            format!("/.{path}"),
            path.replacen("/a", "/%61", 1).replacen("/m", "/%6d", 1),
            path.replacen('/', "/%2e/", 1),
            path.replacen('/', "/;/", 1),
            format!("{path};.json"),
            format!("{path}.json"),
            format!("{path}%20"),
            format!("{path}%00"),
            format!("{path}%23"),
            format!("{path}\\"),
        ];
        for bent in bent.iter().filter(|bent| **bent != path) {
            for method in [route.method.as_str(), "GET", "POST", "HEAD", "TRACE", "ADMIN"] {
                let head = format!(
                    "{method} /v1{bent} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {ann}\r\n"
                );
                let answer =
                    crate::api08_configuration::raw(address, &format!("{head}Connection: close\r\n\r\n"))
                        .await;
                let status: u16 =
                    answer.split(' ').nth(1).unwrap_or_else(|| panic!("{bent}: {answer}")).parse().unwrap();
                assert!([400, 403, 404, 405].contains(&status), "{method} {bent}: {answer}");
            }
        }
    }
}
