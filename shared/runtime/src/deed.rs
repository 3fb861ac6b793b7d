//! From the store's words for what a person did to the model's.

use screensort_model::Thumb;
use screensort_recommend::Deed;
use screensort_store::FilmState;

/// What a person did with a film, as the model takes it.
pub fn deed(state: &FilmState) -> Deed {
    let at = [state.thumb_at, state.rating_at, state.watched_at].into_iter().flatten().max();
    Deed {
        movie_id: state.movie.get(),
        thumb: state.thumb.map(|thumb| thumb == Thumb::Up),
        rating: state.rating.map(|rating| rating.halves()),
        watched: state.watched_at.is_some(),
        hidden: state.hidden_at.is_some(),
        at: at.unwrap_or(state.at).as_second(),
    }
}
