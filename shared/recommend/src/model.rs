//! A model that is ready to serve.

use std::io::Read;
use std::sync::OnceLock;

use crate::artifact::{Card, Kind, Sections};
use crate::error::Error;
use crate::lanes::{dot_bytes, widest};
use crate::metrics::best;

/// A loaded model. Immutable; one copy serves every thread.
#[derive(Debug)]
pub struct Model {
    pub(crate) sections: Sections,
    /// Length of each film's vector as stored, for cosines.
    lengths: Vec<f32>,
    /// Ids in the order of the prior, made when they are first asked for.
    by_prior: OnceLock<Vec<u32>>,
}

/// A film and a number that orders it among others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// The film.
    pub movie_id: u32,
    /// The higher, the earlier.
    pub score: f32,
}

impl Model {
    /// Reads an artifact and checks all of it.
    ///
    /// # Errors
    ///
    /// [`Error::Foreign`], [`Error::Format`], [`Error::Truncated`], [`Error::Checksum`], [`Error::Absurd`] or
    /// [`Error::Card`] for what is not a whole, sound artifact; [`Error::Io`] when reading fails.
    pub fn read(from: impl Read) -> Result<Self, Error> {
        let sections = Sections::read(from)?;
        let dims = sections.dims();
        let length = |row: &[i8]| row.iter().map(|x| i32::from(*x).pow(2)).sum::<i32>() as f32;
        let lengths = match dims {
            0 => vec![0.0; sections.films()],
            _ => widest(|| sections.factors().chunks_exact(dims).map(|row| length(row).sqrt()).collect()),
        };
        Ok(Self { sections, lengths, by_prior: OnceLock::new() })
    }

    /// Where the model comes from and how good it was.
    pub fn card(&self) -> &Card {
        self.sections.card()
    }

    /// Number of films.
    pub fn len(&self) -> usize {
        self.sections.films()
    }

    /// Whether the model knows no film at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ids of the films, ascending.
    pub fn movie_ids(&self) -> &[u32] {
        self.sections.u32s(Kind::Ids)
    }

    /// Likes that trained a film; `None` for a film that the model does not know.
    pub fn likes_of(&self, movie_id: u32) -> Option<u32> {
        Some(self.sections.u32s(Kind::Likes)[self.index(movie_id)? as usize])
    }

    /// Whether people or votes from outside have put the films into any order.
    pub fn has_prior(&self) -> bool {
        self.prior().iter().any(|p| *p != 0.0)
    }

    /// A film's place in the popularity prior, in standard deviations; `None` for an unknown film.
    pub fn prior_of(&self, movie_id: u32) -> Option<f32> {
        Some(self.prior()[self.index(movie_id)? as usize])
    }

    pub(crate) fn index(&self, movie_id: u32) -> Option<u32> {
        self.movie_ids().binary_search(&movie_id).ok().map(|k| k as u32)
    }

    pub(crate) fn id(&self, index: u32) -> u32 {
        self.movie_ids()[index as usize]
    }

    pub(crate) fn prior(&self) -> &[f32] {
        self.sections.f32s(Kind::Prior)
    }

    pub(crate) fn genres(&self) -> &[u32] {
        self.sections.u32s(Kind::Genres)
    }

    pub(crate) fn dims(&self) -> usize {
        self.sections.dims()
    }

    /// A film's vector as stored.
    pub(crate) fn levels(&self, film: u32) -> &[i8] {
        let dims = self.dims();
        &self.sections.factors()[film as usize * dims..][..dims]
    }

    /// Appends a film's vector.
    pub(crate) fn push_vector(&self, film: u32, to: &mut Vec<f32>) {
        let scale = self.sections.f32s(Kind::FactorScales)[film as usize];
        to.extend(self.levels(film).iter().map(|x| scale * f32::from(*x)));
    }

    /// Products of every film's vector with one vector.
    pub(crate) fn products(&self, taste: &[f32]) -> Vec<f32> {
        let scales = self.sections.f32s(Kind::FactorScales);
        let rows = self.sections.factors().chunks_exact(self.dims().max(1));
        let mut products = vec![0.0f32; self.len()];
        widest(
            #[inline(always)]
            || {
                for ((product, row), scale) in products.iter_mut().zip(rows).zip(scales) {
                    *product = scale * dot_bytes(row, taste);
                }
            },
        );
        products
    }

