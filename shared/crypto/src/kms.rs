//! Amazon KMS as the [`KeyService`].
//!
//! Two keys: a symmetric one that wraps people's data keys, and an HMAC-256 one that peppers passwords. Time
//! limits and retries are those of the client that is passed in.

use std::collections::HashMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, MacAlgorithmSpec};
use zeroize::Zeroizing;

use crate::{BoxFuture, DataKey, Error, KeyContext, KeyService, NewDataKey, Result, WrappedKey};

/// Most bytes that `GenerateMac` takes.
const MAX_MAC_MESSAGE: usize = 4096;

/// The key service behind KMS.
#[derive(Debug, Clone)]
pub struct Kms {
    client: Client,
    data_key_id: String,
    old_data_keys: Vec<String>,
    mac_key_id: String,
}

impl Kms {
    /// A service that wraps with the key `data_key_id` and makes tags with `mac_key_id` (ids, aliases or ARNs).
    pub fn new(client: Client, data_key_id: impl Into<String>, mac_key_id: impl Into<String>) -> Self {
        let (data_key_id, mac_key_id) = (data_key_id.into(), mac_key_id.into());
        Self { client, data_key_id, old_data_keys: Vec::new(), mac_key_id }
    }

    /// The same, opening besides what the keys `old` wrapped before this one took their place. KMS rotates a key by
    /// itself without that: its versions have one id, and open what they wrapped for good.
    #[must_use]
    pub fn opening(self, old: Vec<String>) -> Self {
        Self { old_data_keys: old, ..self }
    }

    async fn generate(&self, context: &KeyContext) -> Result<NewDataKey> {
        let answer = self
            .client
            .generate_data_key()
            .key_id(&self.data_key_id)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(context_map(context)))
            .send()
            .await
            .map_err(|error| failed("GenerateDataKey", error))?;
        let (Some(plaintext), Some(wrapped)) = (answer.plaintext, answer.ciphertext_blob) else {
            return Err(Error::Malformed("answer of GenerateDataKey"));
        };
        Ok(NewDataKey { key: data_key(plaintext)?, wrapped: WrappedKey::from_bytes(wrapped.into_inner())? })
    }

    async fn unwrap(&self, wrapped: &WrappedKey, context: &KeyContext) -> Result<DataKey> {
        let mut opened = self.unwrap_with(&self.data_key_id, wrapped, context).await?;
        for old in &self.old_data_keys {
            if opened.is_none() {
                opened = self.unwrap_with(old, wrapped, context).await?;
            }
        }
        opened.ok_or(Error::UnwrapRefused)
    }

    /// The key in `wrapped`; `None` if another key than `key` wrapped it.
    async fn unwrap_with(
        &self,
        key: &str,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<Option<DataKey>> {
        // The key is named although KMS could read it from the ciphertext: a wrapped key made under a key of
        // somebody else's choice must not open here.
        let answer = self
            .client
            .decrypt()
            .key_id(key)
            .ciphertext_blob(Blob::new(wrapped.as_bytes()))
            .set_encryption_context(Some(context_map(context)))
            .send()
            .await;
        match answer {
            Ok(answer) => data_key(answer.plaintext.ok_or(Error::Malformed("answer of Decrypt"))?).map(Some),
            Err(error) => match error.code() {
                Some("IncorrectKeyException") => Ok(None),
                Some("InvalidCiphertextException") => Err(Error::UnwrapRefused),
                _ => Err(failed("Decrypt", error)),
            },
        }
    }

    async fn mac(&self, message: &[u8]) -> Result<[u8; 32]> {
        if message.len() > MAX_MAC_MESSAGE {
            return Err(Error::TooLong(message.len()));
        }
        let answer = self
            .client
            .generate_mac()
            .key_id(&self.mac_key_id)
            .mac_algorithm(MacAlgorithmSpec::HmacSha256)
            .message(Blob::new(message))
            .send()
            .await
            .map_err(|error| failed("GenerateMac", error))?;
        let mac = answer.mac.map(Blob::into_inner).unwrap_or_default();
        mac.try_into().map_err(|_| Error::Malformed("answer of GenerateMac"))
    }
}

impl KeyService for Kms {
    fn generate_data_key<'a>(&'a self, context: &'a KeyContext) -> BoxFuture<'a, Result<NewDataKey>> {
        Box::pin(self.generate(context))
    }

    fn decrypt<'a>(
        &'a self,
        wrapped: &'a WrappedKey,
        context: &'a KeyContext,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(self.unwrap(wrapped, context))
    }

    fn generate_mac<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<[u8; 32]>> {
        Box::pin(self.mac(message))
    }
}

fn context_map(context: &KeyContext) -> HashMap<String, String> {
    context.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn data_key(plaintext: Blob) -> Result<DataKey> {
    DataKey::from_slice(&Zeroizing::new(plaintext.into_inner()))
}

fn failed<E, R>(operation: &'static str, error: SdkError<E, R>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    Error::KeyService { operation, source: Box::new(error) }
}
