//! What a browser carries besides its session: the CSRF token and the device cookie.

use jiff::{SignedDuration, Timestamp};
use screensort_crypto::{KeyRing, MacKey, encode_base64url, random_bytes, signed};

use crate::{Error, Result};

/// How long a CSRF token is good; the page fetches a new one after that.
pub const CSRF_LIFETIME: SignedDuration = SignedDuration::from_hours(2);
/// How long a device is remembered after its last login: 180 days.
pub const DEVICE_LIFETIME: SignedDuration = SignedDuration::from_hours(180 * 24);

const CSRF: &str = "csrf";
const DEVICE: &str = "device";

/// A CSRF token for the session `binding` (for a login form, the pre-session cookie's value).
///
/// A signed double-submit token: it is worthless in another session and after two hours. A fresh nonce makes
/// every one different, so that compression of the answer tells nothing about it.
///
/// # Errors
///
/// [`screensort_crypto::Error::RandomUnavailable`].
pub fn csrf_token(ring: &KeyRing<MacKey>, binding: &str, now: Timestamp) -> Result<String> {
    let nonce: [u8; 16] = random_bytes()?;
    Ok(signed::seal(ring, CSRF, &[binding.as_bytes()], &nonce, Some(now + CSRF_LIFETIME)))
}

/// Checks the token that a request of the session `binding` brings.
///
/// # Errors
///
/// [`Error::Crypto`]: missing, foreign, edited, of another session or too old. All are answered 403 `csrf`.
pub fn check_csrf(ring: &KeyRing<MacKey>, binding: &str, token: &str, now: Timestamp) -> Result<()> {
    signed::open(ring, CSRF, &[binding.as_bytes()], token, now)?;
    Ok(())
}

/// A device on which somebody has logged in before.
///
/// Its attempts are counted apart from strangers', so that a stranger who guesses wrong can't lock the owner
/// out. It proves nothing else: the password is still asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// Draws one for a device that logged in for the first time.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn generate() -> Result<Self> {
        Ok(Self(encode_base64url(random_bytes::<16>()?)))
    }

    /// The text, for the name of the attempt counter.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The cookie that says so, for one account.
    pub fn cookie(&self, ring: &KeyRing<MacKey>, account: &str, now: Timestamp) -> String {
        signed::seal(ring, DEVICE, &[account.as_bytes()], self.0.as_bytes(), Some(now + DEVICE_LIFETIME))
    }

    /// Reads the cookie of a request for `account`. Another account's is as good as none.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] or [`Error::Malformed`]; the device then counts as unknown.
    pub fn from_cookie(ring: &KeyRing<MacKey>, account: &str, cookie: &str, now: Timestamp) -> Result<Self> {
        let payload = signed::open(ring, DEVICE, &[account.as_bytes()], cookie, now)?;
        let text = String::from_utf8(payload).map_err(|_| Error::Malformed("device cookie"))?;
        if text.len() == 22 { Ok(Self(text)) } else { Err(Error::Malformed("device cookie")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::{after, mac_ring, now};

    #[test]
    fn a_csrf_token_is_good_for_its_own_session_for_two_hours() {
        let ring = mac_ring();
        let token = csrf_token(&ring, "session-a", now()).unwrap();
        assert!(check_csrf(&ring, "session-a", &token, after(7_199)).is_ok());
        assert!(check_csrf(&ring, "session-a", &token, after(7_200)).is_err());
        assert!(check_csrf(&ring, "session-b", &token, now()).is_err());
        assert!(check_csrf(&ring, "session-a", "", now()).is_err());
        assert!(check_csrf(&ring, "session-a", &token.replace('m', "n"), now()).is_err());
        assert_ne!(token, csrf_token(&ring, "session-a", now()).unwrap());
    }

    #[test]
    fn a_device_is_known_to_one_account_only() {
        let ring = mac_ring();
        let device = DeviceId::generate().unwrap();
        let cookie = device.cookie(&ring, "01ANN", now());
        assert_eq!(DeviceId::from_cookie(&ring, "01ANN", &cookie, after(1)).unwrap(), device);
        assert!(DeviceId::from_cookie(&ring, "01BOB", &cookie, after(1)).is_err());
        assert!(DeviceId::from_cookie(&ring, "01ANN", &cookie, after(180 * 86_400)).is_err());
    }

    #[test]
    fn a_csrf_token_is_no_device_cookie() {
        let ring = mac_ring();
        let token = csrf_token(&ring, "01ANN", now()).unwrap();
        assert!(DeviceId::from_cookie(&ring, "01ANN", &token, now()).is_err());
    }
}
