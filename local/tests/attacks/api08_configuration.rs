//! API8:2023, security misconfiguration. Headers, origins, methods and hosts are attacked in `tests/api/gateway.rs`,
//! every answer's headers by both test clients, and the template by `tests/infra`; here it is what failures tell, what
//! is echoed, where links come from, and what must not be deployed.

use screensort_routes::TABLE;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::victim::{path_of, query_of};
use crate::world::World;

/// Sends bytes as they are; whatever comes back until the connection is closed.
pub(crate) async fn raw(address: &str, text: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_our_side_tells_nothing_of_what_is_behind() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let admin = world.product.admin_token().await;
    // The same product, whose tables, secrets and files are somewhere else.
    let mut settings = world.product.stand.stack.settings().clone();
    settings.tables.auth = "planted-auth".into();
    settings.tables.library = "planted-library".into();
    settings.tables.catalog = "planted-catalog".into();
    settings.tables.audit = "planted-audit".into();
    settings.artifacts_bucket = "planted-bucket".into();
    settings.cursor_secret = "planted/secret".into();
    let broken = screensort_runtime::Stack::new(settings, world.product.clock.clone());
    let gateway = screensort::gateway::Gateway::new(screensort::product::endpoints(), broken, false, false);
    let server = screensort::server::Server::start(gateway, 0, None).await.unwrap();
    let mut failed = 0;
    for route in TABLE {
        for token in [None, Some(&ann.token), Some(&admin)] {
            let url = format!("{}{}{}", server.url, path_of(route, &ann), query_of(route));
            let mut asked = world.product.client.request(route.method.clone(), &url);
            if let Some(token) = token {
                asked = asked.header("authorization", format!("Bearer {token}"));
            }
            if route.body_limit() > 0 {
                let body = crate::victim::sound_body(route, &ann);
                asked = asked.header("content-type", "application/json").body(body.to_string());
            }
            let got = asked.send().await.unwrap();
            let (status, headers) = (got.status().as_u16(), format!("{:?}", got.headers()));
            let text = got.text().await.unwrap();
            if status < 500 {
                continue;
            }
            failed += 1;
            let code = serde_json::from_str::<Value>(&text).unwrap()["code"].clone();
            assert!(code == "unavailable" || code == "internal_error", "{url}: {text}");
            for word in [
                "planted",
                "Dynamo",
                "dynamo",
                "ResourceNotFound",
                "Secrets",
                "arn:",
                "amazonaws",
                "panicked",
                ".rs:",
                "src/",
                "SdkError",
                "127.0.0.1",
                "Exception",
                "backtrace",
            ] {
                let said = format!("{text} {headers}");
                assert!(!said.contains(word), "{url} says {word}: {said}");
            }
        }
    }
    assert!(failed > 60, "{failed} failures");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_echoes_a_request_and_no_header_moves_a_link() {
    let world = World::start().await;
    let (_, _) = world.product.signed_in("ann").await;
    let address = world.product.url().strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    for method in ["TRACE", "TRACK", "DEBUG", "CONNECT", "PROPFIND", "SEARCH", "LINK", "PURGE"] {
        for path in ["/v1/session", "/v1/movies", "/v1/_local/mail", "/"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nX-Planted: planted-value\r\n");
            let answer = raw(address, &format!("{head}Cookie: planted=1\r\nConnection: close\r\n\r\n")).await;
            let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("{method} {path}: {answer}"));
            assert!(["400", "404", "405"].contains(&status), "{method} {path}: {answer}");
            assert!(!answer.contains("planted"), "{method} {path}: {answer}");
        }
    }
    // The mail that resets a password leads where the configuration says, whoever claims to be in front.
    let poison = [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-server", "evil.example"),
        ("x-host", "evil.example"),
        ("x-original-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
        ("origin", "https://app.example"),
        ("referer", "https://evil.example/"),
    ];
    let forgot = json!({"email": "ann@example.org"});
    world.product.ask("POST", "/password/forgot", &poison, forgot).await.expect(202, "");
    let mails = world.product.mails().await;
    let mail = mails.iter().find(|mail| mail["subject"] == "Set a new password").unwrap();
    let (text, app) = (mail["text"].as_str().unwrap(), &world.product.stand.stack.settings().app_url);
    assert!(text.contains(&format!("{app}#reset_password=")), "{text}");
    assert!(!text.contains("evil") && !text.contains(":666"), "{text}");
    for path in ["/movies?limit=1", "/health", "/nope", "/.well-known/security.txt", "/docs"] {
        let mut asked = world.product.client.get(format!("{}{path}", world.product.url()));
        for (name, value) in &poison[..8] {
            asked = asked.header(*name, *value);
        }
        let got = asked.send().await.unwrap();
        let headers = format!("{:?}", got.headers());
        let said = format!("{headers} {}", got.text().await.unwrap());
        assert!(!said.contains("evil"), "{path}: {said}");
    }
}

#[test]
fn nothing_of_the_local_server_is_in_what_is_deployed() {
    assert!(TABLE.iter().all(|route| !route.path.contains("_local")));
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut folders = vec![root.join("functions"), root.join("shared")];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if entry.is_dir() {
                if !["tests", "testkit", "cloud", "docs", "benches"].contains(&name.as_str()) {
                    folders.push(entry);
                }
            } else if name.ends_with(".rs") {
                looked_at += 1;
                let source = std::fs::read_to_string(&entry).unwrap();
                for word in ["/_local", "x-local-source"] {
                    assert!(!source.contains(word), "{} knows {word}", entry.display());
                }
            }
        }
    }
    assert!(looked_at > 250, "{looked_at} sources");
    for part in ["template.yaml", "infra/api.yaml"] {
        let text = std::fs::read_to_string(root.join(part)).unwrap();
        assert!(!text.contains("_local") && !text.contains("x-local-source"), "{part}");
    }
}

/// Addresses that this process listens on, as the kernel has them.
#[cfg(target_os = "linux")]
fn listening() -> Vec<std::net::IpAddr> {
    let own: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| Some(std::fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = Vec::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN; the tenth field is the socket's number.
            if fields[3] != "0A" || !own.iter().any(|one| one == fields[9]) {
                continue;
            }
            // Each group of eight digits is a word of this machine's order.
            let digits = fields[1].split(':').next().unwrap();
            let words =
                (0..digits.len()).step_by(8).map(|at| u32::from_str_radix(&digits[at..at + 8], 16).unwrap());
            let bytes: Vec<u8> = words.flat_map(u32::to_ne_bytes).collect();
            found.push(match <[u8; 4]>::try_from(bytes.as_slice()) {
                Ok(four) => std::net::IpAddr::from(four),
                Err(_) => std::net::IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).unwrap()),
            });
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_listens_but_on_this_machine() {
    let world = World::start().await;
    let stack = world.product.stand.stack.clone();
    let secure = screensort::gateway::Gateway::new(screensort::product::endpoints(), stack, false, true);
    let server = screensort::server::Server::start(secure, 0, None).await.unwrap();
    assert!(server.url.starts_with("https://localhost:") && server.plain_url.is_some());
    let addresses = listening();
    // The product, the product over TLS with its plain companion, and the embedded services.
    assert!(addresses.len() >= 4, "{addresses:?}");
    for address in addresses {
        assert!(address.is_loopback(), "{address} is reached from elsewhere");
    }
    server.stop().await;
}
