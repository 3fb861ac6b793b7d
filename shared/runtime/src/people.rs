//! What handlers about people need: their tables, the keys that protect them, and the mail that reaches them.

use std::sync::Arc;

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_sdk_sns::types::MessageAttributeValue;
use jiff::Timestamp;
use screensort_auth::Phone;
use screensort_auth::attempts::Limit;
use screensort_auth::password::Hasher;
use screensort_auth::token::{Issuer, Jwks, Leeway, VerificationKeys, Verifier};
use screensort_crypto::kms::Kms;
use screensort_crypto::{KeyId, KeyRing, MacKey, RingKey, SigningKey};
use screensort_http::{Authority, Problem, Spent};
use screensort_store::{
    Accounts, ApiKeys, Attempts, Audit, Leftovers, Library, OneTime, Outbox, Sessions, Trail, Voters,
};

use crate::{Stack, client};

/// A mail, ready to be sent.
#[derive(Debug)]
pub struct Mail<'m> {
    /// The address.
    pub to: &'m str,
    /// The subject.
    pub subject: &'m str,
    /// The text part.
    pub text: &'m str,
    /// The HTML part.
    pub html: &'m str,
}

impl Stack {
    pub(crate) fn auth_table(&self) -> (aws_sdk_dynamodb::Client, &str) {
        (self.dynamodb().clone(), &self.settings().tables.auth)
    }

    pub(crate) fn trail_table(&self) -> Audit {
        Audit::new(self.dynamodb().clone(), self.settings().tables.audit.clone())
    }

