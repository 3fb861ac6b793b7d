use std::fmt;
use std::sync::OnceLock;

use ring::digest;
use screensort_crypto::sha256;
use xorf::{BinaryFuse16, Descriptor, Filter as _};
use zeroize::Zeroizing;

use super::Password;
use crate::{Error, Result};

const MAGIC: &[u8; 4] = b"SBF1";
/// Magic, number of passwords, then the descriptor: seed (8 bytes), segment length, mask, total length.
const HEADER: usize = 4 + 4 + 8 + 4 + 4 + 4;

/// The most common passwords of known breaches, in a binary fuse filter (Graf and Lemire 2022) of 16-bit
/// fingerprints: about 19 bits a password, no list in clear, no false "not common".
///
/// A password is on it in any case of letters. The built-in one holds the 80,000 most common passwords of at
/// least eight characters, which covers what an online guesser gets to try (ASVS 5.0, V6.2.4 asks for 3,000).
/// False alarms: one in 65,536. `data/README.md` says where the list comes from; `examples/breached_filter.rs`
/// makes the file, and a test compares the two. The format holds lists up to some hundred million; at 200 KB
/// it is about 83,000.
///
/// For a check against all known breaches, [`RangeQuery`] has the pure half of a k-anonymous look-up.
pub struct BreachedFilter {
    filter: BinaryFuse16,
    passwords: u32,
}

impl BreachedFilter {
    /// The filter that is compiled in, unpacked once a process.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<BreachedFilter> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            Self::from_bytes(include_bytes!("../../data/breached.bin"))
                .expect("a test reads the file that is compiled in")
        })
    }

    /// Whether `text` is on the list, or is one of the rare false alarms.
    pub fn contains(&self, text: &str) -> bool {
        self.filter.contains(&key(text))
    }

    /// How many passwords the filter holds.
    pub fn passwords(&self) -> u32 {
        self.passwords
    }

    /// Builds the file for a list of passwords; the same list gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an empty list.
    pub fn build<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>> {
        const WHAT: Error = Error::Malformed("list of passwords");
        let mut keys: Vec<u64> = list.into_iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Err(WHAT);
        }
        let filter = BinaryFuse16::try_from(&keys).map_err(|_| WHAT)?;
        let mut out = Vec::with_capacity(HEADER + 2 * filter.fingerprints.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&u32::try_from(keys.len()).map_err(|_| WHAT)?.to_le_bytes());
        out.extend_from_slice(&filter.descriptor.seed.to_le_bytes());
        out.extend_from_slice(&filter.descriptor.segment_length.to_le_bytes());
        out.extend_from_slice(&filter.descriptor.segment_length_mask.to_le_bytes());
        out.extend_from_slice(&filter.descriptor.segment_count_length.to_le_bytes());
        out.extend(filter.fingerprints.iter().flat_map(|print| print.to_le_bytes()));
        Ok(out)
    }

    /// Reads the file that [`build`](Self::build) made.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when the header and the length don't fit each other.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        const WHAT: Error = Error::Malformed("breached-password filter");
        let (header, prints) = bytes.split_at_checked(HEADER).ok_or(WHAT)?;
        let word = |at: usize| header[at..at + 4].try_into().map(u32::from_le_bytes).map_err(|_| WHAT);
        let descriptor = Descriptor {
            seed: header[8..16].try_into().map(u64::from_le_bytes).map_err(|_| WHAT)?,
            segment_length: word(16)?,
            segment_length_mask: word(20)?,
            segment_count_length: word(24)?,
        };
        // A look-up touches three neighbouring segments: the array is two segments longer than the count.
        let needed = u64::from(descriptor.segment_count_length) + 2 * u64::from(descriptor.segment_length);
        let fits = &header[..4] == MAGIC
            && descriptor.segment_length.is_power_of_two()
            && descriptor.segment_length_mask == descriptor.segment_length - 1
            && prints.len() as u64 == 2 * needed;
        if !fits {
            return Err(WHAT);
        }
        let fingerprints =
            prints.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        Ok(Self { filter: BinaryFuse16 { descriptor, fingerprints }, passwords: word(4)? })
    }
}

