//! Cleaning text that strangers wrote.

use crate::decode::Soft;

/// One line: no control characters, no invisible direction changes, white space single, at most `most` characters.
pub(crate) fn line(text: &str, most: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(most * 4));
    let words = text.split(char::is_whitespace).map(strip);
    for word in words.filter(|word| !word.is_empty()) {
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(&word);
    }
    cut(clean, most)
}

/// Several lines, each cleaned as in [`line`]; blank lines go.
pub(crate) fn paragraphs(text: &str, most: usize) -> String {
    let lines: Vec<_> =
        text.split(['\n', '\r']).map(|part| line(part, most)).filter(|part| !part.is_empty()).collect();
    cut(lines.join("\n"), most)
}

/// A [`line`] of a field that may be missing.
pub(crate) fn soft_line(text: Soft<String>, most: usize) -> String {
    text.0.map_or_else(String::new, |text| line(&text, most))
}

/// [`paragraphs`] of a field that may be missing.
pub(crate) fn soft_paragraphs(text: Soft<String>, most: usize) -> String {
    text.0.map_or_else(String::new, |text| paragraphs(&text, most))
}

fn strip(word: &str) -> String {
    word.chars().filter(|c| !is_hidden(*c)).collect()
}

/// Characters that change how text around them looks, or are no text. The joiners U+200C and U+200D and the marks
/// U+200E and U+200F stay: Persian, Hindi and Hebrew titles need them, and they reorder nothing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'  // Zero width.
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' // Embeddings, overrides, isolates.
            | '\u{206A}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFD}' | '\u{E0000}'..='\u{E007F}')
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.truncate(text.trim_end().len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_go_and_white_space_is_single() {
        assert_eq!(line(" a\u{0}b\t\u{202E}txt.exe\u{2066} \u{200B} c\u{7f}\r\n", 50), "ab txt.exe c");
        assert_eq!(line("\u{2028}x\u{85}y", 50), "x y");
        assert_eq!(paragraphs("one\r\n\r\n two \u{202D}2\n\u{1b}[31m", 50), "one\ntwo 2\n[31m");
    }

    #[test]
    fn joiners_and_scripts_stay() {
        for kept in ["می\u{200C}خواهم", "क्\u{200D}ष", "Amélie", "千と千尋の神隠し", "👩\u{200D}🚀"]
        {
            assert_eq!(line(kept, 50), kept);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(line("千と千尋の神隠し", 3), "千と千");
        assert_eq!(line("ab cd", 3), "ab");
        assert_eq!(paragraphs("ab\ncd", 4), "ab\nc");
    }
}
