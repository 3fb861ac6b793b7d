//! Text from outside, made safe to keep and to compare.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Whether `c` is a control character, a bidirectional override or isolate, or otherwise invisible and
/// able to make text look like what it is not (Unicode TR 36, section 2.5).
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}' | '\u{061C}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// `text` in Unicode's NFC form, without deceptive characters, blanks at its ends cut, and at most
/// `longest` characters.
pub fn tidy(text: &str, longest: usize) -> String {
    let clean: String = text.nfc().filter(|c| !is_deceptive(*c)).take(longest).collect();
    clean.trim().to_owned()
}

/// Text that somebody wrote for others, in Unicode's NFC form and without blanks at its ends: of as many characters
/// as a reader sees (grapheme clusters), without control characters (but line feeds, with `lines`) and without
/// characters that change the direction of others. Joiners are taken: writing and emoji need them.
///
/// # Errors
/// A sentence's end that says what is expected.
pub fn prose(text: &str, length: std::ops::RangeInclusive<usize>, lines: bool) -> Result<String, String> {
    let composed: String = text.replace("\r\n", "\n").nfc().collect();
    let clean = composed.trim();
    let is_fine = |c: char| !is_deceptive(c) || matches!(c, '\u{200C}' | '\u{200D}') || (lines && c == '\n');
    if !clean.chars().all(is_fine) {
        return Err("plain text without control or direction characters".to_owned());
    }
    // A cluster may be made of any number of marks: who piles them up is cut off by bytes.
    let fits = clean.len() <= length.end() * 32;
    if !fits || !length.contains(&clean.graphemes(true).take(length.end() + 1).count()) {
        return Err(format!("{} to {} characters", length.start(), length.end()));
    }
    Ok(clean.to_owned())
}

/// How many links a text holds: addresses with a scheme, and those that begin with `www.`.
pub fn links(text: &str) -> usize {
    let text = text.to_lowercase();
    text.matches("://").count() + text.matches("www.").count().saturating_sub(text.matches("://www.").count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidy_text_is_composed_and_shows_what_it_says() {
        assert_eq!(tidy(" Ame\u{301}lie\u{202E}\u{0}\n ", 50), "Amélie");
        assert_eq!(tidy("abcdef", 3), "abc");
    }

    #[test]
    fn prose_is_counted_as_it_is_read() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
        assert_eq!(prose(&family.repeat(20), 20..=20, false).as_deref(), Ok(family.repeat(20).as_str()));
        assert_eq!(prose(" Ame\u{301}lie\r\n! ", 1..=9, true).as_deref(), Ok("Am\u{e9}lie\n!"));
        for bad in ["a\u{202E}b", "a\u{0}b", "a\nb", "a\u{2066}b", "a\u{200B}b", "", "   ", "abcdefghij"] {
            assert!(prose(bad, 1..=9, false).is_err(), "{bad:?}");
        }
        assert!(prose(&format!("a{}", "\u{301}".repeat(500)), 1..=9, false).is_err());
    }

    #[test]
    fn links_are_counted_once_each() {
        assert_eq!(links("see https://www.example.org and www.example.com, HTTP://x.example"), 3);
        assert_eq!(links("no link: example.org"), 0);
    }
}
