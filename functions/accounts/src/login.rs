//! `POST /login`: sign in with name or address and password.

use schemars::JsonSchema;
use screensort_auth::browser::DeviceId;
use screensort_auth::challenge;
use screensort_auth::event::Event;
use screensort_auth::password::{BreachedFilter, Password, Verdict};
use screensort_auth::{Email, Username};
use screensort_crypto::{BlindIndex, OneTimeToken};
use screensort_http::member::unauthenticated;
use screensort_http::{Anyone, Code, Endpoint, Problem, Reply, Whence};
use screensort_routes::LOGIN;
use screensort_runtime::{ChallengeVerifier, Stack};
use screensort_store::{Accounts, Person, Ticket};
use serde::Deserialize;

use crate::ask::{Ask, Secret, refused};
use crate::form;
use crate::guard::{self, Counted};
use crate::login_challenge::ACTION;
use crate::person::{EMAIL_INDEX, check, hash};
use crate::start::{DEVICE_COOKIE, LoginAnswer, Start, start};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("login").route(LOGIN, login)
}

/// How long the second factor may take.
pub(crate) const TICKET_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
/// What somebody is told whose password is right and known to everybody.
const GUESSED: &str = "The password is among the most common ones in known data breaches: ask for a mail at \
                       /v1/password/forgot and set a new one.";
/// The purpose of the second step's token.
pub(crate) const TICKET: &str = "login.ticket";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Credentials")]
struct Body {
    /// The address; or give `username`.
    email: Option<String>,
    /// The user name; or give `email`.
    username: Option<String>,
    password: Secret,
    /// A session of 30 days instead of 12 hours.
    #[serde(default)]
    remember: bool,
    /// `token` unless given; `cookie` for browsers.
    #[serde(default)]
    session: Mode,
    /// The answer to a challenge, if one was asked for.
    challenge: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "SessionMode")]
enum Mode {
    #[default]
    Token,
    Cookie,
}

/// Who is meant: how they are found, and whose attempts are counted if they are not.
struct Handle {
    handles: Vec<String>,
    subject: String,
}

async fn handle(stack: &Stack, body: &Body) -> Result<Handle, Problem> {
    let index = stack.index_ring().await?;
    let counted = |form: &str| BlindIndex::new(&index, "login").term(form).to_string();
    match (&body.email, &body.username) {
        (Some(text), None) => match Email::parse(text) {
            Ok(email) => {
                let form = email.index_form();
                let terms = BlindIndex::new(&index, EMAIL_INDEX).all_versions(&form);
                let handles = terms.iter().map(|term| Accounts::email_handle(term.as_str())).collect();
                Ok(Handle { handles, subject: counted(&form) })
            }
            // Nobody has such an address; it is answered like one that nobody has.
            Err(_) => Ok(Handle { handles: vec![Accounts::email_handle("-")], subject: counted(text) }),
        },
        (None, Some(text)) => match Username::parse(text) {
            Ok(name) => {
                let form = name.unique_form();
                Ok(Handle { subject: counted(&form), handles: vec![Accounts::name_handle(&form)] })
            }
            Err(_) => Ok(Handle { handles: vec![Accounts::name_handle("-")], subject: counted(text) }),
        },
        _ => Err(refused("/email", "missing_field", "give either email or username")),
    }
}

async fn login(_: Anyone, ask: Ask<Body>, stack: Stack) -> Result<Reply<LoginAnswer>, Problem> {
    let (body, whence) = (&ask.body, &ask.whence);
    let cookie = body.session == Mode::Cookie;
    if cookie {
        form::check(&stack, whence).await?;
    }
    let now = stack.clock().now();
    // Three steps, whoever is meant: where the handle leads; the reservation, and everything of the person, of
    // whom there is nothing under an unknown handle; what the attempt comes to.
    let Handle { handles, subject } = handle(&stack, body).await?;
    let (passed, seen) = futures::future::join(
        passed(&stack, body.challenge.as_deref()),
        guard::survey(&stack, &handles, whence),
    )
    .await;
    let (passed, seen) = (passed?, seen?);
    let subject = seen.account.clone().unwrap_or(subject);
    let macs = stack.mac_ring().await?;
    let device = whence.cookie(DEVICE_COOKIE);
    let device = device.and_then(|text| DeviceId::from_cookie(&macs, &subject, text, now).ok());
    let name = device.as_ref().map_or_else(|| "login".to_owned(), |one| format!("login#{}", one.as_str()));
    let counted = Counted { subject, name };
    let accounts = stack.accounts();
    let (reserved, person) = futures::future::join(
        guard::reserve(&stack, &seen, &counted, passed, whence),
        accounts.person(&counted.subject),
    )
    .await;
    reserved?;
    let met = Met { person: person?, rival: seen.rival, by_address: body.email.is_some() };
    let person = verify(&stack, &body.password, met, &counted, whence).await?;
    if let Some(answer) = second_step(&stack, &person, &counted, body.remember, cookie).await? {
        return Ok(Reply::ok(answer));
    }
    let how = Start {
        person: &person,
        whence,
        remember: body.remember,
        cookie,
        proof: None,
        ticket: None,
        counter: counted.name,
        device,
    };
    start(&stack, how).await?.ok_or_else(wrong)
}

/// Whether a challenge was solved for this attempt. It counts once.
async fn passed(stack: &Stack, answer: Option<&str>) -> Result<bool, Problem> {
    let Some(answer) = answer else { return Ok(false) };
    if let ChallengeVerifier::Site { url, secret } = &stack.settings().challenge {
        return passed_elsewhere(stack, url, secret, answer).await;
    }
    let macs = stack.mac_ring().await?;
    match challenge::verify(&macs, ACTION, answer, stack.clock().now()) {
        Ok(solved) => Ok(stack.one_time().burn(&solved.id, solved.expires_at).await?),
        Err(_) => Ok(false),
    }
}

