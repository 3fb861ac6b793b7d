//! The KMS client against recorded answers: what is asked, and what each kind of answer turns into.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_credential_types::Credentials;
use aws_sdk_kms::config::{BehaviorVersion, Region};
use aws_sdk_kms::{Client, Config};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use screensort_crypto::kms::Kms;
use screensort_crypto::{Error, KeyContext, KeyService, WrappedKey};

fn service(status: u16, body: &str) -> (Kms, StaticReplayClient) {
    answering(&[(status, body)])
}

fn answering(answers: &[(u16, &str)]) -> (Kms, StaticReplayClient) {
    let events = answers.iter().map(|(status, body)| {
        let request = http::Request::builder().uri("https://kms.test").body(SdkBody::empty()).unwrap();
        let answer = http::Response::builder()
            .status(*status)
            .header("content-type", "application/x-amz-json-1.1")
            .body(SdkBody::from(*body))
            .unwrap();
        ReplayEvent::new(request, answer)
    });
    let replay = StaticReplayClient::new(events.collect());
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::from_keys("AKIDTEST", "test", None))
        .retry_config(RetryConfig::disabled())
        .http_client(replay.clone())
        .build();
    (Kms::new(Client::from_conf(config), "alias/data", "alias/pepper"), replay)
}

fn asked(replay: &StaticReplayClient) -> serde_json::Value {
    let request = replay.actual_requests().next().unwrap();
    serde_json::from_slice(request.body().bytes().unwrap()).unwrap()
}

fn context() -> KeyContext {
    KeyContext::new("person", "01ANN")
}

#[tokio::test]
async fn a_data_key_is_asked_for_with_its_context() {
    let (kms, replay) = service(
        200,
        r#"{"CiphertextBlob":"d3JhcHBlZA==","KeyId":"k","Plaintext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#,
    );
    let made = kms.generate_data_key(&context()).await.unwrap();
    assert_eq!(made.wrapped.as_bytes(), b"wrapped");
    let body = asked(&replay);
    assert_eq!(body["KeyId"], "alias/data");
    assert_eq!(body["KeySpec"], "AES_256");
    assert_eq!(body["EncryptionContext"], serde_json::json!({"purpose": "person", "owner": "01ANN"}));
}

#[tokio::test]
async fn what_an_old_key_wrapped_is_opened_with_it_and_nothing_else_is() {
    const OTHER: (u16, &str) = (400, r#"{"__type":"IncorrectKeyException"}"#);
    const OPENED: (u16, &str) =
        (200, r#"{"KeyId":"k","Plaintext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#);
    let wrapped = WrappedKey::from_bytes(*b"wrapped").unwrap();
    let (kms, replay) = answering(&[OTHER, OPENED]);
    kms.opening(vec!["alias/before".into()]).decrypt(&wrapped, &context()).await.unwrap();
    let named = replay.actual_requests().map(|request| {
        let body: serde_json::Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        body["KeyId"].as_str().unwrap().to_owned()
    });
    assert_eq!(named.collect::<Vec<_>>(), ["alias/data", "alias/before"]);
    let (kms, _) = answering(&[OTHER, OTHER]);
    let refused = kms.opening(vec!["alias/before".into()]).decrypt(&wrapped, &context()).await;
    assert!(matches!(refused.unwrap_err(), Error::UnwrapRefused));
    // What does not fit its owner is no reason to ask another key.
    let (kms, replay) = answering(&[(400, r#"{"__type":"InvalidCiphertextException"}"#)]);
    let refused = kms.opening(vec!["alias/before".into()]).decrypt(&wrapped, &context()).await;
    assert!(matches!(refused.unwrap_err(), Error::UnwrapRefused));
    assert_eq!(replay.actual_requests().count(), 1);
}

#[tokio::test]
async fn unwrapping_names_the_key_and_the_context() {
    let (kms, replay) =
        service(200, r#"{"KeyId":"k","Plaintext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#);
    kms.decrypt(&WrappedKey::from_bytes(*b"wrapped").unwrap(), &context()).await.unwrap();
    let body = asked(&replay);
    assert_eq!(body["KeyId"], "alias/data");
    assert_eq!(body["CiphertextBlob"], "d3JhcHBlZA==");
    assert_eq!(body["EncryptionContext"]["owner"], "01ANN");
}

#[tokio::test]
async fn a_foreign_wrapped_key_and_an_outage_are_told_apart() {
    let wrapped = WrappedKey::from_bytes(*b"wrapped").unwrap();
    for code in ["InvalidCiphertextException", "IncorrectKeyException"] {
        let (kms, _) = service(400, &format!(r#"{{"__type":"{code}"}}"#));
        assert!(matches!(kms.decrypt(&wrapped, &context()).await, Err(Error::UnwrapRefused)), "{code}");
    }
    let (kms, _) = service(500, r#"{"__type":"KMSInternalException"}"#);
    let outage = kms.decrypt(&wrapped, &context()).await;
    assert!(matches!(outage, Err(Error::KeyService { operation: "Decrypt", .. })));
}

#[tokio::test]
async fn the_pepper_is_a_mac_under_its_own_key() {
    let (kms, replay) = service(
        200,
        r#"{"KeyId":"k","Mac":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","MacAlgorithm":"HMAC_SHA_256"}"#,
    );
    assert_eq!(kms.generate_mac(b"message").await.unwrap(), [1; 32]);
    let body = asked(&replay);
    assert_eq!(body["KeyId"], "alias/pepper");
    assert_eq!(body["MacAlgorithm"], "HMAC_SHA_256");
    assert!(matches!(kms.generate_mac(&[0; 4097]).await, Err(Error::TooLong(4097))));
}

#[tokio::test]
async fn an_answer_of_the_wrong_size_is_refused() {
    let (kms, _) = service(200, r#"{"KeyId":"k","Mac":"AQE="}"#);
    assert!(matches!(kms.generate_mac(b"message").await, Err(Error::Malformed(_))));
    let (kms, _) = service(200, r#"{"KeyId":"k","Plaintext":"AQE=","CiphertextBlob":"AQE="}"#);
    assert!(matches!(kms.generate_data_key(&context()).await, Err(Error::Malformed(_))));
}
