//! All lists of this area have the same manners.

use serde_json::{Value, json};

use crate::product::Product;
use crate::{id, with_operators};

/// Three things of ann's in each list.
async fn filled(product: &Product, ann: &str) {
    for n in 1..=3 {
        let key = json!({"name": format!("key {n}"), "scopes": ["operators:read"]});
        product.with(ann, "POST", "/api_keys", key).await.expect(201, "");
        let link = json!({"email": format!("b{n}@example.org"), "scopes": ["history"]});
        product.with(ann, "POST", "/links", link).await.expect(202, "");
        product.wait(1);
    }
    for key in ["001", "011", "020"] {
        let path = format!("/favourites/{}", id("open-transport", key));
        product.with(ann, "PUT", &path, Value::Null).await.expect(204, "");
    }
    product.with(ann, "PUT", "/queries", json!({"kept": true})).await.expect(200, "");
    for query in ["kind=transport", "mode=train", "q=anglia"] {
        product.get(ann, &format!("/operators?{query}")).await.expect(200, "");
        product.wait(1);
    }
    product.with(ann, "PUT", "/queries", json!({"kept": false})).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_comes_in_pages_that_hang_together_and_belong_to_one_person() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    filled(&product, &ann).await;
    for list in ["/api_keys", "/links", "/favourites", "/queries", "/operators?kind=transport"] {
        let with = |more: &str| format!("{list}{}{more}", if list.contains('?') { '&' } else { '?' });
        let whole = product.get(&ann, list).await.expect(200, "");
        let all = whole.body["items"].as_array().unwrap().clone();
        assert_eq!(all.len(), 3, "{list}: {}", whole.text);
        assert!(whole.body["next_cursor"].is_null() && !whole.headers.contains_key("link"), "{list}");
        // Page by page it is the same, by cursor and by link.
        let (mut seen, mut path) = (Vec::new(), with("limit=2"));
        let first = loop {
            let page = product.get(&ann, &path).await.expect(200, "");
            seen.extend(page.body["items"].as_array().unwrap().clone());
            let Some(cursor) = page.body["next_cursor"].as_str() else { break path };
            let link = page.headers["link"].to_str().unwrap();
            // It is relative to the list's own address.
            let next = link.strip_prefix("<?").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
            assert!(next.contains("limit=2") && next.contains(cursor), "{link}");
            path = format!("{}?{next}", list.split('?').next().unwrap());
        };
        assert_eq!(seen, all, "{list}");
        let cursor = first.split("cursor=").nth(1).unwrap().to_owned();
        // Another person's, another list's, an edited and a made-up cursor are none.
        product.get(&bob, &first).await.expect(400, "bad_cursor");
        let edited = format!("{}A", &cursor[..cursor.len() - 1]);
        let edited = if edited == cursor { format!("{}B", &cursor[..cursor.len() - 1]) } else { edited };
        for bad in [edited.as_str(), "AAAA", "x"] {
            product.get(&ann, &with(&format!("limit=2&cursor={bad}"))).await.expect(400, "bad_cursor");
        }
        let other = if list == "/links" { "/api_keys" } else { "/links" };
        product.get(&ann, &format!("{other}?limit=2&cursor={cursor}")).await.expect(400, "bad_cursor");
        for bad in ["limit=0", "limit=101", "limit=x", "limit=2&limit=2", "page=2", "cursor="] {
            product.get(&ann, &with(bad)).await.expect(400, "bad_parameter");
        }
        assert_eq!(product.get(&ann, &with("limit=100")).await.body["items"], json!(all));
    }
    // Keys come newest first.
    let keys = product.get(&ann, "/api_keys").await;
    assert_eq!(crate::names(&keys), ["key 3", "key 2", "key 1"]);
}
