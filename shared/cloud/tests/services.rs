//! The services through the real SDK, before and after a restart.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_sdk_sns::types::MessageAttributeValue;
use clients::{Clients, clients, send_raw};
use screensort_cloud::{Cloud, Options, Place};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

async fn start(folder: &tempfile::TempDir) -> (Cloud, Clients) {
    let cloud = Cloud::start(Place::Dir(folder.path().join("data"))).await.unwrap();
    let clients = clients(cloud.endpoints());
    (cloud, clients)
}

#[tokio::test]
async fn what_was_encrypted_before_a_restart_is_decrypted_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, before) = start(&folder).await;
    let sealed = before.encrypt("alias/screensort-library", "bio", "ann").await;
    let mac = before.mac("alias/screensort-pepper", "password").await;
    let index = before.mac("alias/screensort-index", "password").await;
    assert_ne!(mac, index, "keys must differ");
    cloud.shutdown().await.unwrap();

    let (cloud, after) = start(&folder).await;
    assert_eq!(after.decrypt(&sealed, "ann").await.unwrap(), b"bio");
    assert_eq!(after.mac("alias/screensort-pepper", "password").await, mac);
    assert_eq!(after.mac("alias/screensort-index", "password").await, index);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn another_encryption_context_does_not_decrypt() {
    let cloud = Cloud::start(Place::Memory).await.unwrap();
    let clients = clients(cloud.endpoints());
    let sealed = clients.encrypt("alias/screensort-auth", "secret", "ann").await;
    let refused = clients.decrypt(&sealed, "bob").await.unwrap_err();
    assert!(matches!(refused, aws_sdk_kms::Error::InvalidCiphertextException(_)), "{refused:?}");
}

#[tokio::test]
async fn every_key_and_bucket_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (cloud, clients) = start(&folder).await;
        let aliases = clients.kms.list_aliases().send().await.unwrap();
        let mut aliases: Vec<_> = aliases.aliases().iter().map(|alias| alias.alias_name().unwrap()).collect();
        aliases.sort_unstable();
        assert_eq!(
            aliases,
            [
                "alias/screensort-audit",
                "alias/screensort-auth",
                "alias/screensort-catalog",
                "alias/screensort-index",
                "alias/screensort-library",
                "alias/screensort-pepper",
            ]
        );
        assert_eq!(clients.kms.list_keys().send().await.unwrap().keys().len(), 6);
        let buckets = clients.objects.list_buckets().send().await.unwrap();
        let buckets: Vec<_> = buckets.buckets().iter().map(|bucket| bucket.name().unwrap()).collect();
        assert_eq!(buckets, ["screensort-artifacts", "screensort-audit", "screensort-exports"]);
        cloud.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_is_made_once_and_survives() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, before) = start(&folder).await;
    let made = cloud.secret_or_create("screensort/tokens", || "first".to_owned()).await.unwrap();
    assert_eq!(made, "first");
    before.secrets.create_secret().name("screensort/tmdb").secret_string("key").send().await.unwrap();
    let put = before.secrets.put_secret_value().secret_id("screensort/tmdb").secret_string("new key");
    put.send().await.unwrap();
    cloud.shutdown().await.unwrap();

    let (cloud, after) = start(&folder).await;
    let kept = cloud.secret_or_create("screensort/tokens", || unreachable!()).await.unwrap();
    assert_eq!(kept, "first");
    assert_eq!(after.secret("screensort/tokens").await.unwrap(), "first");
    assert_eq!(after.secret("screensort/tmdb").await.unwrap(), "new key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_asked_for_by_many_at_once_has_one_value() {
    let cloud = Arc::new(Cloud::start(Place::Memory).await.unwrap());
    let asking = (0..16).map(|number| {
        let cloud = cloud.clone();
        tokio::spawn(async move { cloud.secret_or_create("one", || number.to_string()).await.unwrap() })
    });
    let mut values = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        values.push(asked.await.unwrap());
    }
    values.dedup();
    assert_eq!(values.len(), 1);
}

