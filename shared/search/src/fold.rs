//! Folding: what two spellings must share to count as the same text.
//!
//! Titles and queries go through the same function, so a rule here never has to be "right", only the
//! same on both sides.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// Words are cut here so that a word always fits the 64-bit vectors of [`crate::distance`].
pub(crate) const MAX_WORD_CHARS: usize = 63;

/// The words of `text`, folded: compatibility-decomposed (NFKD), marks dropped, lower case, letters that
/// do not decompose spelled out (ß, æ, ø, ł, ...), apostrophes dropped, `&` read as "and", everything
/// else that is neither letter nor digit a word boundary. Every ideograph and kana is a word of its own,
/// because those scripts do not put spaces between words. Initials ("R.I.P.D.", "M*A*S*H") are one word.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut folder = Folder::default();
    for raw in text.chars() {
        match raw {
            _ if is_dropped(raw) => {}
            // "8½" is typed "8 1/2", not "81/2".
            '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215e}' => {
                folder.boundary();
                std::iter::once(raw).nfkd().for_each(|c| folder.push(c));
            }
            _ if raw.is_ascii() => folder.push(raw),
            _ => std::iter::once(raw).nfkd().for_each(|c| folder.push(c)),
        }
    }
    folder.boundary();
    for word in &mut folder.words {
        if let Some(number) = roman(word) {
            number.clone_into(word);
        }
    }
    folder.words
}

#[derive(Default)]
struct Folder {
    words: Vec<String>,
    word: String,
    chars: usize,
    initials: Initials,
}

/// Where in a row of initials the text is.
#[derive(Clone, Copy, Default, PartialEq)]
enum Initials {
    /// In none.
    #[default]
    No,
    /// The last word is of initials and nothing but a dot has followed it.
    Dotted,
    /// One more letter has followed the dot.
    Letter,
}

impl Folder {
    fn push(&mut self, c: char) {
        if c.is_ascii_alphanumeric() {
            self.letter(c.to_ascii_lowercase());
        } else if c == '&' {
            self.boundary();
            self.words.push("and".to_owned());
        } else if canonical_combining_class(c) != 0 {
            // A mark on the letter before it. Vowel signs of Indic scripts have class 0 and stay.
        } else if stands_alone(c) {
            self.boundary();
            self.words.push(c.to_string());
        } else if c.is_alphanumeric() {
            c.to_lowercase().for_each(|lower| match spelled_out(lower) {
                Some(plain) => plain.chars().for_each(|p| self.letter(p)),
                None if canonical_combining_class(lower) != 0 => {}
                None => self.letter(lower),
            });
        } else {
            let single = self.chars == 1 && self.word.chars().all(char::is_alphabetic);
            self.boundary();
            if single && matches!(c, '.' | '*') {
                self.initials = Initials::Dotted;
            }
        }
    }

    fn letter(&mut self, c: char) {
        if self.chars == 0 && self.initials == Initials::Dotted {
            self.initials = Initials::Letter;
        }
        if self.chars < MAX_WORD_CHARS {
            self.word.push(c);
            self.chars += 1;
        }
    }

    fn boundary(&mut self) {
        let initials = std::mem::take(&mut self.initials);
        if self.chars == 0 {
            return;
        }
        let word = std::mem::take(&mut self.word);
        let joins = initials == Initials::Letter && self.chars == 1 && word.chars().all(char::is_alphabetic);
        match self.words.last_mut() {
            Some(before) if joins && before.chars().count() < MAX_WORD_CHARS => before.push_str(&word),
            _ => self.words.push(word),
        }
        self.chars = 0;
    }
}

/// Apostrophes (of every typewriter), the Arabic stretch mark, soft hyphens and zero-width characters.
fn is_dropped(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{b4}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201b}'
            | '\u{2bb}'
            | '\u{2bc}'
            | '\u{5f3}'
            | '\u{ff07}'
            | '\u{640}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

