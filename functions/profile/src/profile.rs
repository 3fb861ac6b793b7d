//! `GET`, `PATCH /profile`: what one says of oneself, all of it sealed with the person's data key.

use http::header::ETAG;
use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, FieldError, Member, Owner, Problem, Reply, SignedIn, given, tag};
use screensort_model::{Region, person};
use screensort_routes::{PROFILE, PROFILE_CHANGE};
use screensort_runtime::{Private, Stack};
use screensort_store::{Change, Profile};
use serde::{Deserialize, Serialize};

use crate::{Edit, met, refused};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("profile").looking(PROFILE, there, profile).looking(PROFILE_CHANGE, edited, change)
}

/// Who one is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Profile")]
struct Answer {
    id: String,
    username: String,
    /// How one wants to be called; null if that is the user name.
    display_name: Option<String>,
    /// At most 500 characters.
    bio: Option<String>,
    region: Option<Region>,
    birth_year: Option<i16>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
}

/// What to change; what is left out stays, null takes it back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProfileChange")]
struct Body {
    /// 1 to 40 characters.
    #[serde(default, deserialize_with = "given")]
    display_name: Option<Option<String>>,
    /// 1 to 500 characters.
    #[serde(default, deserialize_with = "given")]
    bio: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    region: Option<Option<Region>>,
    /// 1900 or later.
    #[serde(default, deserialize_with = "given")]
    birth_year: Option<Option<i16>>,
}

/// A profile, its version, and the wrapped key that opens its texts.
type There = ((Profile, u64), Option<String>);

/// The key comes in the same request; it is unwrapped once its owner is proven, and only for who says something.
async fn read(stack: &Stack, account: &str) -> Result<There, Problem> {
    Ok(stack.library().profile_and_key(&stack.accounts(), account).await?)
}

async fn there(who: Owner<may::ProfileReadOwn>, (): (), stack: Stack) -> Result<There, Problem> {
    read(&stack, who.id()).await
}

async fn profile(
    Member { who, .. }: Member<may::ProfileReadOwn>,
    ((profile, version), wrapped): There,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let private = opener(&stack, &who, is_sealed(&profile), wrapped).await?;
    answer(&who, profile, version, private.as_ref())
}

async fn edited(
    who: Owner<may::ProfileWriteOwn>,
    ask: Edit<Body>,
    stack: Stack,
) -> Result<(Edit<Body>, There), Problem> {
    let body = checked(ask.body, stack.clock().now())?;
    Ok((Edit { body, ..ask }, read(&stack, who.id()).await?))
}

async fn change(
    Member { who, .. }: Member<may::ProfileWriteOwn>,
    (ask, ((mut profile, version), wrapped)): (Edit<Body>, There),
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    ask.version.check(Some(version))?;
    let body = ask.body;
    let said = [
        ("display_name", &mut profile.display_name, body.display_name),
        ("bio", &mut profile.bio, body.bio),
        ("region", &mut profile.region, body.region.map(|region| region.map(|region| region.to_string()))),
        (
            "birth_year",
            &mut profile.birth_year,
            body.birth_year.map(|year| year.map(|year| year.to_string())),
        ),
    ];
    let says = said.iter().any(|(.., said)| said.is_some());
    let private =
        opener(&stack, &who, says || said.iter().any(|(_, kept, _)| kept.is_some()), wrapped).await?;
    if let Some(private) = &private {
        for (field, kept, said) in said {
            let Some(said) = said else { continue };
            *kept = said.map(|text| private.seal(field, &text)).transpose()?;
        }
    }
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    if !stack.library().set_profile(&change, version, &profile).await? {
        return Err(met(&ask.version));
    }
    answer(&who, profile, version + 1, private.as_ref())
}

fn is_sealed(profile: &Profile) -> bool {
    [&profile.display_name, &profile.bio, &profile.region, &profile.birth_year]
        .into_iter()
        .any(Option::is_some)
}

/// What seals and opens texts, where there are any.
async fn opener(
    stack: &Stack,
    who: &SignedIn,
    is_needed: bool,
    wrapped: Option<String>,
) -> Result<Option<Private>, Problem> {
    if is_needed { stack.unwrapped(who.id(), wrapped).await.map(Some) } else { Ok(None) }
}

fn answer(
    who: &SignedIn,
    profile: Profile,
    version: u64,
    private: Option<&Private>,
) -> Result<Reply<Answer>, Problem> {
    let open = |field, sealed: Option<String>| match (sealed, private) {
        (Some(text), Some(private)) => private.open(field, &text).map(Some),
        _ => Ok(None),
    };
    let answer = Answer {
        id: who.account.id.clone(),
        username: who.account.username.clone(),
        display_name: open("display_name", profile.display_name)?,
        bio: open("bio", profile.bio)?,
        region: open("region", profile.region)?.and_then(|region| region.parse().ok()),
        birth_year: open("birth_year", profile.birth_year)?.and_then(|year| year.parse().ok()),
        created_at: who.account.created_at,
    };
    Ok(Reply::ok(answer).with_header(ETAG, &tag(version)))
}

/// The texts composed and free of what deceives, the year one that somebody alive was born in.
fn checked(mut body: Body, now: Timestamp) -> Result<Body, Problem> {
    let mut errors: Vec<FieldError> = Vec::new();
    type Rule = fn(&str) -> Result<String, String>;
    let texts: [(_, _, Rule); 2] =
        [("display_name", &mut body.display_name, person::display_name), ("bio", &mut body.bio, person::bio)];
    for (field, text, rule) in texts {
        let Some(Some(text)) = text else { continue };
        match rule(text) {
            Ok(clean) => *text = clean,
            Err(why) => errors.push(refused(field, "invalid", format!("Expected {why}."))),
        }
    }
    let this_year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    if let Some(Some(year)) = body.birth_year
        && !person::is_birth_year(year, this_year)
    {
        errors.push(refused("birth_year", "out_of_range", "A year from 1900 to this one."));
    }
    if errors.is_empty() { Ok(body) } else { Err(Problem::new(Code::InvalidBody).with_errors(errors)) }
}
