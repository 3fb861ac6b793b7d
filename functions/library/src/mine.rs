//! `available=mine`: what can be watched with what a person has.

use screensort_catalog::{Catalog, Lookup};
use screensort_http::Param;
use screensort_model::{MovieId, Preferences, Refused, Region};
use serde_json::{Value, json};

/// The only value of `available`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mine;

impl Param for Mine {
    fn read(text: &str) -> Result<Self, Refused> {
        if text == "mine" { Ok(Self) } else { Err(Refused("the only value is mine")) }
    }

    fn schema() -> Value {
        json!({"type": "string", "enum": ["mine"]})
    }
}

/// Whether somebody with these preferences can watch a film in `region`: an operator of theirs shows it, in a way
/// that they like. No operators or no ways named means any.
pub(crate) fn is_available(catalog: &Catalog, id: MovieId, region: Region, wants: &Preferences) -> bool {
    let Lookup::Film(film) = catalog.lookup(id) else { return false };
    film.offers(region).into_iter().any(|(mode, operator)| {
        (wants.modes.is_empty() || wants.modes.contains(&mode))
            && (wants.operators.is_empty() || wants.operators.contains(&operator.id))
    })
}