/// Letters that NFKD leaves whole but that people type with plainer ones.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ŧ' => "t",
        'ŋ' => "n",
        'ı' => "i",
        'ə' => "e",
        'ς' => "σ",
        'ى' | 'ی' => "ي",
        'ة' => "ه",
        'ک' => "ك",
        'ٱ' => "ا",
        '٠' | '۰' => "0",
        '١' | '۱' => "1",
        '٢' | '۲' => "2",
        '٣' | '۳' => "3",
        '٤' | '۴' => "4",
        '٥' | '۵' => "5",
        '٦' | '۶' => "6",
        '٧' | '۷' => "7",
        '٨' | '۸' => "8",
        '٩' | '۹' => "9",
        _ => return None,
    })
}

/// Kana and Han ideographs.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

/// Roman numerals that are not also a letter or a common word, so that "Rocky 2" is "Rocky II".
fn roman(word: &str) -> Option<&'static str> {
    Some(match word {
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "vi" => "6",
        "vii" => "7",
        "viii" => "8",
        "ix" => "9",
        "xi" => "11",
        "xii" => "12",
        "xiii" => "13",
        _ => return None,
    })
}

/// Whether a leading word may be left out of a query: articles of the catalogue's large languages, minus
/// those that are ordinary words of another ("die").
pub(crate) fn is_article(word: &str) -> bool {
    matches!(
        word,
        "the" | "a" | "an" | "le" | "la" | "les" | "un" | "une" | "el" | "los" | "las" | "il" | "der" | "das"
    )
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORD_CHARS, words};

    fn folded(text: &str) -> String {
        words(text).join(" ")
    }

    #[test]
    fn case_and_marks_are_dropped() {
        assert_eq!(folded("AMÉLIE Pokémon Œuvre"), "amelie pokemon oeuvre");
        assert_eq!(folded("Ame\u{301}lie"), "amelie");
    }

    #[test]
    fn letters_that_do_not_decompose_are_spelled_out() {
        assert_eq!(folded("Straße Ærø Łódź Þór"), "strasse aero lodz thor");
        assert_eq!(folded("İstanbul ISPARTA"), "istanbul isparta");
    }

    #[test]
    fn apostrophes_vanish_and_other_punctuation_separates() {
        assert_eq!(folded("Schindler's List"), "schindlers list");
        assert_eq!(folded("Ocean\u{2019}s WALL·E: [REC]"), "oceans wall e rec");
    }

    #[test]
    fn initials_are_one_word() {
        assert_eq!(folded("R.I.P.D. 2"), "ripd 2");
        assert_eq!(folded("M*A*S*H"), "mash");
        assert_eq!(folded("E.T. the Extra-Terrestrial"), "et the extra terrestrial");
        assert_eq!(folded("D.Gray A. B. 1.0"), "d gray a b 1 0");
    }

    #[test]
    fn an_ampersand_is_the_word_and() {
        assert_eq!(folded("Fast & Furious"), "fast and furious");
        assert_eq!(folded("Lock&Stock"), "lock and stock");
    }

    #[test]
    fn ideographs_and_kana_are_words_of_their_own() {
        assert_eq!(words("千と千尋"), ["千", "と", "千", "尋"]);
        assert_eq!(words("葉問3"), ["葉", "問", "3"]);
    }

    #[test]
    fn other_scripts_keep_their_letters() {
        assert_eq!(folded("Ёлки и Чебурашка"), "елки и чебурашка");
        assert_eq!(folded("قَهْوَة"), "قهوه");
        assert_eq!(folded("दंगल"), "दंगल");
    }

    #[test]
    fn roman_numerals_and_fractions_read_as_numbers() {
        assert_eq!(folded("Rocky II"), "rocky 2");
        assert_eq!(folded("8½"), "8 1 2");
        assert_eq!(folded("Alien³"), "alien3");
    }

    #[test]
    fn no_word_is_longer_than_the_bit_vectors_take() {
        for long in ["a".repeat(500), "a.".repeat(500), "ﬃ".repeat(500), "æ.".repeat(500)] {
            assert!(words(&long).iter().all(|word| word.chars().count() <= MAX_WORD_CHARS), "{long}");
        }
    }

    #[test]
    fn text_without_letters_has_no_words() {
        assert!(words("…!? \u{301}\u{200b}").is_empty());
    }
}
