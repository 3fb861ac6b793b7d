use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// An e-mail address that mail can be sent to.
///
/// Kept as typed in the local part (some hosts tell `Ann` from `ann`), with the domain in lower-case ASCII:
/// an internationalised domain becomes its `xn--` form, so two spellings of one domain are one address and a
/// look-alike is visibly another. The local part is an ASCII dot-atom (RFC 5322, section 3.2.3): quoted local
/// parts and non-ASCII ones are refused, because the mail service can't send to them.
///
/// `Debug` hides the address: it is personal, and logs are not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text isn't an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailFault {
    /// Over 254 characters, or a local part over 64 (RFC 5321, section 4.5.3.1).
    #[error("the address is too long")]
    TooLong,
    /// Not `local@domain` with a dot-atom before and a registered-looking domain after the sign.
    #[error("the text is not an e-mail address")]
    Malformed,
}

impl Email {
    /// Longest address, in characters.
    pub const MAX: usize = 254;

    /// Parses and normalises `text`: white space around it goes, Unicode is composed (NFC), the domain becomes
    /// lower-case ASCII.
    ///
    /// # Errors
    ///
    /// [`EmailFault`].
    pub fn parse(text: &str) -> Result<Self, EmailFault> {
        // Checked on the raw text first, so that nobody normalises a megabyte.
        if text.len() > 4 * Self::MAX {
            return Err(EmailFault::TooLong);
        }
        let text: String = text.trim().nfc().collect();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailFault::Malformed)?;
        if local.len() > 64 {
            return Err(EmailFault::TooLong);
        }
        let is_dot_atom = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailFault::Malformed)?;
        if !is_dot_atom || !is_mail_domain(&domain) {
            return Err(EmailFault::Malformed);
        }
        if local.len() + 1 + domain.len() > Self::MAX {
            return Err(EmailFault::TooLong);
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// The address to send to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for the blind index: all of it in lower case, so that one mailbox is one account.
    pub fn index_form(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The part before the sign.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the sign.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// At least two labels of letters, digits and inner hyphens, the last not a number (so no IPv4 address).
fn is_mail_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.len() <= 253
        && domain.split('.').count() >= 2
        && domain.split('.').all(label)
        && domain.rsplit('.').next().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_normalised_and_keeps_the_case_of_its_local_part() {
        let email = Email::parse("  Ann.Other+films@EXAMPLE.Org \n").unwrap();
        assert_eq!(email.as_str(), "Ann.Other+films@example.org");
        assert_eq!(email.index_form(), "ann.other+films@example.org");
        assert_eq!((email.local_part(), email.domain()), ("Ann.Other+films", "example.org"));
    }

    #[test]
    fn an_international_domain_has_one_spelling() {
        let composed = Email::parse("a@b\u{fc}cher.example").unwrap();
        let decomposed = Email::parse("a@bu\u{308}cher.example").unwrap();
        assert_eq!(composed, decomposed);
        assert_eq!(composed.as_str(), "a@xn--bcher-kva.example");
        assert_ne!(Email::parse("a@ex\u{430}mple.org").unwrap(), Email::parse("a@example.org").unwrap());
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let bad = [
            "",
            "a",
            "@example.org",
            "a@",
            "a@b",
            "a b@example.org",
            "a@exa mple.org",
            ".a@example.org",
            "a.@example.org",
            "a..b@example.org",
            "\"a b\"@example.org",
            "a@-x.org",
            "a@x-.org",
            "a@x..org",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a\r\nBcc: b@example.org",
            "a@example.org\r\nBcc: x@example.org",
            "a\0@example.org",
            "\u{e4}@example.org",
            "a@example.org>",
            "a@b@example.org",
            "a,b@example.org",
            "a\u{202e}@example.org",
        ];
        for text in bad {
            assert_eq!(Email::parse(text), Err(EmailFault::Malformed), "{text:?}");
        }
    }

    #[test]
    fn the_length_limits_are_those_of_smtp() {
        let domain = format!("{}.{}.{}.org", "d".repeat(61), "d".repeat(61), "d".repeat(61));
        assert_eq!(domain.len(), 189);
        assert!(Email::parse(&format!("{}@{domain}", "a".repeat(64))).is_ok());
        assert_eq!(Email::parse(&format!("{}@{domain}", "a".repeat(65))), Err(EmailFault::TooLong));
        let long = format!("{}@d.{domain}", "a".repeat(63));
        assert_eq!(long.len(), 255);
        assert_eq!(Email::parse(&long), Err(EmailFault::TooLong));
        assert_eq!(Email::parse(&"a".repeat(1_000_000)), Err(EmailFault::TooLong));
    }

    proptest! {
        #[test]
        fn whatever_parses_parses_to_itself(text in "[a-zA-Z0-9.+'@ \u{fc}-]{0,40}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }

        #[test]
        fn any_text_is_answered_without_panic(text in any::<String>()) {
            let _ = Email::parse(&text);
        }
    }
}
