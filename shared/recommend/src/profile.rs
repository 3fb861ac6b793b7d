//! What a request says about a person.

use crate::model::Model;

/// Thumbs that count in one request; more are cut off. Enough for anybody, and a bound on the work.
pub const MOST_THUMBS: usize = 2_000;

/// Greatest weight of one thumb.
const HEAVIEST: f32 = 4.0;

/// One thumb.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thumb {
    /// The film.
    pub movie_id: u32,
    /// Weight: 1 for a thumb, less for weaker signs. What is not above zero, or no number, is passed over; what is
    /// above 4 counts 4.
    pub weight: f32,
}

/// A person's thumbs and what must not be shown. Films that the model does not know are passed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Thumbs up, the latest first. Of two for the same film the first counts.
    pub likes: Vec<Thumb>,
    /// Thumbs down, the latest first. A film that is also among the likes is a dislike.
    pub dislikes: Vec<Thumb>,
    /// Films that are not shown, besides the liked and disliked: watched, hidden.
    pub exclude: Vec<u32>,
    /// What is added to films' scores, because the person asked for more or less of something. Of two for the same
    /// film both count; what is no number is passed over.
    pub lifts: Vec<(u32, f32)>,
}

/// Films by index, with weights.
type Weighted = Vec<(u32, f32)>;

impl Profile {
    /// A profile of thumbs up of weight 1.
    pub fn of_likes(movie_ids: impl IntoIterator<Item = u32>) -> Self {
        let likes = movie_ids.into_iter().map(|movie_id| Thumb { movie_id, weight: 1.0 }).collect();
        Self { likes, ..Self::default() }
    }

    /// Known likes and dislikes by film index, ascending.
    pub(crate) fn resolve(&self, model: &Model) -> (Weighted, Weighted) {
        let known = |thumbs: &[Thumb]| {
            let mut known: Vec<(u32, f32)> = thumbs
                .iter()
                .filter(|thumb| thumb.weight > 0.0)
                .filter_map(|thumb| Some((model.index(thumb.movie_id)?, thumb.weight.min(HEAVIEST))))
                .take(MOST_THUMBS)
                .collect();
            known.sort_by_key(|(film, _)| *film);
            known.dedup_by_key(|(film, _)| *film);
            known
        };
        let dislikes = known(&self.dislikes);
        let mut likes = known(&self.likes);
        likes.retain(|(film, _)| dislikes.binary_search_by_key(film, |(film, _)| *film).is_err());
        (likes, dislikes)
    }

    /// Which films, by index, are not shown.
    pub(crate) fn hidden(&self, model: &Model) -> Vec<bool> {
        let mut hidden = vec![false; model.len()];
        let thumbs = self.likes.iter().chain(&self.dislikes).map(|thumb| thumb.movie_id);
        for film in thumbs.chain(self.exclude.iter().copied()).filter_map(|id| model.index(id)) {
            hidden[film as usize] = true;
        }
        hidden
    }
}
