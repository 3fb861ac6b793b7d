//! From films to columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use screensort_model::reference::Reference;
use screensort_model::{Mode, Movie, MovieId, Operator, OperatorId, Region};
use screensort_search::{Builder, Entry, Index, Kind};
use unicode_normalization::UnicodeNormalization;

use crate::Error;
use crate::columns::{Columns, MOST_OPERATORS, MOST_REGIONS, NO_DATE, Role, certification, credit, offer};

/// What goes into a catalogue.
#[derive(Debug)]
pub struct Contents {
    /// A name for this version, unique in time.
    pub version: String,
    /// When it is made.
    pub made_at: Timestamp,
    /// All films, in any order; of several with one id the last counts.
    pub movies: Vec<Movie>,
    /// All operators.
    pub operators: Vec<Operator>,
    /// Genres and ratings.
    pub reference: Reference,
    /// Today's trending films, best first.
    pub trending_day: Vec<MovieId>,
    /// The week's trending films, best first.
    pub trending_week: Vec<MovieId>,
    /// Films that are gone for good.
    pub withdrawn: Vec<MovieId>,
    /// Old ids and the ids under which the films live on.
    pub merged: Vec<(MovieId, MovieId)>,
}

/// Builds the columns and the search index.
///
/// # Errors
/// Only if the search index outgrows its format.
#[allow(private_interfaces, reason = "the columns' layout stays within this crate")]
pub fn build(contents: Contents) -> Result<(Columns, Index), Error> {
    let Contents { mut movies, mut operators, mut reference, .. } = contents;
    movies.sort_by_key(|m| m.id);
    movies.reverse();
    movies.dedup_by_key(|m| m.id);
    movies.sort_by(|a, b| b.popularity.total_cmp(&a.popularity).then(a.id.cmp(&b.id)));
    operators.sort_by_key(|o| o.id);
    operators.dedup_by_key(|o| o.id);
    operators.truncate(MOST_OPERATORS);
    reference.genres.truncate(64);

    let mut columns = Columns {
        version: contents.version,
        made_at: contents.made_at.as_second(),
        ids: movies.iter().map(|m| m.id.get()).collect(),
        ..Columns::default()
    };
    let names = Names::gather(&movies, &reference, &operators);
    for movie in &movies {
        names.push(&mut columns, movie, &reference);
    }
    for (id, name) in &names.keyword_names {
        columns.keyword_ids.push(*id);
        columns.keyword_names.push(name);
    }
    for (id, name) in &names.person_names {
        columns.person_ids.push(*id);
        columns.person_names.push(name);
    }
    columns.regions = names.regions.iter().map(|r| r.bytes()).collect();
    orders(&mut columns, &movies);
    let place: HashMap<u32, u32> = (0..).zip(&columns.ids).map(|(o, id)| (*id, o)).collect();
    let places = |ids: &[MovieId]| ids.iter().filter_map(|id| place.get(&id.get()).copied()).collect();
    columns.trending_day = places(&contents.trending_day);
    columns.trending_week = places(&contents.trending_week);
    columns.withdrawn = contents.withdrawn.iter().map(|id| id.get()).collect();
    columns.withdrawn.sort_unstable();
    columns.merged = contents.merged.iter().map(|(old, new)| (old.get(), new.get())).collect();
    columns.merged.sort_unstable();

    let index = index(&movies, &columns, &operators)?;
    columns.operators = operators;
    columns.reference = Some(reference);
    Ok((columns, index))
}

/// The places of everything that films refer to.
struct Names {
    keyword_names: BTreeMap<u32, String>,
    person_names: BTreeMap<u32, String>,
    keywords: HashMap<u32, u32>,
    people: HashMap<u32, u32>,
    genres: HashMap<u32, u32>,
    operators: HashMap<OperatorId, u32>,
    regions: Vec<Region>,
}

impl Names {
    fn gather(movies: &[Movie], reference: &Reference, operators: &[Operator]) -> Self {
        let mut keyword_names = BTreeMap::new();
        let mut person_names = BTreeMap::new();
        let mut regions = BTreeSet::new();
        for movie in movies {
            keyword_names.extend(movie.keywords.iter().map(|k| (k.id.get(), k.name.clone())));
            person_names.extend(movie.cast.iter().map(|c| (c.id.get(), c.name.clone())));
            let crew = movie.directors.iter().chain(&movie.writers);
            person_names.extend(crew.map(|p| (p.id.get(), p.name.clone())));
            regions.extend(movie.certifications.keys().chain(movie.offers.keys()).copied());
        }
        let places =
            |names: &BTreeMap<u32, String>| (0..).zip(names.keys()).map(|(at, id)| (*id, at)).collect();
        Self {
            keywords: places(&keyword_names),
            people: places(&person_names),
            genres: (0..).zip(&reference.genres).map(|(at, g)| (g.id.get(), at)).collect(),
            operators: (0..).zip(operators).map(|(at, o)| (o.id, at)).collect(),
            regions: regions.into_iter().take(MOST_REGIONS).collect(),
            keyword_names,
            person_names,
        }
    }

