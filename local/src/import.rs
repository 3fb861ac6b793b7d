//! Films from a file of lines of JSON: the sample catalogue, and what `import` is given.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;
use jiff::civil::Date;
use screensort_jobs::publish_catalog;
use screensort_model::id::FIRST_LOCAL_ID;
use screensort_model::reference::Reference;
use screensort_model::text::tidy;
use screensort_model::{
    Cast, GenreId, Keyword, Kind, Language, Mode, Movie, MovieId, Operator, OperatorId, PersonId, PersonName,
    Region,
};
use screensort_runtime::Stack;
use screensort_store::Why;
use serde::Deserialize;

/// The longest line that is read.
const LONGEST_LINE: usize = 1 << 20;
/// The most films that one file may hold.
const MOST_FILMS: usize = 2_000_000;

/// The sample catalogue: facts only.
const SAMPLE_FILMS: &str = include_str!("../sample/films.ndjson");
/// Four invented operators.
const SAMPLE_OPERATORS: &str = include_str!("../sample/operators.json");

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[source] std::io::Error),
    /// A line is not a film.
    #[error("line {line}: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing in it.
    #[error("the file holds no film")]
    Empty,
    /// More than it may hold.
    #[error("the file holds more than {MOST_FILMS} films")]
    TooMany,
    /// The store failed; what was written stays, and importing again is safe.
    #[error("the store failed; importing again is safe")]
    Store(#[from] screensort_store::Error),
    /// The catalogue cannot be published.
    #[error(transparent)]
    Publish(#[from] screensort_jobs::Error),
    /// The sample is broken: a bug in this release.
    #[error("the sample catalogue's operators cannot be read")]
    Sample(#[source] serde_json::Error),
}

/// A film as files write it. Unknown fields are left alone: exports differ.
#[derive(Debug, Deserialize)]
struct Line {
    id: MovieId,
    title: String,
    original_title: Option<String>,
    original_language: Option<String>,
    release_date: Option<String>,
    #[serde(default)]
    genres: Vec<GenreName>,
    #[serde(default)]
    genre_ids: Vec<u32>,
    runtime: Option<f64>,
    #[serde(default)]
    vote_average: f32,
    #[serde(default)]
    vote_count: f64,
    #[serde(default)]
    popularity: f32,
    #[serde(default)]
    overview: Option<String>,
    #[serde(default)]
    tagline: Option<String>,
    poster_path: Option<String>,
    backdrop_path: Option<String>,
    imdb_id: Option<String>,
    #[serde(default)]
    keywords: Vec<Keyword>,
    #[serde(default)]
    directors: Vec<String>,
    #[serde(default)]
    cast: Vec<String>,
    #[serde(default)]
    certifications: BTreeMap<Region, String>,
    #[serde(default)]
    operators: BTreeMap<Region, BTreeMap<Mode, Vec<String>>>,
}

/// A genre by id or by its English name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum GenreName {
    Id(u32),
    Name(String),
}

/// An operator as the sample writes it.
#[derive(Debug, Deserialize)]
struct OperatorLine {
    source_id: String,
    kind: Kind,
    name: String,
    #[serde(default)]
    description: String,
    homepage: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    default_language: Option<Language>,
    #[serde(default)]
    regions: Vec<Region>,
    #[serde(default)]
    modes: Vec<Mode>,
}

/// Reads films; `packed` bytes may be gzip.
///
/// # Errors
/// Names the first line that is not a film. Of several films with one id the last counts.
pub fn read(input: impl Read, now: Timestamp) -> Result<Vec<Movie>, Error> {
    let mut input = BufReader::new(input);
    let packed = input.fill_buf().map_err(Error::File)?.starts_with(&[0x1f, 0x8b]);
    let lines: Box<dyn BufRead> = if packed {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(input)))
    } else {
        Box::new(input)
    };
    films(lines, now)
}

fn films(mut input: Box<dyn BufRead + '_>, now: Timestamp) -> Result<Vec<Movie>, Error> {
    let mut lines: BTreeMap<MovieId, Line> = BTreeMap::new();
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let read =
            (&mut input).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut text).map_err(Error::File)?;
        let at = |why: String| Error::Line { line: number, why };
        if read == 0 {
            break;
        }
        if read > LONGEST_LINE {
            return Err(at(format!("longer than {LONGEST_LINE} bytes")));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&text).map_err(|e| at(format!("not a film: {e}")))?;
        if !(line.vote_average.is_finite() && line.popularity.is_finite() && line.vote_count.is_finite()) {
            return Err(at("a number is not finite".into()));
        }
        lines.insert(line.id, line);
        if lines.len() > MOST_FILMS {
            return Err(Error::TooMany);
        }
    }
    if lines.is_empty() {
        return Err(Error::Empty);
    }
    let people = people(lines.values());
    let reference = Reference::built_in();
    Ok(lines.into_values().map(|line| movie(line, &people, &reference, now)).collect())
}

/// Ids for people whom the file names without one: derived from the name, so that another import of the same
/// names gives the same ids.
fn people<'l>(lines: impl Iterator<Item = &'l Line>) -> HashMap<String, PersonId> {
    let names: BTreeSet<String> =
        lines.flat_map(|line| line.directors.iter().chain(&line.cast)).map(|name| tidy(name, 100)).collect();
    let mut taken = BTreeSet::new();
    let mut ids = HashMap::new();
    for name in names {
        let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
        let bytes = digest.as_ref();
        let mut id = FIRST_LOCAL_ID + u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) * 8;
        while !taken.insert(id) {
            id += 1;
        }
        if let Some(id) = PersonId::new(id) {
            ids.insert(name, id);
        }
    }
    ids
}

