//! A person's secrets: their data key, the fields under it, their password.

use screensort_auth::password::{Password, PendingHash, StoredPassword, Verdict};
use screensort_auth::totp::TotpSecret;
use screensort_auth::{Email, Username};
use screensort_crypto::{Aad, BlindIndex, DataKey, KeyContext, KeyService, Sealed, WrappedKey};
use screensort_http::{Problem, SignedIn, new_id};
use screensort_runtime::Stack;
use screensort_store::{Letter, Person, To};

use jiff::Timestamp;

/// The blind index over addresses.
pub(crate) const EMAIL_INDEX: &str = "email";

/// A letter to be posted.
pub(crate) fn letter(kind: &str, to: To, about: Option<String>, now: Timestamp) -> Result<Letter, Problem> {
    Ok(Letter { id: new_id(now)?, kind: kind.to_owned(), to, about, posted_at: now })
}

/// The terms under which an account with this address may be found, the one to store first.
///
/// # Errors
/// 503 if the index's keys cannot be read.
pub async fn terms(stack: &Stack, email: &Email) -> Result<Vec<String>, Problem> {
    let ring = stack.index_ring().await?;
    let terms = BlindIndex::new(&ring, EMAIL_INDEX).all_versions(&email.index_form());
    Ok(terms.iter().map(ToString::to_string).collect())
}

/// What a person's data key is for and whose it is.
pub fn key_context(account: &str) -> KeyContext {
    KeyContext::new("person", account)
}

/// Where a field of an account's partition lives.
fn place<'a>(account: &'a str, field: &'a str) -> Aad<'a> {
    Aad { table: "Auth", key: account, field }
}

/// Seals a field of an account.
///
/// # Errors
/// 500 if it cannot be sealed.
pub fn seal(key: &DataKey, account: &str, field: &str, value: &[u8]) -> Result<String, Problem> {
    Ok(key.seal(&place(account, field), value)?.to_text())
}

/// Opens a field of an account.
///
/// # Errors
/// 500 if the field is damaged or another person's.
pub fn open(
    key: &DataKey,
    account: &str,
    field: &str,
    sealed: &str,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Problem> {
    Ok(key.open(&place(account, field), &Sealed::from_text(sealed)?)?)
}

/// A sealed address, in clear.
///
/// # Errors
/// 500 if the field is damaged or another person's.
pub fn open_email(key: &DataKey, account: &str, field: &str, sealed: &str) -> Result<Email, Problem> {
    let bytes = open(key, account, field, sealed)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Email::parse(text).map_err(|_| Problem::internal("a stored address is none"))
}

/// A person's data key.
///
/// # Errors
/// 503 if the key service does not answer; 500 if the key is gone: the person was shredded.
pub async fn data_key(stack: &Stack, person: &Person) -> Result<DataKey, Problem> {
    let wrapped = person.wrapped_key.as_deref().ok_or_else(|| Problem::internal("the data key is gone"))?;
    let wrapped = WrappedKey::from_text(wrapped)?;
    Ok(stack.keys().decrypt(&wrapped, &key_context(&person.account.id)).await?)
}

/// A person's authenticator secret, if they have one.
pub(crate) async fn totp_secret(stack: &Stack, person: &Person) -> Result<Option<TotpSecret>, Problem> {
    let Some(sealed) = &person.credentials.totp else { return Ok(None) };
    let key = data_key(stack, person).await?;
    Ok(Some(TotpSecret::from_bytes(&open(&key, &person.account.id, "totp", sealed)?)?))
}

/// Whether `password` is the person's; for nobody it costs the same and is not.
pub(crate) async fn check(
    stack: &Stack,
    password: &Password,
    stored: Option<&str>,
) -> Result<Verdict, Problem> {
    let hasher = stack.hasher();
    let pending = match stored {
        Some(stored) => {
            let (stored, password) = (stored.parse::<StoredPassword>()?, password.clone());
            // For an imported hash this takes as long as the other system's.
            blocking(move || hasher.verify(&password, &stored)).await??
        }
        None => hasher.verify_unknown(password)?,
    };
    let pepper = stack.peppered(pending.pepper())?.generate_mac(pending.message()).await?;
    Ok(blocking(move || pending.finish(&pepper)).await??)
}

/// The hash of a new password.
///
/// # Errors
/// 503 if the key service does not answer.
pub async fn hash(stack: &Stack, password: &Password) -> Result<String, Problem> {
    finish(stack, stack.hasher().hash(password)?).await
}

/// What a hash that waits for its pepper comes to.
pub(crate) async fn finish(stack: &Stack, pending: PendingHash) -> Result<String, Problem> {
    let pepper = stack.keys().generate_mac(pending.message()).await?;
    Ok(blocking(move || pending.finish(&pepper)).await??.to_string())
}

/// Argon2 takes a tenth of a second of processor time: not on the thread that answers.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal("hashing panicked").caused_by(e))
}

/// Everything of somebody signed in.
pub(crate) async fn whole(stack: &Stack, who: &SignedIn) -> Result<Person, Problem> {
    let person = stack.accounts().person(who.id()).await?;
    person.ok_or_else(screensort_http::member::invalid_token)
}

/// The public name of an account.
pub(crate) fn name(account: &screensort_store::Account) -> Result<Username, Problem> {
    Username::parse(&account.username).map_err(|_| Problem::internal("a stored user name is none"))
}
