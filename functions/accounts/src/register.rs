//! `POST /register`: make an account.

use schemars::JsonSchema;
use screensort_auth::Email;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::password::Context;
use screensort_crypto::{DataKey, KeyService};
use screensort_http::{Anyone, Code, Endpoint, Problem, Reply, Whence, log, new_id};
use screensort_routes::REGISTER;
use screensort_runtime::Stack;
use screensort_store::{Account, Accounts, Credentials, Letter, NewAccount, Owner, Registered, To};
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Secret};
use crate::form;
use crate::guard::{draw, draw_by_prefix};
use crate::mailed::mail_counter;
use crate::person::{hash, key_context, letter, seal, terms};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("register").accepting(REGISTER, register)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Registration")]
struct Body {
    /// 2 to 20 of a-z, digits, `_`, `.` and `-`.
    username: String,
    email: String,
    password: Secret,
}

/// A mail is on its way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Registered")]
struct Answer {
    /// Always `verification_sent`, whether or not the address has an account.
    status: &'static str,
}

/// How often two registrations of one name or address may meet before one gives up.
const MEETINGS: usize = 5;

async fn register(_: Anyone, ask: Ask<Body>, stack: Stack) -> Result<Reply<Answer>, Problem> {
    form::check_if_asked(&stack, &ask.whence).await?;
    let (name, email) = (ask::username(&ask.body.username)?, ask::email(&ask.body.email)?);
    let context = Context { email: Some(&email), username: Some(&name) };
    // Before anything that costs: judging a password takes time, and may ask another service.
    draw_by_prefix(&stack, "register", Limit::REGISTRATIONS_PER_PREFIX, &ask.whence).await?;
    let password = ask::new_password(&stack, "/password", &ask.body.password, &context).await?;
    let now = stack.clock().now();
    // All of it also for an address that has an account: the time must not tell.
    let terms = terms(&stack, &email).await?;
    let id = new_id(now)?;
    let (keys, context) = (stack.keys(), key_context(&id));
    let hashing = hash(&stack, &password);
    let wrapping = async { keys.generate_data_key(&context).await.map_err(Problem::from) };
    let recipient = mail_counter("register", &terms[0]);
    let drawing = draw(&stack, &recipient, Limit::MAIL_PER_RECIPIENT);
    let handles = handles(&name.unique_form(), &terms);
    let accounts = stack.accounts();
    let looking = async { accounts.owners(&handles).await.map_err(Problem::from) };
    let (password, data, may_mail, owners) =
        futures::future::try_join4(hashing, wrapping, drawing, looking).await?;
    let account = Account {
        username: name.as_str().to_owned(),
        email: seal(&data.key, &id, "email", email.as_str().as_bytes())?,
        email_term: terms[0].clone(),
        former_term: None,
        pending_email: None,
        pending_term: None,
        verified_at: None,
        roles: vec!["user".to_owned()],
        grants: Vec::new(),
        denials: Vec::new(),
        disabled: false,
        generation: 0,
        created_at: now,
        id,
    };
    let new = NewAccount {
        account,
        credentials: Credentials::of_password(password, now),
        wrapped_key: data.wrapped.to_text(),
        unique_name: name.unique_form(),
        other_terms: terms[1..].to_vec(),
        administers: false,
        contests: None,
    };
    let decoy = decoy(&stack, &new, &data.key).await?;
    settle(&stack, (&new, &decoy), (&handles, owners), &terms, may_mail.is_ok(), &ask.whence).await?;
    Ok(Reply::ok(Answer { status: "verification_sent" }))
}

/// What must be nobody's: the name and the address.
fn handles(name: &str, terms: &[String]) -> Vec<String> {
    let mut handles = vec![Accounts::name_handle(name)];
    handles.extend(terms.iter().map(|term| Accounts::email_handle(term)));
    handles
}

/// The account that is made when the address has one already: the same in all that its maker can see (its name is
/// taken from now on, its password leads to `email_unverified`), but under an address that nobody has. Without it, a
/// sign-in would tell whether the address has an account: with the name, and with the address too, whose rival the first
/// of them is (`login.rs`). Nobody can verify it; it lapses like everything that is never verified.
async fn decoy(stack: &Stack, new: &NewAccount, key: &DataKey) -> Result<NewAccount, Problem> {
    let address = format!("{}@decoy.invalid", new.account.id.to_lowercase());
    let address = Email::parse(&address).map_err(screensort_auth::Error::from)?;
    let mut decoy = new.clone();
    let mut others = terms(stack, &address).await?;
    decoy.account.email_term = others.remove(0);
    decoy.other_terms = others;
    decoy.account.email = seal(key, &decoy.account.id, "email", address.as_str().as_bytes())?;
    Ok(decoy)
}

/// Makes the account, or its decoy beside a letter that tells the address's owner that they have one: one write in
/// either case. `owners` is whose the handles were a moment ago.
async fn settle(
    stack: &Stack,
    (new, decoy): (&NewAccount, &NewAccount),
    (handles, mut owners): (&[String], Vec<Owner>),
    terms: &[String],
    may_mail: bool,
    whence: &Whence,
) -> Result<(), Problem> {
    let accounts = stack.accounts();
    let to = || To::Terms(terms.to_vec());
    let post = |kind: &str| -> Result<Letter, Problem> { letter(kind, to(), None, new.account.created_at) };
    for _ in 0..MEETINGS {
        if owners.iter().any(|owner| owner.handle == handles[0]) {
            return Err(Problem::new(Code::UsernameTaken));
        }
        let now = new.account.created_at;
        let (account, kind, trail) = match owners.first() {
            Some(owner) => {
                let kind = if may_mail { "already_registered" } else { "none" };
                let contests = owner.may_be_contested(now).then(|| owner.handle.clone());
                let decoy = NewAccount { contests, ..decoy.clone() };
                let account = Some(owner.account.as_str());
                (decoy, kind, whence.trail(Event::AccountDuplicated, None, account, now)?)
            }
            // An address gets one account: its mail is not one too many, however many asked at the same moment.
            None => (new.clone(), "verify", whence.own(Event::AccountCreated, &new.account.id, now)?),
        };
        match accounts.register(&account, Some(&post(kind)?), &trail).await? {
            Registered::Yes => {
                log(&trail);
                return Ok(());
            }
            Registered::NameTaken => return Err(Problem::new(Code::UsernameTaken)),
            // Somebody was faster with this address: look again, then it is known.
            Registered::EmailTaken => owners = accounts.owners(handles).await?,
        }
    }
    Err(Problem::new(Code::Unavailable).caused_by("a registration met others five times"))
}
