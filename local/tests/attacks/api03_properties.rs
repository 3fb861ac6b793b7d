//! API3:2023, broken object property level authorization: what may be written of an object, and what is shown of it.
//! Single routes refuse single fields elsewhere; here every route that takes a body is given every field that decides
//! about somebody, and every answer is searched for fields that are nobody's to see.

use screensort_routes::TABLE;
use serde_json::{Value, json};

use crate::product::PASSWORD;
use crate::victim::{bodies, path_of, query_of, sound_body};
use crate::world::World;

/// Fields that an attacker adds: rights, ownership, state, keys of the store, and ways into the language.
const ADDED: [&str; 38] = [
    "role",
    "roles",
    "is_admin",
    "admin",
    "grants",
    "denials",
    "permissions",
    "scope",
    "acr",
    "amr",
    "id",
    "_id",
    "user_id",
    "account",
    "account_id",
    "owner",
    "by",
    "sub",
    "sid",
    "pk",
    "sk",
    "v",
    "version",
    "generation",
    "verified",
    "verified_at",
    "email_verified",
    "disabled",
    "mfa",
    "state",
    "status",
    "created_at",
    "source",
    "price",
    "score",
    "__proto__",
    "constructor",
    "$set",
];

/// Names of fields that no answer has, whoever asks.
const NEVER: [&str; 34] = [
    "password",
    "password_hash",
    "hash",
    "salt",
    "pepper",
    "totp_secret",
    "totp_key",
    "wrapped_key",
    "data_key",
    "pk",
    "sk",
    "gsi1pk",
    "gsi1sk",
    "rid",
    "email_term",
    "pending_term",
    "pending_email",
    "generation",
    "mac",
    "ttl",
    "refresh_hash",
    "token_hash",
    "key_hash",
    "recovery",
    "recovery_codes",
    "device_id",
    "failures",
    "blocked_until",
    "stack",
    "trace",
    "internal",
    "table",
    "arn",
    "credentials",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_route_takes_a_field_that_is_not_its_callers_to_set() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let sources =
        |n: usize| std::net::Ipv4Addr::from_bits(0x0B00_0000 + u32::try_from(n).unwrap() * 256).to_string();
    let (mut tried, mut knock) = (0, 0);
    let mut admin = world.product.admin_token().await;
    let before = world.belongings(&ann).await;
    for (route, schema) in bodies() {
        let path = path_of(route, &ann);
        let known = schema["properties"].as_object().unwrap();
        assert_eq!(schema["additionalProperties"], false, "{path}: the reference lets anything through");
        for field in ADDED.into_iter().filter(|field| !known.contains_key(*field)) {
            // Under values that would mean something where the field were taken, alone and beside a sound body.
            let beside = |value: Value| {
                let mut whole = sound_body(route, &ann);
                whole[field] = value;
                whole
            };
            for body in [json!({field: "admin"}), beside(json!(["admin"])), beside(json!(true))] {
                knock += 1;
                let (bearer, source) = (format!("Bearer {admin}"), sources(knock));
                let headers = [("authorization", bearer.as_str()), ("x-local-source", source.as_str())];
                let got = world.product.ask(route.method.as_str(), &path, &headers, body).await;
                // An administrator does not moderate: there it is the right that is missing.
                if got.code() == "forbidden" {
                    continue;
                }
                let what = format!("{} {path} with {field}: {} {}", route.method, got.status, got.text);
                assert_eq!((got.status, got.code()), (422, "invalid_body"), "{what}");
                assert_eq!(got.body["errors"][0]["code"], "unknown_field", "{what}");
                tried += 1;
            }
        }
        // Calls of a minute are counted, and tokens live five of them.
        world.product.wait(60);
        admin = world.product.admin_token().await;
    }
    assert!(tried > 3_000, "{tried} fields tried");
    let ann = crate::victim::Victim {
        token: world.product.login("ann@example.org").await.str("access_token"),
        ..ann
    };
    let after = world.belongings(&ann).await;
    for (before, after) in before.iter().zip(&after).filter(|(before, _)| !before.starts_with("/se")) {
        assert_eq!(before, after, "a field that was refused has changed something");
    }
    let session = world.get(&ann.token, "/session").await;
    assert_eq!(session.body["roles"], json!(["user"]));
    let mallory = json!({"username": "mallory", "password": PASSWORD});
    world.product.post("/login", mallory).await.expect(401, "invalid_credentials");
}

/// Every name of a field in a document, with where it stands.
fn fields(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.push((name.clone(), format!("{at}/{name}")));
                fields(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, &format!("{at}/*"), found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_shows_what_is_kept_beside_what_was_asked_for() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let bob = world.person("bob").await;
    let admin = world.product.admin_token().await;
    // An answer to a stranger names neither her address nor her account, nor anything that she keeps to herself.
    let hers = ["ann@example.org", ann.account.as_str(), ann.session.as_str(), ann.key.as_str(), "planted"];
    for route in TABLE.iter().filter(|route| route.method == "GET" && !route.path.starts_with("/docs")) {
        let path = format!("{}{}", path_of(route, &ann), query_of(route));
        // The reference names fields, keys are public, and a challenge is made of salt and hash.
        if ["/openapi.json", "/.well-known/jwks.json", "/login/challenge"].contains(&route.path) {
            continue;
        }
        for (who, token) in
            [("guest", None), ("ann", Some(&ann.token)), ("bob", Some(&bob)), ("admin", Some(&admin))]
        {
            let url = format!("{}{path}", world.product.url());
            let mut asked = world.product.client.get(&url);
            if let Some(token) = token {
                asked = asked.header("authorization", format!("Bearer {token}"));
            }
            let text = asked.send().await.unwrap().text().await.unwrap();
            let mut found = Vec::new();
            fields(&serde_json::from_str(&text).unwrap_or_default(), "", &mut found);
            for (name, at) in &found {
                // Whether something is on is said by a word of the same name.
                assert!(!NEVER.contains(&name.to_lowercase().as_str()), "{who} {path} shows {at}: {text}");
            }
            if ["guest", "bob"].contains(&who) {
                for secret in hers {
                    assert!(
                        path.contains(secret) || !text.contains(secret),
                        "{who} {path} shows {secret}: {text}"
                    );
                }
            }
            // Not even who runs the product reads addresses, or what people keep to themselves.
            let private = ["ann@example.org", "ann-too@example.org", "planted"];
            let is_own = who == "ann";
            assert!(is_own || !private.iter().any(|secret| text.contains(secret)), "{who} {path}: {text}");
        }
    }
}
