use screensort_http::Authority;
use screensort_jobs::Error;
use screensort_jobs::ship_audit::{self, Source};
use screensort_runtime::within;
use screensort_store::chain::Link;
use screensort_store::{Audit, Laid};
use serde_json::{Value, json};

use crate::product::Product;
use crate::recorded::records;

async fn ship(product: &Product) -> Value {
    ship_audit::job(json!({}), product.stand.stack.clone()).await.unwrap()
}

async fn verified(product: &Product, source: Source) -> Result<usize, String> {
    ship_audit::verify(&product.stand.stack, source).await.map_err(|error: Error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_chained_and_shipped_once_and_holds() {
    let product = Product::start().await;
    for name in ["ann", "bob", "cid", "dan"] {
        product.signed_in(name).await;
    }
    let all = records(&product).await.len();
    let first = ship(&product).await;
    assert_eq!((first["laid"].as_u64(), first["shipped"].as_u64()), (Some(all as u64), Some(all as u64)));
    assert_eq!(ship(&product).await, json!({"laid": 0, "shipped": 0}), "a second run finds nothing to do");
    product.login("ann@example.org").await;
    assert_eq!(ship(&product).await, json!({"laid": 1, "shipped": 1}));
    assert_eq!(verified(&product, Source::Shipped).await, Ok(all + 1));
    assert_eq!(verified(&product, Source::Table).await, Ok(all + 1));
    let admin = product.admin_token().await;
    let got = product.with(&admin, "GET", "/admin/audit?action=auth.account.created", Value::Null).await;
    for item in got.expect(200, "").body["items"].as_array().unwrap() {
        assert_eq!(item["chain"]["intact"], true);
    }
    // The administrator's own login is not shipped yet.
    let got = product.with(&admin, "GET", "/admin/audit?limit=100", Value::Null).await.expect(200, "");
    assert!(got.body["items"].as_array().unwrap().iter().any(|item| item["chain"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_lay_one_chain() {
    let product = Product::start().await;
    for name in ["ann", "bob", "cid"] {
        product.signed_in(name).await;
    }
    let all = records(&product).await.len();
    let stack = &product.stand.stack;
    let runs = (0..4).map(|_| ship_audit::job(json!({}), stack.clone()));
    let laid: u64 = futures::future::join_all(runs)
        .await
        .into_iter()
        .map(|run| run.unwrap()["laid"].as_u64().unwrap())
        .sum();
    assert_eq!(laid, all as u64, "each record is laid by one of them");
    assert_eq!(ship(&product).await["laid"], 0);
    assert_eq!(verified(&product, Source::Shipped).await, Ok(all));
    assert_eq!(verified(&product, Source::Table).await, Ok(all));
    // A place that is taken stays taken.
    let audit = stack.audit();
    let shard = Audit::shards().next().unwrap();
    if let Some(head) = audit.head(shard).await.unwrap() {
        let mut record = head.record.clone();
        record.id = "01KZZZZZZZZZZZZZZZZZZZZZZZ".into();
        let fork = Link { record, ..head };
        assert_eq!(audit.lay(&[fork]).await.unwrap(), Laid::Taken);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_broke_off_is_gone_on_with() {
    let product = Product::start().await;
    for name in ["ann", "bob", "cid"] {
        product.signed_in(name).await;
    }
    let all = records(&product).await;
    let audit = product.stand.stack.audit();
    // Laid and not shipped, as if the run had been killed in between.
    for shard in Audit::shards() {
        let mut head: Option<Link> = None;
        for record in all.iter().filter(|record| record.shard() == shard).take(2) {
            let link = Link::after(head.as_ref(), shard, record.clone());
            assert_eq!(audit.lay(std::slice::from_ref(&link)).await.unwrap(), Laid::Yes);
            head = Some(link);
        }
    }
    assert_eq!(ship(&product).await["shipped"], all.len());
    assert_eq!(verified(&product, Source::Shipped).await, Ok(all.len()));
}

/// Forgets up to where the chains are shipped, as if every run had been killed before it could say so.
async fn forget_checkpoints(product: &Product) {
    let stack = &product.stand.stack;
    for shard in Audit::shards() {
        let Some(checkpoint) = stack.audit().checkpoint(shard).await.unwrap() else { continue };
        let value = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
        let delete = stack.dynamodb().delete_item().table_name(&stack.settings().tables.audit);
        let delete = delete.key("pk", value(format!("CHECKPOINT#{shard}")));
        delete.key("sk", value(format!("{:012}", checkpoint.seq))).send().await.unwrap();
        assert_eq!(stack.audit().checkpoint(shard).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shipped_by_a_run_that_could_not_say_so_is_not_shipped_again() {
    let product = Product::start().await;
    product.signed_in("ann").await;
    ship(&product).await;
    let shipped = product.stand.stack.shipped();
    let before = shipped.list("audit/").await.unwrap();
    forget_checkpoints(&product).await;
    // More has happened by the time that the next run looks.
    product.login("ann@example.org").await;
    let all = records(&product).await.len();
    let stack = product.stand.stack.clone();
    // As the function that it is: the record of calls shows that it needs to read what it shipped (docs/privilege.md).
    let again = within("ship_audit", ship_audit::job(json!({}), stack)).await.unwrap();
    assert_eq!(again, json!({"laid": 1, "shipped": 1}), "the objects that are there are taken as they are");
    assert_eq!(shipped.list("audit/").await.unwrap().len(), before.len() + 1);
    assert_eq!(verified(&product, Source::Shipped).await, Ok(all));
    assert_eq!(verified(&product, Source::Table).await, Ok(all));
}

/// Changes what DynamoDB holds, as only somebody with the keys to the table could.
async fn tamper(product: &Product, pk: &str, sk: &str, with: &str) {
    let stack = &product.stand.stack;
    let update = stack.dynamodb().update_item().table_name(&stack.settings().tables.audit);
    let value = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    update
        .key("pk", value(pk))
        .key("sk", value(sk))
        .update_expression("SET actor = :with")
        .expression_attribute_values(":with", value(with))
        .send()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tampers_with_the_trail_is_found_out() {
    let product = Product::start().await;
    for name in ["ann", "bob", "cid"] {
        product.signed_in(name).await;
    }
    let all = records(&product).await;
    ship(&product).await;
    let victim = &all[3];
    let (day, shard) = (victim.day(), victim.shard());
    tamper(&product, &format!("DAY#{day}#{shard}"), &victim.id, "somebody else").await;
    let broken = verified(&product, Source::Table).await.unwrap_err();
    assert!(broken.contains(&format!("shard {shard}")) && broken.contains("was changed"), "{broken}");
    assert_eq!(verified(&product, Source::Shipped).await, Ok(all.len()), "what was shipped is as it was");
    let admin = product.admin_token().await;
    let path = format!("/admin/audit?limit=100&action={}", victim.action);
    let got = product.with(&admin, "GET", &path, Value::Null).await.expect(200, "");
    let item = got.body["items"].as_array().unwrap().iter().find(|item| item["id"] == victim.id.as_str());
    assert_eq!(item.unwrap()["chain"]["intact"], false);
    // What was shipped: a link changed, an object gone.
    let shipped = product.stand.stack.shipped();
    let keys = shipped.list("audit/").await.unwrap();
    let text = shipped.get(&keys[0]).await.unwrap().unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let changed = text.replacen("\"source\":\"127.0.0.1\"", "\"source\":\"127.0.0.2\"", 1);
    let changed =
        if changed == text { text.replacen("\"source\":\"-\"", "\"source\":\"+\"", 1) } else { changed };
    shipped.put(&keys[0], "application/x-ndjson", changed).await.unwrap();
    let broken = verified(&product, Source::Shipped).await.unwrap_err();
    assert!(broken.contains(&keys[0]) && broken.contains("was changed"), "{broken}");
    // Whoever rewrites the whole object cannot make the checkpoint.
    let mut lines: Vec<&str> = text.lines().collect();
    let links: Vec<Link> =
        lines[..lines.len() - 1].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut forged: Vec<Link> = Vec::new();
    for link in &links {
        let mut record = link.record.clone();
        record.actor = "forged".into();
        forged.push(Link::after(forged.last(), link.shard, record));
    }
    let mut checkpoint: Value = serde_json::from_str(lines.pop().unwrap()).unwrap();
    checkpoint["hash"] = json!(forged.last().unwrap().hash);
    let mut object: Vec<String> = forged.iter().map(|link| json!(link).to_string()).collect();
    object.push(checkpoint.to_string());
    shipped.put(&keys[0], "application/x-ndjson", object.join("\n")).await.unwrap();
    let broken = verified(&product, Source::Shipped).await.unwrap_err();
    assert!(broken.contains("the checkpoint is not ours"), "{broken}");
}
