//! Proof-of-work challenges: a guess costs its maker processor time, a person one second once.
//!
//! The wire format is that of the ALTCHA widget, version 1 (<https://altcha.org/docs/>): the client looks for
//! the number from 0 to `maxnumber` for which `SHA-256(salt + number)` is `challenge`, and sends everything
//! back as base64 of JSON. The server stores nothing when it asks; when it accepts, it burns
//! [`Solved::id`] until [`Solved::expires_at`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use screensort_crypto::{KeyRing, MacKey, constant_time_eq, random_below, random_bytes, sha256};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

const ALGORITHM: &str = "SHA-256";
const PURPOSE: &str = "proof-of-work";
/// Longest answer that is looked at, in bytes of base64.
const MAX_ANSWER: usize = 2048;

/// How hard a challenge is and how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difficulty {
    /// The largest number that may be the solution: half as many hashes are expected, all of them at worst. A
    /// browser makes about 200,000 hashes a second on one thread.
    pub max_number: u64,
    /// How long the challenge may be answered.
    pub lifetime: SignedDuration,
}

impl Default for Difficulty {
    /// 100,000 hashes at most, ten minutes.
    fn default() -> Self {
        Self { max_number: 100_000, lifetime: SignedDuration::from_mins(10) }
    }
}

/// What the client gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Always `SHA-256`.
    pub algorithm: String,
    /// The hash to hit, in hexadecimal.
    pub challenge: String,
    /// The largest number that may be the solution.
    pub maxnumber: u64,
    /// Goes in front of the number; carries expiry and action in clear, and ends in `&`.
    pub salt: String,
    /// Our tag, in hexadecimal, opaque to the client.
    pub signature: String,
}

/// What the client sends back, inside base64.
#[derive(Debug, Deserialize)]
struct Answer {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

/// A challenge that was solved in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// What to burn: a second answer with this id is a replay. Derived from the challenge.
    pub id: String,
    /// When the challenge ends, and the burnt id may be forgotten.
    pub expires_at: Timestamp,
}

/// Why an answer was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeFault {
    /// Not base64 of the JSON that the widget sends.
    #[error("malformed challenge answer")]
    Malformed,
    /// A challenge that we didn't make, or for another action.
    #[error("the challenge isn't ours")]
    Foreign,
    /// Too late.
    #[error("the challenge has expired")]
    Expired,
    /// The number doesn't hit the hash.
    #[error("the challenge isn't solved")]
    Unsolved,
}

/// Makes a challenge for `action` (such as `login`; letters, digits and `_`).
///
/// # Errors
///
/// [`screensort_crypto::Error::RandomUnavailable`].
pub fn issue(
    ring: &KeyRing<MacKey>,
    action: &str,
    difficulty: Difficulty,
    now: Timestamp,
) -> Result<Challenge> {
    let nonce: [u8; 16] = random_bytes()?;
    let expires = (now + difficulty.lifetime).as_second();
    // The salt ends in `&`. Without an end mark, `?expires=17` + `05` could be read as `?expires=170` + `5`:
    // one solution, two challenges, the second one alive for longer.
    let salt = format!("{}?expires={expires}&action={action}&", hex(&nonce));
    let number = random_below(difficulty.max_number.saturating_add(1))?;
    let challenge = hash(&salt, number);
    let signature = hex(ring.current().key.tag(PURPOSE, &[challenge.as_bytes(), salt.as_bytes()]).as_bytes());
    Ok(Challenge {
        algorithm: ALGORITHM.to_owned(),
        challenge,
        maxnumber: difficulty.max_number,
        salt,
        signature,
    })
}

/// Checks the base64 text that the client sends back for `action`.
///
/// One hash and one tag, whatever the difficulty.
///
/// # Errors
///
/// [`ChallengeFault`].
pub fn verify(ring: &KeyRing<MacKey>, action: &str, answer: &str, now: Timestamp) -> Result<Solved> {
    let answer = parse(answer)?;
    let tag = unhex(&answer.signature).ok_or(ChallengeFault::Malformed)?;
    let parts: [&[u8]; 2] = [answer.challenge.as_bytes(), answer.salt.as_bytes()];
    ring.verify_any(PURPOSE, &parts, &tag).map_err(|_| ChallengeFault::Foreign)?;
    // From here on salt and challenge are ours, character by character.
    let fields = answer.salt.split_once('?').map_or("", |(_, fields)| fields);
    let field = |name: &str| {
        fields
            .split('&')
            .filter_map(|field| field.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, v)| v)
    };
    if field("action") != Some(action) {
        return Err(ChallengeFault::Foreign.into());
    }
    let expires_at = field("expires")
        .and_then(|text| text.parse().ok())
        .and_then(|second| Timestamp::from_second(second).ok())
        .ok_or(ChallengeFault::Malformed)?;
    if now >= expires_at {
        return Err(ChallengeFault::Expired.into());
    }
    if !constant_time_eq(hash(&answer.salt, answer.number).as_bytes(), answer.challenge.as_bytes()) {
        return Err(ChallengeFault::Unsolved.into());
    }
    Ok(Solved { id: answer.challenge, expires_at })
}

