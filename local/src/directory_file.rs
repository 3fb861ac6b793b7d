//! Reading an Open Transport operator directory from its file.

use std::io::Read;

use jiff::Timestamp;
use screensort_model::text::is_deceptive;
use screensort_model::{Kind, Language, Listing, ModeId, OperatorId};
use serde::Deserialize;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// The source, as ids are derived from it.
const SOURCE: &str = "open-transport";

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    /// It is larger than any directory.
    #[error("the file is larger than 16 MiB")]
    TooLarge,
    /// It is none.
    #[error("the file is not an Open Transport operator directory")]
    Json(#[from] serde_json::Error),
    /// An operator in it is not sound.
    #[error("operator {0} of the file: {1}")]
    Operator(usize, &'static str),
}

/// A file is a list of operators, or an object that has one.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    List(Vec<Line>),
    Object { operators: Vec<Line> },
}

#[derive(Deserialize)]
struct Line {
    id: String,
    name: Option<String>,
    /// In the published directories this is the name.
    description: Option<String>,
    homepage: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    default_language: Option<String>,
    #[serde(default)]
    modes: Vec<String>,
}

/// The operators of a file.
///
/// # Errors
/// If it is not an operator directory, or any operator in it is not sound: then nothing of it is taken.
pub fn read(file: impl Read, now: Timestamp) -> Result<Vec<Listing>, Error> {
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(Error::TooLarge);
    }
    let lines = match serde_json::from_slice(&text)? {
        File::List(lines) | File::Object { operators: lines } => lines,
    };
    let mut listings: Vec<Listing> = Vec::with_capacity(lines.len());
    for (at, line) in (1..).zip(lines) {
        let listing = listing(line, now).map_err(|why| Error::Operator(at, why))?;
        if listings.iter().any(|other| other.id == listing.id) {
            return Err(Error::Operator(at, "its id stands twice"));
        }
        listings.push(listing);
    }
    Ok(listings)
}

fn listing(line: Line, now: Timestamp) -> Result<Listing, &'static str> {
    let given =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let id = line.id.trim();
    if id.is_empty() || id.len() > 40 {
        return Err("its id is missing or too long");
    }
    let (name, description) = match (given(line.name), given(line.description)) {
        (Some(name), description) => (name, description.unwrap_or_default()),
        (None, Some(description)) => (description, String::new()),
        (None, None) => return Err("it has neither name nor description"),
    };
    let texts = [&name, &description];
    if name.chars().count() > 120 || description.chars().count() > 1_000 {
        return Err("its name or description is too long");
    }
    if texts.into_iter().any(|text| text.chars().any(is_deceptive)) {
        return Err("its name or description holds control characters");
    }
    let mut modes = Vec::new();
    for mode in &line.modes {
        let known = mode.parse::<ModeId>().ok().filter(|mode| mode.entry().kind == Kind::Transport);
        let mode = known.ok_or("it has a mode that is not 001 to 016")?;
        if !modes.contains(&mode) {
            modes.push(mode);
        }
    }
    let language = given(line.default_language).map(|text| text.parse::<Language>());
    Ok(Listing {
        id: OperatorId::derived(SOURCE, id),
        kind: Kind::Transport,
        name,
        description,
        homepage: given(line.homepage).map(|page| page_of(&page)).transpose()?,
        email: given(line.email).filter(|text| screensort_auth::Email::parse(text).is_ok()),
        phone: given(line.phone).filter(|text| text.len() <= 30 && !text.chars().any(is_deceptive)),
        default_language: language.transpose().map_err(|_| "its language is no ISO 639-1 code")?,
        regions: Vec::new(),
        modes,
        logo_path: None,
        updated_at: now,
        revision: 0,
    })
}

/// A page's address. The published directories leave the scheme out, or still say `http`.
fn page_of(text: &str) -> Result<String, &'static str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"'`\\{}|^@".contains(&b);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if is_host && rest.len() <= 490 && rest.bytes().all(plain) {
        Ok(format!("https://{rest}"))
    } else {
        Err("its homepage is no address")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<Vec<Listing>, Error> {
        read(text.as_bytes(), "2026-11-22T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_published_directory_loads_as_it_is() {
        let line = r#"{"id": "001", "description": "Avanti West Coast", "homepage": "www.avantiwestcoast.co.uk",
            "phone": null, "email": null, "default_language": "en", "modes": ["010", "008", "010"]}"#;
        let list = taken(&format!("[{line}]")).unwrap();
        assert_eq!(list, taken(&format!("{{\"modes\": [], \"operators\": [{line}]}}")).unwrap());
        assert_eq!((list[0].name.as_str(), list[0].kind), ("Avanti West Coast", Kind::Transport));
        assert_eq!(list[0].homepage.as_deref(), Some("https://www.avantiwestcoast.co.uk"));
        let modes: Vec<&str> = list[0].modes.iter().map(|mode| mode.entry().code).collect();
        assert_eq!(modes, ["train", "tram"]);
    }

    #[test]
    fn a_file_with_one_unsound_operator_is_not_taken() {
        for (line, why) in [
            (r#"{"id": "", "description": "A"}"#, "its id is missing"),
            (r#"{"id": "1"}"#, "neither name"),
            (r#"{"id": "1", "description": "A", "modes": ["099"]}"#, "a mode that is not"),
            (r#"{"id": "1", "description": "A", "modes": ["101"]}"#, "a mode that is not"),
            (r#"{"id": "1", "description": "A", "homepage": "javascript:alert(1)"}"#, "no address"),
            (r#"{"id": "1", "description": "A", "homepage": "https://a@b.example"}"#, "no address"),
            (r#"{"id": "1", "description": "A", "default_language": "english"}"#, "no ISO 639-1"),
            ("{\"id\": \"1\", \"description\": \"A\\u202e\"}", "control characters"),
        ] {
            let error = taken(&format!(r#"[{{"id": "0", "description": "Sound"}}, {line}]"#)).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("operator 2") && text.contains(why), "{line}: {text}");
        }
        let twice = r#"[{"id": "1", "description": "A"}, {"id": "1", "description": "B"}]"#;
        assert!(taken(twice).unwrap_err().to_string().contains("twice"));
        for text in ["", "{}", "[1]", "null", "{\"operators\": 5}"] {
            assert!(matches!(taken(text), Err(Error::Json(_))), "{text}");
        }
    }
}
