//! Release dates, of which the product needs the age rating per region.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    Region,
    decode::{Many, Soft, day, whole},
    text::soft_line,
};

/// How a film was released; in the order in which their age ratings are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ReleaseKind {
    /// In cinemas (TMDb's type 3).
    Theatrical,
    /// In few cinemas (2).
    TheatricalLimited,
    /// A premiere (1).
    Premiere,
    /// Streamed or downloaded (4).
    Digital,
    /// On a disc (5).
    Physical,
    /// On television (6).
    Television,
}

impl ReleaseKind {
    fn read(kind: Soft<f64>) -> Option<Self> {
        Some(match whole(kind, 6)? {
            1 => Self::Premiere,
            2 => Self::TheatricalLimited,
            3 => Self::Theatrical,
            4 => Self::Digital,
            5 => Self::Physical,
            6 => Self::Television,
            _ => return None,
        })
    }
}

/// The age rating of a film in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certification {
    /// The label, such as `PG-13`; what it means is in [`Client::certifications`](crate::Client::certifications).
    pub label: String,
    /// The release it was given for.
    pub kind: ReleaseKind,
    /// That release's day.
    pub date: Option<Date>,
}

#[derive(Default, Deserialize)]
pub(super) struct Wire {
    results: Many<WireRegion>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireRegion {
    iso_3166_1: Soft<String>,
    release_dates: Many<WireRelease>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireRelease {
    certification: Soft<String>,
    release_date: Soft<String>,
    #[serde(rename = "type")]
    kind: Soft<f64>,
}

/// The best rating per region: the cinema's before others, then the earliest that has a day.
pub(super) fn read(wire: Wire) -> BTreeMap<Region, Certification> {
    let best = |releases: Many<WireRelease>| {
        let rated = releases.0.into_iter().filter_map(|release| {
            let label = Some(soft_line(release.certification, 20)).filter(|label| !label.is_empty())?;
            Some(Certification {
                label,
                kind: ReleaseKind::read(release.kind)?,
                date: day(release.release_date),
            })
        });
        rated.min_by_key(|rating| (rating.kind, rating.date.is_none(), rating.date))
    };
    wire.results
        .0
        .into_iter()
        .filter_map(|region| Some((Region::soft(&region.iso_3166_1)?, best(region.release_dates)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cinemas_rating_wins_and_an_empty_one_never_does() {
        let json = r#"{"results": [
            {"iso_3166_1": "US", "release_dates": [
                {"certification": "", "type": 3, "release_date": "1999-01-01T00:00:00.000Z"},
                {"certification": "NR", "type": 5, "release_date": "1998-01-01T00:00:00.000Z"},
                {"certification": "R", "type": 3, "release_date": "2009-01-01T00:00:00.000Z"},
                {"certification": "PG", "type": 3, "release_date": "2001-01-01T00:00:00.000Z"},
                {"certification": "G", "type": 3, "release_date": ""}]},
            {"iso_3166_1": "DE", "release_dates": [{"certification": "", "type": 3}]},
            {"iso_3166_1": "FR", "release_dates": [{"certification": "16", "type": 9}, {"certification": "12", "type": 4}]},
            {"iso_3166_1": "usa", "release_dates": [{"certification": "R", "type": 3}]}]}"#;
        let ratings = read(serde_json::from_str(json).unwrap());
        let labels: Vec<_> =
            ratings.iter().map(|(region, rating)| (region.as_str(), rating.label.as_str())).collect();
        assert_eq!(labels, [("FR", "12"), ("US", "PG")]);
        assert_eq!(ratings.values().next().unwrap().kind, ReleaseKind::Digital);
    }
}
