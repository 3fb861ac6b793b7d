//! The services behind the front, and what must be in them before anybody asks.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse, MockService};
use winterbaume_kms::KmsService;
use winterbaume_secretsmanager::SecretsManagerService;
use winterbaume_sesv2::SesV2Service;

use crate::blobs::Blobs;
use crate::kept::{Alone, Kept};
use crate::objects::Objects;
use crate::seal::Credentials;
use crate::texts::Texts;
use crate::walls::Walls;
use crate::{ACCOUNT, Clock, Error, Mail, REGION};

/// The keys that encrypt, by alias.
const KEYS: [&str; 4] = [
    "alias/screensort-auth",
    "alias/screensort-library",
    "alias/screensort-catalog",
    "alias/screensort-audit",
];

/// The keys that authenticate, by alias.
const MAC_KEYS: [&str; 2] = ["alias/screensort-pepper", "alias/screensort-index"];

/// The buckets.
const BUCKETS: [&str; 3] = ["screensort-artifacts", "screensort-audit", "screensort-exports"];

/// How many mails are kept; older ones are dropped. The emulator copies all of them for every one it sends.
const MAILS_KEPT: usize = 500;

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Kms,
    Secrets,
    Objects,
    Mail,
    Walls,
    Texts,
}

impl Service {
    /// The service that a signature's scope names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "kms" => Some(Self::Kms),
            "secretsmanager" => Some(Self::Secrets),
            "s3" => Some(Self::Objects),
            "ses" => Some(Self::Mail),
            "wafv2" => Some(Self::Walls),
            "sns" => Some(Self::Texts),
            _ => None,
        }
    }

    /// The host that the emulator expects to be called.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Kms => "kms.us-east-1.amazonaws.com",
            Self::Secrets => "secretsmanager.us-east-1.amazonaws.com",
            Self::Objects => "s3.us-east-1.amazonaws.com",
            Self::Mail => "email.us-east-1.amazonaws.com",
            Self::Walls => "wafv2.us-east-1.amazonaws.com",
            Self::Texts => "sns.us-east-1.amazonaws.com",
        }
    }
}

/// The services and the credentials that they answer to.
pub(crate) struct Services {
    pub(crate) kms: Kept<KmsService>,
    pub(crate) secrets: Kept<SecretsManagerService>,
    pub(crate) objects: Objects,
    mail: SesV2Service,
    pub(crate) walls: Walls,
    texts: Texts,
    credentials: Credentials,
    clock: Clock,
}

impl Services {
    /// Services that forget everything.
    pub(crate) async fn in_memory(
        blobs: Blobs,
        credentials: Credentials,
        clock: Clock,
    ) -> Result<Self, Error> {
        Ok(Self {
            kms: Kept::in_memory(KmsService::new()),
            secrets: Kept::in_memory(SecretsManagerService::new()),
            objects: Objects::open(blobs, Path::new(":memory:")).await?,
            mail: SesV2Service::new(),
            walls: Walls::default(),
            texts: Texts::default(),
            credentials,
            clock,
        })
    }

    /// Services that keep what they know.
    pub(crate) fn keeping(
        kms: Kept<KmsService>,
        secrets: Kept<SecretsManagerService>,
        objects: Objects,
        credentials: Credentials,
        clock: Clock,
    ) -> Self {
        Self {
            kms,
            secrets,
            objects,
            mail: SesV2Service::new(),
            walls: Walls::default(),
            texts: Texts::default(),
            credentials,
            clock,
        }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Answers a request; a change is on disk by then.
    pub(crate) async fn answer(&self, service: Service, request: MockRequest) -> Result<MockResponse, Error> {
        match service {
            Service::Kms => self.kms.handle(request).await,
            Service::Secrets => self.secrets.handle(request).await,
            Service::Objects => self.objects.handle(request).await,
            Service::Walls => Ok(self.walls.handle(&request)),
            Service::Texts => Ok(self.texts.handle(&request, self.now())),
            Service::Mail => {
                let response = self.mail.handle(request).await;
                let state = self.mail.shared_state().get(ACCOUNT, REGION);
                let mails = &mut state.write().await.sent_emails;
                let surplus = mails.len().saturating_sub(MAILS_KEPT);
                mails.drain(..surplus);
                Ok(response)
            }
        }
    }

    /// What was sent, newest first.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        let state = self.mail.shared_state().get(ACCOUNT, REGION);
        let state = state.read().await;
        let mails = state.sent_emails.iter().map(|mail| Mail {
            to: mail.to.clone(),
            subject: mail.subject.clone(),
            text: mail.body.clone(),
            sent_at: Timestamp::from_millisecond(mail.timestamp.timestamp_millis()).unwrap_or_default(),
        });
        let mut all: Vec<Mail> = mails.chain(self.texts.sent()).collect();
        // A stable order: of two that were taken in the same millisecond the later one comes first, as it was.
        all.reverse();
        all.sort_by_key(|mail| std::cmp::Reverse(mail.sent_at));
        all
    }

