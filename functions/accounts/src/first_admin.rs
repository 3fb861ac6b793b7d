//! The first administrator, made where there is none.

use screensort_auth::event::Event;
use screensort_auth::password::Password;
use screensort_auth::totp::TotpSecret;
use screensort_auth::{Email, Username};
use screensort_crypto::{KeyService, OneTimeToken};
use screensort_http::{Problem, log, new_id, trail_of};
use screensort_runtime::Stack;
use screensort_store::{Account, Credentials, NewAccount, Registered};

use crate::mfa_totp::ISSUER;
use crate::person::{hash, key_context, seal, terms};

/// Who makes the first administrator, as the trail says it.
const ACTOR: &str = "first-admin";

/// What to sign in with. Shown once; nothing of it can be read back.
pub struct FirstAdmin {
    /// The address.
    pub email: String,
    /// The password: 43 random characters.
    pub password: String,
    /// For an authenticator.
    pub otpauth_uri: String,
}

/// Makes an administrator with this name and address, unless there is one already.
///
/// # Errors
/// If the store or the key service fails, or the name or the address is somebody's.
pub async fn first_admin(stack: &Stack, name: &str, email: &str) -> Result<Option<FirstAdmin>, Problem> {
    if stack.accounts().administrator_count().await? > 0 {
        return Ok(None);
    }
    let now = stack.clock().now();
    let name = Username::parse(name).map_err(screensort_auth::Error::from)?;
    let email = Email::parse(email).map_err(screensort_auth::Error::from)?;
    let (id, terms) = (new_id(now)?, terms(stack, &email).await?);
    let password = OneTimeToken::generate()?.to_text();
    let secret = TotpSecret::generate()?;
    let data = stack.keys().generate_data_key(&key_context(&id)).await?;
    let typed = Password::parse(&password).map_err(screensort_auth::Error::from)?;
    let new = NewAccount {
        credentials: Credentials {
            totp: Some(seal(&data.key, &id, "totp", secret.as_bytes())?),
            totp_step: Some(0),
            ..Credentials::of_password(hash(stack, &typed).await?, now)
        },
        account: Account {
            username: name.as_str().to_owned(),
            email: seal(&data.key, &id, "email", email.as_str().as_bytes())?,
            email_term: terms[0].clone(),
            former_term: None,
            pending_email: None,
            pending_term: None,
            verified_at: Some(now),
            roles: vec!["user".to_owned(), "admin".to_owned()],
            grants: Vec::new(),
            denials: Vec::new(),
            disabled: false,
            generation: 0,
            created_at: now,
            id,
        },
        wrapped_key: data.wrapped.to_text(),
        unique_name: name.unique_form(),
        other_terms: terms[1..].to_vec(),
        administers: true,
        contests: None,
    };
    let made = |event| trail_of(event, ACTOR, &new.account.id, &new.account.id, now);
    let trail = made(Event::AccountCreated)?.and(made(Event::RoleChanged)?);
    match stack.accounts().register(&new, None, &trail).await? {
        Registered::Yes => {
            log(&trail);
            Ok(Some(FirstAdmin {
                email: email.as_str().to_owned(),
                password: password.to_string(),
                otpauth_uri: secret.otpauth_uri(ISSUER, name.as_str()).to_string(),
            }))
        }
        Registered::NameTaken | Registered::EmailTaken => {
            Err(Problem::internal("the first administrator's name or address is somebody's"))
        }
    }
}
