//! Time-based one-time passwords (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, steps of 30 seconds: what
//! every authenticator app does.
//!
//! SHA-1 is safe here: HMAC doesn't need its collision resistance, and other hashes are ignored by most apps.

use std::fmt;

use jiff::Timestamp;
use ring::hmac;
use screensort_crypto::{constant_time_eq, random_bytes};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Seconds a step lasts.
pub const STEP_SECONDS: i64 = 30;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// How many steps before and after the present one are accepted, for clocks that differ.
const WINDOW: i64 = 1;

/// The 160-bit secret that a person's authenticator shares with us. Stored encrypted, shown once.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; 20]>);

/// The number of a step: seconds since 1970 over 30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub i64);

impl Step {
    /// The step at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(now.as_second().div_euclid(STEP_SECONDS))
    }
}

impl TotpSecret {
    /// Draws a new one.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn generate() -> Result<Self> {
        Ok(Self(Zeroizing::new(random_bytes()?)))
    }

    /// Takes over the 20 bytes as they were stored.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| Error::Malformed("TOTP secret"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The bytes to seal and store.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret in base32 (RFC 4648) without padding: 32 characters to type into an app.
    pub fn to_base32(&self) -> Zeroizing<String> {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = Zeroizing::new(String::with_capacity(32));
        for group in self.0.chunks_exact(5) {
            let bits = group.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            for shift in (0..8).rev() {
                text.push(ALPHABET[(bits >> (5 * shift)) as usize & 31] as char);
            }
        }
        text
    }

    /// The `otpauth:` URI that an app reads from a QR code, for the service `issuer` and the account `account`.
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let (issuer, account) = (percent(issuer), percent(account));
        let secret = self.to_base32();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            secret.as_str()
        ))
    }

    /// The code of a step.
    pub fn code(&self, step: Step) -> Zeroizing<String> {
        let code = hotp(self.0.as_slice(), step.0.cast_unsigned()) % 1_000_000;
        Zeroizing::new(format!("{code:06}"))
    }

    /// The step whose code `code` is, if it lies at most one step from `now` and after `last_used`.
    ///
    /// The store keeps the answer, on the condition that the stored step is still lower: so no code works
    /// twice, not even in two requests at once. Spaces in the code are ignored, as apps show it in two groups.
    pub fn verify(&self, code: &str, now: Timestamp, last_used: Option<Step>) -> Option<Step> {
        if code.len() > 16 {
            return None;
        }
        let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| *c != ' ').collect());
        let present = Step::at(now).0;
        // All steps are computed, whichever fits: the time doesn't tell how far the clock is off.
        (present - WINDOW..=present + WINDOW).map(Step).fold(None, |found, step| {
            let fits = constant_time_eq(self.code(step).as_bytes(), code.as_bytes());
            if fits && last_used.is_none_or(|last| step > last) { Some(step) } else { found }
        })
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

/// The 31-bit number of RFC 4226, section 5.3.
fn hotp(secret: &[u8], counter: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 15);
    u32::from_be_bytes([tag[offset], tag[offset + 1], tag[offset + 2], tag[offset + 3]]) & 0x7fff_ffff
}

/// Percent-encoding of everything but unreserved characters (RFC 3986): safe in a label and in a query.
fn percent(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_agree_with_rfc_6238() {
        // Appendix B, the last six of eight digits, SHA-1.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().code(Step::at(at(second))).as_str(), code);
        }
    }

    #[test]
    fn numbers_agree_with_rfc_4226() {
        // Appendix D.
        let numbers = [1_284_755_224, 1_094_287_082, 137_359_152, 1_726_969_429, 1_640_338_314];
        for (counter, number) in numbers.into_iter().enumerate() {
            assert_eq!(hotp(b"12345678901234567890", counter as u64), number);
        }
    }

    #[test]
    fn a_code_works_one_step_early_or_late_and_no_further() {
        let code = secret().code(Step(100));
        for (step, works) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            let now = at(step * STEP_SECONDS + 15);
            assert_eq!(secret().verify(&code, now, None).is_some(), works, "{step}");
        }
    }

    #[test]
    fn a_used_step_and_all_before_it_are_spent() {
        let now = at(3_000);
        let step = secret().verify(&secret().code(Step(100)), now, None).unwrap();
        assert_eq!(step, Step(100));
        assert_eq!(secret().verify(&secret().code(Step(100)), now, Some(step)), None);
        assert_eq!(secret().verify(&secret().code(Step(99)), now, Some(step)), None);
        assert_eq!(secret().verify(&secret().code(Step(101)), now, Some(step)), Some(Step(101)));
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let now = at(3_000);
        let code = secret().code(Step(100));
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert!(secret().verify(&spaced, now, None).is_some());
        for text in ["", "12345", "1234567", "abcdef", "\u{661}23456", &"1".repeat(500)] {
            assert!(secret().verify(text, now, None).is_none());
        }
    }

    #[test]
    fn the_uri_carries_the_secret_and_escapes_the_names() {
        let uri = secret().otpauth_uri("Screen Sort", "ann:+films@example.org");
        assert_eq!(
            uri.as_str(),
            "otpauth://totp/Screen%20Sort:ann%3A%2Bfilms%40example.org\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Screen%20Sort&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{:?}", secret()), "TotpSecret(..)");
    }
}
