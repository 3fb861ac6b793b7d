//! What a person thinks of a film.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Refused;

/// A thumb, up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Thumb {
    /// More like this.
    Up,
    /// Never show me this again.
    Down,
}

impl Thumb {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    /// The word used in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl FromStr for Thumb {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or(Refused("a thumb is one of up, down"))
    }
}

/// A rating from 0.5 to 10 in steps of a half, kept as half steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rating(u8);

impl Rating {
    /// Of so many half steps, 1 to 20.
    pub const fn from_halves(halves: u8) -> Option<Self> {
        if halves >= 1 && halves <= 20 { Some(Self(halves)) } else { None }
    }

    /// Half steps, 1 to 20.
    pub const fn halves(self) -> u8 {
        self.0
    }

    /// The rating itself, 0.5 to 10.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 2.0
    }
}

impl TryFrom<f64> for Rating {
    type Error = Refused;

    fn try_from(value: f64) -> Result<Self, Refused> {
        let halves = value * 2.0;
        // NaN is equal to nothing, so it is refused too.
        (1..=20_u8)
            .find(|whole| f64::from(*whole) == halves)
            .map(Self)
            .ok_or(Refused("a rating is 0.5 to 10 in steps of 0.5"))
    }
}

impl From<Rating> for f64 {
    fn from(rating: Rating) -> f64 {
        rating.value()
    }
}

impl schemars::JsonSchema for Rating {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rating".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "number", "minimum": 0.5, "maximum": 10, "multipleOf": 0.5})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_halves_from_one_half_to_ten() {
        assert_eq!(Rating::try_from(7.5).map(Rating::halves), Ok(15));
        assert_eq!(Rating::try_from(10.0).map(Rating::value), Ok(10.0));
        for bad in [0.0, 0.4, 7.25, 10.5, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Rating::try_from(bad).is_err(), "{bad}");
        }
        assert!(Rating::from_halves(0).is_none() && Rating::from_halves(21).is_none());
    }
}
