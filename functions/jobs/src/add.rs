//! One film, read from TMDb at the request of an administrator.

use screensort_model::{Movie, MovieId};
use screensort_runtime::Stack;
use screensort_tmdb::Fetched;

use crate::run::tmdb;
use crate::{Error, film};

/// Requests that one film may cost.
const BUDGET: u32 = 4;

/// The film as TMDb has it now; `None` if TMDb says that there is none, or it is one that the catalogue does not
/// hold. Nothing is kept.
///
/// # Errors
/// If there is no key, or TMDb refuses it or cannot be reached.
pub async fn read(stack: &Stack, id: MovieId) -> Result<Option<Movie>, Error> {
    let client = tmdb(stack, BUDGET).await?;
    Ok(match client.movie(id.get()).await? {
        Fetched::Found(details) => film::movie(id, details, None, stack.clock().now()),
        Fetched::Gone => None,
    })
}
