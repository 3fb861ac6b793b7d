//! What administrators say of films. An edit lies beside what the sync keeps and is laid over it when a film is
//! read: the next sync changes the one and leaves the other.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use jiff::civil::Date;
use screensort_model::id::{FIRST_LOCAL_ID, LAST_ID};
use screensort_model::{GenreId, Language, Movie, MovieId};
use serde::{Deserialize, Serialize};

use crate::audit::{Audit, Trail};
use crate::catalogue::{document, film_item, imdb_item, key, movie_key, number, text};
use crate::table::SK;
use crate::vault::{Vault, Written, n, s};
use crate::{Error, Everything, Film, Tombstone, Why};

/// The sort key of an edit.
pub(crate) const EDIT: &str = "EDIT";
/// How often an id is drawn that a file has taken already.
const DRAWS: usize = 64;

/// What is said of a film in the place of its source; what is `None` stays the source's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// The title in English.
    pub title: Option<String>,
    /// The title in the language it was made in.
    pub original_title: Option<String>,
    /// That language.
    pub original_language: Option<Language>,
    /// First release.
    pub release_date: Option<Date>,
    /// All genres.
    pub genres: Option<Vec<GenreId>>,
    /// Minutes.
    pub runtime: Option<u16>,
    /// What it is about.
    pub overview: Option<String>,
    /// Its advertising line.
    pub tagline: Option<String>,
    /// Whether the film is taken out of the catalogue.
    pub removed: bool,
    /// How often it was edited: 0 before the first time.
    #[serde(skip)]
    pub version: u64,
}

impl Edit {
    /// Lays the edit over `movie`.
    pub fn apply(&self, movie: &mut Movie) {
        fn put<T: Clone>(ours: &Option<T>, theirs: &mut T) {
            if let Some(ours) = ours {
                theirs.clone_from(ours);
            }
        }
        put(&self.title, &mut movie.title);
        put(&self.original_title, &mut movie.original_title);
        put(&self.original_language, &mut movie.original_language);
        put(&self.genres, &mut movie.genres);
        put(&self.overview, &mut movie.overview);
        put(&self.tagline, &mut movie.tagline);
        movie.release_date = self.release_date.or(movie.release_date);
        movie.runtime = self.runtime.or(movie.runtime);
    }

    pub(crate) fn of(item: &crate::catalogue::Item) -> Result<Self, Error> {
        let edit: Self = document(item, "edit")?;
        Ok(Self { version: number(item, "version").unwrap_or(0), ..edit })
    }
}

impl Film {
    /// The film as the product shows it: with its edit, and withdrawn if it was taken out.
    pub(crate) fn edited(mut self) -> Self {
        let Some(edit) = &self.edit else { return self };
        if let Some(movie) = &mut self.movie {
            edit.apply(movie);
        }
        if edit.removed && self.movie.take().is_some() {
            self.tombstone = Some(Tombstone::Withdrawn);
        }
        self
    }
}

impl Everything {
    /// The films as the product shows them: with their edits, and withdrawn if they were taken out.
    #[must_use]
    pub fn edited(mut self) -> Self {
        let edits: BTreeMap<MovieId, Edit> = std::mem::take(&mut self.edits).into_iter().collect();
        let taken_out = |id: &MovieId| edits.get(id).is_some_and(|edit| edit.removed);
        for (movie, _) in &mut self.films {
            if let Some(edit) = edits.get(&movie.id) {
                edit.apply(movie);
            }
        }
        let removed: Vec<MovieId> = self.films.iter().map(|(movie, _)| movie.id).filter(taken_out).collect();
        self.films.retain(|(movie, _)| !taken_out(&movie.id));
        self.tombstones.retain(|(id, _)| !taken_out(id));
        self.tombstones.extend(removed.into_iter().map(|id| (id, Tombstone::Withdrawn)));
        self
    }
}

/// Who edits, and in which request.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The account.
    pub account: &'a str,
    /// The request.
    pub request: &'a str,
}

/// A run that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What is to be done.
    pub what: String,
    /// Who asked.
    pub by: String,
    /// In which request.
    pub request: String,
    /// When.
    pub at: String,
}

