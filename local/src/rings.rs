//! The product's own keys in Secrets Manager: made once, where there are none.

use jiff::Timestamp;
use screensort_auth::token::Jwks;
use screensort_crypto::{KeyId, KeyRing, MacKey, RingKey, SigningKey};
use screensort_runtime::Stack;

/// Why a key ring is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key ring could not be made or read.
    #[error("a key ring cannot be used")]
    Keys(#[from] screensort_crypto::Error),
    /// Secrets Manager refused.
    #[error("the secret {0} cannot be read or written")]
    Secret(String, #[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes the key rings that have no value yet, and the secrets they lie in where those are missing too. What has a
/// value is left alone: without its keys every sealed handle, cookie and token would be void. Names what was made.
///
/// # Errors
/// If a ring that is there cannot be read, or one that is not cannot be written.
pub async fn make(stack: &Stack, now: Timestamp) -> Result<Vec<String>, Error> {
    let settings = stack.settings();
    let mut made = Vec::new();
    kept_or_made::<MacKey>(stack, &settings.index_secret, &mut made, || KeyRing::generate(now)).await?;
    // Where there are keys for cookies already, they have proven recovery codes and the trail, too, until today.
    let former = value(stack, &settings.mac_secret).await?;
    kept_or_made::<MacKey>(stack, &settings.mac_secret, &mut made, || KeyRing::generate(now)).await?;
    kept_or_made(stack, &settings.lasting_secret, &mut made, || lasting(former.as_deref(), now)).await?;
    let new = || KeyRing::generate(now);
    let signing = kept_or_made::<SigningKey>(stack, &settings.signing_secret, &mut made, new).await?;
    if value(stack, &settings.jwks_secret).await?.is_none() {
        let public = serde_json::json!(Jwks::of(&signing)).to_string();
        write(stack, &settings.jwks_secret, &public).await?;
        made.push(settings.jwks_secret.clone());
    }
    Ok(made)
}

/// A new ring of what is kept for good, with the keys of `former` to read by.
fn lasting(former: Option<&str>, now: Timestamp) -> screensort_crypto::Result<KeyRing<MacKey>> {
    let Some(former) = former else { return KeyRing::generate(now) };
    let (mut ring, id) = (KeyRing::<MacKey>::from_json(former)?, KeyId::generate(now)?);
    ring.publish(id.clone(), MacKey::generate()?, now)?;
    ring.promote(id.as_str(), now)?;
    Ok(ring)
}

async fn kept_or_made<K: RingKey>(
    stack: &Stack,
    name: &str,
    made: &mut Vec<String>,
    new: impl FnOnce() -> screensort_crypto::Result<KeyRing<K>>,
) -> Result<KeyRing<K>, Error> {
    if let Some(text) = value(stack, name).await? {
        return Ok(KeyRing::from_json(&text)?);
    }
    let ring = new()?;
    write(stack, name, &ring.to_json()?).await?;
    made.push(name.to_owned());
    Ok(ring)
}

async fn value(stack: &Stack, name: &str) -> Result<Option<String>, Error> {
    let found = stack.secret_if_any(name).await;
    // A secret that was made to be filled later has no value, or by some an empty one.
    let found = found.map(|text| text.filter(|text| !text.is_empty()));
    found.map_err(|problem| Error::Secret(name.to_owned(), problem.causes().unwrap_or_default().into()))
}

async fn write(stack: &Stack, name: &str, text: &str) -> Result<(), Error> {
    let trouble = |e: Box<dyn std::error::Error + Send + Sync>| Error::Secret(name.to_owned(), e);
    let put = stack.secrets().put_secret_value().secret_id(name).secret_string(text).send().await;
    match put {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
            let create = stack.secrets().create_secret().name(name).secret_string(text);
            create.send().await.map(|_| ()).map_err(|e| trouble(Box::new(e)))
        }
        Err(error) => Err(trouble(Box::new(error))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::stand::{Choices, Stand};

    #[tokio::test]
    async fn rings_are_made_once_and_then_left_alone() {
        let here = Stand::set_up(Choices::default(), screensort_runtime::clock()).await.unwrap();
        let now = here.stack.clock().now();
        assert!(make(&here.stack, now).await.unwrap().is_empty());
        // Another installation: a secret that the template made, without a value, and four that nobody made.
        let mut settings = here.stack.settings().clone();
        settings.index_secret = "screensort/other/index".into();
        settings.mac_secret = "screensort/other/mac".into();
        settings.lasting_secret = "screensort/other/lasting".into();
        settings.signing_secret = "screensort/other/signing".into();
        settings.jwks_secret = "screensort/other/jwks".into();
        let other = Stack::new(settings.clone(), screensort_runtime::clock());
        other.secrets().create_secret().name(&settings.mac_secret).send().await.unwrap();
        let made = make(&other, now).await.unwrap();
        assert_eq!(
            made.iter().collect::<Vec<_>>(),
            [
                &settings.index_secret,
                &settings.mac_secret,
                &settings.lasting_secret,
                &settings.signing_secret,
                &settings.jwks_secret
            ]
        );
        let before = other.secret(&settings.signing_secret).await.unwrap();
        assert!(make(&other, now).await.unwrap().is_empty());
        assert_eq!(other.secret(&settings.signing_secret).await.unwrap(), before);
        assert!(!other.secret(&settings.jwks_secret).await.unwrap().contains("\"d\""));
        // An installation from before there was a ring of what is kept for good.
        settings.lasting_secret = "screensort/later/lasting".into();
        let later = Stack::new(settings.clone(), screensort_runtime::clock());
        assert_eq!(make(&later, now).await.unwrap(), [settings.lasting_secret.as_str()]);
        let (macs, lasting) = (later.mac_ring().await.unwrap(), later.lasting_ring().await.unwrap());
        assert!(lasting.get(macs.current().id.as_str()).is_some(), "what was proven is proven still");
        assert_ne!(lasting.current().id, macs.current().id);
        here.cloud.shutdown().await.unwrap();
    }
}
