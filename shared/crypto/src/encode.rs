use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, Result};

/// Base64 for URLs, without padding (RFC 4648, section 5).
pub fn encode_base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that `text` encodes.
///
/// Strict: padding, white space, the other alphabet and stray trailing bits are refused, so that one value
/// has one text.
///
/// # Errors
///
/// [`Error::Malformed`].
pub fn decode_base64url(text: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Malformed("base64url text"))
}

/// Joins `parts` so that no two different lists give the same bytes: a count, then each part behind its
/// length (both 64-bit, big-endian).
///
/// Without lengths, `("ab", "c")` and `("a", "bc")` would authenticate as the same thing.
pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + parts.iter().map(|part| part.len() + 8).sum::<usize>());
    out.extend_from_slice(&(parts.len() as u64).to_be_bytes());
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn different_lists_never_join_to_the_same_bytes(
            a in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4),
            b in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4),
        ) {
            let refs = |list: &[Vec<u8>]| join(&list.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(refs(&a) == refs(&b), a == b);
        }

        #[test]
        fn base64url_text_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(decode_base64url(&encode_base64url(&bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn a_second_spelling_of_the_same_bytes_is_refused() {
        for text in ["QQ==", "QR", "Q Q", "+/+/", "Q"] {
            assert!(decode_base64url(text).is_err(), "{text}");
        }
        assert_eq!(decode_base64url("QQ").unwrap(), b"A");
    }
}
