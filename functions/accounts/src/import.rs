//! People of another system. Nothing of their old hashes is kept as it is: they are wrapped in today's, and the
//! next login replaces them.

use screensort_auth::event::Event;
use screensort_auth::password::LegacyHash;
use screensort_auth::{Email, Username};
use screensort_crypto::KeyService;
use screensort_http::{Problem, log, new_id, trail_of};
use screensort_runtime::Stack;
use screensort_store::{Account, Accounts, Credentials, NewAccount, Registered};
use serde::Deserialize;

use crate::person::{finish, key_context, seal, terms};

/// Who imports, as the trail says it.
const ACTOR: &str = "import-accounts";

/// Somebody, as an import file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    username: String,
    email: String,
    hash: String,
    /// Whether the other system has shown the address to be theirs.
    #[serde(default = "yes")]
    verified: bool,
}

fn yes() -> bool {
    true
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// There is an account now.
    Made,
    /// There was one with this address before, and it stays as it is.
    Known,
}

/// Why a line was not taken. It never repeats what stands in it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not an object with these fields.
    #[error("not an object with username, email, hash and perhaps verified")]
    Shape,
    /// The name is none.
    #[error("the user name is none")]
    Name,
    /// The address is none.
    #[error("the address is none")]
    Email,
    /// The hash is of no kind that is known.
    #[error("the hash is neither bcrypt of cost 4 to 14 nor sha256-before or sha256-after")]
    Hash,
    /// Somebody else has the name.
    #[error("somebody else has the user name")]
    NameTaken,
    /// The store or the key service failed.
    #[error("it could not be kept: {0}")]
    Failed(String),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem.causes().unwrap_or_else(|| problem.code().word().to_owned()))
    }
}

/// Makes the account of a line. Done again, it changes nothing.
///
/// # Errors
/// [`Fault`].
pub async fn keep(stack: &Stack, line: &Line) -> Result<Imported, Fault> {
    let name = Username::parse(&line.username).map_err(|_| Fault::Name)?;
    let email = Email::parse(&line.email).map_err(|_| Fault::Email)?;
    let legacy: LegacyHash = line.hash.parse().map_err(|_| Fault::Hash)?;
    let now = stack.clock().now();
    let terms = terms(stack, &email).await?;
    let handles: Vec<String> = terms.iter().map(|term| Accounts::email_handle(term)).collect();
    let owners = stack.accounts().owners(&handles).await.map_err(Problem::from)?;
    if !owners.is_empty() {
        return Ok(Imported::Known);
    }
    let id = new_id(now)?;
    let data = stack.keys().generate_data_key(&key_context(&id)).await.map_err(Problem::from)?;
    let pending = stack.hasher().import(&legacy).map_err(Problem::from)?;
    let new = NewAccount {
        credentials: Credentials::of_password(finish(stack, pending).await?, now),
        account: Account {
            username: name.as_str().to_owned(),
            email: seal(&data.key, &id, "email", email.as_str().as_bytes())?,
            email_term: terms[0].clone(),
            former_term: None,
            pending_email: None,
            pending_term: None,
            verified_at: line.verified.then_some(now),
            roles: vec!["user".to_owned()],
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
        administers: false,
        contests: None,
    };
    let trail = trail_of(Event::AccountCreated, ACTOR, &new.account.id, &new.account.id, now)?;
    match stack.accounts().register(&new, None, &trail).await.map_err(Problem::from)? {
        Registered::Yes => {
            log(&trail);
            Ok(Imported::Made)
        }
        Registered::NameTaken => Err(Fault::NameTaken),
        Registered::EmailTaken => Ok(Imported::Known),
    }
}