/// Films added and edited, and syncs asked for, each with its record.
#[derive(Debug, Clone)]
pub struct Edits {
    vault: Vault,
    audit: Audit,
}

impl Edits {
    /// In the catalogue's `table`; records go to `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self { vault: Vault::new(client, table), audit }
    }

    /// Puts `edit` in the place of the edit with the version `seen`. False if somebody was faster.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn change(
        &self,
        id: MovieId,
        edit: &Edit,
        seen: u64,
        by: By<'_>,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut item = key(&movie_key(id), EDIT);
        item.insert("doc".into(), crate::catalogue::blob(edit)?);
        item.insert("version".into(), n(seen + 1));
        item.insert("by".into(), s(by.account));
        item.insert("rid".into(), s(by.request));
        let put = if seen == 0 {
            self.vault.putting(item, Some("attribute_not_exists(pk)"))?
        } else {
            self.vault.putting_over(item, "version = :seen", vec![(":seen", n(seen))])?
        };
        let mut writes = vec![put];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Adds a film that is not there. False if it is.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn add(&self, movie: &Movie, from: Why, by: By<'_>, trail: &Trail) -> Result<bool, Error> {
        let mut item = film_item(movie, from)?;
        item.insert("by".into(), s(by.account));
        item.insert("rid".into(), s(by.request));
        let mut writes = vec![self.vault.putting(item, Some("attribute_not_exists(pk)"))?];
        if let Some(imdb) = &movie.imdb_id {
            writes.push(self.vault.putting(imdb_item(imdb, movie.id), None)?);
        }
        // TMDb knows it again, or somebody does.
        writes.push(self.vault.deleting(key(&movie_key(movie.id), "TOMB"), None, Vec::new())?);
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Draws the next id for a film of our own. An id is never drawn twice; one that is never used is lost.
    ///
    /// # Errors
    /// If the store fails, or there are no more ids.
    pub async fn draw_id(&self) -> Result<MovieId, Error> {
        for _ in 0..DRAWS {
            let values = vec![(":one", n(1)), (":before", n(FIRST_LOCAL_ID - 1)), (":last", n(LAST_ID))];
            let change = "SET last_id = if_not_exists(last_id, :before) + :one";
            let condition = "attribute_not_exists(last_id) OR last_id < :last";
            let drawn = self.vault.update(key("COUNTERS", "FILMS"), change, Some(condition), values).await?;
            let id = drawn.and_then(|item| number::<u32>(&item, "last_id")).and_then(MovieId::new);
            let id = id.ok_or_else(|| Error::corrupt("film ids", "all of them are used"))?;
            // Files may hold films of our own too.
            if self.vault.query(&movie_key(id), "", 1).await?.is_empty() {
                return Ok(id);
            }
        }
        Err(Error::Throttled { operation: "UpdateItem", cause: "every id that was drawn is taken".into() })
    }

    /// Asks for a sync. False if it was asked for before and has not begun.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn want(&self, what: &str, by: By<'_>, at: Timestamp, trail: &Trail) -> Result<bool, Error> {
        let mut item = key("SYNC#WANTED", what);
        item.insert("by".into(), s(by.account));
        item.insert("rid".into(), s(by.request));
        item.insert("asked_at".into(), s(at.to_string()));
        let mut writes = vec![self.vault.putting(item, Some("attribute_not_exists(pk)"))?];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// What was asked for and is not done.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn wanted(&self) -> Result<Vec<Wanted>, Error> {
        let found = self.vault.query("SYNC#WANTED", "", 100).await?;
        let word = |item: &crate::catalogue::Item, name| text(item, name).unwrap_or_default().to_owned();
        let wanted = |item| Wanted {
            what: word(&item, SK),
            by: word(&item, "by"),
            request: word(&item, "rid"),
            at: word(&item, "asked_at"),
        };
        Ok(found.into_iter().map(wanted).collect())
    }

    /// Notes that what was asked for is done. What was asked for again meanwhile stays.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn fulfilled(&self, wanted: &Wanted) -> Result<(), Error> {
        let at = key("SYNC#WANTED", &wanted.what);
        self.vault.delete_if(at, "rid = :rid", vec![(":rid", s(&wanted.request))]).await?;
        Ok(())
    }
}
