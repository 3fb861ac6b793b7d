//! What an export of ours says of its owner, taken where nothing is said yet: a profile, preferences, wishes,
//! favourites. It may have been edited: the rules are those of the endpoints.

use screensort_http::Problem;
use screensort_model::{Preferences, person};
use screensort_runtime::Stack;
use screensort_store::{Change, Favourite, Hand, Wish};

use crate::import::About;

/// The most wishes of each kind and favourites that are taken.
const MOST: usize = 200;

/// Takes what is said where nothing is yet.
///
/// # Errors
/// 503 if the store or the key service fails; doing it again goes on.
pub(super) async fn take(stack: &Stack, change: &Change<'_>, about: About) -> Result<(), Problem> {
    if let Some(preferences) = &about.preferences {
        prefer(stack, change, preferences).await?;
    }
    let hand = Hand { by: change.account, rid: change.request };
    for operator in about.favourites.iter().take(MOST) {
        let favourite = Favourite { operator: *operator, added_at: change.at };
        stack.favourites().add(change.account, &favourite, &hand).await?;
    }
    wish(stack, change, &about).await?;
    describe(stack, change, about).await
}

async fn prefer(stack: &Stack, change: &Change<'_>, preferences: &Preferences) -> Result<(), Problem> {
    let catalog = stack.catalog().await?;
    let is_sound = preferences.faults().is_empty() && preferences.unknown(catalog.reference()).is_empty();
    let (_, version) = stack.library().preferences(change.account).await?;
    if version == 0 && is_sound && *preferences != Preferences::default() {
        stack.library().set_preferences(change, version, preferences).await?;
    }
    Ok(())
}

async fn wish(stack: &Stack, change: &Change<'_>, about: &About) -> Result<(), Problem> {
    if about.more.is_empty() && about.less.is_empty() {
        return Ok(());
    }
    let (_, tuning) = stack.library().wants(change.account).await?;
    let is_word = |word: &&String| word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_graphic());
    for (words, wish) in [(&about.more, Wish::More), (&about.less, Wish::Less)] {
        for word in words.iter().filter(is_word).take(MOST) {
            if !tuning.more.contains(word) && !tuning.less.contains(word) {
                stack.library().tune(change, word, wish).await?;
            }
        }
    }
    Ok(())
}

async fn describe(stack: &Stack, change: &Change<'_>, about: About) -> Result<(), Problem> {
    let display_name = about.display_name.and_then(|text| person::display_name(&text).ok());
    let bio = about.bio.and_then(|text| person::bio(&text).ok());
    let this_year = change.at.to_zoned(jiff::tz::TimeZone::UTC).year();
    let birth_year = about.birth_year.filter(|year| person::is_birth_year(*year, this_year));
    let (mut after, version) = stack.library().profile(change.account).await?;
    let said = [
        ("display_name", &mut after.display_name, display_name),
        ("bio", &mut after.bio, bio),
        ("region", &mut after.region, about.region.map(|region| region.to_string())),
        ("birth_year", &mut after.birth_year, birth_year.map(|year| year.to_string())),
    ];
    let news = said.into_iter().filter(|(_, kept, said)| kept.is_none() && said.is_some());
    let news: Vec<_> = news.collect();
    if news.is_empty() {
        return Ok(());
    }
    let private = stack.private(change.account).await?;
    for (field, kept, said) in news {
        *kept = said.map(|text| private.seal(field, &text)).transpose()?;
    }
    // Whoever changed it meanwhile said something newer.
    stack.library().set_profile(change, version, &after).await?;
    Ok(())
}
