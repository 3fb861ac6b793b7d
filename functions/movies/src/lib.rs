//! Films, lists, people and search: one module per endpoint, each read as *who, what, act, answer*.
//!
//! All but `movie` answer from the catalogue in memory and ask the store nothing.

pub mod card;
pub mod genres;
pub mod movie;
pub mod movie_operators;
pub mod movies;
pub mod person;
pub mod search;
pub mod similar;
pub mod suggest;
pub mod trending;

use screensort_catalog::{Catalog, FilmRef, Lookup};
use screensort_http::{Code, Endpoint, Problem};
use screensort_model::MovieId;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        genres::endpoint(),
        movie::endpoint(),
        movie_operators::endpoint(),
        movies::endpoint(),
        person::endpoint(),
        search::endpoint(),
        similar::endpoint(),
        suggest::endpoint(),
        trending::endpoint(),
    ]
}

/// The film that `id` means. `way` says how `Location` gets from the request's last segment to the film's.
fn film<'c>(
    catalog: &'c Catalog,
    id: MovieId,
    way: impl Fn(MovieId) -> String,
) -> Result<FilmRef<'c>, Problem> {
    match catalog.lookup(id) {
        Lookup::Film(film) => Ok(film),
        Lookup::Merged(into) => Err(moved(&way(into))),
        Lookup::Withdrawn => Err(Problem::new(Code::Gone)),
        Lookup::Unknown => Err(unknown()),
    }
}

fn moved(location: &str) -> Problem {
    Problem::new(Code::Moved)
        .with_detail("This film lives on under another id: follow the Location header.")
        .with_header(http::header::LOCATION, location)
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is no film with this id.")
}
