//! `GET` and `POST /links`: one's own links, and asking for one.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::{Email, may};
use screensort_crypto::BlindIndex;
use screensort_http::{
    Ask, Code, Endpoint, FieldError, Owner, Page, PageAsk, Problem, Recent, Reply, Spent, log,
};
use screensort_routes::{LINK_ASK, LINKS};
use screensort_runtime::Stack;
use screensort_store::{Hand, Link, LinkChange, Side, Stage, To};
use serde::{Deserialize, Serialize};

use crate::shown::{LinkShown, Scope, kept, letter};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("links").route(LINKS, links).creating_later(LINK_ASK, ask)
}

/// How long a link can be confirmed.
const LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Links that one account may ask for in a day.
const ASKED: Limit = Limit { max: 10, per: SignedDuration::from_hours(24) };
/// The blind index over addresses.
const EMAIL_INDEX: &str = "email";

async fn links(
    who: Owner<may::LinksReadOwn>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<LinkShown>>, Problem> {
    let cursors = stack.cursors().await?;
    let before: Option<String> = page.start(&cursors, who.id())?;
    let now = stack.clock().now();
    let links = stack.links();
    let (invited, own) = futures::try_join!(links.invitations(who.id(), now), links.of(who.id()))?;
    let invited = invited.into_iter().map(LinkShown::invited);
    let own = own.into_iter().map(|link| LinkShown::of(link, now));
    let mut all: Vec<LinkShown> = own.chain(invited).collect();
    all.sort_unstable_by(|one, other| other.id().cmp(one.id()));
    all.retain(|link| before.as_deref().is_none_or(|before| link.id() < before));
    let next = page.cut(&mut all, |link| link.id().to_owned());
    page.reply(&cursors, who.id(), all, next.as_ref())
}

/// Whom to ask for what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LinkWanted")]
struct Body {
    /// The other account's address.
    email: String,
    /// What one wants to read of it.
    scopes: Vec<Scope>,
}

/// The link that was asked for. Whether anybody has the address is for its owner to see.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LinkAsked")]
struct Asked {
    id: String,
    /// Always `pending`.
    status: &'static str,
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Timestamp,
}

/// Nothing is looked up here: the mailer finds out whether there is anybody to ask, so that answer and time are
/// the same for every address.
async fn ask(
    Recent { who, .. }: Recent<may::LinksWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Asked>, Problem> {
    let now = stack.clock().now();
    let email = Email::parse(&ask.body.email).map_err(|fault| {
        let error = FieldError {
            pointer: "/email".to_owned(),
            code: "invalid",
            detail: format!("Not an address: {fault}."),
        };
        Problem::new(Code::InvalidBody).with_errors(vec![error])
    })?;
    let scopes = kept(&ask.body.scopes)?;
    let ring = stack.index_ring().await?;
    let terms = BlindIndex::new(&ring, EMAIL_INDEX).all_versions(&email.index_form());
    let terms: Vec<String> = terms.iter().map(ToString::to_string).collect();
    stack.draw(&format!("links#{}", who.id()), ASKED).await?.map_err(wait)?;
    // Too many mails to one address are not sent, and that is not said.
    let counter = format!("mail#link#{}", terms.first().map_or("", String::as_str));
    let may_mail = stack.draw(&counter, Limit::MAIL_PER_RECIPIENT).await?.is_ok();
    let link = Link {
        id: stack.new_id()?,
        side: Side::Asker,
        stage: Stage::Pending,
        scopes,
        other: None,
        other_name: None,
        created_at: now,
        expires_at: now + LIFE,
        confirmed_at: None,
        ended_at: None,
    };
    let kind = if may_mail { "link_asked" } else { "none" };
    // Asker and link: the mailer reads the rest, as it is when the letter is written.
    let about = format!("{}-{}", who.id(), link.id);
    let letters = [
        letter(&stack, kind, To::Terms(terms), Some(about), now)?,
        letter(&stack, "link_wanted", To::Account(who.id().to_owned()), None, now)?,
    ];
    let hand = Hand { by: who.id(), rid: &ask.whence.request_id };
    let trail = ask.whence.trail(Event::LinkAsked, Some(who.id()), Some(&link.id), now)?;
    let change = LinkChange { hand, at: now, letters: &letters, trail: &trail };
    stack.links().ask(who.id(), &link, &change).await?;
    log(&trail);
    Ok(Reply::ok(Asked { id: link.id, status: "pending", expires_at: link.expires_at }))
}

fn wait(spent: Spent) -> Problem {
    spent.refused(Code::TooManyAttempts)
}