    /// Creates the keys and buckets that are missing. `fresh` writes every file, so that later starts can
    /// tell an empty one from a lost one.
    pub(crate) async fn furnish(&self, fresh: bool) -> Result<(), Error> {
        for bucket in BUCKETS {
            self.make_bucket(bucket).await?;
        }
        if fresh {
            self.secrets.alone().await.save().await?;
        }
        let kms = self.kms.alone().await;
        let aliases = kms.state().await.aliases;
        let plain = KEYS.map(|alias| (alias, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"));
        let mac = MAC_KEYS.map(|alias| (alias, "HMAC_256", "GENERATE_VERIFY_MAC"));
        let mut missing = plain.into_iter().chain(mac).filter(|(alias, ..)| !aliases.contains_key(*alias));
        let Some(first) = missing.next() else { return Ok(()) };
        for (alias, spec, usage) in std::iter::once(first).chain(missing) {
            make_key(&kms, alias, spec, usage).await?;
        }
        kms.save().await
    }

    async fn make_bucket(&self, bucket: &str) -> Result<(), Error> {
        let there = self.objects.handle(objects_request("HEAD", bucket)).await?;
        if there.status == 200 {
            return Ok(());
        }
        let made = self.objects.handle(objects_request("PUT", bucket)).await?;
        accept("S3.CreateBucket", &made)
    }

    /// The current value of the secret; `None` if there is no such secret.
    pub(crate) async fn secret(&self, name: &str) -> Result<Option<String>, Error> {
        read_secret(&self.secrets.alone().await, name).await
    }

    /// Creates the secret unless somebody else has meanwhile; gives its current value.
    pub(crate) async fn create_secret(&self, name: &str, value: String) -> Result<String, Error> {
        let secrets = self.secrets.alone().await;
        if let Some(there) = read_secret(&secrets, name).await? {
            return Ok(there);
        }
        let body = json!({ "Name": name, "SecretString": &value });
        let made = secrets.call(json_request("secretsmanager.CreateSecret", &body)).await;
        accept("SecretsManager.CreateSecret", &made)?;
        secrets.save().await?;
        Ok(value)
    }
}

async fn make_key(kms: &Alone<'_, KmsService>, alias: &str, spec: &str, usage: &str) -> Result<(), Error> {
    let body = json!({ "KeySpec": spec, "KeyUsage": usage, "Description": alias });
    let made = kms.call(json_request("TrentService.CreateKey", &body)).await;
    accept("KMS.CreateKey", &made)?;
    let made: Value = serde_json::from_slice(&made.body).unwrap_or_default();
    let body = json!({ "AliasName": alias, "TargetKeyId": made["KeyMetadata"]["KeyId"] });
    let named = kms.call(json_request("TrentService.CreateAlias", &body)).await;
    accept("KMS.CreateAlias", &named)
}

async fn read_secret(
    secrets: &Alone<'_, SecretsManagerService>,
    name: &str,
) -> Result<Option<String>, Error> {
    let body = json!({ "SecretId": name });
    let found = secrets.call(json_request("secretsmanager.GetSecretValue", &body)).await;
    let answer: Value = serde_json::from_slice(&found.body).unwrap_or_default();
    if answer["__type"].as_str().is_some_and(|kind| kind.ends_with("ResourceNotFoundException")) {
        return Ok(None);
    }
    accept("SecretsManager.GetSecretValue", &found)?;
    let text = answer["SecretString"].as_str();
    let text =
        text.ok_or_else(|| refusal("SecretsManager.GetSecretValue", &found, "the secret is no text"))?;
    Ok(Some(text.to_owned()))
}

fn accept(call: &'static str, answer: &MockResponse) -> Result<(), Error> {
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(refusal(call, answer, &String::from_utf8_lossy(&answer.body)))
}

fn refusal(call: &'static str, answer: &MockResponse, words: &str) -> Error {
    Error::Refused { call, status: answer.status, answer: words.to_owned() }
}

fn json_request(target: &'static str, body: &Value) -> MockRequest {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_static(target));
    MockRequest {
        method: "POST".into(),
        uri: "http://localhost/".into(),
        headers,
        body: body.to_string().into(),
    }
}

fn objects_request(method: &str, bucket: &str) -> MockRequest {
    let uri = format!("http://{}/{bucket}", Service::Objects.host());
    MockRequest { method: method.into(), uri, headers: HeaderMap::new(), body: Bytes::new() }
}

/// Shared by the threads that serve.
pub(crate) type Shared = Arc<Services>;
