//! Lists by filters.

use screensort_model::{
    GenreId, KeywordId, Language, Mode, MovieId, OperatorId, PersonId, Region, Sort, Window,
};
use screensort_search::KindSet;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::columns::{NO_DATE, offered};

/// How many of a text's best matches a list is cut out of.
const TEXT_MATCHES: usize = 1_000;

/// What a list is cut down to; everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct Browse {
    /// All of these genres.
    pub genres: Vec<GenreId>,
    /// None of these genres.
    pub without_genres: Vec<GenreId>,
    /// Released in this year or later.
    pub year_gte: Option<i16>,
    /// Released in this year or earlier.
    pub year_lte: Option<i16>,
    /// TMDb's mean vote at least this.
    pub min_rating: Option<f32>,
    /// At least so many of TMDb's votes.
    pub min_votes: Option<u32>,
    /// At most so many minutes; films of unknown length do not count.
    pub max_runtime: Option<u16>,
    /// Made in this language.
    pub language: Option<Language>,
    /// Made by this person, in whatever part.
    pub person: Option<PersonId>,
    /// With this keyword.
    pub keyword: Option<KeywordId>,
    /// Rated at most as strictly as this (place in the region's order, from 1); unrated films do not count.
    pub certification: Option<(Region, u8)>,
    /// Shown there, by this operator, in this mode: each may be left open, but not all.
    pub offer: Option<(Option<Region>, Option<OperatorId>, Option<Mode>)>,
    /// Among the best matches of this text.
    pub text: Option<String>,
    /// None of these films.
    pub except: Vec<MovieId>,
}

/// Where a page ended: the last film, and its place in case it has left the catalogue since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    id: MovieId,
    place: u32,
}

/// A page of ordinals.
#[derive(Debug)]
pub struct Slice {
    /// In the order asked for.
    pub films: Vec<u32>,
    /// Where the next page starts after; `None` at the end.
    pub next: Option<Position>,
}

impl Catalog {
    /// At most `limit` films that `browse` lets through, in the order of `sort`, after `after`.
    pub fn browse(&self, browse: &Browse, sort: Sort, after: Option<Position>, limit: usize) -> Slice {
        let empty = Slice { films: Vec::new(), next: None };
        let Some(filter) = Filter::new(self, browse) else { return empty };
        let columns = &self.columns;
        match sort {
            Sort::Popularity => self.page((0..).take(self.len()), after, limit, |o| filter.lets(o)),
            Sort::Rating => self.page(columns.by_rating.iter().copied(), after, limit, |o| filter.lets(o)),
            Sort::Newest => self.page(columns.by_newest.iter().copied(), after, limit, |o| filter.lets(o)),
            Sort::Title => self.page(columns.by_title.iter().copied(), after, limit, |o| filter.lets(o)),
            Sort::Trending => self.page(self.by_trending.iter().copied(), after, limit, |o| filter.lets(o)),
        }
    }

    /// The films that trend; by popularity while no list of TMDb's is known.
    pub fn trending(&self, window: Window, after: Option<Position>, limit: usize) -> Slice {
        let list = match window {
            Window::Day => &self.columns.trending_day,
            Window::Week => &self.columns.trending_week,
        };
        if list.is_empty() {
            let most = u32::try_from(self.len().min(100)).unwrap_or(0);
            return self.page(0..most, after, limit, |_| true);
        }
        self.page(list.iter().copied(), after, limit, |_| true)
    }

    fn ordinal(&self, id: MovieId) -> Option<u32> {
        match self.lookup(id) {
            crate::catalog::Lookup::Film(film) => Some(film.ordinal),
            _ => None,
        }
    }

    fn page(
        &self,
        order: impl Iterator<Item = u32> + Clone,
        after: Option<Position>,
        limit: usize,
        lets: impl Fn(u32) -> bool,
    ) -> Slice {
        let start = after.map_or(0, |position| {
            // A film that has left, or an order that has changed, is no reason to start again.
            let ordinal = self.ordinal(position.id);
            let now = ordinal.and_then(|o| order.clone().position(|other| other == o));
            now.map_or(position.place as usize, |place| place + 1)
        });
        let mut films = Vec::with_capacity(limit);
        let mut last = None;
        for (place, ordinal) in order.enumerate().skip(start) {
            if !lets(ordinal) {
                continue;
            }
            if films.len() == limit {
                return Slice { films, next: last };
            }
            films.push(ordinal);
            last =
                Some(Position { id: self.at(ordinal).id(), place: u32::try_from(place).unwrap_or(u32::MAX) });
        }
        Slice { films, next: None }
    }
}

/// [`Browse`] with everything looked up once.
struct Filter<'c> {
    catalog: &'c Catalog,
    with: u64,
    without: u64,
    released: (i32, i32),
    min_rating: f32,
    min_votes: u32,
    max_runtime: Option<u16>,
    language: Option<[u8; 2]>,
    certification: Option<(u32, u8)>,
    offer: Option<(Option<u32>, Option<u32>, Option<u32>)>,
    /// One bit a film, where a text, person or keyword narrows the list to a few.
    among: Option<Vec<u64>>,
    /// Ordinals that are left out, sorted.
    except: Vec<u32>,
}

