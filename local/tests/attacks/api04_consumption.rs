//! API4:2023, unrestricted resource consumption. Quotas, long work and public parameters are attacked in
//! `local/tests/edge/quotas.rs`, `local/tests/library` and `tests/api/hostile.rs`; here it is every list of the
//! signed in, and every body.

use screensort_routes::{Access, TABLE};
use serde_json::json;

use crate::victim::{bodies, path_of, reference};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn no_list_gives_more_than_its_most_or_takes_a_number_that_is_none() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let admin = world.product.admin_token().await;
    let document = reference();
    let mut lists = 0;
    for route in TABLE.iter().filter(|route| route.method == "GET" && route.access != Access::Anyone) {
        let parameters = document["paths"][route.path]["get"]["parameters"].as_array().unwrap();
        let Some(limit) = parameters.iter().find(|parameter| parameter["name"] == "limit") else { continue };
        lists += 1;
        let most = limit["schema"]["maximum"].as_u64().unwrap();
        assert!(most <= 100, "{} gives {most} at once", route.path);
        let is_staffs = route.path.starts_with("/admin/");
        let token = if is_staffs { &admin } else { &ann.token };
        for limit in [
            (most + 1).to_string(),
            "0".into(),
            "-1".into(),
            "1e9".into(),
            "18446744073709551616".into(),
            "9".repeat(5_000),
            "".into(),
        ] {
            let got = world.get(token, &format!("{}?limit={limit}", path_of(route, &ann))).await;
            // Who moderates is an editor: an administrator is refused for the right.
            assert!(
                got.code() == "bad_parameter" || got.status == 403,
                "{} {limit}: {}",
                route.path,
                got.text
            );
        }
        let many: String = (0..2_000).map(|at| format!("&p{at}=1")).collect();
        let got = world.get(token, &format!("{}?limit=1{many}", path_of(route, &ann))).await;
        assert!(
            [400, 403].contains(&got.status) && got.text.len() < 8_192,
            "{}: {}",
            route.path,
            got.text.len()
        );
    }
    assert!(lists > 15, "{lists} lists");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_is_too_long_too_deep_or_too_wide_for_the_answer_to_be_a_refusal() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let mut tried = 0;
    for (route, schema) in bodies() {
        world.product.wait(60);
        let token = world.product.admin_token().await;
        tried += 1;
        let (method, path, most) = (route.method.as_str(), path_of(route, &ann), route.body_limit());
        let send = |body: String| {
            let url = format!("{}{path}", world.product.url());
            let asked = world.product.client.request(method.parse().unwrap(), url);
            let asked = asked.header("authorization", format!("Bearer {token}"));
            asked.header("content-type", "application/json").body(body).send()
        };
        // What is too long for the route is not waited for: a connection that is cut has been answered enough.
        if let Ok(got) = send(format!("{{\"a\": \"{}\"}}", "x".repeat(most))).await {
            assert_eq!(got.status().as_u16(), 413, "{method} {path}");
        }
        // Within the limit: deeper than anything of ours, wider, longer in each field, and more of each field.
        let room = most.min(60_000);
        let mut bodies = vec![
            format!("{}{}", "{\"a\":".repeat(room / 6), "}".repeat(room / 6)),
            format!("{{\"a\": {}{}}}", "[".repeat(room / 3), "]".repeat(room / 3)),
            format!("{{{}\"z\": 1}}", (0..room / 16).map(|at| format!("\"f{at}\": 1,")).collect::<String>()),
            format!("{{\"a\": 1{}}}", "0".repeat(room - 20)),
            format!("{{\"a\": 1e{}}}", "9".repeat(300)),
        ];
        for field in schema["properties"].as_object().unwrap().keys() {
            bodies.push(json!({ field: "x".repeat(room - 100) }).to_string());
            bodies.push(json!({ field: vec![0; room / 3] }).to_string());
            bodies.push(format!("{{\"{field}\": 1{}}}", "0".repeat(400)));
        }
        for body in bodies {
            let got = send(body).await.unwrap();
            let (status, text) = (got.status().as_u16(), got.text().await.unwrap());
            assert!((400..500).contains(&status) && status != 413, "{method} {path}: {status} {text}");
            assert!(text.len() < 8_192, "{method} {path}: a refusal of {} bytes", text.len());
        }
    }
    assert!(tried > 35, "{tried} routes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_is_not_unpacked() {
    let world = World::start().await;
    let (ann, _) = world.product.signed_in("ann").await;
    // A gigabyte of spaces is a megabyte when packed; nobody inflates it.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &vec![b' '; 8 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let asked = world.product.client.patch(format!("{}/profile", world.product.url()));
        let asked =
            asked.header("authorization", format!("Bearer {ann}")).header("content-encoding", encoding);
        let got = asked.header("content-type", "application/json").body(packed.clone()).send().await.unwrap();
        assert!([400, 415].contains(&got.status().as_u16()), "{encoding}: {}", got.status());
    }
}
