//! What of a file its owner may not write here: a right that was taken away is not brought back in a parcel.

use screensort_auth::{Permission as P, Permissions};

use super::{About, Parcel, Row};

/// Takes out of `parcel` whatever `may` does not allow to write, and says of each row what that was.
pub(crate) fn confine(parcel: &mut Parcel, may: Permissions) -> Vec<Option<String>> {
    confine_about(&mut parcel.about, may);
    parcel.rows.iter_mut().map(|row| confine_row(row, may)).collect()
}

fn confine_row(row: &mut Row, may: Permissions) -> Option<String> {
    let mut left = Vec::new();
    let Row { rating, thumb, hidden, watchlist, watched, review, .. } = row;
    take_out(rating, may, P::RatingsWriteOwn, "rating", &mut left);
    take_out(thumb, may, P::ThumbsWriteOwn, "thumb", &mut left);
    take_out(hidden, may, P::HiddenWriteOwn, "hidden", &mut left);
    take_out(watchlist, may, P::WatchlistWriteOwn, "watchlist", &mut left);
    take_out(watched, may, P::HistoryWriteOwn, "history", &mut left);
    take_out(review, may, P::ReviewsWriteOwn, "review", &mut left);
    (!left.is_empty()).then(|| format!("Left out, because you may not write it: {}.", left.join(", ")))
}

fn take_out<T>(
    said: &mut Option<T>,
    may: Permissions,
    right: P,
    name: &'static str,
    left: &mut Vec<&'static str>,
) {
    if !may.contains(right) && said.take().is_some() {
        left.push(name);
    }
}

fn confine_about(about: &mut About, may: Permissions) {
    let whole = std::mem::take(about);
    if may.contains(P::ProfileWriteOwn) {
        about.display_name = whole.display_name;
        about.bio = whole.bio;
        about.region = whole.region;
        about.birth_year = whole.birth_year;
    }
    if may.contains(P::PreferencesWriteOwn) {
        about.preferences = whole.preferences;
    }
    if may.contains(P::RecommendationsTuneOwn) {
        about.more = whole.more;
        about.less = whole.less;
    }
    if may.contains(P::FavouritesWriteOwn) {
        about.favourites = whole.favourites;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use screensort_auth::Role;

    use super::*;

    const FILE: &str = r#"{"format": "screensort",
        "films": [{"movie_id": 949, "rating": 9, "thumb": "up", "hidden_at": "2024-01-01T00:00:00Z",
            "watchlist_at": "2024-01-01T00:00:00Z"}],
        "history": [{"movie_id": 949}], "reviews": [{"movie_id": 949, "text": "x"}],
        "profile": {"bio": "x", "display_name": "x", "region": "GB", "birth_year": 1990},
        "preferences": {}, "wishes": {"more": ["genre:27"], "less": ["genre:28"]},
        "favourites": [{"operator": "0000000000ATMDB00000000001"}]}"#;

    #[test]
    fn whoever_may_write_everything_loses_nothing_and_whoever_may_nothing_all_of_it() {
        let read = || crate::import::read("screensort", FILE, false).unwrap();
        let mut whole = read();
        assert_eq!(confine(&mut whole, Role::User.permissions()), [None, None, None]);
        assert_eq!(whole, read());
        let mut none = read();
        let left = confine(&mut none, Permissions::NONE);
        let all = "Left out, because you may not write it: rating, thumb, hidden, watchlist.";
        assert_eq!(left[0].as_deref(), Some(all));
        assert!(
            left[1].as_ref().unwrap().ends_with(": history.")
                && left[2].as_ref().unwrap().ends_with(": review.")
        );
        assert_eq!(none.about, About::default());
        assert!(
            none.rows.iter().all(|row| row.rating.is_none() && row.watched.is_none() && row.review.is_none())
        );
    }

    #[test]
    fn each_kind_goes_with_the_right_to_write_it() {
        for right in [
            P::RatingsWriteOwn,
            P::ThumbsWriteOwn,
            P::HiddenWriteOwn,
            P::WatchlistWriteOwn,
            P::HistoryWriteOwn,
            P::ReviewsWriteOwn,
            P::ProfileWriteOwn,
            P::PreferencesWriteOwn,
            P::RecommendationsTuneOwn,
            P::FavouritesWriteOwn,
        ] {
            let mut parcel = crate::import::read("screensort", FILE, false).unwrap();
            let whole = crate::import::read("screensort", FILE, false).unwrap();
            let denied = Permissions::of(&[right]);
            confine(&mut parcel, Role::User.permissions().without(denied));
            assert_ne!(parcel, whole, "{right}");
        }
    }
}
