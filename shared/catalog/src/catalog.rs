//! The catalogue, loaded.

use jiff::Timestamp;
use jiff::civil::Date;
use screensort_model::reference::Reference;
use screensort_model::{
    GenreId, Keyword, KeywordId, Language, Mode, MovieId, Operator, PersonId, PersonName, Region,
};
use screensort_search::Index;

use crate::columns::{Columns, Lists, NO_DATE, Role, offered};

/// The catalogue in memory. Read-only: a newer version is another value.
#[derive(Debug)]
pub struct Catalog {
    pub(crate) columns: Columns,
    pub(crate) index: Index,
    /// Film ids with their ordinals, sorted by id.
    by_id: Vec<(u32, u32)>,
    /// Each film's genres as bits.
    pub(crate) genre_bits: Vec<u64>,
    pub(crate) films_of_keyword: Lists,
    pub(crate) films_of_person: Lists,
    /// Trending this week, then the rest by popularity.
    pub(crate) by_trending: Vec<u32>,
    reference: Reference,
}

/// One film of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct FilmRef<'c> {
    catalog: &'c Catalog,
    /// Its place in the order of popularity.
    pub ordinal: u32,
}

/// What a person did for a film.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credits {
    /// Directed it.
    pub director: bool,
    /// Wrote it.
    pub writer: bool,
    /// Acted in it.
    pub cast: bool,
}

/// Where an id leads.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'c> {
    /// To a film.
    Film(FilmRef<'c>),
    /// To a film with another id.
    Merged(MovieId),
    /// To a film that is gone for good.
    Withdrawn,
    /// Nowhere.
    Unknown,
}

impl Catalog {
    pub(crate) fn new(columns: Columns, index: Index) -> Self {
        let films = columns.ids.len();
        let ordinals = 0..u32::try_from(films).unwrap_or(u32::MAX);
        let mut by_id: Vec<(u32, u32)> = columns.ids.iter().copied().zip(ordinals.clone()).collect();
        by_id.sort_unstable();
        let genre_bits =
            (0..films).map(|at| columns.genres.get(at).iter().fold(0, |bits, g| bits | 1 << g)).collect();
        let films_of_keyword = columns.keywords.transposed(columns.keyword_ids.len(), |k| k);
        let films_of_person = columns.credits.transposed(columns.person_ids.len(), |c| c >> 2);
        let mut trends = vec![false; films];
        let mut by_trending = Vec::with_capacity(films);
        for ordinal in columns.trending_week.iter().copied().chain(ordinals) {
            if !std::mem::replace(&mut trends[ordinal as usize], true) {
                by_trending.push(ordinal);
            }
        }
        let reference = columns.reference.clone().unwrap_or_else(Reference::built_in);
        Self { columns, index, by_id, genre_bits, films_of_keyword, films_of_person, by_trending, reference }
    }

    /// This version's name.
    pub fn version(&self) -> &str {
        &self.columns.version
    }

    /// When it was made.
    pub fn made_at(&self) -> Timestamp {
        Timestamp::from_second(self.columns.made_at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// How many films it holds.
    pub fn len(&self) -> usize {
        self.columns.ids.len()
    }

    /// The films' ids, the most popular first.
    pub fn ids(&self) -> impl Iterator<Item = MovieId> {
        self.columns.ids.iter().filter_map(|id| MovieId::new(*id))
    }

    /// Whether it holds no film.
    pub fn is_empty(&self) -> bool {
        self.columns.ids.is_empty()
    }

    /// Genres and ratings.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The film at `ordinal`, which came from this catalogue.
    pub fn at(&self, ordinal: u32) -> FilmRef<'_> {
        FilmRef { catalog: self, ordinal: ordinal.min(u32::try_from(self.len().max(1) - 1).unwrap_or(0)) }
    }

    /// Where `id` leads.
    pub fn lookup(&self, id: MovieId) -> Lookup<'_> {
        if let Ok(at) = self.by_id.binary_search_by_key(&id.get(), |(id, _)| *id) {
            return Lookup::Film(FilmRef { catalog: self, ordinal: self.by_id[at].1 });
        }
        if let Ok(at) = self.columns.merged.binary_search_by_key(&id.get(), |(old, _)| *old)
            && let Ok(into) = MovieId::try_from(self.columns.merged[at].1)
        {
            return Lookup::Merged(into);
        }
        if self.columns.withdrawn.binary_search(&id.get()).is_ok() {
            Lookup::Withdrawn
        } else {
            Lookup::Unknown
        }
    }

    /// A film's ordinal, by its id as a number.
    pub(crate) fn ordinal_of(&self, id: u32) -> Option<u32> {
        self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok().map(|at| self.by_id[at].1)
    }

