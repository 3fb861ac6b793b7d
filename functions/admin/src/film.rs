//! A film as administrators see and change it.

use jiff::civil::Date;
use schemars::JsonSchema;
use screensort_http::{Code, FieldError, Problem};
use screensort_model::reference::Reference;
use screensort_model::text::is_deceptive;
use screensort_model::{GenreId, Language, MovieId};
use screensort_store::{Edit, Film, Why};
use serde::{Deserialize, Deserializer, Serialize};

/// The longest title, and the longest text, in characters.
const TITLE: usize = 300;
const TEXT: usize = 4_000;
/// The most genres of a film.
const GENRES: usize = 10;
/// The longest film, in minutes.
const RUNTIME: u16 = 1_500;

/// A film, and what of it is an administrator's word.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdminMovie")]
pub(crate) struct AdminMovie {
    id: MovieId,
    title: String,
    original_title: String,
    original_language: Language,
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    release_date: Option<Date>,
    genres: Vec<GenreId>,
    /// Minutes.
    runtime: Option<u16>,
    overview: String,
    tagline: String,
    /// `tmdb`, `hand`, or `sample` for a film out of a file.
    source: &'static str,
    /// The fields that are not the source's; the sync leaves them alone.
    overridden: Vec<&'static str>,
    /// Whether it is taken out of the catalogue.
    deleted: bool,
}

impl AdminMovie {
    /// Of `film` as its source has it, with `edit` over it; `None` if there is no film.
    pub(crate) fn of(film: Film, edit: &Edit) -> Option<Self> {
        let mut movie = film.movie?;
        edit.apply(&mut movie);
        Some(Self {
            id: movie.id,
            title: movie.title,
            original_title: movie.original_title,
            original_language: movie.original_language,
            release_date: movie.release_date,
            genres: movie.genres,
            runtime: movie.runtime,
            overview: movie.overview,
            tagline: movie.tagline,
            source: match film.source {
                Some(Why::Hand) => "hand",
                Some(Why::Sample) => "sample",
                Some(Why::Tmdb) | None => "tmdb",
            },
            overridden: overridden(edit),
            deleted: edit.removed,
        })
    }
}

fn overridden(edit: &Edit) -> Vec<&'static str> {
    let fields = [
        ("title", edit.title.is_some()),
        ("original_title", edit.original_title.is_some()),
        ("original_language", edit.original_language.is_some()),
        ("release_date", edit.release_date.is_some()),
        ("genres", edit.genres.is_some()),
        ("runtime", edit.runtime.is_some()),
        ("overview", edit.overview.is_some()),
        ("tagline", edit.tagline.is_some()),
    ];
    fields.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// A field that may be left out, set, or given back to the source with `null`.
pub(crate) type Change<T> = Option<Option<T>>;

/// Reads a field that is there, be it `null`.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Change<T>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// Collects what is wrong with fields, so that one answer names all of it.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    pub(crate) fn add(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.to_owned(), code, detail: detail.into() });
    }

    /// Goes on if nothing was wrong.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::new(Code::InvalidBody).with_errors(self.0)) }
    }

    /// Says what is wrong with what `edit` sets.
    pub(crate) fn of(&mut self, edit: &Edit) {
        for (pointer, title) in [("/title", &edit.title), ("/original_title", &edit.original_title)] {
            if title.as_ref().is_some_and(|title| title.trim().is_empty()) {
                self.add(pointer, "blank", "A title is needed.");
            }
            self.text(pointer, title, TITLE, false);
        }
        self.text("/tagline", &edit.tagline, TITLE, false);
        self.text("/overview", &edit.overview, TEXT, true);
        if edit.runtime.is_some_and(|minutes| minutes == 0 || minutes > RUNTIME) {
            self.add("/runtime", "out_of_range", format!("1 to {RUNTIME} minutes."));
        }
        let year = |date: Date| (1870..=2200).contains(&date.year());
        if !edit.release_date.is_none_or(year) {
            self.add("/release_date", "out_of_range", "A day of the years 1870 to 2200.");
        }
        let Some(genres) = &edit.genres else { return };
        if genres.len() > GENRES {
            self.add("/genres", "too_many", format!("At most {GENRES} genres."));
        }
        let known = Reference::built_in().genres;
        for (at, id) in genres.iter().enumerate().take(GENRES) {
            if known.iter().all(|genre| genre.id != *id) {
                self.add(
                    &format!("/genres/{at}"),
                    "unknown_value",
                    "There is no such genre: /genres lists them.",
                );
            } else if genres[..at].contains(id) {
                self.add(&format!("/genres/{at}"), "repeated", "Each genre once.");
            }
        }
    }

    fn text(&mut self, pointer: &str, text: &Option<String>, most: usize, lines: bool) {
        let Some(text) = text else { return };
        if text.chars().count() > most {
            self.add(pointer, "too_long", format!("At most {most} characters."));
        }
        if text.chars().any(|c| is_deceptive(c) && !(lines && c == '\n')) {
            self.add(pointer, "invalid", "Without control or bidirectional characters.");
        }
    }
}
