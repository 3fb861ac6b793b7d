//! Trailers, other titles, ids elsewhere, translations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MAX_OVERVIEW, MAX_TITLE};
use crate::{
    ImdbId, Language, Region,
    decode::{Many, Soft},
    text::{soft_line, soft_paragraphs},
};

const MAX_TRAILERS: usize = 10;
const MAX_TITLES: usize = 100;
const MAX_TRANSLATIONS: usize = 200;

/// A trailer on YouTube.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trailer {
    /// YouTube's id of the video: eleven letters, digits, `-` or `_`.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Whether the makers published it.
    pub official: bool,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// Its language.
    pub language: Option<Language>,
}

/// A title of the film somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlternativeTitle {
    /// Where.
    pub region: Region,
    /// The title.
    pub title: String,
}

/// Ids of the film elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExternalIds {
    /// IMDb.
    pub imdb_id: Option<ImdbId>,
    /// Wikidata: `Q` and digits.
    pub wikidata_id: Option<String>,
    /// Facebook page.
    pub facebook_id: Option<String>,
    /// Instagram account.
    pub instagram_id: Option<String>,
    /// X account.
    pub twitter_id: Option<String>,
}

/// A film's texts in another language; "" where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Translation {
    /// The language.
    pub language: Language,
    /// The region.
    pub region: Region,
    /// Title.
    pub title: String,
    /// Summary.
    pub overview: String,
    /// Tagline.
    pub tagline: String,
}

#[derive(Default, Deserialize)]
pub(super) struct WireVideos {
    results: Many<WireVideo>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireVideo {
    key: Soft<String>,
    name: Soft<String>,
    site: Soft<String>,
    #[serde(rename = "type")]
    kind: Soft<String>,
    official: Soft<bool>,
    published_at: Soft<String>,
    iso_639_1: Soft<String>,
}

pub(super) fn trailers(wire: WireVideos) -> Vec<Trailer> {
    let is_key = |key: &String| {
        key.len() == 11 && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let trailer = |video: WireVideo| {
        let right = video.site.0.as_deref() == Some("YouTube") && video.kind.0.as_deref() == Some("Trailer");
        Some(Trailer {
            key: video.key.0.filter(|_| right).filter(is_key)?,
            name: soft_line(video.name, 200),
            official: video.official.0.unwrap_or(false),
            published_at: video.published_at.0.and_then(|text| text.parse().ok()),
            language: Language::soft(&video.iso_639_1),
        })
    };
    let mut trailers: Vec<_> = wire.results.0.into_iter().filter_map(trailer).collect();
    trailers.sort_by_key(|trailer| (!trailer.official, std::cmp::Reverse(trailer.published_at)));
    trailers.truncate(MAX_TRAILERS);
    trailers
}

#[derive(Default, Deserialize)]
pub(super) struct WireTitles {
    titles: Many<WireTitle>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireTitle {
    iso_3166_1: Soft<String>,
    title: Soft<String>,
}

pub(super) fn titles(wire: WireTitles) -> Vec<AlternativeTitle> {
    let title = |wire: WireTitle| {
        Some(AlternativeTitle {
            region: Region::soft(&wire.iso_3166_1)?,
            title: Some(soft_line(wire.title, MAX_TITLE)).filter(|title| !title.is_empty())?,
        })
    };
    wire.titles.0.into_iter().filter_map(title).take(MAX_TITLES).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WireIds {
    imdb_id: Soft<String>,
    wikidata_id: Soft<String>,
    facebook_id: Soft<String>,
    instagram_id: Soft<String>,
    twitter_id: Soft<String>,
}

pub(super) fn external_ids(wire: Soft<WireIds>) -> ExternalIds {
    let wire = wire.0.unwrap_or_default();
    let account = |id: Soft<String>| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        id.0.filter(|id| (1..=100).contains(&id.len()) && id.bytes().all(plain))
    };
    let item = |id: &String| {
        id.strip_prefix('Q')
            .is_some_and(|n| (1..=12).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
    };
    ExternalIds {
        imdb_id: ImdbId::soft(&wire.imdb_id),
        wikidata_id: wire.wikidata_id.0.filter(item),
        facebook_id: account(wire.facebook_id),
        instagram_id: account(wire.instagram_id),
        twitter_id: account(wire.twitter_id),
    }
}

#[derive(Default, Deserialize)]
pub(super) struct WireTranslations {
    translations: Many<WireTranslation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireTranslation {
    iso_639_1: Soft<String>,
    iso_3166_1: Soft<String>,
    data: Soft<WireTexts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireTexts {
    title: Soft<String>,
    overview: Soft<String>,
    tagline: Soft<String>,
}

pub(super) fn translations(wire: WireTranslations) -> Vec<Translation> {
    let translation = |wire: WireTranslation| {
        let texts = wire.data.0?;
        Some(Translation {
            language: Language::soft(&wire.iso_639_1)?,
            region: Region::soft(&wire.iso_3166_1)?,
            title: soft_line(texts.title, MAX_TITLE),
            overview: soft_paragraphs(texts.overview, MAX_OVERVIEW),
            tagline: soft_line(texts.tagline, MAX_TITLE),
        })
    };
    wire.translations.0.into_iter().filter_map(translation).take(MAX_TRANSLATIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_youtubes_official_and_recent_first() {
        let video = |key: &str, site: &str, kind: &str, official: bool, at: &str| {
            format!(
                r#"{{"key": "{key}", "site": "{site}", "type": "{kind}", "official": {official}, "published_at": "{at}"}}"#
            )
        };
        let json = format!(
            r#"{{"results": [{}, {}, {}, {}, {}, {}]}}"#,
            video("aaaaaaaaaaa", "YouTube", "Trailer", false, "2024-01-01T00:00:00.000Z"),
            video("bbbbbbbbbbb", "YouTube", "Trailer", true, "2019-10-15T18:59:47.000Z"),
            video("ccccccccccc", "YouTube", "Trailer", true, "2020-10-15T18:59:47.000Z"),
            video("ddddddddddd", "Vimeo", "Trailer", true, ""),
            video("eeeeeeeeeee", "YouTube", "Featurette", true, ""),
            video("x\\\"><script>", "YouTube", "Trailer", true, ""),
        );
        let keys: Vec<_> =
            trailers(serde_json::from_str(&json).unwrap()).into_iter().map(|t| t.key).collect();
        assert_eq!(keys, ["ccccccccccc", "bbbbbbbbbbb", "aaaaaaaaaaa"]);
    }

    #[test]
    fn ids_elsewhere_are_ids_and_not_links() {
        let json = r#"{"imdb_id": "tt0137523", "wikidata_id": "Q190050", "facebook_id": "FightClub",
            "instagram_id": "a/../b", "twitter_id": "<b>"}"#;
        let ids = external_ids(serde_json::from_str(json).unwrap());
        assert_eq!(ids.wikidata_id.as_deref(), Some("Q190050"));
        assert_eq!(
            (ids.facebook_id.as_deref(), ids.instagram_id, ids.twitter_id),
            (Some("FightClub"), None, None)
        );
    }
}