/// Whether a site says that a challenge was solved. Its answers count once; no answer is not a solved challenge.
async fn passed_elsewhere(stack: &Stack, url: &str, secret: &str, answer: &str) -> Result<bool, Problem> {
    #[derive(Deserialize)]
    struct Verdict {
        success: bool,
    }
    let secret = stack.secret(secret).await?;
    match stack.site_verdict(url, secret.trim(), answer).await {
        Ok(text) => Ok(serde_json::from_str::<Verdict>(&text).is_ok_and(|verdict| verdict.success)),
        Err(error) => {
            tracing::warn!(name: "challenge.unanswered", %error, "a challenge was not verified: {error}");
            Ok(false)
        }
    }
}

/// Whom a handle leads to.
struct Met {
    person: Option<Person>,
    /// The account that was registered for the same address after theirs.
    rival: Option<String>,
    by_address: bool,
}

/// The person, if the password is theirs and they may sign in.
///
/// Whoever registers an address and signs in with it must not learn whether it had an account. If it had none, theirs is
/// there and not verified; if it had one, theirs is the rival. So both are answered alike and cost the same: a second
/// account is read and a second password checked in either case. Nothing is forgiven then: the attempt counts for the
/// account that the address leads to, and its owner's failures are not for others to forget.
async fn verify(
    stack: &Stack,
    password: &Secret,
    met: Met,
    counted: &Counted,
    whence: &Whence,
) -> Result<Person, Problem> {
    let Met { person, rival, by_address } = met;
    // What cannot be a password is checked like one, so that it takes as long.
    let typed = Password::parse(password.expose());
    let possible = typed.is_ok();
    let typed = match typed {
        Ok(typed) => typed,
        Err(_) => Password::parse("-").map_err(screensort_auth::Error::from)?,
    };
    let stored = person.as_ref().map(|person| person.credentials.password.as_str());
    let verdict = check(stack, &typed, stored).await?;
    let unverified = person.as_ref().is_some_and(|person| person.account.verified_at.is_none());
    let right = verdict != Verdict::Wrong;
    if by_address && (unverified || rival.is_some() && !right) {
        // Of an address that nobody verified, the first account is what the rival is of one that somebody did: one counts.
        let other = rival.as_deref().filter(|_| !unverified).unwrap_or("-");
        let other = stack.accounts().person(other).await?;
        let stored = other.as_ref().map(|other| other.credentials.password.as_str());
        let others = check(stack, &typed, stored).await? != Verdict::Wrong;
        if possible && (others || right && unverified) {
            return Err(Problem::new(Code::EmailUnverified));
        }
    }
    let known = person.as_ref().map(|person| person.account.id.clone());
    let allowed = person.filter(|person| possible && !person.account.disabled);
    let (Verdict::Right { needs_rehash }, Some(person)) = (verdict, allowed) else {
        // Nobody is known by now: the actor is whoever it was.
        let trail = whence.trail(Event::LoginFailed, None, known.as_deref(), stack.clock().now())?;
        guard::failed(stack, whence, &trail).await?;
        return Err(wrong());
    };
    if person.account.verified_at.is_none() {
        guard::forgive(stack, counted).await?;
        return Err(Problem::new(Code::EmailUnverified));
    }
    // A password that guessers try first is no proof, however it came to be one: by an import, or because the list
    // has grown.
    let guessed = BreachedFilter::built_in().contains(password.expose());
    let set_at = person.credentials.password_changed_at;
    if stack.settings().password_max_age.judge(set_at, guessed, stack.clock().now()).must_change {
        guard::forgive(stack, counted).await?;
        let refused = Problem::new(Code::PasswordExpired);
        return Err(if guessed { refused.with_detail(GUESSED) } else { refused });
    }
    if needs_rehash {
        let better = hash(stack, &typed).await?;
        // Somebody who signs in at the same moment may have been faster: theirs is as good.
        let trail = whence.own(Event::PasswordRehashed, &person.account.id, stack.clock().now())?;
        let accounts = stack.accounts();
        accounts.rehash(&person.account.id, &person.credentials.password, &better, &trail).await?;
    }
    Ok(person)
}

/// What is asked for besides the password, if anything.
async fn second_step(
    stack: &Stack,
    person: &Person,
    counted: &Counted,
    remember: bool,
    cookie: bool,
) -> Result<Option<LoginAnswer>, Problem> {
    let has = &person.credentials;
    // Who chose texts where none are sent any more gets codes by mail: they have no way in otherwise.
    let texted = has.totp.is_none() && has.phone.is_some() && stack.settings().texts.is_some();
    let methods = if has.totp.is_some() {
        vec!["totp", "recovery_code"]
    } else if texted {
        vec!["sms", "recovery_code"]
    } else if has.phone.is_some() {
        vec!["email", "recovery_code"]
    } else if has.mail_factor {
        vec!["email"]
    } else {
        return Ok(None);
    };
    let token = OneTimeToken::generate()?;
    let ticket = Ticket {
        account: person.account.id.clone(),
        generation: person.account.generation,
        expires_at: stack.clock().now() + TICKET_LIFETIME,
        remember,
        cookie,
        tries: 0,
        texted,
        code: None,
        code_sent_at: None,
    };
    stack.one_time().issue(token.hash(TICKET).as_str(), &ticket, &counted.name).await?;
    Ok(Some(LoginAnswer {
        mfa_required: Some(true),
        mfa_token: Some(token.to_text().to_string()),
        methods: Some(methods),
        ..LoginAnswer::default()
    }))
}

/// 401, the same for every cause.
pub(crate) fn wrong() -> Problem {
    unauthenticated(Code::InvalidCredentials)
}
