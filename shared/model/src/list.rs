//! Lists of films that TMDb keeps.

use serde::{Deserialize, Serialize};

/// The time over which a film trends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// Today.
    Day,
    /// The last seven days.
    Week,
}

impl Window {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Day, Self::Week];

    /// The word used in queries and keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// The order of a list of films.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Most popular first.
    Popularity,
    /// Best rated first: a Bayesian mean of TMDb's votes, so that few votes count for little.
    Rating,
    /// Last released first.
    Newest,
    /// By title, as a dictionary would.
    Title,
    /// This week's trending films first, then by popularity.
    Trending,
}

impl Sort {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Popularity, Self::Rating, Self::Newest, Self::Title, Self::Trending];

    /// The word used in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::Rating => "rating",
            Self::Newest => "newest",
            Self::Title => "title",
            Self::Trending => "trending",
        }
    }
}

/// What a search can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Found {
    /// A film.
    Movie,
    /// A person.
    Person,
    /// An operator.
    Operator,
}

impl Found {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Movie, Self::Person, Self::Operator];

    /// The word used in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Person => "person",
            Self::Operator => "operator",
        }
    }
}
