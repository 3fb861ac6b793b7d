//! Texts that only their owner and whoever serves them may read: sealed with the person's data key, and readable by
//! nobody once that key is shredded.

use screensort_crypto::{Aad, DataKey, KeyContext, KeyService, Sealed, WrappedKey};
use screensort_http::Problem;

use crate::Stack;

/// What seals and opens a person's fields in the library's table.
pub struct Private {
    key: DataKey,
    account: String,
}

impl Stack {
    /// The person's data key, for the fields of the library's table.
    ///
    /// # Errors
    /// 503 if store or key service do not answer; 500 if the key is gone: the person was shredded.
    pub async fn private(&self, account: &str) -> Result<Private, Problem> {
        let wrapped = self.accounts().wrapped_key(account).await?;
        self.unwrapped(account, wrapped).await
    }

    /// The same, of a key that was read already.
    ///
    /// # Errors
    /// 503 if the key service does not answer; 500 if the key is gone.
    pub async fn unwrapped(&self, account: &str, wrapped: Option<String>) -> Result<Private, Problem> {
        let wrapped = wrapped.ok_or_else(|| Problem::internal("the data key is gone"))?;
        let wrapped = WrappedKey::from_text(&wrapped)?;
        let key = self.keys().decrypt(&wrapped, &KeyContext::new("person", account)).await?;
        Ok(Private { key, account: account.to_owned() })
    }
}

impl Private {
    fn place<'a>(&'a self, field: &'a str) -> Aad<'a> {
        Aad { table: "Library", key: &self.account, field }
    }

    /// Opens a field of the accounts' table.
    ///
    /// # Errors
    /// 500 if the field is damaged or another person's.
    pub fn open_account(&self, field: &str, sealed: &str) -> Result<String, Problem> {
        let place = Aad { table: "Auth", key: &self.account, field };
        let bytes = self.key.open(&place, &Sealed::from_text(sealed)?)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Problem::internal("a sealed text is none"))
    }

    /// Seals a field.
    ///
    /// # Errors
    /// 500 if this machine gives no random numbers.
    pub fn seal(&self, field: &str, text: &str) -> Result<String, Problem> {
        Ok(self.key.seal(&self.place(field), text.as_bytes())?.to_text())
    }

    /// Opens a field.
    ///
    /// # Errors
    /// 500 if the field is damaged or another person's.
    pub fn open(&self, field: &str, sealed: &str) -> Result<String, Problem> {
        let bytes = self.key.open(&self.place(field), &Sealed::from_text(sealed)?)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Problem::internal("a sealed text is none"))
    }
}
