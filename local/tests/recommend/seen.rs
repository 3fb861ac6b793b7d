use screensort_model::Thumb;
use serde_json::{Value, json};

use crate::product::Product;
use crate::world::films;

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_what_somebody_is_shown_and_nobody_else_does() {
    let product = Product::with_films().await;
    let (ann, bob) = (product.somebody("ann").await, product.somebody("bob").await);
    product.thumb(&ann, 348, Some(Thumb::Up)).await;
    let own = product.page(&ann, "").await;
    let path = format!("/admin/recommendations/{}", ann.id);
    for who in [&ann, &bob] {
        product.get(who, &path).await.expect(403, "forbidden");
    }
    let admin = product.admin_token().await;
    let seen = product.with(&admin, "GET", &path, Value::Null).await.expect(200, "");
    assert_eq!(films(&seen.body), films(&own));
    let unknown =
        product.with(&admin, "GET", "/admin/recommendations/01KAPJ5Z4V3T3NB8S3K6M5Q2WZ", Value::Null);
    unknown.await.expect(404, "not_found");
    // What an administrator may see, they may not do.
    let wish = json!({"reason": {"type": "popular"}, "action": "less"});
    product.with(&admin, "POST", &path, wish).await.expect(405, "method_not_allowed");
}