    fn push(&self, columns: &mut Columns, movie: &Movie, reference: &Reference) {
        columns.titles.push(&movie.title);
        columns.original_titles.push(if movie.original_title == movie.title {
            ""
        } else {
            &movie.original_title
        });
        columns.posters.push(movie.poster_path.as_deref().unwrap_or_default());
        columns.languages.push(movie.original_language.bytes());
        columns.released.push(movie.release_date.map_or(NO_DATE, days));
        columns.runtimes.push(movie.runtime.unwrap_or(0));
        columns.vote_averages.push(movie.vote_average);
        columns.vote_counts.push(movie.vote_count);
        columns.popularity.push(movie.popularity);
        columns.genres.push(movie.genres.iter().filter_map(|g| self.genres.get(&g.get()).copied()));
        columns.keywords.push(movie.keywords.iter().filter_map(|k| self.keywords.get(&k.id.get()).copied()));
        let person = |id: u32, role| self.people.get(&id).map(|at| credit(*at, role));
        columns.credits.push(
            (movie.directors.iter().filter_map(|p| person(p.id.get(), Role::Director)))
                .chain(movie.writers.iter().filter_map(|p| person(p.id.get(), Role::Writer)))
                .chain(movie.cast.iter().filter_map(|c| person(c.id.get(), Role::Cast))),
        );
        let region = |r: &Region| self.regions.binary_search(r).ok().and_then(|at| u32::try_from(at).ok());
        columns.certifications.push(movie.certifications.iter().filter_map(|(r, rating)| {
            Some(certification(region(r)?, u32::from(reference.strictness(*r, rating)?)))
        }));
        let mut offers = Vec::new();
        for (r, modes) in &movie.offers {
            let Some(at) = region(r) else { continue };
            for (mode, ids) in modes {
                let mode = (0..).zip(Mode::ALL).find(|(_, m)| m == mode).map_or(0, |(place, _)| place);
                let known = ids.iter().filter_map(|id| self.operators.get(id));
                offers.extend(known.map(|operator| offer(at, mode, *operator)));
            }
        }
        columns.offers.push(offers);
    }
}

/// Days since 1970.
pub(crate) fn days(date: Date) -> i32 {
    let since = date - Date::constant(1970, 1, 1);
    since.get_days()
}

fn orders(columns: &mut Columns, movies: &[Movie]) {
    let all: Vec<u32> = (0..u32::try_from(movies.len()).unwrap_or(u32::MAX)).collect();
    let ratings = bayesian(movies);
    let id = |o: u32| movies[o as usize].id;
    columns.by_rating.clone_from(&all);
    columns.by_rating.sort_by(|a, b| {
        ratings[*b as usize].total_cmp(&ratings[*a as usize]).then_with(|| id(*a).cmp(&id(*b)))
    });
    columns.by_newest.clone_from(&all);
    columns.by_newest.sort_by_key(|o| (std::cmp::Reverse(columns.released[*o as usize]), id(*o)));
    columns.by_title = all;
    columns.by_title.sort_by_cached_key(|o| (filed_under(&movies[*o as usize].title), id(*o)));
}

/// The Bayesian mean of TMDb's votes: `(v R + m C) / (v + m)` with the mean vote of all films `C` and as many
/// imagined votes `m` as the film at the 60th percentile has (IMDb's published "weighted rating").
fn bayesian(movies: &[Movie]) -> Vec<f32> {
    let mut counts: Vec<u32> = movies.iter().map(|m| m.vote_count).collect();
    counts.sort_unstable();
    let m = counts.get(counts.len() * 6 / 10).copied().unwrap_or(1).max(1) as f32;
    let (sum, votes) = movies.iter().fold((0.0_f64, 0.0_f64), |(sum, votes), movie| {
        (
            sum + f64::from(movie.vote_average) * f64::from(movie.vote_count),
            votes + f64::from(movie.vote_count),
        )
    });
    let mean = if votes > 0.0 { (sum / votes) as f32 } else { 0.0 };
    movies
        .iter()
        .map(|movie| {
            let v = movie.vote_count as f32;
            (v * movie.vote_average + m * mean) / (v + m)
        })
        .collect()
}

/// The title as a dictionary files it: without marks and case, and without a leading article.
fn filed_under(title: &str) -> String {
    let folded: String = title
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    let plain = folded.trim_start_matches(|c: char| !c.is_alphanumeric());
    let short = ["the ", "a ", "an "].iter().find_map(|article| plain.strip_prefix(article));
    short.unwrap_or(plain).to_owned()
}

fn index(movies: &[Movie], columns: &Columns, operators: &[Operator]) -> Result<Index, Error> {
    let mut builder = Builder::new();
    let most = movies.iter().map(|m| m.vote_count).max().unwrap_or(1).max(1) as f32;
    let mut of_person = vec![0.0_f32; columns.person_ids.len()];
    for (row, movie) in movies.iter().enumerate() {
        let mut titles: Vec<&str> = vec![&movie.title];
        let others = std::iter::once(&movie.original_title).chain(&movie.alternative_titles);
        for other in others.map(String::as_str) {
            if !other.is_empty() && !titles.contains(&other) {
                titles.push(other);
            }
        }
        let weight = (1.0 + movie.vote_count as f32).ln() / (1.0 + most).ln();
        for c in columns.credits.get(row) {
            let person = &mut of_person[(c >> 2) as usize];
            *person = person.max(weight * 0.9) + 0.01 * weight;
        }
        let year = movie.year().and_then(|y| u16::try_from(y).ok());
        builder.add(Entry { kind: Kind::Movie, titles: &titles, weight, year });
    }
    for (at, weight) in of_person.iter().enumerate() {
        let name = columns.person_names.get(at);
        builder.add(Entry { kind: Kind::Person, titles: &[name], weight: weight.min(1.0), year: None });
    }
    for operator in operators {
        builder.add(Entry { kind: Kind::Operator, titles: &[&operator.name], weight: 0.5, year: None });
    }
    builder.build().map_err(Error::Search)
}
