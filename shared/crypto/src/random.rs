use ring::rand::{SecureRandom, SystemRandom};

use crate::{Error, Result};

/// `N` bytes from the operating system's generator.
///
/// # Errors
///
/// [`Error::RandomUnavailable`].
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::RandomUnavailable)?;
    Ok(bytes)
}

/// A number from 0 up to but not including `bound`, every one as likely; 0 when `bound` is 0.
///
/// Takes a fresh 64-bit number until one lies under the largest multiple of `bound`, so there is no modulo
/// bias.
///
/// # Errors
///
/// [`Error::RandomUnavailable`].
pub fn random_below(bound: u64) -> Result<u64> {
    if bound < 2 {
        return Ok(0);
    }
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let number = u64::from_le_bytes(random_bytes()?);
        if number < limit {
            return Ok(number % bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_stays_under_its_bound_and_reaches_every_value() {
        let mut seen = [false; 7];
        for _ in 0..2_000 {
            seen[usize::try_from(random_below(7).unwrap()).unwrap()] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(random_below(0).unwrap(), 0);
        assert_eq!(random_below(1).unwrap(), 0);
    }
}
