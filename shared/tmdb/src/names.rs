//! Names with a form: regions, languages, IMDb ids, image paths. Their constructors are the only validation.

use std::fmt;

use serde::Serialize;

use crate::decode::Soft;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks a text; `None` when it does not have the form.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let check: fn(&[u8]) -> bool = $check;
                check(text.as_bytes()).then(|| Self(text.into()))
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub(crate) fn soft(text: &Soft<String>) -> Option<Self> {
                text.0.as_deref().and_then(Self::parse)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A country or territory as TMDb writes it: two capital letters (ISO 3166-1).
    Region,
    |text| text.len() == 2 && text.iter().all(u8::is_ascii_uppercase)
);

name!(
    /// A language as TMDb writes it: two small letters (ISO 639-1, with TMDb's own `xx` and `cn`), and optionally a
    /// region, `de-DE`.
    Language,
    |text| {
        let (language, region) = text.split_at(text.len().min(2));
        language.len() == 2
            && language.iter().all(u8::is_ascii_lowercase)
            && (region.is_empty()
                || (region.len() == 3 && region[0] == b'-' && region[1..].iter().all(u8::is_ascii_uppercase)))
    }
);

name!(
    /// An IMDb title id: `tt` and seven to nine digits.
    ImdbId,
    |text| {
        text.strip_prefix(b"tt").is_some_and(|digits| (7..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
    }
);

name!(
    /// The path of an image on TMDb's image host, `/name.jpg`. It follows a size:
    /// `https://image.tmdb.org/t/p/w500/name.jpg`.
    ImagePath,
    |text| {
        text.len() <= 100
            && text.strip_prefix(b"/").is_some_and(|name| {
                !name.is_empty()
                    && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
                    // Dots alone would climb out of the folder.
                    && name.iter().any(u8::is_ascii_alphanumeric)
            })
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_form_and_nothing_else() {
        assert!(Region::parse("DE").is_some() && ImdbId::parse("tt0137523").is_some());
        assert!(Language::parse("de").is_some() && Language::parse("pt-BR").is_some());
        assert!(ImagePath::parse("/pB8BM7pdSp6B6Ih7QZ4DrQ3PmJK.jpg").is_some());
        for bad in ["", "d", "de", "DEU", "D\u{130}", "D1"] {
            assert_eq!(Region::parse(bad), None, "{bad}");
        }
        for bad in ["", "d", "DE", "deu", "de_DE", "de-de", "de-DEU", "de-", "d\u{e9}"] {
            assert_eq!(Language::parse(bad), None, "{bad}");
        }
        for bad in ["", "tt", "tt123456", "tt1234567890", "nm0137523", "tt013752a", "tt0137523\n"] {
            assert_eq!(ImdbId::parse(bad), None, "{bad}");
        }
        for bad in
            ["", "/", "/..", "/a/b.jpg", "a.jpg", "/../a", "/a b.jpg", "/a%2f.jpg", "/a.jpg?x", "//host/a"]
        {
            assert_eq!(ImagePath::parse(bad), None, "{bad}");
        }
        assert_eq!(ImagePath::parse(&format!("/{}", "a".repeat(100))), None);
    }
}
