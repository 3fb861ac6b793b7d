//! An Open Transport operator directory: reading its file, and keeping what stands in it.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;

use jiff::Timestamp;
use screensort_auth::event::Event;
use screensort_http::{Problem, trail_of};
use screensort_model::text::is_deceptive;
use screensort_model::{Kind, Language, Listing, ModeId, OperatorId};
use screensort_runtime::Stack;
use serde::Deserialize;
use serde_json::Value;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// The source, as ids are derived from it.
const SOURCE: &str = "open-transport";
/// Who loads it, in the trail.
const AUTHOR: &str = "import-operators";
/// So many unsound operators are named.
const NAMED: usize = 5;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    /// It is larger than any directory.
    #[error("the file is larger than 16 MiB, which no operator directory is")]
    TooLarge,
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// It is no JSON.
    #[error("the file is not JSON")]
    Json(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("the file is not an Open Transport operator directory: {0}")]
    Other(&'static str),
    /// Operators in it are not sound.
    #[error("{}", lines(.0, *.1))]
    Operators(Vec<Fault>, usize),
}

/// What is wrong with an operator of a file.
#[derive(Debug)]
pub struct Fault {
    /// Its place in the file, from 1.
    pub at: usize,
    why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator {} of the file: {}", self.at, self.why)
    }
}

fn lines(faults: &[Fault], all: usize) -> String {
    let mut text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    if all > faults.len() {
        text.push_str(&format!("\nand {} more", all - faults.len()));
    }
    text
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

/// The operators of a file: a list of them, or an object that has one under `operators`.
///
/// # Errors
/// If it is not an operator directory, or any operator in it is not sound: then nothing of it is taken.
pub fn read(file: impl Read, now: Timestamp) -> Result<Vec<Listing>, Error> {
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(Error::TooLarge);
    }
    // Editors of some systems begin a text with a mark.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
    if text.trim_ascii().is_empty() {
        return Err(Error::Empty);
    }
    let lines = operators(serde_json::from_slice(text)?)?;
    let (mut listings, mut ids) = (Vec::with_capacity(lines.len()), HashSet::new());
    let (mut faults, mut unsound) = (Vec::new(), 0);
    for (at, line) in (1..).zip(lines) {
        let sound = serde_json::from_value::<Line>(line).map_err(|error| error.to_string());
        let sound = sound.and_then(|line| listing(line, now).map_err(str::to_owned));
        match sound {
            Ok(listing) if ids.insert(listing.id) => listings.push(listing),
            other => {
                unsound += 1;
                if faults.len() < NAMED {
                    let why = other.err().unwrap_or_else(|| "its id stands twice".to_owned());
                    faults.push(Fault { at, why });
                }
            }
        }
    }
    if unsound > 0 { Err(Error::Operators(faults, unsound)) } else { Ok(listings) }
}

/// The list of operators in a document.
fn operators(document: Value) -> Result<Vec<Value>, Error> {
    let list = match document {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("operators") {
            Some(Value::Array(list)) => list,
            _ => return Err(Error::Other("it is an object without a list `operators`")),
        },
        _ => return Err(Error::Other("it is neither a list of operators nor an object that has one")),
    };
    // Its neighbours in the same folder are easily taken for it.
    let has = |field: &str| list.first().is_some_and(|first| first.get(field).is_some());
    match list.first() {
        None => Err(Error::Other("its list of operators is empty")),
        Some(_) if has("short-desc") => Err(Error::Other("it is the table of modes, which is built in")),
        Some(_) if has("provider_id") => {
            Err(Error::Other("it is TMDb's list of watch providers, which `sync` reads by itself"))
        }
        Some(_) => Ok(list),
    }
}

/// What became of the operators of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Those that nobody knew.
    pub added: usize,
    /// Those of which something else was said.
    pub changed: usize,
    /// Those that were as the file says already.
    pub same: usize,
    /// Those that people have edited or taken out: they stay as they are.
    pub edited: usize,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, changed, same, edited } = self;
        let all = added + changed + same + edited;
        write!(f, "{all} operators: {added} added, {changed} changed, {same} as they were")?;
        if *edited > 0 { write!(f, ", {edited} edited by hand and left alone.") } else { write!(f, ".") }
    }
}

/// Keeps operators, each with its record in the trail; what is there already is not written again. `kept` hears how
/// many are done.
///
/// # Errors
/// If the store fails: what was kept until then stays, and keeping them again goes on.
pub async fn keep(stack: &Stack, listings: &[Listing], kept: impl Fn(usize)) -> Result<Kept, Problem> {
    let operators = stack.operators();
    let there = operators.load().await?;
    let known: std::collections::HashMap<OperatorId, &Listing> =
        there.listings.iter().map(|listing| (listing.id, listing)).collect();
    let mut done = Kept::default();
    for (at, listing) in (1..).zip(listings) {
        let before = known.get(&listing.id);
        let is_same =
            |before: &&Listing| **before == Listing { updated_at: before.updated_at, ..listing.clone() };
        let event = if before.is_some() { Event::OperatorChanged } else { Event::OperatorAdded };
        if there.removed.contains_key(&listing.id) || before.is_some_and(|before| before.revision > 0) {
            done.edited += 1;
        } else if before.is_some_and(is_same) {
            done.same += 1;
        } else {
            let run = format!("{AUTHOR}#{}", listing.updated_at.as_second());
            let trail = trail_of(event, AUTHOR, &listing.id.to_string(), &run, listing.updated_at)?;
            match (operators.take(listing, &trail).await?, before) {
                (false, _) => done.edited += 1,
                (true, Some(_)) => done.changed += 1,
                (true, None) => done.added += 1,
            }
        }
        kept(at);
    }
    Ok(done)
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
        let many = format!("[{}]", [r#"{"id": "1"}"#; 9].join(","));
        let text = taken(&many).unwrap_err().to_string();
        assert_eq!((text.lines().count(), text.lines().last()), (6, Some("and 4 more")));
    }

    #[test]
    fn what_is_no_directory_is_said_to_be_something_else() {
        for (text, why) in [
            ("", "empty"),
            (" \n", "empty"),
            ("\u{feff}[]", "list of operators is empty"),
            ("{", "not JSON"),
            ("id,name\n1,A", "not JSON"),
            ("{}", "without a list"),
            ("{\"operators\": 5}", "without a list"),
            ("null", "neither a list"),
            ("[1]", "operator 1 of the file: invalid type"),
            ("[{\"id\": 1}]", "expected a string"),
            ("[{\"name\": \"A\"}]", "missing field `id`"),
            (r#"[{"id": "001", "short-desc": "on foot"}]"#, "table of modes"),
            (r#"[{"provider_id": 8, "provider_name": "Netflix"}]"#, "watch providers"),
        ] {
            let told = taken(text).unwrap_err().to_string();
            assert!(told.contains(why), "{text}: {told}");
        }
        let endless = std::io::repeat(b' ');
        assert!(matches!(read(endless, Timestamp::UNIX_EPOCH), Err(Error::TooLarge)));
    }
}
