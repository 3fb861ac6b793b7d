//! `GET`, `PATCH /profile`: what one says of oneself, all of it sealed with the person's data key.

use http::header::ETAG;
use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, FieldError, Member, Problem, Reply, SignedIn, given, tag};
use screensort_model::{Region, person};
use screensort_routes::{PROFILE, PROFILE_CHANGE};
use screensort_runtime::Stack;
use screensort_store::{Change, Profile};
use serde::{Deserialize, Serialize};

use crate::{Edit, met, refused};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("profile").route(PROFILE, profile).route(PROFILE_CHANGE, change)
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

async fn profile(
    Member { who, .. }: Member<may::ProfileReadOwn>,
    (): (),
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let (profile, version) = stack.library().profile(who.id()).await?;
    answer(&stack, &who, profile, version).await
}

async fn change(
    Member { who, .. }: Member<may::ProfileWriteOwn>,
    ask: Edit<Body>,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let now = stack.clock().now();
    let body = checked(ask.body, now)?;
    let (mut profile, version) = stack.library().profile(who.id()).await?;
    ask.version.check(Some(version))?;
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
    if said.iter().any(|(.., said)| said.is_some()) {
        let private = stack.private(who.id()).await?;
        for (field, kept, said) in said {
            let Some(said) = said else { continue };
            *kept = said.map(|text| private.seal(field, &text)).transpose()?;
        }
    }
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: now };
    if !stack.library().set_profile(&change, version, &profile).await? {
        return Err(met(&ask.version));
    }
    answer(&stack, &who, profile, version + 1).await
}

async fn answer(
    stack: &Stack,
    who: &SignedIn,
    profile: Profile,
    version: u64,
) -> Result<Reply<Answer>, Problem> {
    let Profile { display_name, bio, region, birth_year, .. } = profile;
    let sealed =
        [("display_name", display_name), ("bio", bio), ("region", region), ("birth_year", birth_year)];
    let mut opened: [Option<String>; 4] = Default::default();
    // Who says nothing has nothing to be opened.
    if sealed.iter().any(|(_, sealed)| sealed.is_some()) {
        let private = stack.private(who.id()).await?;
        for (place, (field, sealed)) in opened.iter_mut().zip(sealed) {
            *place = sealed.map(|sealed| private.open(field, &sealed)).transpose()?;
        }
    }
    let [display_name, bio, region, birth_year] = opened;
    let answer = Answer {
        id: who.account.id.clone(),
        username: who.account.username.clone(),
        display_name,
        bio,
        region: region.and_then(|region| region.parse().ok()),
        birth_year: birth_year.and_then(|year| year.parse().ok()),
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
