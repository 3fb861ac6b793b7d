//! What may be on a page at all: what the request asks for, within what the person's preferences allow.

use screensort_catalog::{Browse, Catalog, FilmRef};
use screensort_http::{Code, FieldError, Param, Problem};
use screensort_model::{GenreId, Preferences, Refused, Region};
use serde_json::{Value, json};

/// `available=mine`: only what the operators and modes of the preferences show in their region.
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

/// What a request asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) genre: Option<GenreId>,
    pub(crate) max_runtime: Option<u16>,
    pub(crate) available: Option<Mine>,
}

/// Which films may be on a page. Everything that is asked for and everything that is preferred must hold.
///
/// # Errors
/// `bad_parameter` for a genre that does not exist, and for `available=mine` without a region to look in.
pub(crate) fn lets<'c>(
    catalog: &'c Catalog,
    asked: Limits,
    wants: &'c Preferences,
) -> Result<impl Fn(FilmRef<'_>) -> bool + use<'c>, Problem> {
    let reference = catalog.reference();
    if asked.genre.is_some_and(|id| reference.genres.iter().all(|genre| genre.id != id)) {
        return Err(refused("/genre", "unknown_value", "There is no such genre: /genres lists them."));
    }
    let region = match (asked.available, wants.region) {
        (Some(Mine), None) => {
            return Err(refused("/available", "no_region", "Set region in /preferences first."));
        }
        (Some(Mine), Some(region)) => Some(region),
        (None, _) => None,
    };
    // A rating that the region no longer knows limits nothing: its place in the order is unknown.
    let strictest = wants
        .max_certification
        .as_ref()
        .and_then(|most| Some((most.region, reference.strictness(most.region, &most.value)?)));
    let browse = Browse {
        genres: asked.genre.into_iter().collect(),
        without_genres: wants.avoid_genres.clone(),
        min_rating: wants.min_rating,
        max_runtime: asked.max_runtime.into_iter().chain(wants.max_runtime).min(),
        certification: strictest,
        ..Browse::default()
    };
    let filter = catalog.filter(&browse);
    Ok(move |film: FilmRef<'_>| {
        let language = wants.languages.is_empty()
            || film.original_language().is_some_and(|language| wants.languages.contains(&language));
        language
            && filter.as_ref().is_some_and(|lets| lets(film))
            && region.is_none_or(|region| is_shown(film, region, wants))
    })
}

/// Whether an operator that the person has shows the film in a mode that they use; without any, any.
fn is_shown(film: FilmRef<'_>, region: Region, wants: &Preferences) -> bool {
    film.offers(region).iter().any(|(mode, operator)| {
        (wants.operators.is_empty() || wants.operators.contains(&operator.id))
            && (wants.modes.is_empty() || wants.modes.contains(mode))
    })
}

fn refused(pointer: &str, code: &'static str, detail: &str) -> Problem {
    let error = FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() };
    Problem::new(Code::BadParameter).with_errors(vec![error])
}
