//! The film that a change is about, and who changes it.

use screensort_catalog::{Catalog, Lookup};
use screensort_http::{Code, Input, Opening, Problem, SignedIn, Whence};
use screensort_model::MovieId;
use screensort_runtime::Stack;
use screensort_store::Change;

/// A film in the path, and where the request came from.
pub(crate) struct OfFilm {
    /// The film.
    pub movie: MovieId,
    /// Where from.
    pub whence: Whence,
}

impl Input for OfFilm {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let movie = o.path("id", "The film.");
        let whence = Whence::open(o)?;
        Some(Self { movie: movie?, whence })
    }
}

/// Whose library is changed, by which request, when.
pub(crate) fn change<'c>(who: &'c SignedIn, whence: &'c Whence, stack: &Stack) -> Change<'c> {
    Change { account: who.id(), request: &whence.request_id, at: stack.clock().now() }
}

/// The film that `id` means, as the catalogue knows it: under its new id if it was merged into another one.
///
/// # Errors
/// 404 or 410 if there is none.
pub(crate) async fn living(stack: &Stack, id: MovieId) -> Result<MovieId, Problem> {
    living_in(&*stack.catalog().await?, id)
}

fn living_in(catalog: &Catalog, id: MovieId) -> Result<MovieId, Problem> {
    let found = match catalog.lookup(id) {
        Lookup::Merged(into) => catalog.lookup(into),
        other => other,
    };
    match found {
        Lookup::Film(film) => Ok(film.id()),
        Lookup::Withdrawn => Err(Problem::new(Code::Gone)),
        Lookup::Merged(_) | Lookup::Unknown => Err(unknown()),
    }
}

/// What a change that found nothing to take back answers: that is done already, unless there is no such film.
///
/// # Errors
/// 404 if the film is not known. What is said of a film that is gone can be taken back.
pub(crate) async fn nothing_there(stack: &Stack, id: MovieId) -> Result<(), Problem> {
    match stack.catalog().await?.lookup(id) {
        Lookup::Unknown => Err(unknown()),
        _ => Ok(()),
    }
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is no film with this id.")
}
