//! Which films changed in a range of days.

use std::collections::HashSet;

use jiff::civil::Date;
use serde::Deserialize;

use crate::{
    Client, Error, MAX_PAGE, Page, Rule,
    decode::{Soft, whole},
};

/// The longest range of days TMDb answers for.
pub const MAX_CHANGE_DAYS: i32 = 14;

const ROUTE: &str = "/movie/changes";

/// A film that changed. It may be gone by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedMovie {
    /// TMDb's id.
    pub id: u32,
    /// Whether it is pornography; `None` when TMDb does not say, which is common for films that are gone.
    pub adult: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    id: Soft<f64>,
    adult: Soft<bool>,
}

impl Client {
    /// A page of the films changed from `start` to `end`, both days included. 100 a page; a day has thousands.
    ///
    /// # Errors
    /// [`Rule::Range`] or [`Rule::Page`], and as all methods.
    pub async fn changes(&self, start: Date, end: Date, page: u32) -> Result<Page<ChangedMovie>, Error> {
        let days = start.until(end).map_err(|_| Error::BadQuestion(Rule::Range))?.get_days();
        if !(0..=MAX_CHANGE_DAYS).contains(&days) {
            return Err(Error::BadQuestion(Rule::Range));
        }
        let (start, end) = (start.to_string(), end.to_string());
        let query = [("start_date", start.as_str()), ("end_date", end.as_str())];
        let read = |wire: Wire| {
            let id = whole(wire.id, u32::MAX).filter(|id| *id > 0)?;
            Some(ChangedMovie { id, adult: wire.adult.0 })
        };
        let page = self.page(ROUTE, &["movie", "changes"], &query, page, read).await?;
        if page.total_pages > MAX_PAGE {
            // Reading the first 500 would lose the rest without a word.
            let why =
                format!("{} pages are more than TMDb serves: ask for a shorter range", page.total_pages);
            return Err(Error::BadAnswer { route: ROUTE, why });
        }
        Ok(page)
    }

    /// All pages of [`Client::changes`], one after the other.
    #[must_use]
    pub fn all_changes(&self, start: Date, end: Date) -> ChangePages {
        ChangePages { client: self.clone(), start, end, next: Some(1), seen: HashSet::new() }
    }
}

/// The pages of a range of changes. The list grows at its head while it is read, so films move to later pages; each
/// film is given out once.
#[derive(Debug)]
pub struct ChangePages {
    client: Client,
    start: Date,
    end: Date,
    next: Option<u32>,
    seen: HashSet<u32>,
}

impl ChangePages {
    /// The films of the next page that were on none before, or `None` after the last page. After an error the same
    /// page is asked for again.
    ///
    /// # Errors
    /// As [`Client::changes`].
    pub async fn next(&mut self) -> Result<Option<Vec<ChangedMovie>>, Error> {
        let Some(number) = self.next else { return Ok(None) };
        let page = self.client.changes(self.start, self.end, number).await?;
        self.next = (number < page.total_pages).then_some(number + 1);
        Ok(Some(page.results.into_iter().filter(|film| self.seen.insert(film.id)).collect()))
    }

    /// The films of all pages that are left.
    ///
    /// # Errors
    /// As [`Client::changes`]; what came before the error is lost.
    pub async fn collect(mut self) -> Result<Vec<ChangedMovie>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }
}