impl fmt::Debug for BreachedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedFilter").field("passwords", &self.passwords).finish_non_exhaustive()
    }
}

/// The 64-bit key of a password: the first bytes of SHA-256 over its lower-case form.
fn key(text: &str) -> u64 {
    let folded = Zeroizing::new(text.to_lowercase());
    let digest = sha256(folded.as_bytes());
    u64::from_le_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

/// The pure half of a k-anonymous look-up in a breach corpus (the "range" protocol of Pwned Passwords): the
/// service gets five hexadecimal digits of the password's SHA-1 and answers with every suffix that it knows.
///
/// SHA-1 is the protocol's choice; nothing here depends on its strength.
pub struct RangeQuery {
    prefix: String,
    suffix: Zeroizing<String>,
}

impl RangeQuery {
    /// The query for `password`.
    pub fn new(password: &Password) -> Self {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
        let hex =
            Zeroizing::new(digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<String>());
        Self { prefix: hex[..5].to_owned(), suffix: Zeroizing::new(hex[5..].to_owned()) }
    }

    /// The five digits to send.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How often the password occurs, according to the service's answer (`SUFFIX:COUNT` lines); 0 when it
    /// isn't there, or is a padding line.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when a line isn't of that form: an error page must not read as "not found".
    pub fn occurrences(&self, answer: &str) -> Result<u64> {
        const WHAT: Error = Error::Malformed("answer to a range query");
        let mut found = 0;
        for line in answer.lines().filter(|line| !line.is_empty()) {
            let (suffix, count) = line.split_once(':').ok_or(WHAT)?;
            let count: u64 = count.trim().parse().map_err(|_| WHAT)?;
            if suffix.len() != 35 || !suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(WHAT);
            }
            if suffix.eq_ignore_ascii_case(&self.suffix) {
                found = count;
            }
        }
        Ok(found)
    }
}

impl fmt::Debug for RangeQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RangeQuery(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_alarms_are_rare() {
        let filter = BreachedFilter::built_in();
        let alarms =
            (0..200_000).filter(|number| filter.contains(&format!("not-on-a-list-{number}"))).count();
        // About 3 are expected; 20 would be a broken filter.
        assert!(alarms < 20, "{alarms}");
    }

    #[test]
    fn a_filter_comes_back_from_its_bytes_and_damage_is_seen() {
        let list = ["password", "letmein1", "qwertyuiop"];
        let bytes = BreachedFilter::build(list).unwrap();
        assert_eq!(bytes, BreachedFilter::build(["LETMEIN1", "qwertyuiop", "password", "password"]).unwrap());
        let filter = BreachedFilter::from_bytes(&bytes).unwrap();
        assert!(list.iter().all(|word| filter.contains(word)));
        assert_eq!(filter.passwords(), 3);
        assert!(BreachedFilter::from_bytes(&bytes[..bytes.len() - 2]).is_err());
        assert!(BreachedFilter::from_bytes(&bytes[1..]).is_err());
        assert!(BreachedFilter::from_bytes(b"").is_err());
        let mut shifted = bytes.clone();
        shifted[24] ^= 1;
        assert!(BreachedFilter::from_bytes(&shifted).is_err());
        assert!(BreachedFilter::build([]).is_err());
    }

    #[test]
    fn a_range_query_sends_five_digits_and_finds_its_suffix() {
        // SHA-1 of "password" is 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
        let query = RangeQuery::new(&Password::parse("password").unwrap());
        assert_eq!(query.prefix(), "5BAA6");
        let answer =
            "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\n";
        assert_eq!(query.occurrences(answer).unwrap(), 9_545_824);
        assert_eq!(query.occurrences("0018A45C4D1DEF81644B54AB7F969B88D65:1").unwrap(), 0);
        assert_eq!(query.occurrences("1e4c9b93f3f0682250b6cf8331b7ee68fd8:0").unwrap(), 0, "padding");
        for page in ["<html>busy</html>", "0018A45C:1", "1E4C9B93F3F0682250B6CF8331B7EE68FD8:many"] {
            assert!(query.occurrences(page).is_err(), "{page}");
        }
    }
}