    /// The films whose item-item rows and columns stand for this one: itself, or its stand-ins in equal parts.
    pub(crate) fn stands_for<'a>(&'a self, film: &'a u32) -> (&'a [u32], f32) {
        let offsets = self.sections.u32s(Kind::StandInOffsets);
        let range = offsets[*film as usize] as usize..offsets[*film as usize + 1] as usize;
        match range.len() {
            0 => (std::slice::from_ref(film), 1.0),
            count => (&self.sections.u32s(Kind::StandIns)[range], 1.0 / count as f32),
        }
    }

    /// Gives each film without rows of its own the mean score of its stand-ins.
    pub(crate) fn fill_stand_ins(&self, scores: &mut [f32]) {
        let offsets = self.sections.u32s(Kind::StandInOffsets);
        let stand_ins = self.sections.u32s(Kind::StandIns);
        for film in 0..scores.len() {
            let own = &stand_ins[offsets[film] as usize..offsets[film + 1] as usize];
            if !own.is_empty() {
                scores[film] = own.iter().map(|k| scores[*k as usize]).sum::<f32>() / own.len() as f32;
            }
        }
    }

    /// Cosine of two films' vectors; zero where one has none.
    #[inline(always)]
    pub(crate) fn cosine(&self, a: u32, vector_of_a: &[f32], b: u32) -> f32 {
        let lengths = self.lengths[a as usize] * self.lengths[b as usize];
        if lengths > 0.0 { dot_bytes(self.levels(b), vector_of_a) / lengths } else { 0.0 }
    }

    /// Films like a film, best first, the film itself left out: what its like does in the item-item model, the cosine
    /// of the vectors and the content, in equal parts as far as the model has them. Empty for an unknown film.
    pub fn similar(&self, movie_id: u32, limit: usize, filter: impl Fn(u32) -> bool) -> Vec<Ranked> {
        let Some(film) = self.index(movie_id) else { return Vec::new() };
        let mut scores = vec![0.0f32; self.len()];
        if self.dims() > 0 {
            let own: Vec<f32> = self.levels(film).iter().map(|x| f32::from(*x)).collect();
            widest(
                #[inline(always)]
                || {
                    for (other, score) in scores.iter_mut().enumerate() {
                        *score = self.cosine(film, &own, other as u32);
                    }
                },
            );
        }
        let (rows, part) = self.stands_for(&film);
        let mut item = vec![0.0f32; self.len()];
        rows.iter().for_each(|row| self.sections.item().add_to(*row as usize, part, &mut item));
        self.fill_stand_ins(&mut item);
        let mut content = vec![0.0f32; self.len()];
        self.sections.content().add_to(film as usize, 1.0, &mut content);
        for part in [item, content] {
            let most = part.iter().fold(0.0f32, |most, x| most.max(*x));
            if most > 0.0 {
                scores.iter_mut().zip(&part).for_each(|(score, x)| *score += x / most);
            }
        }
        self.ranked(&scores, limit, |k| k != film && scores[k as usize] > 0.0 && filter(self.id(k)))
    }

    /// Films by popularity, best first: for guests.
    pub fn popular(&self, limit: usize, filter: impl Fn(u32) -> bool) -> Vec<Ranked> {
        self.ranked(self.prior(), limit, |k| filter(self.id(k)))
    }

    /// All films by popularity, best first.
    pub fn by_popularity(&self) -> &[u32] {
        let all = || self.popular(self.len(), |_| true).into_iter().map(|ranked| ranked.movie_id).collect();
        self.by_prior.get_or_init(all)
    }

    pub(crate) fn ranked(&self, scores: &[f32], limit: usize, allowed: impl Fn(u32) -> bool) -> Vec<Ranked> {
        let films = best(scores, limit, allowed).into_iter();
        films.map(|k| Ranked { movie_id: self.id(k), score: scores[k as usize] }).collect()
    }
}