impl<'c> Filter<'c> {
    /// `None` if nothing can pass.
    fn new(catalog: &'c Catalog, browse: &Browse) -> Option<Self> {
        let bit = |id: &GenreId| catalog.genre_place(*id).map(|place| 1_u64 << place);
        let mut with = 0;
        for genre in &browse.genres {
            with |= bit(genre)?;
        }
        let without = browse.without_genres.iter().filter_map(bit).fold(0, |bits, b| bits | b);
        let columns = &catalog.columns;
        let mut filter = Self {
            catalog,
            with,
            without,
            released: (first_day(browse.year_gte)?, last_day(browse.year_lte)?),
            min_rating: browse.min_rating.unwrap_or(0.0),
            min_votes: browse.min_votes.unwrap_or(0),
            max_runtime: browse.max_runtime,
            language: browse.language.map(Language::bytes),
            certification: None,
            offer: None,
            among: None,
            except: Vec::new(),
        };
        filter.except = browse.except.iter().filter_map(|id| catalog.ordinal(*id)).collect();
        filter.except.sort_unstable();
        if let Some((region, strictness)) = browse.certification {
            filter.certification = Some((catalog.region_place(region)?, strictness));
        }
        if let Some((region, operator, mode)) = browse.offer {
            let place = |at: usize| u32::try_from(at).ok();
            filter.offer = Some((
                region.map(|r| catalog.region_place(r).ok_or(())).transpose().ok()?,
                operator
                    .map(|id| {
                        columns.operators.binary_search_by_key(&id, |o| o.id).ok().and_then(place).ok_or(())
                    })
                    .transpose()
                    .ok()?,
                mode.and_then(|mode| Mode::ALL.iter().position(|m| *m == mode)).and_then(place),
            ));
        }
        if let Some(person) = browse.person {
            let at = columns.person_ids.binary_search(&person.get()).ok()?;
            filter.narrow(catalog.films_of_person.get(at).iter().copied());
        }
        if let Some(keyword) = browse.keyword {
            let at = columns.keyword_ids.binary_search(&keyword.get()).ok()?;
            filter.narrow(catalog.films_of_keyword.get(at).iter().copied());
        }
        if let Some(text) = &browse.text {
            let films = KindSet::from(screensort_search::Kind::Movie);
            let hits = catalog.index.search(text, films, TEXT_MATCHES);
            filter.narrow(hits.into_iter().map(|hit| hit.entry));
        }
        Some(filter)
    }

    fn narrow(&mut self, films: impl Iterator<Item = u32>) {
        let mut bits = vec![0_u64; self.catalog.len().div_ceil(64)];
        for film in films {
            if let Some(word) = bits.get_mut(film as usize / 64) {
                *word |= 1 << (film % 64);
            }
        }
        if let Some(before) = &self.among {
            for (word, other) in bits.iter_mut().zip(before) {
                *word &= other;
            }
        }
        self.among = Some(bits);
    }

    fn lets(&self, ordinal: u32) -> bool {
        let (at, columns) = (ordinal as usize, &self.catalog.columns);
        if self.among.as_ref().is_some_and(|bits| bits[at / 64] >> (at % 64) & 1 == 0) {
            return false;
        }
        if self.except.binary_search(&ordinal).is_ok() {
            return false;
        }
        let genres = self.catalog.genre_bits[at];
        genres & self.with == self.with
            && genres & self.without == 0
            && columns.vote_counts[at] >= self.min_votes
            && columns.vote_averages[at] >= self.min_rating
            && self.lets_release(columns.released[at])
            && self.max_runtime.is_none_or(|most| (1..=most).contains(&columns.runtimes[at]))
            && self.language.is_none_or(|language| columns.languages[at] == language)
            && self.certification.is_none_or(|(region, strictest)| {
                let ratings = columns.certifications.get(at);
                ratings.iter().any(|c| c >> 8 == region && (c & 0xFF) <= u32::from(strictest))
            })
            && self.offer.is_none_or(|(region, operator, mode)| {
                columns.offers.get(at).iter().any(|o| {
                    let (r, m, op) = offered(*o);
                    region.is_none_or(|want| want == r)
                        && operator.is_none_or(|want| want == op)
                        && mode.is_none_or(|want| want == m)
                })
            })
    }

    fn lets_release(&self, released: i32) -> bool {
        match self.released {
            (i32::MIN, i32::MAX) => true,
            (first, last) => released != NO_DATE && (first..=last).contains(&released),
        }
    }
}

fn first_day(year: Option<i16>) -> Option<i32> {
    match year {
        None => Some(i32::MIN),
        Some(year) => jiff::civil::Date::new(year, 1, 1).ok().map(crate::build::days),
    }
}

fn last_day(year: Option<i16>) -> Option<i32> {
    match year {
        None => Some(i32::MAX),
        Some(year) => jiff::civil::Date::new(year, 12, 31).ok().map(crate::build::days),
    }
}