fn movie(line: Line, people: &HashMap<String, PersonId>, reference: &Reference, now: Timestamp) -> Movie {
    let mut genres: Vec<GenreId> = line.genre_ids.iter().filter_map(|id| GenreId::new(*id)).collect();
    for genre in line.genres {
        genres.extend(match genre {
            GenreName::Id(id) => GenreId::new(id),
            GenreName::Name(name) => reference.genres.iter().find(|g| g.name == name).map(|g| g.id),
        });
    }
    let mut seen = BTreeSet::new();
    genres.retain(|genre| seen.insert(*genre));
    let person = |name: &String| {
        let name = tidy(name, 100);
        people.get(&name).map(|id| PersonName { id: *id, name })
    };
    let title = tidy(&line.title, 300);
    let original = line.original_title.map(|t| tidy(&t, 300)).filter(|t| !t.is_empty());
    let image = |path: Option<String>| path.filter(|p| is_image(p));
    let cast = line.cast.iter().filter_map(person).take(15);
    Movie {
        id: line.id,
        original_title: original.unwrap_or_else(|| title.clone()),
        title,
        original_language: line.original_language.and_then(|l| l.parse().ok()).unwrap_or(UNKNOWN_LANGUAGE()),
        release_date: line.release_date.and_then(|d| d.parse::<Date>().ok()),
        genres,
        runtime: line.runtime.filter(|r| (1.0..=1_000.0).contains(r)).map(|r| r as u16),
        vote_average: line.vote_average.clamp(0.0, 10.0),
        vote_count: line.vote_count.clamp(0.0, 1e8) as u32,
        popularity: line.popularity.clamp(0.0, 1e6),
        overview: tidy(&line.overview.unwrap_or_default(), 2_000),
        tagline: tidy(&line.tagline.unwrap_or_default(), 300),
        poster_path: image(line.poster_path),
        backdrop_path: image(line.backdrop_path),
        imdb_id: line.imdb_id.filter(|id| is_imdb(id)),
        keywords: line
            .keywords
            .into_iter()
            .map(|k| Keyword { id: k.id, name: tidy(&k.name, 100) })
            .take(60)
            .collect(),
        cast: cast.map(|p| Cast { id: p.id, name: p.name, character: String::new() }).collect(),
        directors: line.directors.iter().filter_map(person).collect(),
        writers: Vec::new(),
        trailers: Vec::new(),
        certifications: line.certifications.into_iter().map(|(r, c)| (r, tidy(&c, 16))).collect(),
        offers: line.operators.into_iter().map(|(r, modes)| (r, offers(modes))).collect(),
        alternative_titles: Vec::new(),
        synced_at: now,
    }
}

fn offers(modes: BTreeMap<Mode, Vec<String>>) -> BTreeMap<Mode, Vec<OperatorId>> {
    let ids = |names: Vec<String>| names.iter().map(|name| OperatorId::derived("sample", name)).collect();
    modes.into_iter().map(|(mode, names)| (mode, ids(names))).collect()
}

/// TMDb's code for "no language".
#[allow(non_snake_case, reason = "a constant that cannot be one")]
fn UNKNOWN_LANGUAGE() -> Language {
    Language::from_bytes(*b"xx").expect("two lower-case letters")
}

fn is_image(path: &str) -> bool {
    let name = path.strip_prefix('/').unwrap_or_default();
    !name.is_empty()
        && name.len() < 100
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn is_imdb(id: &str) -> bool {
    let digits = id.strip_prefix("tt").unwrap_or_default();
    (7..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The sample's films and operators.
///
/// # Errors
/// Only if this release is broken.
pub fn sample(now: Timestamp) -> Result<(Vec<Movie>, Vec<Operator>), Error> {
    let films = read(SAMPLE_FILMS.as_bytes(), now)?;
    let operators: Vec<OperatorLine> = serde_json::from_str(SAMPLE_OPERATORS).map_err(Error::Sample)?;
    let operators = operators.into_iter().map(|line| Operator {
        id: OperatorId::derived("sample", &line.source_id),
        kind: line.kind,
        name: line.name,
        description: line.description,
        homepage: line.homepage,
        email: line.email,
        phone: line.phone,
        default_language: line.default_language,
        regions: line.regions,
        modes: line.modes,
        logo_path: None,
        updated_at: now,
    });
    Ok((films, operators.collect()))
}

/// Keeps films and operators and publishes a catalogue with them. Returns the number of films published.
///
/// # Errors
/// If the store or the bucket fails; importing again is safe.
pub async fn keep(
    stack: &Stack,
    films: &[Movie],
    operators: &[Operator],
    progress: impl FnMut(usize),
) -> Result<usize, Error> {
    let catalogue = stack.catalogue();
    catalogue.keep_operators(operators).await?;
    catalogue.keep_all(films, Why::Sample, progress).await?;
    let outcome = publish_catalog::run(stack, true).await?;
    Ok(outcome.counts.get("films").map_or(0, |films| usize::try_from(*films).unwrap_or(usize::MAX)))
}
