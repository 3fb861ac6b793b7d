//! The columns as they rest in the file.

use screensort_model::Operator;
use screensort_model::reference::Reference;
use serde::{Deserialize, Serialize};

/// Unknown release dates in [`Columns::released`].
pub(crate) const NO_DATE: i32 = i32::MIN;

/// Texts in one allocation.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Texts {
    ends: Vec<u32>,
    text: String,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends.get(at - 1).copied().unwrap_or(0) };
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn is_sound(&self, rows: usize) -> bool {
        self.ends.len() == rows
            && self.ends.is_sorted()
            && self.ends.last().copied().unwrap_or(0) as usize == self.text.len()
            && self.ends.iter().all(|end| self.text.is_char_boundary(*end as usize))
    }
}

/// Lists of numbers in one allocation: row `i` is `items[ends[i - 1]..ends[i]]`.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Lists {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    pub(crate) fn push(&mut self, items: impl IntoIterator<Item = u32>) {
        self.items.extend(items);
        self.ends.push(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn get(&self, at: usize) -> &[u32] {
        let start = if at == 0 { 0 } else { self.ends.get(at - 1).copied().unwrap_or(0) };
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.items.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The same relation seen from the other side: for each number under `columns` the rows that hold it, in
    /// order. `column` says which number an item stands for.
    pub(crate) fn transposed(&self, columns: usize, column: impl Fn(u32) -> u32) -> Self {
        let mut counts = vec![0_u32; columns + 1];
        for item in &self.items {
            if let Some(count) = counts.get_mut(column(*item) as usize + 1) {
                *count += 1;
            }
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        let mut next = counts.clone();
        let mut items = vec![0_u32; self.items.len()];
        for row in 0..self.ends.len() {
            for item in self.get(row) {
                let slot = &mut next[column(*item) as usize];
                items[*slot as usize] = u32::try_from(row).unwrap_or(u32::MAX);
                *slot += 1;
            }
        }
        Self { ends: counts.into_iter().skip(1).collect(), items }
    }

    fn is_sound(&self, rows: usize, allowed: impl Fn(u32) -> bool) -> bool {
        self.ends.len() == rows
            && self.ends.is_sorted()
            && self.ends.last().copied().unwrap_or(0) as usize == self.items.len()
            && self.items.iter().all(|item| allowed(*item))
    }
}

/// Everything but the search index.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Columns {
    pub(crate) version: String,
    pub(crate) made_at: i64,
    pub(crate) reference: Option<Reference>,
    pub(crate) ids: Vec<u32>,
    pub(crate) titles: Texts,
    /// Empty where it is the title.
    pub(crate) original_titles: Texts,
    pub(crate) posters: Texts,
    pub(crate) languages: Vec<[u8; 2]>,
    /// Days since 1970, or [`NO_DATE`].
    pub(crate) released: Vec<i32>,
    /// Minutes, 0 where unknown.
    pub(crate) runtimes: Vec<u16>,
    pub(crate) vote_averages: Vec<f32>,
    pub(crate) vote_counts: Vec<u32>,
    pub(crate) popularity: Vec<f32>,
    /// Places in the reference's genres.
    pub(crate) genres: Lists,
    /// Places in `keyword_ids`.
    pub(crate) keywords: Lists,
    /// [`credit`]s.
    pub(crate) credits: Lists,
    /// [`certification`]s.
    pub(crate) certifications: Lists,
    /// [`offer`]s.
    pub(crate) offers: Lists,
    pub(crate) keyword_ids: Vec<u32>,
    pub(crate) keyword_names: Texts,
    pub(crate) person_ids: Vec<u32>,
    pub(crate) person_names: Texts,
    pub(crate) regions: Vec<[u8; 2]>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) by_rating: Vec<u32>,
    pub(crate) by_newest: Vec<u32>,
    pub(crate) by_title: Vec<u32>,
    pub(crate) trending_day: Vec<u32>,
    pub(crate) trending_week: Vec<u32>,
    /// Ids of films that are gone for good, sorted.
    pub(crate) withdrawn: Vec<u32>,
    /// Old id and the id under which the film lives on, sorted.
    pub(crate) merged: Vec<(u32, u32)>,
}

/// A person's part in a film, packed: the person's place and what they did.
pub(crate) fn credit(person: u32, role: Role) -> u32 {
    person << 2 | role as u32
}

/// What somebody did for a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Cast = 0,
    Director = 1,
    Writer = 2,
}

impl Role {
    pub(crate) fn of(credit: u32) -> Self {
        match credit & 3 {
            1 => Self::Director,
            2 => Self::Writer,
            _ => Self::Cast,
        }
    }
}

/// A region's place and how strict the rating is there, packed.
pub(crate) fn certification(region: u32, strictness: u32) -> u32 {
    region << 8 | strictness
}

/// A region's place, a mode's place in [`screensort_model::Mode::ALL`] and an operator's place, packed.
pub(crate) fn offer(region: u32, mode: u32, operator: u32) -> u32 {
    region << 23 | mode << 20 | operator
}

/// The most regions that [`offer`] can tell apart.
pub(crate) const MOST_REGIONS: usize = 1 << 9;
/// The most operators that [`offer`] can tell apart.
pub(crate) const MOST_OPERATORS: usize = 1 << 20;

/// Takes an [`offer`] apart.
pub(crate) fn offered(offer: u32) -> (u32, u32, u32) {
    (offer >> 23, offer >> 20 & 7, offer & 0xF_FFFF)
}

impl Columns {
    /// Whether every place that one column names exists in the other. What passes can be read without a check.
    pub(crate) fn is_sound(&self) -> bool {
        let films = self.ids.len();
        let genres = self.reference.as_ref().map_or(0, |r| r.genres.len());
        let below = |n: usize| move |item: u32| (item as usize) < n;
        let order = |order: &[u32]| order.len() == films && order.iter().all(|o| (*o as usize) < films);
        let list = |list: &[u32]| list.iter().all(|o| (*o as usize) < films);
        let (people, regions, operators) = (self.person_ids.len(), self.regions.len(), self.operators.len());
        genres <= 64
            && [
                self.languages.len(),
                self.released.len(),
                self.runtimes.len(),
                self.vote_averages.len(),
                self.vote_counts.len(),
                self.popularity.len(),
            ]
            .iter()
            .all(|rows| *rows == films)
            && self.titles.is_sound(films)
            && self.original_titles.is_sound(films)
            && self.posters.is_sound(films)
            && self.keyword_names.is_sound(self.keyword_ids.len())
            && self.person_names.is_sound(people)
            && self.genres.is_sound(films, below(genres))
            && self.keywords.is_sound(films, below(self.keyword_ids.len()))
            && self.credits.is_sound(films, |c| ((c >> 2) as usize) < people)
            && self.certifications.is_sound(films, |c| ((c >> 8) as usize) < regions)
            && self.offers.is_sound(films, |o| {
                let (region, mode, operator) = offered(o);
                (region as usize) < regions && mode < 6 && (operator as usize) < operators
            })
            && order(&self.by_rating)
            && order(&self.by_newest)
            && order(&self.by_title)
            && list(&self.trending_day)
            && list(&self.trending_week)
            && self.keyword_ids.is_sorted()
            && self.person_ids.is_sorted()
    }
}