#[tokio::test]
async fn objects_are_put_listed_replaced_and_removed_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let large: Vec<u8> =
        (0..20_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (cloud, before) = start(&folder).await;
    before.put_object("models/1/model.bin", large.clone()).await;
    before.put_object("current.json", b"old".to_vec()).await;
    before.put_object("current.json", b"new".to_vec()).await;
    before.put_object("models", b"a name that is also a folder".to_vec()).await;
    before.put_object("../../escape", b"kept inside".to_vec()).await;
    before.put_object("gone", b"soon".to_vec()).await;
    before.objects.delete_object().bucket("screensort-artifacts").key("gone").send().await.unwrap();
    cloud.shutdown().await.unwrap();

    let (cloud, after) = start(&folder).await;
    assert!(after.object("models/1/model.bin").await.unwrap() == large);
    assert_eq!(after.object("current.json").await.unwrap(), b"new");
    assert_eq!(after.object("models").await.unwrap(), b"a name that is also a folder");
    assert_eq!(after.object("gone").await, None);
    assert_eq!(after.object_keys().await, ["../../escape", "current.json", "models", "models/1/model.bin"]);
    cloud.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_conditional_puts_of_one_object_one_succeeds() {
    let cloud = Cloud::start(Place::Memory).await.unwrap();
    let clients = Arc::new(clients(cloud.endpoints()));
    let putting = (0..16).map(|number| {
        let clients = clients.clone();
        tokio::spawn(async move {
            let put =
                clients.objects.put_object().bucket("screensort-artifacts").key("lease").if_none_match("*");
            put.body(vec![number].into()).send().await.is_ok()
        })
    });
    let mut won = 0;
    for put in putting.collect::<Vec<_>>() {
        won += usize::from(put.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_refused_put_leaves_nothing_behind() {
    let cloud = Cloud::start(Place::Memory).await.unwrap();
    let clients = clients(cloud.endpoints());
    let put = clients.objects.put_object().bucket("no-such-bucket").key("a");
    let refused = put.body(b"a".to_vec().into()).send().await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("NoSuchBucket"));
    clients.put_object("b", b"b".to_vec()).await;
    assert_eq!(clients.object("b").await.unwrap(), b"b");
}

#[tokio::test]
async fn a_presigned_address_works_until_it_ends() {
    let shift = Arc::new(AtomicI64::new(0));
    let hands = shift.clone();
    #[expect(clippy::disallowed_methods, reason = "the SDK signs with the system's time")]
    let clock = Arc::new(move || {
        jiff::Timestamp::now() + jiff::SignedDuration::from_secs(hands.load(Ordering::Relaxed))
    });
    let options = Options { clock: Some(clock), ..Options::default() };
    let cloud = Cloud::start_with(Place::Memory, options).await.unwrap();
    let clients = clients(cloud.endpoints());
    clients.put_object("a b/ü+1.zip", b"exported".to_vec()).await;
    let get = clients.objects.get_object().bucket("screensort-artifacts").key("a b/ü+1.zip");
    let signed = get.presigned(PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()).await.unwrap();
    let services = &cloud.endpoints().services;
    let path = signed.uri().strip_prefix(services.as_str()).unwrap();

    let answer = send_raw(services, &format!("GET {path} HTTP/1.1")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("exported"), "{answer}");
    let other = path.replacen("a%20b", "a%20c", 1);
    assert_ne!(other, path);
    let answer = send_raw(services, &format!("GET {other} HTTP/1.1")).await;
    assert!(answer.contains("SignatureDoesNotMatch"), "{answer}");
    shift.store(61, Ordering::Relaxed);
    let answer = send_raw(services, &format!("GET {path} HTTP/1.1")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("RequestExpired"), "{answer}");
}

#[tokio::test]
async fn nobody_without_the_credentials_is_served() {
    let cloud = Cloud::start(Place::Memory).await.unwrap();
    let services = &cloud.endpoints().services;
    let answer = send_raw(services, "GET /screensort-artifacts HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("MissingAuthenticationToken"), "{answer}");
    let mut endpoints = cloud.endpoints().clone();
    endpoints.secret_key = "guessed".to_owned();
    let refused = clients(&endpoints).kms.list_keys().send().await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("SignatureDoesNotMatch"));
    endpoints.access_key = "AKIAIOSFODNN7EXAMPLE".to_owned();
    let refused = clients(&endpoints).kms.list_keys().send().await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("InvalidAccessKeyId"));
}

#[tokio::test]
async fn a_mail_is_seen_and_nothing_of_it_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, clients) = start(&folder).await;
    for subject in ["First", "Second"] {
        let content = |text: &str| Content::builder().data(text).build().unwrap();
        let text = Body::builder().text(content("open the link")).build();
        let message = Message::builder().subject(content(subject)).body(text).build();
        let send = clients.mail.send_email().from_email_address("no-reply@screensort.example");
        let send = send.destination(Destination::builder().to_addresses("ann@example.org").build());
        send.content(EmailContent::builder().simple(message).build()).send().await.unwrap();
    }
    let mails = cloud.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), ["Second", "First"]);
    assert_eq!((mails[0].to[0].as_str(), mails[0].text.as_str()), ("ann@example.org", "open the link"));
    cloud.shutdown().await.unwrap();
    assert!(!holds(folder.path(), b"ann@example.org"));
}

