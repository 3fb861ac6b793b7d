//! Scores of every film for one person, and where they come from.

use crate::artifact::{Kind, Weights};
use crate::fold::FoldIn;
use crate::model::Model;
use crate::packed::Packed;
use crate::profile::Profile;

/// A person as the model sees one: films by index.
pub(crate) struct Taste<'m> {
    model: &'m Model,
    pub likes: Vec<(u32, f32)>,
    pub dislikes: Vec<(u32, f32)>,
    /// What is added to films' scores.
    lifts: Vec<(u32, f32)>,
    /// How much the person's own taste counts against the prior, 0 to 1.
    own: f32,
    parts: Vec<Part>,
    fold: Option<FoldIn>,
}

#[derive(Clone, Copy, PartialEq)]
enum Source {
    Item,
    Latent,
    Content,
}

/// One model's raw scores and what brings them to the blend: `gain * (score - mean)`.
struct Part {
    source: Source,
    scores: Vec<f32>,
    mean: f32,
    gain: f32,
}

impl Part {
    fn new(source: Source, scores: Vec<f32>, weight: f32) -> Self {
        let count = scores.len().max(1) as f64;
        let mean = scores.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let spread = (scores.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count).sqrt();
        // Where all scores are the same up to rounding, they say nothing.
        let gain = if spread > 1e-6 * mean.abs() + 1e-12 { f64::from(weight) / spread } else { 0.0 };
        Self { source, scores, mean: mean as f32, gain: gain as f32 }
    }
}

/// How a film's score splits.
pub(crate) struct Shares {
    /// One per like, in the order of [`Taste::likes`].
    pub likes: Vec<f32>,
    /// One per dislike, in the order of [`Taste::dislikes`].
    pub dislikes: Vec<f32>,
    /// The prior's.
    pub prior: f32,
    /// What was added.
    pub lift: f32,
}

impl<'m> Taste<'m> {
    pub(crate) fn new(model: &'m Model, profile: &Profile) -> Self {
        Self::with_weights(model, profile, model.card().settings.weights)
    }

    /// With other weights of the blend than the model's.
    pub(crate) fn with_weights(model: &'m Model, profile: &Profile, weights: Weights) -> Self {
        let (likes, dislikes) = profile.resolve(model);
        let thumbs: f32 = likes.iter().map(|(_, w)| w).sum();
        let settings = &model.card().settings;
        let own = if thumbs > 0.0 { thumbs / (thumbs + settings.prior_thumbs) } else { 0.0 };
        let lifts = profile.lifts.iter().filter(|(_, lift)| lift.is_finite());
        let lifts = lifts.filter_map(|(id, lift)| Some((model.index(*id)?, *lift))).collect();
        let mut taste = Self { model, likes, dislikes, lifts, own, parts: Vec::new(), fold: None };
        if own > 0.0 {
            taste.score(weights);
        }
        taste
    }

    /// Whether there is any thumb up to go by.
    pub(crate) fn is_personal(&self) -> bool {
        self.own > 0.0
    }

    fn score(&mut self, weights: Weights) {
        let sections = &self.model.sections;
        let mut parts = Vec::new();
        if weights.item > 0.0 {
            let mut scores = self.walk(sections.item(), |film| self.model.stands_for(film));
            self.model.fill_stand_ins(&mut scores);
            parts.push(Part::new(Source::Item, scores, weights.item));
        }
        if weights.content > 0.0 {
            let scores = self.walk(sections.content(), |film| (std::slice::from_ref(film), 1.0));
            parts.push(Part::new(Source::Content, scores, weights.content));
        }
        if weights.latent > 0.0 && self.model.dims() > 0 {
            self.fold = self.fold_in();
            if let Some(fold) = &self.fold {
                parts.push(Part::new(Source::Latent, self.model.products(&fold.taste), weights.latent));
            }
        }
        self.parts = parts;
    }

    /// Likes and dislikes with the weight that their rows get: dislikes take away.
    fn signed(&self, dislike: f32) -> impl Iterator<Item = (&u32, f32)> {
        let dislikes = self.dislikes.iter().map(move |(film, w)| (film, -dislike * w));
        self.likes.iter().map(|(film, w)| (film, *w)).chain(dislikes)
    }