    /// The film with this id, unless it has left.
    pub fn film(&self, id: u32) -> Option<FilmRef<'_>> {
        self.ordinal_of(id).map(|ordinal| self.at(ordinal))
    }

    /// A person's name.
    pub fn person(&self, id: PersonId) -> Option<PersonName> {
        let at = self.columns.person_ids.binary_search(&id.get()).ok()?;
        Some(PersonName { id, name: self.columns.person_names.get(at).to_owned() })
    }

    /// The films that a person made, the newest first, with what they did for each.
    pub fn filmography(&self, id: PersonId) -> Vec<(FilmRef<'_>, Credits)> {
        let Ok(at) = self.columns.person_ids.binary_search(&id.get()) else { return Vec::new() };
        let mut films: Vec<u32> = self.films_of_person.get(at).to_vec();
        films.dedup();
        films.sort_by_key(|o| (std::cmp::Reverse(self.columns.released[*o as usize]), *o));
        films.into_iter().map(|o| (self.at(o), self.at(o).credits_of(at))).collect()
    }

    /// The operators, by id.
    pub fn operators(&self) -> &[Operator] {
        &self.columns.operators
    }

    /// The regions that any film's rating or offers name.
    pub fn regions(&self) -> impl Iterator<Item = Region> {
        self.columns.regions.iter().filter_map(|bytes| Region::from_bytes(*bytes).ok())
    }

    /// The languages that films were made in, the most frequent first.
    pub fn languages(&self) -> Vec<Language> {
        let mut counts = std::collections::BTreeMap::new();
        for language in &self.columns.languages {
            *counts.entry(*language).or_insert(0_u32) += 1;
        }
        let mut all: Vec<([u8; 2], u32)> = counts.into_iter().collect();
        all.sort_by_key(|(language, count)| (std::cmp::Reverse(*count), *language));
        all.into_iter().filter_map(|(bytes, _)| Language::from_bytes(bytes).ok()).collect()
    }

    pub(crate) fn region_place(&self, region: Region) -> Option<u32> {
        self.columns.regions.binary_search(&region.bytes()).ok().and_then(|at| u32::try_from(at).ok())
    }

    pub(crate) fn genre_place(&self, id: GenreId) -> Option<usize> {
        self.reference.genres.iter().position(|g| g.id == id)
    }

    pub(crate) fn keyword(&self, at: u32) -> Option<Keyword> {
        let id = KeywordId::try_from(*self.columns.keyword_ids.get(at as usize)?).ok()?;
        Some(Keyword { id, name: self.columns.keyword_names.get(at as usize).to_owned() })
    }

    pub(crate) fn person_at(&self, at: u32) -> Option<PersonName> {
        let id = PersonId::try_from(*self.columns.person_ids.get(at as usize)?).ok()?;
        Some(PersonName { id, name: self.columns.person_names.get(at as usize).to_owned() })
    }
}

impl<'c> FilmRef<'c> {
    fn row(&self) -> usize {
        self.ordinal as usize
    }

    /// Its id.
    pub fn id(&self) -> MovieId {
        // Ids were ids when the catalogue was built; a file that lies yields the first id rather than a panic.
        MovieId::try_from(self.catalog.columns.ids[self.row()]).unwrap_or(FIRST)
    }

    /// Its title.
    pub fn title(&self) -> &'c str {
        self.catalog.columns.titles.get(self.row())
    }

    /// Its title in the language it was made in.
    pub fn original_title(&self) -> &'c str {
        match self.catalog.columns.original_titles.get(self.row()) {
            "" => self.title(),
            other => other,
        }
    }

    /// The language it was made in.
    pub fn original_language(&self) -> Option<Language> {
        Language::from_bytes(self.catalog.columns.languages[self.row()]).ok()
    }

    /// Its first release.
    pub fn release_date(&self) -> Option<Date> {
        match self.catalog.columns.released[self.row()] {
            NO_DATE => None,
            days => Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok(),
        }
    }

    /// Its genres, in the source's order.
    pub fn genres(&self) -> impl Iterator<Item = &'c screensort_model::reference::Genre> {
        let genres = &self.catalog.reference.genres;
        self.catalog.columns.genres.get(self.row()).iter().filter_map(|at| genres.get(*at as usize))
    }

    /// Minutes.
    pub fn runtime(&self) -> Option<u16> {
        Some(self.catalog.columns.runtimes[self.row()]).filter(|r| *r > 0)
    }

    /// Mean of TMDb's votes.
    pub fn vote_average(&self) -> f32 {
        self.catalog.columns.vote_averages[self.row()]
    }

    /// Number of TMDb's votes.
    pub fn vote_count(&self) -> u32 {
        self.catalog.columns.vote_counts[self.row()]
    }

    /// TMDb's popularity.
    pub fn popularity(&self) -> f32 {
        self.catalog.columns.popularity[self.row()]
    }

    /// TMDb's path of its poster.
    pub fn poster_path(&self) -> Option<&'c str> {
        Some(self.catalog.columns.posters.get(self.row())).filter(|path| !path.is_empty())
    }

    /// Its age rating in `region`.
    pub fn certification(&self, region: Region) -> Option<&'c str> {
        let place = self.catalog.region_place(region)?;
        let packed = self.catalog.columns.certifications.get(self.row());
        let strictness = packed.iter().find(|c| *c >> 8 == place)? & 0xFF;
        let ratings = self.catalog.reference.certifications.get(&region)?;
        ratings.get(strictness.checked_sub(1)? as usize).map(String::as_str)
    }

    /// Who shows it in `region`, and how.
    pub fn offers(&self, region: Region) -> Vec<(Mode, &'c Operator)> {
        let Some(place) = self.catalog.region_place(region) else { return Vec::new() };
        let offers = self.catalog.columns.offers.get(self.row()).iter().map(|o| offered(*o));
        offers
            .filter(|(r, _, _)| *r == place)
            .filter_map(|(_, mode, operator)| {
                Some((*Mode::ALL.get(mode as usize)?, self.catalog.columns.operators.get(operator as usize)?))
            })
            .collect()
    }

    fn credits_of(&self, person: usize) -> Credits {
        let mut credits = Credits::default();
        for c in self.catalog.columns.credits.get(self.row()).iter().filter(|c| (**c >> 2) as usize == person)
        {
            match Role::of(*c) {
                Role::Director => credits.director = true,
                Role::Writer => credits.writer = true,
                Role::Cast => credits.cast = true,
            }
        }
        credits
    }
}

const FIRST: MovieId = match MovieId::new(1) {
    Some(id) => id,
    None => unreachable!(),
};
