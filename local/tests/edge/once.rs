use futures::future::join_all;
use serde_json::{Value, json};

use crate::product::{Got, Product};

async fn add(product: &Product, token: &str, key: &str, body: &Value) -> Got {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    product.ask("POST", "/admin/add_movie", &headers, body.clone()).await
}

fn ferry() -> Value {
    json!({"title": "Ferry"})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_with_the_same_key_is_done_once_for_a_day() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let first = add(&product, &admin, "a-1", &ferry()).await.expect(201, "");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = add(&product, &admin, "a-1", &ferry()).await.expect(201, "");
    assert_eq!((&again.text, &again.headers["location"]), (&first.text, &first.headers["location"]));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
    assert!(again.headers.contains_key("ratelimit"));
    let other = add(&product, &admin, "a-1", &json!({"title": "Another"})).await;
    other.expect(422, "idempotency_key_reused");
    let next = add(&product, &admin, "a-2", &ferry()).await.expect(201, "");
    assert_ne!(next.body["id"], first.body["id"]);
    // A day later the key is new again.
    product.wait(86_400);
    let admin = fresh(&product).await;
    let later = add(&product, &admin, "a-1", &json!({"title": "Another"})).await.expect(201, "");
    assert_ne!(later.body["id"], first.body["id"]);
}

/// The administrator, signed in anew.
async fn fresh(product: &Product) -> String {
    product.wait(60);
    product.admin_token().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_creates_and_nobody_gets_another_answer() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let body = ferry();
    let got = join_all((0..20).map(|_| add(&product, &admin, "k", &body))).await;
    let made: Vec<&Got> = got.iter().filter(|got| got.status == 201).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|one| one.text == made[0].text));
    for waiting in got.iter().filter(|got| got.status != 201) {
        assert_eq!((waiting.status, waiting.code()), (409, "in_progress"));
        assert!(waiting.headers.contains_key("retry-after"));
    }
    assert_eq!(made.iter().filter(|one| !one.headers.contains_key("idempotency-replayed")).count(), 1);
    // Nothing was made twice: the next film has the next id.
    let next = add(&product, &admin, "l", &body).await.expect(201, "");
    assert_eq!(next.body["id"].as_u64(), made[0].body["id"].as_u64().map(|id| id + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_uses_its_key_up_for_nothing() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    add(&product, &admin, "k", &json!({"title": ""})).await.expect(422, "invalid_body");
    // TMDb has no key here: nothing was created, and the key may be used for another try.
    add(&product, &admin, "k", &json!({"tmdb_id": 550})).await.expect(503, "unavailable");
    add(&product, &admin, "k", &ferry()).await.expect(201, "");
    for bad in ["a b", &"k".repeat(256)] {
        add(&product, &admin, bad, &ferry()).await.expect(400, "bad_parameter");
    }
    // Who may not call at all learns nothing of keys.
    let (user, _) = product.signed_in("ann").await;
    add(&product, &user, "k", &ferry()).await.expect(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_call_that_crashed_is_done_by_the_next_after_its_lease() {
    use screensort_http::Gate;
    use screensort_store::{Begun, Call, Kept};
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let call = |holder: &str| Call {
        account: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        route: "POST /admin/add_movie".into(),
        key: "hash".into(),
        print: "print".into(),
        holder: holder.into(),
    };
    assert_eq!(stack.begin(&call("first")).await.unwrap(), Begun::First);
    assert_eq!(stack.begin(&call("second")).await.unwrap(), Begun::Running(45));
    product.wait(45);
    assert_eq!(stack.begin(&call("third")).await.unwrap(), Begun::First);
    // The first one was not dead after all: it is too late to say what the answer is.
    let kept = |body: &str| Kept {
        status: 201,
        headers: vec![("location".into(), "/v1/x: y".into())],
        content_type: "application/json; charset=utf-8".into(),
        body: body.as_bytes().to_vec(),
    };
    stack.end(&call("first"), Some(Some(&kept("{\"n\":1}")))).await;
    stack.end(&call("third"), Some(Some(&kept("{\"n\":3}")))).await;
    assert_eq!(stack.begin(&call("fourth")).await.unwrap(), Begun::Done(kept("{\"n\":3}")));
    let other = Call { print: "another".into(), ..call("fifth") };
    assert_eq!(stack.begin(&other).await.unwrap(), Begun::Other);
    // Another person's key of the same name is another key.
    let foreign = Call { account: "01BX5ZZKBKACTAV9WEVGEMMVRZ".into(), ..call("sixth") };
    assert_eq!(stack.begin(&foreign).await.unwrap(), Begun::First);
    // An answer with a secret is not kept, only that it was given.
    stack.end(&foreign, Some(None)).await;
    assert_eq!(stack.begin(&Call { holder: "seventh".into(), ..foreign }).await.unwrap(), Begun::Forgotten);
}