    /// Keeps and logs what changes nothing: an attempt that failed, a refusal, a look. It stands whether or not
    /// it can be kept; its line in the log holds all of it.
    pub async fn witness(&self, trail: &Trail) {
        if let Err(error) = self.trail_table().keep(trail).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(name: "audit.unwritten", error, "a record of the trail could not be kept");
        }
        screensort_http::log(trail);
    }

    /// What expiry does not clean in the table of credentials.
    pub fn leftovers(&self) -> Leftovers {
        let (client, table) = self.auth_table();
        Leftovers::new(client, table, self.trail_table())
    }

    /// The accounts.
    pub fn accounts(&self) -> Accounts {
        let (client, table) = self.auth_table();
        Accounts::new(client, table, self.trail_table())
    }

    /// Tokens and tickets that work once.
    pub fn one_time(&self) -> OneTime {
        let (client, table) = self.auth_table();
        OneTime::new(client, table)
    }

    /// The counters of attempts.
    pub fn attempts(&self) -> Attempts {
        let (client, table) = self.auth_table();
        Attempts::new(client, table)
    }

    /// Draws one from a plain limit; how long to wait if it is used up.
    ///
    /// # Errors
    /// 503 if it cannot be counted.
    pub async fn draw(&self, name: &str, limit: Limit) -> Result<Result<(), Spent>, Problem> {
        let now = self.clock().now();
        let per = limit.per.as_secs().max(1);
        let end = (now.as_second().div_euclid(per) + 1) * per;
        let ends_at = Timestamp::from_second(end).unwrap_or(now + limit.per);
        if self.attempts().draw(name, limit.max, ends_at).await? {
            return Ok(Ok(()));
        }
        let seconds = u32::try_from(end - now.as_second()).unwrap_or(1).max(1);
        Ok(Err(Spent { limit, seconds }))
    }

    /// What people do with films.
    pub fn library(&self) -> Library {
        let table = self.settings().tables.library.clone();
        Library::new(self.dynamodb().clone(), table, self.trail_table())
    }

    /// Whose opinions may train the recommendation model.
    pub fn voters(&self) -> Voters {
        let (client, table) = self.auth_table();
        Voters::new(client, table)
    }

    /// Mail that waits to be sent.
    pub fn outbox(&self) -> Outbox {
        let (client, table) = self.auth_table();
        Outbox::new(client, table)
    }

    /// The key service: people's data keys and the pepper.
    pub fn keys(&self) -> Kms {
        let settings = self.settings();
        Kms::new(self.kms_client().clone(), settings.data_key.clone(), settings.pepper_key.clone())
            .opening(settings.old_data_keys.clone())
    }

    pub(crate) fn kms_client(&self) -> &aws_sdk_kms::Client {
        self.people().kms.get_or_init(|| client::kms(self.settings(), self.http()))
    }

    /// The key service with the pepper `id`: the one of today or one that stored hashes still need.
    ///
    /// # Errors
    /// 500 if the settings name no such pepper.
    pub fn peppered(&self, id: &KeyId) -> Result<Kms, Problem> {
        let settings = self.settings();
        if *id == settings.pepper_id {
            return Ok(self.keys());
        }
        let old = settings.old_peppers.iter().find(|(old, _)| old == id);
        let (_, key) =
            old.ok_or_else(|| Problem::internal("a stored hash needs a pepper that is not set"))?;
        Ok(Kms::new(self.kms_client().clone(), settings.data_key.clone(), key.clone()))
    }

    /// A new ULID.
    ///
    /// # Errors
    /// 500 if this machine gives no random numbers.
    pub fn new_id(&self) -> Result<String, Problem> {
        screensort_http::new_id(self.clock().now())
    }

    /// What hashes passwords, at the configured cost.
    pub fn hasher(&self) -> Hasher {
        Hasher::new(self.settings().password_cost, self.settings().pepper_id.clone())
    }

    /// The keys of the blind index.
    ///
    /// # Errors
    /// 503 if they cannot be read.
    pub async fn index_ring(&self) -> Result<Arc<KeyRing<MacKey>>, Problem> {
        let name = &self.settings().index_secret;
        self.needs_secret(name);
        self.people().index.get(self.clock().now(), async || self.ring(name).await).await
    }

    /// The keys of everything that is handed out and wanted back unchanged, within half a year.
    ///
    /// # Errors
    /// 503 if they cannot be read.
    pub async fn mac_ring(&self) -> Result<Arc<KeyRing<MacKey>>, Problem> {
        let name = &self.settings().mac_secret;
        self.needs_secret(name);
        self.people().mac.get(self.clock().now(), async || self.ring(name).await).await
    }

    /// The keys of what is kept for good: hashes of recovery codes, and the proofs and hashes in the trail. None of
    /// them ever leaves the ring.
    ///
    /// # Errors
    /// 503 if they cannot be read.
    pub async fn lasting_ring(&self) -> Result<Arc<KeyRing<MacKey>>, Problem> {
        let name = &self.settings().lasting_secret;
        self.needs_secret(name);
        self.people().lasting.get(self.clock().now(), async || self.ring(name).await).await
    }

    /// What signs access tokens. Only functions that hand out tokens may read its keys.
    ///
    /// # Errors
    /// 503 if the keys cannot be read.
    pub async fn issuer(&self) -> Result<Arc<Issuer>, Problem> {
        let settings = self.settings();
        self.needs_secret(&settings.signing_secret);
        let read = async || {
            let ring: KeyRing<SigningKey> = self.ring(&settings.signing_secret).await?;
            Ok(Issuer::new(ring, settings.identity.clone())?)
        };
        self.people().issuer.get(self.clock().now(), read).await
    }

    /// The public keys of access tokens.
    ///
    /// # Errors
    /// 503 if they cannot be read.
    pub async fn jwks(&self) -> Result<Arc<Jwks>, Problem> {
        self.needs_secret(&self.settings().jwks_secret);
        let read = async || {
            let text = self.secret(&self.settings().jwks_secret).await?;
            serde_json::from_str(&text)
                .map_err(|_| Problem::internal("the key set's secret is not a key set"))
        };
        self.people().jwks.get(self.clock().now(), read).await
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// 503 if it was not taken; whoever sends tries again later.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), Problem> {
        let client = self.people().mail.get_or_init(|| client::mail(self.settings(), self.http()));
        let content = |text: &str| {
            Content::builder()
                .data(text)
                .charset("UTF-8")
                .build()
                .map_err(|e| Problem::internal("a mail without content").caused_by(e))
        };
        let body = Body::builder().text(content(mail.text)?).html(content(mail.html)?).build();
        let message = Message::builder().subject(content(mail.subject)?).body(body).build();
        client
            .send_email()
            .from_email_address(&self.settings().mail_from)
            .destination(Destination::builder().to_addresses(mail.to).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map_err(|error| {
                // The service's own words quote the recipient, and causes are logged.
                let code =
                    error.as_service_error().and_then(|error| error.meta().code()).unwrap_or("no answer");
                Problem::new(screensort_http::Code::Unavailable).caused_by(format!("mail: {code}"))
            })?;
        Ok(())
    }

    /// Texts somebody, as what must arrive and not as advertising. False if the number can have no texts: trying again
    /// would change nothing.
    ///
    /// # Errors
    /// 503 if it was not taken; whoever sends tries again later.
    pub async fn text(&self, to: &Phone, text: &str) -> Result<bool, Problem> {
        let client = self.people().texts.get_or_init(|| client::texts(self.settings(), self.http()));
        let said = |value: &str| {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            value.map_err(|e| Problem::internal("an attribute without a type").caused_by(e))
        };
        let mut ask = client.publish().phone_number(to.as_str()).message(text);
        ask = ask.message_attributes("AWS.SNS.SMS.SMSType", said("Transactional")?);
        if let Some(sender) = self.settings().texts.as_ref().and_then(|texts| texts.sender.as_deref()) {
            let name =
                if sender.starts_with('+') { "AWS.MM.SMS.OriginationNumber" } else { "AWS.SNS.SMS.SenderID" };
            ask = ask.message_attributes(name, said(sender)?);
        }
        let Err(error) = ask.send().await else { return Ok(true) };
        // As with mail: the service's own words quote the number.
        let code = error.as_service_error().and_then(|error| error.meta().code()).unwrap_or("no answer");
        if ["InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "OptedOut"].contains(&code)
        {
            return Ok(false);
        }
        Err(Problem::new(screensort_http::Code::Unavailable).caused_by(format!("text: {code}")))
    }

    async fn ring<K: RingKey>(&self, name: &str) -> Result<KeyRing<K>, Problem> {
        Ok(KeyRing::from_json(&self.secret(name).await?)?)
    }
}

impl Authority for Stack {
    async fn verifier(&self) -> Result<Arc<Verifier>, Problem> {
        self.needs_secret(&self.settings().jwks_secret);
        let read = async || {
            let keys = VerificationKeys::from_jwks(&*self.jwks().await?)?;
            Ok(Verifier::new(keys, &self.settings().identity, Leeway::default())?)
        };
        self.people().verifier.get(self.clock().now(), read).await
    }

    async fn macs(&self) -> Result<Arc<KeyRing<MacKey>>, Problem> {
        self.mac_ring().await
    }

    fn sessions(&self) -> Sessions {
        let (client, table) = self.auth_table();
        Sessions::new(client, table, self.trail_table())
    }

    fn audit(&self) -> Audit {
        self.trail_table()
    }

    fn api_keys(&self) -> ApiKeys {
        let (client, table) = self.auth_table();
        ApiKeys::new(client, table, self.trail_table())
    }

    fn now(&self) -> Timestamp {
        self.clock().now()
    }

    fn origins(&self) -> &[String] {
        &self.settings().cors_origins
    }
}

/// What is built when it is first asked for.
#[derive(Default)]
pub(crate) struct People {
    kms: std::sync::OnceLock<aws_sdk_kms::Client>,
    mail: std::sync::OnceLock<aws_sdk_sesv2::Client>,
    texts: std::sync::OnceLock<aws_sdk_sns::Client>,
    index: crate::secrets::Fresh<KeyRing<MacKey>>,
    mac: crate::secrets::Fresh<KeyRing<MacKey>>,
    lasting: crate::secrets::Fresh<KeyRing<MacKey>>,
    issuer: crate::secrets::Fresh<Issuer>,
    jwks: crate::secrets::Fresh<Jwks>,
    verifier: crate::secrets::Fresh<Verifier>,
    pub(crate) outside: crate::outside::Outside,
}
