//! What people say of themselves and what they want to see: two items of their own partition, each with a version
//! that a change can be made for.

use jiff::Timestamp;
use screensort_model::Preferences;

use crate::catalogue::{Item, key, number, text};
use crate::library::{Change, instant, is_gone, person_key, time};
use crate::vault::{Values, n, s};
use crate::{Accounts, Error, Library};

const PROFILE: &str = "PROFILE";
pub(crate) const PREFERENCES: &str = "PREFERENCES";

/// What a person says of themselves, all of it sealed with their data key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// How they want to be called, sealed.
    pub display_name: Option<String>,
    /// A few sentences, sealed.
    pub bio: Option<String>,
    /// Where they are, sealed.
    pub region: Option<String>,
    /// The year that they were born in, sealed.
    pub birth_year: Option<String>,
    /// When it was last changed.
    pub changed_at: Option<Timestamp>,
}

fn profile_of(item: &Item) -> Profile {
    let sealed = |field| text(item, field).map(str::to_owned);
    Profile {
        display_name: sealed("display_name"),
        bio: sealed("bio"),
        region: sealed("region"),
        birth_year: sealed("birth_year"),
        changed_at: time(item, "at"),
    }
}

fn versioned(found: Option<Item>) -> (Profile, u64) {
    let found = found.filter(|item| !is_gone(item));
    found.map_or_else(Default::default, |item| (profile_of(&item), number(&item, "v").unwrap_or(0)))
}

/// Preferences and their version; none of an item that is gone.
pub(crate) fn preferences_of(item: &Item) -> Result<(Preferences, u64), Error> {
    if is_gone(item) {
        return Ok(Default::default());
    }
    let preferences = serde_json::from_str(text(item, "doc").unwrap_or_default())
        .map_err(|_| Error::corrupt("preferences", "not of the expected shape"))?;
    Ok((preferences, number(item, "v").unwrap_or(0)))
}

/// What every change of one of the two sets: who, when, and the next version.
fn marks(change: &Change<'_>, version: u64) -> Values {
    vec![
        (":by", s(change.account)),
        (":rid", s(change.request)),
        (":at", s(instant(change.at))),
        (":now", n(version)),
        (":next", n(version + 1)),
    ]
}

impl Library {
    /// A person's profile and its version; version 0 is the empty one that everybody begins with.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn profile(&self, account: &str) -> Result<(Profile, u64), Error> {
        Ok(versioned(self.0.get(&person_key(account), PROFILE).await?))
    }

    /// The same, and in the same request the person's data key, wrapped, from among their credentials.
    ///
    /// # Errors
    /// If the store fails or the key's item cannot be read.
    pub async fn profile_and_key(
        &self,
        accounts: &Accounts,
        account: &str,
    ) -> Result<((Profile, u64), Option<String>), Error> {
        let profile = vec![key(&person_key(account), PROFILE)];
        let wrapped = vec![Accounts::wrapped_key_at(account)];
        let (mut profile, mut wrapped) = self.0.get_beside(profile, accounts.vault(), wrapped).await?;
        Ok((versioned(profile.pop()), wrapped.pop().map(Accounts::wrapped_key_of).transpose()?))
    }

    /// Puts `profile` in the place of the one with this version. False if that is not the version any more.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_profile(
        &self,
        change: &Change<'_>,
        version: u64,
        profile: &Profile,
    ) -> Result<bool, Error> {
        let mut item = key(&person_key(change.account), PROFILE);
        let text = |value: &Option<String>| value.as_ref().map(s);
        let fields = [
            ("display_name", text(&profile.display_name)),
            ("bio", text(&profile.bio)),
            ("region", text(&profile.region)),
            ("birth_year", text(&profile.birth_year)),
            ("by", Some(s(change.account))),
            ("rid", Some(s(change.request))),
            ("at", Some(s(instant(change.at)))),
            ("v", Some(n(version + 1))),
        ];
        item.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let values = vec![(":now", n(version)), (":zero", n(0))];
        self.0.put_if(item, "v = :now OR (:now = :zero AND attribute_not_exists(pk))", values).await
    }

    /// What a person wants to see, and its version; version 0 is no preference at all.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn preferences(&self, account: &str) -> Result<(Preferences, u64), Error> {
        let found = self.0.get(&person_key(account), PREFERENCES).await?;
        found.as_ref().map_or_else(|| Ok(Default::default()), preferences_of)
    }

    /// Puts `preferences` in the place of whichever are there; their version.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn replace_preferences(
        &self,
        change: &Change<'_>,
        preferences: &Preferences,
    ) -> Result<u64, Error> {
        let doc = serde_json::to_string(preferences).map_err(|e| Error::corrupt("preferences", e))?;
        let values = vec![
            (":doc", s(doc)),
            (":by", s(change.account)),
            (":rid", s(change.request)),
            (":at", s(instant(change.at))),
            (":zero", n(0)),
            (":one", n(1)),
        ];
        let at = key(&person_key(change.account), PREFERENCES);
        let set = "SET doc = :doc, #by = :by, rid = :rid, #at = :at, v = if_not_exists(v, :zero) + :one";
        let after = self.0.update(at, set, None, values).await?;
        Ok(after.and_then(|item| number(&item, "v")).unwrap_or(0))
    }

    /// Puts `preferences` in the place of those with this version. False if that is not the version any more.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_preferences(
        &self,
        change: &Change<'_>,
        version: u64,
        preferences: &Preferences,
    ) -> Result<bool, Error> {
        let doc = serde_json::to_string(preferences).map_err(|e| Error::corrupt("preferences", e))?;
        let mut values = marks(change, version);
        values.extend([(":doc", s(doc)), (":zero", n(0))]);
        let at = key(&person_key(change.account), PREFERENCES);
        let condition = "v = :now OR (:now = :zero AND attribute_not_exists(pk))";
        let set = "SET doc = :doc, #by = :by, rid = :rid, #at = :at, v = :next";
        Ok(self.0.update(at, set, Some(condition), values).await?.is_some())
    }
}
