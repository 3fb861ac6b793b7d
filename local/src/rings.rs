//! The product's own keys in Secrets Manager: made once, where there are none.

use jiff::{SignedDuration, Timestamp};
use screensort_auth::token::Jwks;
use screensort_crypto::{KeyRing, MacKey, RingKey, RotationRule, RotationStep, SigningKey};
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
    for name in [&settings.index_secret, &settings.mac_secret] {
        kept_or_made::<MacKey>(stack, name, now, &mut made).await?;
    }
    let signing = kept_or_made::<SigningKey>(stack, &settings.signing_secret, now, &mut made).await?;
    if value(stack, &settings.jwks_secret).await?.is_none() {
        let public = serde_json::json!(Jwks::of(&signing)).to_string();
        write(stack, &settings.jwks_secret, &public).await?;
        made.push(settings.jwks_secret.clone());
    }
    Ok(made)
}

/// How long a key is in the ring before it is used: twice as long as functions keep their copy of the ring.
const PUBLISH_BEFORE: SignedDuration = SignedDuration::from_mins(10);

/// Takes the next step towards another key of the ring in secret `name`: the first one publishes it, the second one,
/// ten minutes later, makes it current. No key is ever taken out: what was made with it is still found and read.
/// Says what was done.
///
/// # Errors
/// If the ring cannot be read or written.
pub async fn rotate(stack: &Stack, name: &str, now: Timestamp) -> Result<String, Error> {
    let missing = || Error::Secret(name.to_owned(), "there is no ring yet: first-keys makes it".into());
    let text = value(stack, name).await?.ok_or_else(missing)?;
    let mut ring = KeyRing::<MacKey>::from_json(&text)?;
    let rule =
        RotationRule { rotate_every: PUBLISH_BEFORE, publish_before: PUBLISH_BEFORE, keep_after: None };
    let step = ring.rotate(&rule, now)?;
    let done = match step {
        RotationStep::Publish => {
            let newest = ring.iter().last().map(|key| key.id.to_string()).unwrap_or_default();
            format!("{newest} is in the ring. Run this again in ten minutes: then it comes into use.")
        }
        RotationStep::Promote(id) => {
            format!("{id} is in use. The keys before stay for what was made with them.")
        }
        RotationStep::Remove(_) | RotationStep::Nothing => {
            return Ok("Nothing to do yet: a key waits ten minutes between two steps.".to_owned());
        }
    };
    write(stack, name, &ring.to_json()?).await?;
    Ok(done)
}

async fn kept_or_made<K: RingKey>(
    stack: &Stack,
    name: &str,
    now: Timestamp,
    made: &mut Vec<String>,
) -> Result<KeyRing<K>, Error> {
    if let Some(text) = value(stack, name).await? {
        return Ok(KeyRing::from_json(&text)?);
    }
    let ring = KeyRing::<K>::generate(now)?;
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
    async fn another_key_is_published_before_it_is_used_and_the_old_one_stays() {
        let here = Stand::set_up(Choices::default(), screensort_runtime::clock()).await.unwrap();
        let (stack, minutes) = (&here.stack, SignedDuration::from_mins);
        let (name, now) = (stack.settings().mac_secret.clone(), stack.clock().now());
        let ring = async || KeyRing::<MacKey>::from_json(&stack.secret(&name).await.unwrap()).unwrap();
        let before = ring().await.current().id.clone();
        assert!(rotate(stack, &name, now + minutes(20)).await.unwrap().contains("is in the ring"));
        assert_eq!(ring().await.current().id, before);
        assert!(rotate(stack, &name, now + minutes(25)).await.unwrap().starts_with("Nothing to do yet"));
        assert!(rotate(stack, &name, now + minutes(31)).await.unwrap().contains("is in use"));
        let after = ring().await;
        assert_ne!(after.current().id, before);
        assert!(after.get(before.as_str()).is_some());
        assert!(rotate(stack, "screensort/nobody", now).await.unwrap_err().to_string().contains("nobody"));
        here.cloud.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn rings_are_made_once_and_then_left_alone() {
        let here = Stand::set_up(Choices::default(), screensort_runtime::clock()).await.unwrap();
        let now = here.stack.clock().now();
        assert!(make(&here.stack, now).await.unwrap().is_empty());
        // Another installation: a secret that the template made, without a value, and three that nobody made.
        let mut settings = here.stack.settings().clone();
        settings.index_secret = "screensort/other/index".into();
        settings.mac_secret = "screensort/other/mac".into();
        settings.signing_secret = "screensort/other/signing".into();
        settings.jwks_secret = "screensort/other/jwks".into();
        let other = Stack::new(settings.clone(), screensort_runtime::clock());
        other.secrets().create_secret().name(&settings.mac_secret).send().await.unwrap();
        let made = make(&other, now).await.unwrap();
        assert_eq!(
            made.iter().collect::<Vec<_>>(),
            [&settings.index_secret, &settings.mac_secret, &settings.signing_secret, &settings.jwks_secret]
        );
        let before = other.secret(&settings.signing_secret).await.unwrap();
        assert!(make(&other, now).await.unwrap().is_empty());
        assert_eq!(other.secret(&settings.signing_secret).await.unwrap(), before);
        assert!(!other.secret(&settings.jwks_secret).await.unwrap().contains("\"d\""));
        here.cloud.shutdown().await.unwrap();
    }
}
