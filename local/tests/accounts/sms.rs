use screensort::stand::Choices;
use screensort_runtime::{Stack, Texts};
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};

const NUMBER: &str = "+442071838750";

fn texts(per_day: u32) -> Texts {
    Texts {
        countries: vec!["+44".to_owned(), "+49".to_owned()],
        sender: Some("ScreenSort".to_owned()),
        per_day,
    }
}

async fn texting() -> Product {
    Product::start_with(Choices { texts: Some(texts(500)), ..Choices::default() }).await
}

async fn asked(product: &Product, token: &str, number: &str) -> Got {
    product.with(token, "POST", "/mfa/sms", json!({"phone": number})).await
}

async fn texted(product: &Product, number: &str) -> String {
    product.mailed(number, "Text message").await
}

async fn id(product: &Product, token: &str) -> String {
    let session = product.with(token, "GET", "/session", Value::Null).await.expect(200, "");
    session.body["user"]["id"].as_str().unwrap().to_owned()
}

/// Makes a number the second factor; the recovery codes.
async fn enrolled(product: &Product, token: &str) -> Vec<String> {
    asked(product, token, "+44 (20) 7183-8750").await.expect(202, "");
    let code = texted(product, NUMBER).await;
    let got = product.with(token, "PUT", "/mfa/sms", json!({"code": code})).await.expect(200, "");
    got.body["recovery_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

async fn first_step(product: &Product, methods: Value) -> String {
    let got = product.login("ann@example.org").await;
    assert_eq!((&got.body["mfa_required"], &got.body["methods"]), (&json!(true), &methods));
    got.str("mfa_token")
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_by_text_are_off_unless_the_settings_name_a_country() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    asked(&product, &token, NUMBER).await.expect(404, "not_found");
    product.with(&token, "PUT", "/mfa/sms", json!({"code": "123456"})).await.expect(404, "not_found");
    product.with(&token, "DELETE", "/mfa/sms", Value::Null).await.expect(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_by_text_confirms_a_number_and_is_asked_for_from_then_on() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    product.with(&token, "PUT", "/mfa/sms", json!({"code": "123456"})).await.expect(409, "conflict");
    let codes = enrolled(&product, &token).await;
    assert_eq!(codes.len(), 10);
    let mails = product.mails().await;
    let text = mails.iter().find(|mail| mail["to"] == NUMBER).unwrap();
    let code = text["token"].as_str().unwrap();
    assert_eq!(
        text["text"],
        format!("{code} is your ScreenSort code. Tell it to nobody.\n\n@localhost:3000 #{code}")
    );
    assert!(mails.iter().any(|mail| mail["subject"] == "A second factor was turned on"));
    // The code is spent, and what was confirmed waits no more.
    product.with(&token, "PUT", "/mfa/sms", json!({"code": code})).await.expect(409, "conflict");
    let security = product.with(&token, "GET", "/security", Value::Null).await.expect(200, "");
    assert_eq!(
        security.body["mfa"],
        json!({"totp": false, "email": false, "sms": true, "recovery_codes_left": 10})
    );
    product.with(&token, "PUT", "/mfa/email", Value::Null).await.expect(409, "conflict");

    let (ticket, other) = (
        first_step(&product, json!(["sms", "recovery_code"])).await,
        first_step(&product, json!(["sms", "recovery_code"])).await,
    );
    product.post("/login/mfa/send", json!({"mfa_token": ticket})).await.expect(202, "");
    let code = texted(&product, NUMBER).await;
    assert!(!product.mails().await.iter().any(|mail| mail["subject"] == "Your sign-in code"));
    let wrong = json!({"mfa_token": other, "code": code});
    product.post("/login/mfa", wrong).await.expect(401, "invalid_credentials");
    let right = json!({"mfa_token": ticket, "code": code});
    let got = product.post("/login/mfa", right.clone()).await.expect(200, "");
    product.post("/login/mfa", right).await.expect(401, "invalid_credentials");
    // A text can be led to another telephone: it does not count as strong, and no more does what stands in for it.
    let acr = async |token: &str| {
        product.with(token, "GET", "/session", Value::Null).await.expect(200, "").body["acr"].clone()
    };
    assert_eq!(acr(&got.str("access_token")).await, "aal1");
    let ticket = first_step(&product, json!(["sms", "recovery_code"])).await;
    let lost = json!({"mfa_token": ticket, "recovery_code": codes[0]});
    let got = product.post("/login/mfa", lost).await.expect(200, "");
    assert_eq!(acr(&got.str("access_token")).await, "aal1");
    let token = got.str("access_token");
    let renewed = product.with(&token, "POST", "/mfa/recovery_codes", Value::Null).await.expect(200, "");

    product.with(&token, "DELETE", "/mfa/sms", Value::Null).await.expect(204, "");
    product.with(&token, "DELETE", "/mfa/sms", Value::Null).await.expect(409, "conflict");
    let new = renewed.body["recovery_codes"][0].as_str().unwrap();
    assert!(product.login("ann@example.org").await.body["access_token"].is_string(), "{new}");
    product.with(&token, "POST", "/mfa/recovery_codes", Value::Null).await.expect(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_takes_the_place_of_a_number_and_never_the_reverse() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    let old = enrolled(&product, &token).await;
    let (_, _, token) = product.enrol(&token).await;
    asked(&product, &token, NUMBER).await.expect(409, "conflict");
    product.with(&token, "DELETE", "/mfa/sms", Value::Null).await.expect(409, "conflict");
    let ticket = first_step(&product, json!(["totp", "recovery_code"])).await;
    product.post("/login/mfa/send", json!({"mfa_token": ticket})).await.expect(202, "");
    assert_eq!(product.mails().await.iter().filter(|mail| mail["to"] == NUMBER).count(), 1);
    let lost = json!({"mfa_token": ticket, "recovery_code": old[0]});
    product.post("/login/mfa", lost).await.expect(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_none_or_elsewhere_are_refused_and_cost_nothing() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    for number in ["", "02071838750", "+44 20 CALL ME", "+0442071838750", "+44\n2071838750"] {
        let got = asked(&product, &token, number).await.expect(422, "invalid_body");
        assert_eq!(
            (&got.body["errors"][0]["pointer"], &got.body["errors"][0]["code"]),
            (&json!("/phone"), &json!("invalid"))
        );
    }
    let got = asked(&product, &token, "+15005550006").await.expect(422, "invalid_body");
    assert_eq!(got.body["errors"][0]["code"], "not_reached");
    assert!(got.text.contains("+44, +49"));
    product.with(&token, "POST", "/mfa/sms", json!({})).await.expect(422, "invalid_body");
    assert!(product.mails().await.iter().all(|mail| mail["subject"] != "Text message"));
    // Somebody whose proof of identity is old names no number.
    product.wait(601);
    asked(&product, &token, NUMBER).await.expect(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_codes_for_a_number_get_no_more_than_five_checked_and_ten_minutes_end_one() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    asked(&product, &token, NUMBER).await.expect(202, "");
    let code = texted(&product, NUMBER).await;
    let guesses =
        (0..200).map(|n| product.with(&token, "PUT", "/mfa/sms", json!({"code": format!("{n:06}")})));
    let answers = futures::future::join_all(guesses).await;
    let checked = answers.iter().filter(|got| got.code() == "wrong_code").count();
    assert!((1..=5).contains(&checked), "{checked}");
    assert!(answers.iter().all(|got| matches!(got.code(), "wrong_code" | "too_many_attempts")));
    product.wait(30);
    product.with(&token, "PUT", "/mfa/sms", json!({"code": code})).await.expect(422, "wrong_code");
    let (token, _) = product.signed_in("bea").await;
    asked(&product, &token, "+4930123456").await.expect(202, "");
    let code = texted(&product, "+4930123456").await;
    product.wait(600);
    let token = product.login("bea@example.org").await.str("access_token");
    product.with(&token, "PUT", "/mfa/sms", json!({"code": code})).await.expect(422, "wrong_code");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_typed_many_times_at_once_confirms_once_and_another_number_voids_it() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    asked(&product, &token, "+4930123456").await.expect(202, "");
    let stale = texted(&product, "+4930123456").await;
    asked(&product, &token, NUMBER).await.expect(202, "");
    let code = texted(&product, NUMBER).await;
    if stale != code {
        product.with(&token, "PUT", "/mfa/sms", json!({"code": stale})).await.expect(422, "wrong_code");
    }
    let uses = (0..4).map(|_| product.with(&token, "PUT", "/mfa/sms", json!({"code": code})));
    let answers = futures::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|got| got.status == 200).count(), 1, "{answers:?}");
    let security = product.with(&token, "GET", "/security", Value::Null).await;
    assert_eq!(security.body["mfa"]["recovery_codes_left"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_limited_by_account_by_number_and_by_day() {
    let product = Product::start_with(Choices { texts: Some(texts(16)), ..Choices::default() }).await;
    let (ann, _) = product.signed_in("ann").await;
    for _ in 0..5 {
        asked(&product, &ann, NUMBER).await.expect(202, "");
    }
    let got = asked(&product, &ann, NUMBER).await.expect(429, "too_many_attempts");
    assert!(got.headers.contains_key("retry-after") && got.headers.contains_key("ratelimit"));
    let count = async |number: &str| product.mails().await.iter().filter(|mail| mail["to"] == number).count();
    assert_eq!(count(NUMBER).await, 5);
    // The number has had its five of the day; who asks is not told, because others have asked for them.
    let (bea, _) = product.signed_in("bea").await;
    asked(&product, &bea, NUMBER).await.expect(202, "");
    assert_eq!(count(NUMBER).await, 5);
    let theirs = "+4930123456";
    asked(&product, &bea, theirs).await.expect(202, "");
    let code = texted(&product, theirs).await;
    product.with(&bea, "PUT", "/mfa/sms", json!({"code": code})).await.expect(200, "");
    // Half of the day's sixteen are for numbers that nobody has confirmed; what was withheld took none of them.
    let (cid, _) = product.signed_in("cid").await;
    for _ in 0..3 {
        asked(&product, &cid, theirs).await.expect(202, "");
    }
    assert_eq!(count(theirs).await, 1 + 2);
    // Who has confirmed the number gets codes there, whoever else has named it, as long as the day's texts last.
    let step = async || {
        let got = product.login("bea@example.org").await;
        product.post("/login/mfa/send", json!({"mfa_token": got.str("mfa_token")})).await
    };
    for _ in 0..5 {
        step().await.expect(202, "");
    }
    assert_eq!(count(theirs).await, 3 + 5);
    step().await.expect(429, "too_many_attempts");
    product.wait(3600);
    for _ in 0..4 {
        step().await.expect(202, "");
    }
    assert_eq!(count(theirs).await, 8 + 3);
    product.wait(24 * 3600);
    step().await.expect(202, "");
    assert_eq!(count(theirs).await, 11 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_chose_texts_gets_codes_by_mail_where_none_are_sent_any_more() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    let codes = enrolled(&product, &token).await;
    let mut settings = product.stand.stack.settings().clone();
    settings.texts = None;
    let later = product.beside(Stack::new(settings, product.clock.clone())).await;
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    let got = later.post("/login", body).await.expect(200, "");
    assert_eq!(got.body["methods"], json!(["email", "recovery_code"]));
    let lost = json!({"mfa_token": got.str("mfa_token"), "recovery_code": codes[0]});
    later.post("/login/mfa", lost).await.expect(200, "");
    // A country that is taken from the list: the same for its numbers.
    let mut settings = product.stand.stack.settings().clone();
    settings.texts = Some(Texts { countries: vec!["+49".to_owned()], ..texts(500) });
    let stack = Stack::new(settings, product.clock.clone());
    let ticket = first_step(&product, json!(["sms", "recovery_code"])).await;
    let later = product.beside(stack).await;
    // Of two that send mail, the one whose settings count here is to find the letter.
    product.mails().await;
    later.post("/login/mfa/send", json!({"mfa_token": ticket})).await.expect(202, "");
    later.get("-", "/_local/mail").await;
    let code = product.mailed("ann@example.org", "sign-in code").await;
    let right = json!({"mfa_token": ticket, "code": code});
    later.post("/login/mfa", right).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_kept_sealed_and_is_in_nobodys_log_or_trail() {
    let product = texting().await;
    let (token, _) = product.signed_in("ann").await;
    enrolled(&product, &token).await;
    let id = self::id(&product, &token).await;
    let person = product.stand.stack.accounts().person(&id).await.unwrap().unwrap();
    let sealed = person.credentials.phone.clone().unwrap();
    assert!(person.credentials.phone_pending.is_none() && !sealed.contains("2071838750"));
    let (bea, _) = product.signed_in("bea").await;
    let other = self::id(&product, &bea).await;
    let theirs = product.stand.stack.accounts().person(&other).await.unwrap().unwrap();
    let key = screensort_accounts::person::data_key(&product.stand.stack, &theirs).await.unwrap();
    assert!(screensort_accounts::person::open(&key, &other, "phone", &sealed).is_err());
    let key = screensort_accounts::person::data_key(&product.stand.stack, &person).await.unwrap();
    assert!(screensort_accounts::person::open(&key, &id, "totp", &sealed).is_err());
    assert_eq!(
        &screensort_accounts::person::open(&key, &id, "phone", &sealed).unwrap()[..],
        NUMBER.as_bytes()
    );
}