    /// Sums the rows of the likes, less part of the rows of the dislikes.
    fn walk<'a>(&'a self, rows: Packed<'_>, stands_for: impl Fn(&'a u32) -> (&'a [u32], f32)) -> Vec<f32> {
        let mut total = vec![0.0f32; self.model.len()];
        for (film, weight) in self.signed(self.model.card().settings.dislike_rows) {
            let (own, part) = stands_for(film);
            for row in own {
                rows.add_to(*row as usize, weight * part, &mut total);
            }
        }
        total
    }

    fn fold_in(&self) -> Option<FoldIn> {
        let settings = &self.model.card().settings;
        let mut rows = Vec::with_capacity((self.likes.len() + self.dislikes.len()) * self.model.dims());
        let mut weights = Vec::with_capacity(self.likes.len() + self.dislikes.len());
        for (film, weight) in self.signed(settings.dislike) {
            self.model.push_vector(*film, &mut rows);
            weights.push(weight);
        }
        let own: f32 = self.likes.iter().map(|(_, w)| w).sum();
        let others = self.model.card().liked_films as f32;
        let ridge = settings.lambda * (own + settings.background * others);
        FoldIn::solve(self.model.sections.f32s(Kind::Gram), settings.background, ridge, rows, weights)
    }

    /// The blended score of every film: standard deviations from the person's mean film.
    pub(crate) fn blend(&self) -> Vec<f32> {
        let mut total: Vec<f32> = self.model.prior().iter().map(|p| (1.0 - self.own) * p).collect();
        for part in &self.parts {
            let gain = self.own * part.gain;
            for (total, score) in total.iter_mut().zip(&part.scores) {
                *total += gain * (score - part.mean);
            }
        }
        for (film, lift) in &self.lifts {
            total[*film as usize] += lift;
        }
        total
    }

    /// How the scores of `films` split.
    pub(crate) fn shares(&self, films: &[u32]) -> Vec<Shares> {
        let prior = self.model.prior();
        let mut shares: Vec<Shares> = films
            .iter()
            .map(|film| Shares {
                likes: vec![0.0; self.likes.len()],
                dislikes: vec![0.0; self.dislikes.len()],
                prior: (1.0 - self.own) * prior[*film as usize],
                lift: self.lifts.iter().filter(|(other, _)| other == film).map(|(_, lift)| lift).sum(),
            })
            .collect();
        for part in self.parts.iter().filter(|part| part.gain != 0.0) {
            let gain = self.own * part.gain;
            match part.source {
                Source::Item => self.item_shares(films, gain, &mut shares),
                Source::Content => self.content_shares(films, gain, &mut shares),
                Source::Latent => self.latent_shares(films, gain, &mut shares),
            }
        }
        shares
    }

    fn latent_shares(&self, films: &[u32], gain: f32, shares: &mut [Shares]) {
        let Some(fold) = &self.fold else { return };
        let mut vectors = Vec::with_capacity(films.len() * self.model.dims());
        films.iter().for_each(|film| self.model.push_vector(*film, &mut vectors));
        let mean = self.model.sections.f32s(Kind::FactorMean);
        for (shares, own) in shares.iter_mut().zip(fold.shares(vectors, mean)) {
            shares.likes.iter_mut().zip(own).for_each(|(share, x)| *share += gain * x);
        }
    }

    fn item_shares(&self, films: &[u32], gain: f32, shares: &mut [Shares]) {
        let sections = &self.model.sections;
        let columns = Columns::new(self.model.len(), films, |film| self.model.stands_for(film));
        let means = sections.f32s(Kind::ItemMeans);
        self.sparse_shares(
            sections.item(),
            means,
            &columns,
            |film| self.model.stands_for(film),
            gain,
            shares,
        );
    }

    fn content_shares(&self, films: &[u32], gain: f32, shares: &mut [Shares]) {
        let sections = &self.model.sections;
        let itself = |film| (std::slice::from_ref(film), 1.0);
        let columns = Columns::new(self.model.len(), films, itself);
        self.sparse_shares(
            sections.content(),
            sections.f32s(Kind::ContentMeans),
            &columns,
            itself,
            gain,
            shares,
        );
    }

    fn sparse_shares<'a>(
        &'a self,
        rows: Packed<'_>,
        means: &[f32],
        columns: &Columns,
        stands_for: impl Fn(&'a u32) -> (&'a [u32], f32),
        gain: f32,
        shares: &mut [Shares],
    ) {
        let likes = self.likes.len();
        for (k, (film, weight)) in self.signed(self.model.card().settings.dislike_rows).enumerate() {
            let mut add = |slot: usize, x: f32| match k.checked_sub(likes) {
                None => shares[slot].likes[k] += gain * x,
                Some(k) => shares[slot].dislikes[k] += gain * x,
            };
            (0..columns.slots).for_each(|slot| add(slot, -weight * means[*film as usize]));
            let (own, part) = stands_for(film);
            for row in own {
                for (column, entry) in rows.entries(*row as usize) {
                    for (slot, share) in columns.of(column) {
                        add(slot, weight * part * entry * share);
                    }
                }
            }
        }
    }
}

/// Which of a few shown films a column of the matrix counts for, and with what part.
struct Columns {
    slots: usize,
    /// One past the place in `nodes`; zero for a column that counts for none.
    heads: Vec<u32>,
    nodes: Vec<(usize, f32, u32)>,
}

impl Columns {
    fn new<'a>(films: usize, shown: &'a [u32], stands_for: impl Fn(&'a u32) -> (&'a [u32], f32)) -> Self {
        let (mut heads, mut nodes) = (vec![0u32; films], Vec::new());
        for (slot, film) in shown.iter().enumerate() {
            let (own, part) = stands_for(film);
            for column in own {
                let head = &mut heads[*column as usize];
                nodes.push((slot, part, *head));
                *head = nodes.len() as u32;
            }
        }
        Self { slots: shown.len(), heads, nodes }
    }

    fn of(&self, column: u32) -> impl Iterator<Item = (usize, f32)> + '_ {
        let node = |at: u32| at.checked_sub(1).map(|at| self.nodes[at as usize]);
        std::iter::successors(node(self.heads[column as usize]), move |(_, _, next)| node(*next))
            .map(|(slot, part, _)| (slot, part))
    }
}
