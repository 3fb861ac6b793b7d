use std::fmt;

/// A telephone number that text messages can be sent to: ITU-T E.164, such as `+442071838750`.
///
/// `Debug` hides the number: it is personal, and logs are not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

/// Why a text can't be a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    /// No `+` and country code in front: which country is meant can't be known.
    #[error("a telephone number begins with + and the country code, such as +44")]
    NoCountry,
    /// Not 8 to 15 digits, or another character than digits and what people put between them.
    #[error("a telephone number has 8 to 15 digits after the +")]
    Malformed,
}

impl Phone {
    /// Parses and normalises `text`: spaces, hyphens, dots and brackets between the digits go.
    ///
    /// # Errors
    ///
    /// [`PhoneFault`].
    pub fn parse(text: &str) -> Result<Self, PhoneFault> {
        // Checked on the raw text first, so that nobody reads a megabyte of brackets.
        if text.len() > 64 {
            return Err(PhoneFault::Malformed);
        }
        let rest = text.trim().strip_prefix('+').ok_or(PhoneFault::NoCountry)?;
        let mut number = String::from("+");
        for character in rest.chars() {
            match character {
                '0'..='9' => number.push(character),
                ' ' | '-' | '.' | '(' | ')' => {}
                _ => return Err(PhoneFault::Malformed),
            }
        }
        // No country code begins with 0 (E.164, section 6.2.1).
        if number.starts_with("+0") {
            return Err(PhoneFault::NoCountry);
        }
        if (9..=16).contains(&number.len()) { Ok(Self(number)) } else { Err(PhoneFault::Malformed) }
    }

    /// The number to send to, and the form for the blind index: `+` and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for text in ["+442071838750", " +44 (20) 7183-8750 ", "+44.20.7183.8750"] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "+442071838750", "{text}");
        }
        assert_eq!(Phone::parse("+12345678").unwrap().as_str(), "+12345678");
        assert_eq!(Phone::parse("+123456789012345").unwrap().as_str().len(), 16);
    }

    #[test]
    fn what_is_no_number_says_why() {
        for text in ["", "02071838750", "00442071838750", "442071838750", "+0442071838750", "tel:+44207"] {
            assert_eq!(Phone::parse(text), Err(PhoneFault::NoCountry), "{text}");
        }
        let long = format!("+{}", "(".repeat(70));
        let texts =
            ["+", "+1234567", "+1234567890123456", "+44 20 CALL ME", "+44\r\n2071838750", "++442071838750"];
        for text in texts.into_iter().chain([long.as_str(), "+44٢٠٧١٨٣٨٧٥٠"]) {
            assert_eq!(Phone::parse(text), Err(PhoneFault::Malformed), "{text}");
        }
    }

    #[test]
    fn a_number_does_not_print() {
        assert_eq!(format!("{:?}", Phone::parse("+442071838750").unwrap()), "Phone(..)");
    }
}
