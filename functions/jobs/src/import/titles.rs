//! Which film a row means.

use std::collections::HashMap;

use jiff::civil::Date;
use screensort_catalog::{Catalog, Lookup};
use screensort_model::MovieId;

/// What a row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    One(MovieId),
    Several,
    None,
}

/// The films of a catalogue by title and year.
pub(crate) struct Titles(HashMap<(String, i16), Vec<MovieId>>);

fn folded(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Titles {
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let mut titles: HashMap<(String, i16), Vec<MovieId>> = HashMap::new();
        for id in catalog.ids() {
            let Lookup::Film(film) = catalog.lookup(id) else { continue };
            let Some(year) = film.release_date().map(Date::year) else { continue };
            let mut names = vec![folded(film.title()), folded(film.original_title())];
            names.dedup();
            for name in names {
                titles.entry((name, year)).or_default().push(id);
            }
        }
        Self(titles)
    }

    /// The film of that title in that year.
    pub(crate) fn find(&self, title: &str, year: Option<i16>) -> Match {
        let Some(year) = year.filter(|_| !title.is_empty()) else { return Match::None };
        match self.0.get(&(folded(title), year)).map(Vec::as_slice) {
            Some([one]) => Match::One(*one),
            Some([_, ..]) => Match::Several,
            _ => Match::None,
        }
    }
}

/// The film under its own id, if the catalogue has it.
pub(crate) fn living(catalog: &Catalog, id: MovieId) -> Match {
    let found = match catalog.lookup(id) {
        Lookup::Merged(into) => catalog.lookup(into),
        other => other,
    };
    if let Lookup::Film(film) = found { Match::One(film.id()) } else { Match::None }
}