fn parse(text: &str) -> Result<Answer, ChallengeFault> {
    const BAD: ChallengeFault = ChallengeFault::Malformed;
    if text.len() > MAX_ANSWER {
        return Err(BAD);
    }
    let json = STANDARD.decode(text).map_err(|_| BAD)?;
    let answer: Answer = serde_json::from_slice(&json).map_err(|_| BAD)?;
    if answer.algorithm == ALGORITHM { Ok(answer) } else { Err(BAD) }
}

/// The number that solves `challenge`: what a client does. For command-line clients and tests; it takes up to
/// [`Challenge::maxnumber`] hashes.
pub fn solve(challenge: &Challenge) -> Option<u64> {
    (0..=challenge.maxnumber).find(|number| hash(&challenge.salt, *number) == challenge.challenge)
}

/// The text that a client sends back for a solution.
///
/// # Errors
///
/// [`Error::Malformed`], which no challenge causes.
pub fn answer(challenge: &Challenge, number: u64) -> Result<String> {
    let json = serde_json::json!({
        "algorithm": challenge.algorithm,
        "challenge": challenge.challenge,
        "number": number,
        "salt": challenge.salt,
        "signature": challenge.signature,
    });
    serde_json::to_vec(&json).map(|json| STANDARD.encode(json)).map_err(|_| Error::Malformed("challenge"))
}

fn hash(salt: &str, number: u64) -> String {
    hex(&sha256(format!("{salt}{number}").as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixed::{after, mac_ring, now};

    fn easy() -> Difficulty {
        Difficulty { max_number: 300, lifetime: SignedDuration::from_mins(10) }
    }

    fn fault(result: Result<Solved>) -> ChallengeFault {
        match result {
            Err(Error::Challenge(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    fn solved() -> (Challenge, String) {
        let challenge = issue(&mac_ring(), "login", easy(), now()).unwrap();
        let number = solve(&challenge).unwrap();
        let text = answer(&challenge, number).unwrap();
        (challenge, text)
    }

    #[test]
    fn a_solved_challenge_is_accepted_and_names_what_to_burn() {
        let (challenge, text) = solved();
        let first = verify(&mac_ring(), "login", &text, now()).unwrap();
        assert_eq!(first.expires_at, after(600));
        assert_eq!(first.id, challenge.challenge);
        assert_eq!(verify(&mac_ring(), "login", &text, after(5)).unwrap(), first, "a replay has the same id");
    }

    #[test]
    fn the_wire_format_is_the_widgets() {
        // printf '46d5b1c8871e5152d902ee3f?expires=1761048664&62461' | sha256sum
        assert_eq!(
            hash("46d5b1c8871e5152d902ee3f?expires=1761048664&", 62_461),
            "beeca6c07875d77e6479eacbd13da00ac16541f6a513a642de88d24d9f650a9a"
        );
        let (challenge, _) = solved();
        let json = serde_json::to_value(&challenge).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["algorithm", "challenge", "maxnumber", "salt", "signature"]);
    }

    #[test]
    fn a_late_answer_and_another_action_are_refused() {
        let (_, text) = solved();
        assert_eq!(fault(verify(&mac_ring(), "login", &text, after(600))), ChallengeFault::Expired);
        assert_eq!(fault(verify(&mac_ring(), "register", &text, now())), ChallengeFault::Foreign);
    }

    #[test]
    fn a_wrong_number_is_not_a_solution() {
        let (challenge, _) = solved();
        let wrong = solve(&challenge).unwrap() + 1;
        let text = answer(&challenge, wrong).unwrap();
        assert_eq!(fault(verify(&mac_ring(), "login", &text, now())), ChallengeFault::Unsolved);
    }

    #[test]
    fn digits_can_not_move_from_the_number_into_the_salt() {
        let (challenge, _) = solved();
        let number = solve(&challenge).unwrap().to_string();
        for split in 1..number.len() {
            let (head, tail) = number.split_at(split);
            let spliced = Challenge { salt: format!("{}{head}", challenge.salt), ..challenge.clone() };
            let text = answer(&spliced, tail.parse().unwrap()).unwrap();
            assert_eq!(fault(verify(&mac_ring(), "login", &text, now())), ChallengeFault::Foreign);
        }
    }

    #[test]
    fn a_home_made_or_edited_challenge_is_foreign() {
        let (challenge, _) = solved();
        let number = solve(&challenge).unwrap();
        let later = challenge.salt.replace("expires=1", "expires=2");
        for edited in [
            Challenge { challenge: hash(&later, number), salt: later, ..challenge.clone() },
            Challenge { signature: "00".repeat(32), ..challenge.clone() },
            Challenge { signature: String::new(), ..challenge.clone() },
        ] {
            let text = answer(&edited, number).unwrap();
            assert_eq!(fault(verify(&mac_ring(), "login", &text, now())), ChallengeFault::Foreign);
        }
        let weaker = Challenge { algorithm: "SHA-1".to_owned(), ..challenge };
        let text = answer(&weaker, number).unwrap();
        assert_eq!(fault(verify(&mac_ring(), "login", &text, now())), ChallengeFault::Malformed);
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_panic(text in any::<String>()) {
            prop_assert!(verify(&mac_ring(), "login", &text, now()).is_err());
            prop_assert!(verify(&mac_ring(), "login", &STANDARD.encode(text), now()).is_err());
        }
    }
}
