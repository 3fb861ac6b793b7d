//! Text from outside, made safe to keep and to compare.

use unicode_normalization::UnicodeNormalization;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidy_text_is_composed_and_shows_what_it_says() {
        assert_eq!(tidy(" Ame\u{301}lie\u{202E}\u{0}\n ", 50), "Amélie");
        assert_eq!(tidy("abcdef", 3), "abc");
    }
}
