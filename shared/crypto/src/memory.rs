use crate::{
    Aad, BoxFuture, DataKey, Error, KeyContext, KeyService, MacKey, NewDataKey, Result, Sealed, WrappedKey,
    random_bytes,
};

/// A key service in memory, for unit tests: real encryption, keys that vanish with the process.
#[derive(Debug)]
pub struct MemoryKeys {
    wrapping: DataKey,
    mac: MacKey,
}

impl MemoryKeys {
    /// A service with new keys.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    pub fn new() -> Result<Self> {
        Ok(Self { wrapping: DataKey::new(random_bytes()?), mac: MacKey::new(random_bytes()?) })
    }

    fn generate(&self, context: &KeyContext) -> Result<NewDataKey> {
        let bytes: [u8; 32] = random_bytes()?;
        let sealed = self.wrapping.seal(&aad(&context_text(context)), &bytes)?;
        Ok(NewDataKey { key: DataKey::new(bytes), wrapped: WrappedKey::from_bytes(sealed.as_bytes())? })
    }

    fn unwrap(&self, wrapped: &WrappedKey, context: &KeyContext) -> Result<DataKey> {
        let sealed = Sealed::from_bytes(wrapped.as_bytes().to_vec()).map_err(|_| Error::UnwrapRefused)?;
        let bytes =
            self.wrapping.open(&aad(&context_text(context)), &sealed).map_err(|_| Error::UnwrapRefused)?;
        DataKey::from_slice(&bytes)
    }
}

fn context_text(context: &KeyContext) -> String {
    format!("{:?}", context.pairs())
}

fn aad(context: &str) -> Aad<'_> {
    Aad { table: "memory", key: context, field: "data-key" }
}

impl KeyService for MemoryKeys {
    fn generate_data_key<'a>(&'a self, context: &'a KeyContext) -> BoxFuture<'a, Result<NewDataKey>> {
        Box::pin(async move { self.generate(context) })
    }

    fn decrypt<'a>(
        &'a self,
        wrapped: &'a WrappedKey,
        context: &'a KeyContext,
    ) -> BoxFuture<'a, Result<DataKey>> {
        Box::pin(async move { self.unwrap(wrapped, context) })
    }

    fn generate_mac<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<[u8; 32]>> {
        Box::pin(async move { Ok(*self.mac.tag("memory", &[message]).as_bytes()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wrapped_key_unwraps_in_its_own_context_only() {
        let keys: Box<dyn KeyService> = Box::new(MemoryKeys::new().unwrap());
        let ann = KeyContext::new("person", "01ANN");
        let made = keys.generate_data_key(&ann).await.unwrap();
        let place = Aad { table: "Auth", key: "USER#01ANN", field: "email" };
        let sealed = made.key.seal(&place, b"secret").unwrap();

        let again = keys.decrypt(&made.wrapped, &ann).await.unwrap();
        assert_eq!(again.open(&place, &sealed).unwrap().as_slice(), b"secret");
        let bob = KeyContext::new("person", "01BOB");
        assert!(matches!(keys.decrypt(&made.wrapped, &bob).await, Err(Error::UnwrapRefused)));
        let other = MemoryKeys::new().unwrap();
        assert!(matches!(other.decrypt(&made.wrapped, &ann).await, Err(Error::UnwrapRefused)));
    }
}
