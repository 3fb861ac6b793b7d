//! The operator directory: who shows films or moves people, and in which modes.
//!
//! The data model is that of the Open Transport operator directory (modes 001 to 016), so that such a directory
//! loads unchanged; the ways of showing films are modes of the same kind, from 101 on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Kind, Language, Mode, Operator, OperatorId, Refused, Region};

/// A mode: its number in the table of modes, three digits as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModeId(u8);

/// What the table says of a mode.
#[derive(Debug, PartialEq, Eq)]
pub struct ModeEntry {
    /// Its number.
    pub id: ModeId,
    /// A word for it, which filters take too.
    pub code: &'static str,
    /// Which kind of operator has it.
    pub kind: Kind,
    /// A few words.
    pub name: &'static str,
    /// A sentence.
    pub description: &'static str,
}

macro_rules! modes {
    ($($id:literal, $kind:ident, $code:literal, $name:literal, $description:literal;)*) => {
        /// Every mode, by number. Those of transport are Open Transport's, word for word.
        pub const MODES: &[ModeEntry] = &[$(ModeEntry {
            id: ModeId($id),
            code: $code,
            kind: Kind::$kind,
            name: $name,
            description: $description,
        }),*];
    };
}

modes! {
    1, Transport, "on_foot", "on foot", "for complete end-to-end journey mapping";
    2, Transport, "cycle", "cycle",
        "includes both human-powered pedal cycle and ebike, typically rented or shared but also possibly privately owned for complete end-to-end journey mapping";
    3, Transport, "moped", "moped & motorbike",
        "shared & privately-owned self-powered vehicles, for complete end-to-end journey mapping";
    4, Transport, "scooter", "scooter",
        "includes human and electric/battery powered where passenger steps in/on";
    5, Transport, "segway", "segway",
        "includes any motorised self-balancing personal platform and also electric unicycles";
    6, Transport, "car", "car",
        "includes any vehicle where the driver is also a passenger, such as: car / van vehicle rental, car pool & car club";
    7, Transport, "bus", "bus", "includes any vehicle typically greater than 8 seats.. such as a mini bus";
    8, Transport, "tram", "tram",
        "includes any guided vehicle such as a streetcar and also trolleybuses that are limited by overhead power lines";
    9, Transport, "metro", "metro & subway",
        "includes any light rail transit and their interconnecting systems";
    10, Transport, "train", "train", "includes intercity, Eurostar / TGV, etc.";
    11, Transport, "water_bus", "water bus",
        "includes river buses, typically just passenger service with multiple stops";
    12, Transport, "ferry", "water ferry", "includes passenger only and also passenger & vehicle";
    13, Transport, "air", "air", "aeroplane, helicopter, etc.";
    14, Transport, "car_parking", "car parking",
        "includes on-street & off-street (e.g. dedicated building or airport short & long stay)";
    15, Transport, "taxi", "taxi", "includes any vehicle where the driver is NOT a passenger";
    16, Transport, "cable_car", "suspended cable car",
        "includes any aerial cable cars, such as London 'Emirates Air Line', Barcelona Montjuic & Port Cable Cars and New York Roosevelt Island Tramway";
    101, Streaming, "stream", "subscription", "films by subscription";
    102, Streaming, "free", "free", "films without payment or advertisements";
    103, Streaming, "ads", "with advertisements", "films without payment, with advertisements";
    104, Streaming, "rent", "rental", "films for a time, against payment";
    105, Streaming, "buy", "purchase", "films for good, against payment";
    106, Streaming, "cinema", "cinema", "films on a big screen";
}

impl ModeId {
    /// What the table says of it.
    pub fn entry(self) -> &'static ModeEntry {
        // The constructors only let in numbers of the table, which has a first row.
        MODES.iter().find(|entry| entry.id == self).unwrap_or(&MODES[0])
    }

    /// From exactly the three digits that are its number.
    fn of_number(text: &str) -> Option<Self> {
        MODES.iter().map(|entry| entry.id).find(|id| id.to_string() == text)
    }
}

impl From<Mode> for ModeId {
    fn from(mode: Mode) -> Self {
        Self(match mode {
            Mode::Stream => 101,
            Mode::Free => 102,
            Mode::Ads => 103,
            Mode::Rent => 104,
            Mode::Buy => 105,
            Mode::Cinema => 106,
        })
    }
}

impl FromStr for ModeId {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let by_code = || MODES.iter().find(|entry| entry.code == text).map(|entry| entry.id);
        Self::of_number(text).or_else(by_code).ok_or(Refused("a mode is an id or a code that /modes lists"))
    }
}

impl TryFrom<String> for ModeId {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        text.parse()
    }
}

impl From<ModeId> for String {
    fn from(id: ModeId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for ModeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl schemars::JsonSchema for ModeId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ModeId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "maxLength": 20})
    }
}

/// An operator as the directory shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Which one.
    pub id: OperatorId,
    /// What it does.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// A sentence about it; empty where nothing is known.
    pub description: String,
    /// Its page, `https` only.
    pub homepage: Option<String>,
    /// A contact address.
    pub email: Option<String>,
    /// A contact number.
    pub phone: Option<String>,
    /// The language it mostly speaks.
    pub default_language: Option<Language>,
    /// Where it works; empty where that is not known.
    pub regions: Vec<Region>,
    /// How it gives access, by number.
    pub modes: Vec<ModeId>,
    /// TMDb's path of its logo.
    pub logo_path: Option<String>,
    /// When the record was last written.
    pub updated_at: jiff::Timestamp,
    /// How often it was edited by hand; 0 for one that is as its source says.
    #[serde(default)]
    pub revision: u64,
}

impl Listing {
    /// What a source says of an operator that shows films.
    pub fn of(operator: Operator) -> Self {
        Self {
            id: operator.id,
            kind: operator.kind,
            name: operator.name,
            description: operator.description,
            homepage: operator.homepage,
            email: operator.email,
            phone: operator.phone,
            default_language: operator.default_language,
            regions: operator.regions,
            modes: operator.modes.into_iter().map(ModeId::from).collect(),
            logo_path: operator.logo_path,
            updated_at: operator.updated_at,
            revision: 0,
        }
    }

    /// Where it stands in the list: by name without regard to capitals, then by id.
    pub fn place(&self) -> (String, String) {
        (self.name.to_lowercase(), self.id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_by_number_and_by_code_and_written_by_number() {
        let train: ModeId = "010".parse().unwrap();
        assert_eq!((train.to_string(), train.entry().name), ("010".to_owned(), "train"));
        assert_eq!("train".parse(), Ok(train));
        assert_eq!("stream".parse::<ModeId>().unwrap(), Mode::Stream.into());
        for bad in ["", "10", "0010", "017", "100", "107", "Train", " 010", "٠١٠"] {
            assert!(bad.parse::<ModeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_and_codes_stand_once() {
        let mut codes: Vec<_> = MODES.iter().map(|entry| entry.code).collect();
        assert!(MODES.windows(2).all(|pair| pair[0].id < pair[1].id));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), MODES.len());
        for mode in Mode::ALL {
            assert_eq!(ModeId::from(mode).entry().code, mode.name());
        }
    }
}
