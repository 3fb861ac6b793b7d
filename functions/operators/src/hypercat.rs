//! The directory as a Hypercat catalogue (PAS 212:2016): items with an address, and facts about them as pairs of
//! relation and value.

use schemars::JsonSchema;
use screensort_http::{Opening, Text};
use screensort_model::{Listing, ModeEntry};
use serde::Serialize;

/// What such an answer is.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hypercat.catalogue+json; charset=utf-8";

const CONTENT_TYPE: &str = "urn:X-hypercat:rels:isContentType";
const DESCRIPTION: &str = "urn:X-hypercat:rels:hasDescription:en";
const HOMEPAGE: &str = "urn:X-hypercat:rels:hasHomepage";
const UPDATED: &str = "urn:X-hypercat:rels:lastUpdated";
const SEARCH: &str = "urn:X-hypercat:rels:supportsSearch";
const SIMPLE_SEARCH: &str = "urn:X-hypercat:search:simple";

/// A fact.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "HypercatFact")]
pub(crate) struct Fact {
    /// The relation, a URN.
    pub rel: &'static str,
    /// Its value.
    pub val: String,
}

/// Something with an address, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "HypercatItem")]
pub(crate) struct Item {
    /// Its address.
    pub href: String,
    #[serde(rename = "item-metadata")]
    pub facts: Vec<Fact>,
}

/// A catalogue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hypercat")]
pub(crate) struct Catalogue {
    #[serde(rename = "catalogue-metadata")]
    facts: Vec<Fact>,
    items: Vec<Item>,
}

fn fact(rel: &'static str, val: impl ToString) -> Fact {
    Fact { rel, val: val.to_string() }
}

impl Catalogue {
    /// Of `items`, described by a sentence.
    pub(crate) fn of(description: &str, items: Vec<Item>) -> Self {
        let facts = vec![
            fact(CONTENT_TYPE, "application/vnd.hypercat.catalogue+json"),
            fact(DESCRIPTION, description),
            fact(SEARCH, SIMPLE_SEARCH),
        ];
        Self { facts, items }
    }
}

/// An operator as an item.
pub(crate) fn operator(listing: &Listing) -> Item {
    let mut facts = vec![
        fact(CONTENT_TYPE, "application/json"),
        fact(DESCRIPTION, &listing.name),
        fact("urn:X-screensort:rels:kind", listing.kind.name()),
        fact(UPDATED, listing.updated_at),
    ];
    let known = [
        (HOMEPAGE, &listing.homepage),
        ("urn:X-screensort:rels:email", &listing.email),
        ("urn:X-screensort:rels:phone", &listing.phone),
    ];
    facts.extend(known.into_iter().filter_map(|(rel, value)| Some(fact(rel, value.as_ref()?))));
    facts.extend(listing.default_language.map(|language| fact("urn:X-screensort:rels:language", language)));
    facts.extend(listing.modes.iter().map(|mode| fact("urn:X-screensort:rels:mode", mode)));
    facts.extend(listing.regions.iter().map(|region| fact("urn:X-screensort:rels:region", region)));
    Item { href: format!("/v1/operators/{}", listing.id), facts }
}

/// A mode as an item.
pub(crate) fn mode(entry: &ModeEntry) -> Item {
    let facts = vec![
        fact(CONTENT_TYPE, "application/json"),
        fact(DESCRIPTION, entry.name),
        fact("urn:X-screensort:rels:kind", entry.kind.name()),
        fact("urn:X-screensort:rels:mode", entry.id),
        fact("urn:X-screensort:rels:longDescription", entry.description),
    ];
    Item { href: format!("/v1/operators?mode={}", entry.id), facts }
}

/// Hypercat's simple search: items with one fact that has this relation and this value, at this address. What is
/// not given fits everything.
#[derive(Debug, Default)]
pub(crate) struct Search {
    rel: Option<String>,
    val: Option<String>,
    href: Option<String>,
}

impl Search {
    pub(crate) fn open(o: &mut Opening<'_>) -> Self {
        let text = |text: Option<Text<500>>| text.map(|Text(text)| text);
        Self {
            rel: text(o.query("rel", "Hypercat search: with a fact of this relation.")),
            val: text(
                o.query("val", "Hypercat search: with a fact of this value, and of `rel` if that is given."),
            ),
            href: text(o.query("href", "Hypercat search: at this address.")),
        }
    }

    /// Whether it asks for anything.
    pub(crate) fn is_given(&self) -> bool {
        self.rel.is_some() || self.val.is_some() || self.href.is_some()
    }

    /// Whether `item` fits.
    pub(crate) fn fits(&self, item: &Item) -> bool {
        let fits = |wanted: &Option<String>, there: &str| wanted.as_deref().is_none_or(|want| want == there);
        let by_fact = self.rel.is_none() && self.val.is_none()
            || item.facts.iter().any(|fact| fits(&self.rel, fact.rel) && fits(&self.val, &fact.val));
        fits(&self.href, &item.href) && by_fact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relation_and_value_are_those_of_one_fact() {
        let item = Item { href: "/a".into(), facts: vec![fact("r1", "x"), fact("r2", "y")] };
        let fits = |rel: Option<&str>, val: Option<&str>, href: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Search { rel: own(rel), val: own(val), href: own(href) }.fits(&item)
        };
        assert!(
            fits(None, None, None) && fits(Some("r1"), Some("x"), None) && fits(None, Some("y"), Some("/a"))
        );
        assert!(!fits(Some("r1"), Some("y"), None), "each of another fact");
        assert!(!fits(None, None, Some("/b")) && !fits(Some("r3"), None, None));
    }
}
