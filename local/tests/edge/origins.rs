use serde_json::Value;

use crate::product::Product;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_call_from_listed_origins_only() {
    let product = Product::start().await;
    let ask = |path: &'static str, origin: &'static str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization, if-match"),
        ];
        let product = &product;
        async move { product.ask("OPTIONS", path, &headers, Value::Null).await }
    };
    let got = ask("/admin/movies/550", "https://app.example").await.expect(204, "");
    assert_eq!(got.headers["access-control-allow-origin"], "https://app.example");
    assert_eq!(got.headers["access-control-allow-methods"], "PATCH, DELETE");
    assert_eq!(got.headers["access-control-allow-credentials"], "true");
    assert_eq!(got.headers["access-control-max-age"], "600");
    assert!(got.headers["access-control-allow-headers"].to_str().unwrap().contains("Idempotency-Key"));
    assert!(got.headers["vary"].to_str().unwrap().contains("Origin"));
    for other in ["null", "https://evil.example", "https://app.example.evil.example", "http://app.example"] {
        let got = ask("/admin/movies/550", other).await.expect(403, "origin_refused");
        assert!(!got.headers.contains_key("access-control-allow-origin"), "{other}");
    }
    ask("/nothing", "https://app.example").await.expect(404, "not_found");
    let plain = product.ask("OPTIONS", "/login", &[], Value::Null).await.expect(405, "method_not_allowed");
    assert_eq!(plain.headers["allow"], "POST");
}
