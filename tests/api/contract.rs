//! The check that every answer passes through sees what it looks for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::HeaderValue;
use screensort_tests::{Answer, Ask, contract, shared};
use serde_json::{Value, json};

/// A change to a body.
type Edit = fn(&mut Value);

/// Why the check turns an answer down, or nothing if it takes it.
fn fault(ask: &Ask, answer: &Answer) -> String {
    match catch_unwind(AssertUnwindSafe(|| contract::check(ask, answer))) {
        Ok(()) => String::new(),
        Err(panic) => panic.downcast_ref::<String>().cloned().expect("a reason"),
    }
}

fn assert_turned_down(ask: &Ask, answer: &Answer, reason: &str) {
    let fault = fault(ask, answer);
    assert!(fault.contains(reason), "{reason}: {fault:?}");
}

/// `answer` with another body.
fn edited(answer: &Answer, edit: impl FnOnce(&mut Value)) -> Answer {
    let (mut answer, mut body) = (answer.clone(), answer.json());
    edit(&mut body);
    answer.body = body.to_string().into();
    answer
}

#[tokio::test]
async fn an_answer_with_a_header_less_or_more_is_turned_down() {
    let product = shared().await;
    for ask in [Ask::get("/movies?limit=1"), Ask::get("/movies/0"), Ask::get("/nope")] {
        let answer = product.ask(ask.clone()).await;
        assert_eq!(fault(&ask, &answer), "");
        for name in contract::SECURITY_HEADERS.map(|(name, _)| name).into_iter().chain([
            "content-security-policy",
            "permissions-policy",
            "cross-origin-resource-policy",
            "x-request-id",
            "cache-control",
            "content-type",
        ]) {
            let mut without = answer.clone();
            without.headers.remove(name);
            assert_ne!(fault(&ask, &without), "", "{name}");
        }
        for (name, value) in [("server", "x"), ("access-control-allow-origin", "*"), ("vary", "Accept")] {
            let mut with = answer.clone();
            with.headers.append(name, HeaderValue::from_static(value));
            assert_turned_down(&ask, &with, name);
        }
    }
}

#[tokio::test]
async fn an_answer_that_the_document_does_not_list_is_turned_down() {
    let product = shared().await;
    let ask = Ask::get("/movies?limit=2");
    let answer = product.ask(ask.clone()).await;
    let mut created = answer.clone();
    created.status = 201;
    assert_turned_down(&ask, &created, "does not list 201 for /movies");
    let mut text = answer.clone();
    text.headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    assert_turned_down(&ask, &text, "does not list text/plain");
    let edits: [(Edit, &str); 6] = [
        (|body| body["items"][1]["id"] = json!("13"), "/items/1/id"),
        (|body| body["items"][0]["release_date"] = json!("yesterday"), "/items/0/release_date"),
        (|body| body["items"][0]["secret"] = json!(1), "/items/0"),
        (|body| drop(body["items"][0].as_object_mut().unwrap().remove("title")), "title"),
        (|body| body["items"][0]["genres"] = json!([{"id": 0, "name": "x"}]), "/items/0/genres/0/id"),
        (|body| body["next_cursor"] = json!(5), "/next_cursor"),
    ];
    for (edit, at) in edits {
        assert_turned_down(&ask, &edited(&answer, edit), at);
    }
    assert_turned_down(&ask, &edited(&answer, |body| body["items"][0]["title"] = json!("<b>")), "markup");
}

#[tokio::test]
async fn a_problem_that_does_not_say_what_it_is_is_turned_down() {
    let product = shared().await;
    let ask = Ask::get("/movies/0");
    let answer = product.ask(ask.clone()).await;
    for field in ["type", "title", "status", "detail", "instance", "code", "request_id"] {
        let without = edited(&answer, |body| drop(body.as_object_mut().unwrap().remove(field)));
        assert_ne!(fault(&ask, &without), "", "{field}");
        let other = edited(&answer, |body| body[field] = json!("x"));
        assert_ne!(fault(&ask, &other), "", "{field}");
    }
}
