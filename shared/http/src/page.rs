//! Pages of lists.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cursor::{Binding, Cursors};
use crate::{Input, Opening, Problem, Reply, Text, Whole};

/// One page. `next_cursor` is null on the last one.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// At most `limit`, in a stable order.
    pub items: Vec<T>,
    /// Give it back as `cursor` to get the next page.
    pub next_cursor: Option<String>,
}

/// Which page is asked for.
#[derive(Debug)]
pub struct PageAsk {
    /// How many items, 1 to 100.
    pub limit: usize,
    cursor: Option<String>,
    binding: Binding,
    link: String,
}

impl Input for PageAsk {
    fn open(opening: &mut Opening<'_>) -> Option<Self> {
        let limit = opening.query::<Whole<1, 100>>("limit", "Items a page; 20 unless given.");
        let cursor = opening.query::<Text<400>>("cursor", "next_cursor of the page before, as it was given.");
        Some(Self {
            limit: limit.map_or(20, |Whole(n)| n as usize),
            cursor: cursor.map(|Text(text)| text),
            binding: opening.binding(),
            link: opening.query_without_cursor(),
        })
    }
}

impl PageAsk {
    /// Where the page starts, for `subject` (a user's id, or empty for a guest); `None` is the beginning.
    ///
    /// # Errors
    /// `bad_cursor` for a cursor that is edited, foreign, or another query's or person's.
    pub fn start<P: DeserializeOwned>(&self, cursors: &Cursors, subject: &str) -> Result<Option<P>, Problem> {
        self.cursor.as_deref().map(|text| cursors.open(&self.binding, subject, text)).transpose()
    }

    /// Cuts what was found, one more than the page holds if there is so much, to the page; where the next one begins,
    /// if there is more.
    pub fn cut<F, P>(&self, found: &mut Vec<F>, place: impl FnOnce(&F) -> P) -> Option<P> {
        let is_more = found.len() > self.limit;
        found.truncate(self.limit);
        found.last().filter(|_| is_more).map(place)
    }

    /// The page as a reply: with a cursor to `next` and a `Link` to it, if there is more.
    ///
    /// # Errors
    /// Only if a position refuses to be serialised, which is a bug.
    pub fn reply<T, P: Serialize>(
        &self,
        cursors: &Cursors,
        subject: &str,
        items: Vec<T>,
        next: Option<&P>,
    ) -> Result<Reply<Page<T>>, Problem> {
        let next_cursor = next.map(|position| cursors.seal(&self.binding, subject, position)).transpose()?;
        let link = next_cursor.as_ref().map(|cursor| {
            // A cursor needs no escaping: it is base64url.
            let joint = if self.link.is_empty() { '?' } else { '&' };
            format!("<{}{joint}cursor={cursor}>; rel=\"next\"", self.link)
        });
        let reply = Reply::ok(Page { items, next_cursor });
        Ok(match link {
            Some(link) => reply.with_header(http::header::LINK, &link),
            None => reply,
        })
    }
}
