//! What a person's thumb, rating and history of a film say: the one rule for training and for serving.

use crate::profile::{Profile, Thumb};

/// Half steps (of 20) from which a rating is a like of full weight.
const LIKE_HALVES: u8 = 16;
/// Half steps from which it is a like of half weight.
const LEAN_HALVES: u8 = 14;
/// Half steps up to which it is a dislike.
const DISLIKE_HALVES: u8 = 8;

/// What a person did with a film, as far as the model cares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Deed {
    /// The film.
    pub movie_id: u32,
    /// A thumb: up is true.
    pub thumb: Option<bool>,
    /// A rating in half steps, 1 to 20.
    pub rating: Option<u8>,
    /// Whether it was watched.
    pub watched: bool,
    /// Whether it is not to be shown.
    pub hidden: bool,
    /// When any of this last changed, in seconds since 1970.
    pub at: i64,
}

impl Deed {
    /// The opinion in it, as [`crate::Signal::value`]; `None` where there is none, not even having seen the film.
    ///
    /// A thumb is a word about recommendations and outweighs a rating, whichever came first. Hiding a film says that
    /// it is not to be shown, and nothing about its kind.
    pub fn opinion(&self) -> Option<f32> {
        match (self.thumb, self.rating) {
            (Some(true), _) => Some(1.0),
            (Some(false), _) => Some(-1.0),
            (None, Some(LIKE_HALVES..)) => Some(1.0),
            (None, Some(LEAN_HALVES..)) => Some(0.5),
            (None, Some(..=DISLIKE_HALVES)) => Some(-1.0),
            (None, Some(_)) => Some(0.0),
            (None, None) => self.watched.then_some(0.0),
        }
    }
}

impl Profile {
    /// The profile that deeds give. What was watched, rated, hidden or given a thumb is not shown; with
    /// `include_seen`, only what was hidden or disliked, and what has a thumb up.
    pub fn of_deeds(deeds: impl IntoIterator<Item = Deed>, include_seen: bool) -> Self {
        let mut deeds: Vec<Deed> = deeds.into_iter().collect();
        // The latest first: they count when there are more than count.
        deeds.sort_by_key(|deed| (std::cmp::Reverse(deed.at), deed.movie_id));
        let mut profile = Self::default();
        for deed in deeds {
            let opinion = deed.opinion();
            let thumb = |weight| Thumb { movie_id: deed.movie_id, weight };
            match opinion {
                Some(value) if value > 0.0 => profile.likes.push(thumb(value)),
                Some(value) if value < 0.0 => profile.dislikes.push(thumb(-value)),
                Some(_) if !include_seen => profile.exclude.push(deed.movie_id),
                _ => {}
            }
            if deed.hidden {
                profile.exclude.push(deed.movie_id);
            }
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(thumb: Option<bool>, rating: Option<u8>, watched: bool) -> Deed {
        Deed { movie_id: 7, thumb, rating, watched, ..Deed::default() }
    }

    #[test]
    fn a_thumb_outweighs_a_rating_and_a_rating_outweighs_having_watched() {
        assert_eq!(deed(Some(true), Some(1), false).opinion(), Some(1.0));
        assert_eq!(deed(Some(false), Some(20), true).opinion(), Some(-1.0));
        let rated = [(1, -1.0), (8, -1.0), (9, 0.0), (13, 0.0), (14, 0.5), (15, 0.5), (16, 1.0), (20, 1.0)];
        for (halves, opinion) in rated {
            assert_eq!(deed(None, Some(halves), true).opinion(), Some(opinion), "{halves}");
        }
        assert_eq!((deed(None, None, true).opinion(), deed(None, None, false).opinion()), (Some(0.0), None));
    }

    #[test]
    fn what_was_hidden_or_watched_is_left_out_and_says_nothing() {
        let hidden = Deed { movie_id: 1, hidden: true, ..Deed::default() };
        let watched = Deed { movie_id: 2, watched: true, ..Deed::default() };
        let profile = Profile::of_deeds([hidden, watched], false);
        assert_eq!((profile.exclude.as_slice(), profile.likes.len()), (&[1, 2][..], 0));
        assert_eq!(Profile::of_deeds([hidden, watched], true).exclude, [1]);
    }

    #[test]
    fn the_latest_likes_come_first() {
        let liked = |movie_id, at| Deed { movie_id, thumb: Some(true), at, ..Deed::default() };
        let profile = Profile::of_deeds([liked(1, 5), liked(2, 9)], false);
        assert_eq!(profile.likes[0].movie_id, 2);
    }
}
