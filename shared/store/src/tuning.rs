//! What a person asked for more or less of in their recommendations.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::Error;
use crate::catalogue::{Item, key};
use crate::library::{Change, Library, instant, is_gone, person_key};
use crate::profile::{PREFERENCES, preferences_of};
use crate::vault::{s, sort_key};
use screensort_model::Preferences;

const TUNING: &str = "TUNING";
/// The most reasons of a kind: more would be a program's doing.
const MOST: usize = 200;

/// What a person asked for more and less of: reasons by their words, such as `genre:27`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tuning {
    /// More of these.
    pub more: BTreeSet<String>,
    /// Less of these.
    pub less: BTreeSet<String>,
}

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// More of it.
    More,
    /// Less of it.
    Less,
    /// Neither: as if nothing had been asked for.
    Neither,
}

impl Library {
    /// What a person wants to see, and what they asked for more and less of, in one request.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn wants(&self, account: &str) -> Result<(Preferences, Tuning), Error> {
        let pk = person_key(account);
        let found = self.0.get_all(vec![key(&pk, PREFERENCES), key(&pk, TUNING)]).await?;
        let (mut preferences, mut wishes) = Default::default();
        for item in &found {
            match sort_key(item) {
                PREFERENCES => preferences = preferences_of(item)?.0,
                TUNING if !is_gone(item) => wishes = tuning(item),
                _ => {}
            }
        }
        Ok((preferences, wishes))
    }

    /// Notes a wish; the last one about a reason counts. False if there are too many already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn tune(&self, change: &Change<'_>, reason: &str, wish: Wish) -> Result<bool, Error> {
        let (expression, room) = match wish {
            Wish::More => (
                "SET #by = :by, rid = :rid, #at = :at ADD wanted :reason DELETE unwanted :reason",
                Some("attribute_not_exists(wanted) OR size(wanted) < :most OR contains(wanted, :word)"),
            ),
            Wish::Less => (
                "SET #by = :by, rid = :rid, #at = :at ADD unwanted :reason DELETE wanted :reason",
                Some("attribute_not_exists(unwanted) OR size(unwanted) < :most OR contains(unwanted, :word)"),
            ),
            Wish::Neither => {
                ("SET #by = :by, rid = :rid, #at = :at DELETE wanted :reason, unwanted :reason", None)
            }
        };
        let mut values = vec![
            (":by", s(change.account)),
            (":rid", s(change.request)),
            (":at", s(instant(change.at))),
            (":reason", AttributeValue::Ss(vec![reason.to_owned()])),
        ];
        if room.is_some() {
            values.extend([(":most", crate::vault::n(MOST)), (":word", s(reason))]);
        }
        let at = key(&person_key(change.account), TUNING);
        Ok(self.0.update(at, expression, room, values).await?.is_some())
    }
}

fn tuning(item: &Item) -> Tuning {
    let words = |name: &str| match item.get(name) {
        Some(AttributeValue::Ss(words)) => words.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    Tuning { more: words("wanted"), less: words("unwanted") }
}