#[tokio::test]
async fn a_text_is_seen_among_the_mail_and_what_sns_would_refuse_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, clients) = start(&folder).await;
    let said = |value: &str| {
        MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
    };
    let text = |number: &str, text: &str| clients.texts.publish().phone_number(number).message(text);
    let ask = text("+442079460123", "123456 & more");
    let ask = ask.message_attributes("AWS.SNS.SMS.SMSType", said("Transactional"));
    ask.message_attributes("AWS.SNS.SMS.SenderID", said("ScreenSort")).send().await.unwrap();
    let refused = [
        text("2079460123", "no country"),
        text("+442079460123", ""),
        clients.texts.publish().topic_arn("arn:aws:sns:us-east-1:000000000000:topic").message("no number"),
        text("+442079460123", "odd").message_attributes("AWS.SNS.SMS.SMSType", said("Loud")),
        text("+442079460123", "long").message_attributes("AWS.SNS.SMS.SenderID", said("ScreenSortLtd")),
    ];
    for ask in refused {
        let error = ask.send().await.unwrap_err().into_service_error();
        assert_eq!(error.meta().code(), Some("InvalidParameter"));
    }
    let seen = cloud.mails().await;
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].to[0].as_str(), seen[0].text.as_str()), ("+442079460123", "123456 & more"));
    cloud.shutdown().await.unwrap();
    assert!(!holds(folder.path(), b"2079460123"));
}

#[tokio::test]
async fn neither_objects_nor_secrets_nor_keys_lie_on_disk_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, clients) = start(&folder).await;
    clients.put_object("export.json", b"a very personal story".to_vec()).await;
    cloud.secret_or_create("name", || "a very secret value".to_owned()).await.unwrap();
    for found in [b"a very personal story".as_slice(), b"a very secret value", b"key_material"] {
        assert!(!holds(folder.path(), found), "{}", String::from_utf8_lossy(found));
    }
    cloud.shutdown().await.unwrap();
    assert!(!holds(folder.path(), b"a very personal story"));
}

#[tokio::test]
async fn items_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, before) = start(&folder).await;
    before.create_table().await;
    before.put_item("one").await;
    cloud.shutdown().await.unwrap();
    let (_cloud, after) = start(&folder).await;
    assert!(after.has_item("one").await);
    assert!(!after.has_item("two").await);
}

fn holds(folder: &std::path::Path, found: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, found);
        }
        std::fs::read(path).unwrap().windows(found.len()).any(|window| window == found)
    })
}
