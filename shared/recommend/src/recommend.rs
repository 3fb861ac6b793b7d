//! A page of recommendations: scores, filters, diversity, exploration, reasons.

use crate::metrics::best;
use crate::model::{Model, Ranked};
use crate::profile::Profile;
use crate::score::{Shares, Taste};

/// Films that re-ranking looks at.
const POOL: usize = 100;
/// Likes below which a film counts as new, and may fill an exploration place.
const NEW: u32 = 5;
/// One place in so many is for a new film.
const EXPLORE_EVERY: usize = 10;
/// New films among which an exploration place is drawn.
const EXPLORE_AMONG: usize = 20;
/// What a genre that was already shown takes from a film, per time and share of the film's genres, in standard
/// deviations of the prior.
const SPREAD: f32 = 0.35;

/// How a page is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PageOptions {
    /// Films on the page.
    pub limit: usize,
    /// Relevance against diversity in re-ranking (maximal marginal relevance: Carbonell and Goldstein 1998): 1 is
    /// relevance alone.
    pub relevance: f32,
    /// Most reasons per film, the strongest first. With fewer than all, they don't add up to the score.
    pub reasons: usize,
    /// Draws new films into every tenth place, by this seed.
    pub explore: Option<u64>,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { limit: 20, relevance: 0.7, reasons: 3, explore: None }
    }
}

/// Why a film has its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// A liked film, with its share of the score.
    Liked {
        /// The liked film.
        movie_id: u32,
        /// Its share.
        share: f32,
    },
    /// A disliked film, with its share of the score.
    Disliked {
        /// The disliked film.
        movie_id: u32,
        /// Its share.
        share: f32,
    },
    /// What people in general think of the film.
    Popular {
        /// Its share.
        share: f32,
    },
    /// What the profile adds to the film's score.
    Lifted {
        /// Its share.
        share: f32,
    },
}

impl Reason {
    /// The share of the score, in the score's unit.
    pub fn share(&self) -> f32 {
        match *self {
            Self::Liked { share, .. }
            | Self::Disliked { share, .. }
            | Self::Popular { share }
            | Self::Lifted { share } => share,
        }
    }
}

/// A recommended film.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The film.
    pub movie_id: u32,
    /// Standard deviations above the person's mean film. The order of a page is the score's only without diversity.
    pub score: f32,
    /// Reasons, the strongest first. All of them together add up to the score within rounding.
    pub reasons: Vec<Reason>,
    /// Whether the film is here because it is new.
    pub explored: bool,
}

impl Model {
    /// Recommends films that `filter` lets through, and that the profile doesn't name. Without a thumb up that the
    /// model knows, the page is the popularity prior spread over genres.
    pub fn recommend(
        &self,
        profile: &Profile,
        filter: impl Fn(u32) -> bool,
        options: &PageOptions,
    ) -> Vec<Scored> {
        let taste = Taste::new(self, profile);
        let hidden = profile.hidden(self);
        let scores = taste.blend();
        let allowed = |film: u32| !hidden[film as usize] && filter(self.id(film));
        let pool = best(&scores, POOL.max(options.limit), allowed);
        let mut page = if taste.is_personal() {
            self.diversified(&scores, pool, options)
        } else {
            self.spread(&scores, pool, options.limit)
        };
        let mut explored = Vec::new();
        if let Some(seed) = options.explore {
            explored = self.explore(&scores, &mut page, allowed, seed);
        }
        let shares = if options.reasons > 0 { taste.shares(&page) } else { Vec::new() };
        let mut scored: Vec<Scored> = page
            .iter()
            .map(|film| Scored {
                movie_id: self.id(*film),
                score: scores[*film as usize],
                reasons: Vec::new(),
                explored: explored.contains(film),
            })
            .collect();
        for (scored, shares) in scored.iter_mut().zip(shares) {
            scored.reasons = self.reasons(&taste, &shares, options.reasons);
        }
        scored
    }

    /// The model's pure ranking: no diversity, no exploration. Films that the profile names are left out.
    pub fn rank(&self, profile: &Profile, limit: usize) -> Vec<Ranked> {
        let hidden = profile.hidden(self);
        let scores = Taste::new(self, profile).blend();
        self.ranked(&scores, limit, |film| !hidden[film as usize])
    }

    /// The whole breakdown of one film's score, whether or not it would be shown. `None` for an unknown film.
    pub fn why(&self, profile: &Profile, movie_id: u32) -> Option<Scored> {
        let film = self.index(movie_id)?;
        let taste = Taste::new(self, profile);
        let shares = taste.shares(&[film]);
        let reasons = self.reasons(&taste, shares.first()?, usize::MAX);
        Some(Scored { movie_id, score: taste.blend()[film as usize], reasons, explored: false })
    }

    fn reasons(&self, taste: &Taste<'_>, shares: &Shares, most: usize) -> Vec<Reason> {
        let liked = taste.likes.iter().zip(&shares.likes);
        let disliked = taste.dislikes.iter().zip(&shares.dislikes);
        let mut reasons: Vec<Reason> = liked
            .map(|((film, _), share)| Reason::Liked { movie_id: self.id(*film), share: *share })
            .chain(
                disliked
                    .map(|((film, _), share)| Reason::Disliked { movie_id: self.id(*film), share: *share }),
            )
            .chain([Reason::Popular { share: shares.prior }, Reason::Lifted { share: shares.lift }])
            .filter(|reason| reason.share() != 0.0)
            .collect();
        reasons.sort_by(|a, b| b.share().abs().total_cmp(&a.share().abs()));
        reasons.truncate(most);
        reasons
    }

    /// Maximal marginal relevance over the pool, which comes best first.
    fn diversified(&self, scores: &[f32], pool: Vec<u32>, options: &PageOptions) -> Vec<u32> {
        let limit = options.limit.min(pool.len());
        let relevance = options.relevance.clamp(0.0, 1.0);
        let (Some(top), Some(last)) = (pool.first(), pool.last()) else { return pool };
        let (top, last) = (scores[*top as usize], scores[*last as usize]);
        if relevance >= 1.0 || top <= last {
            return pool.into_iter().take(limit).collect();
        }
        let relevant = |film: u32| (scores[film as usize] - last) / (top - last);
        let mut left: Vec<(u32, f32)> = pool.into_iter().map(|film| (film, 0.0)).collect();
        let mut page = Vec::with_capacity(limit);
        while page.len() < limit {
            let value = |(film, near): &(u32, f32)| relevance * relevant(*film) - (1.0 - relevance) * near;
            let next = (1..left.len()).fold(0, |k, j| if value(&left[j]) > value(&left[k]) { j } else { k });
            let (film, _) = left.remove(next);
            self.note_near(film, &mut left);
            page.push(film);
        }
        page
    }

    /// Raises each remaining film's nearness to what is on the page by its nearness to `film`.
    fn note_near(&self, film: u32, left: &mut [(u32, f32)]) {
        if self.dims() > 0 {
            let own: Vec<f32> = self.levels(film).iter().map(|x| f32::from(*x)).collect();
            crate::lanes::widest(
                #[inline(always)]
                || {
                    for (other, near) in left.iter_mut() {
                        *near = near.max(self.cosine(film, &own, *other));
                    }
                },
            );
        }
        for (column, cosine) in self.sections.content().entries(film as usize) {
            if let Some((_, near)) = left.iter_mut().find(|(other, _)| *other == column) {
                *near = near.max(cosine);
            }
        }
    }

    /// The pool with every genre's later films put back a little each time the genre comes up.
    fn spread(&self, scores: &[f32], pool: Vec<u32>, limit: usize) -> Vec<u32> {
        let genres = self.genres();
        let mut shown = [0u32; 32];
        let mut left = pool;
        let mut page = Vec::with_capacity(limit.min(left.len()));
        while page.len() < limit && !left.is_empty() {
            let seen = |mask: u32| -> f32 {
                let times: u32 = (0..32).filter(|bit| mask >> bit & 1 == 1).map(|bit| shown[bit]).sum();
                times as f32 / mask.count_ones().max(1) as f32
            };
            let value = |film: u32| scores[film as usize] - SPREAD * seen(genres[film as usize]);
            let next = (1..left.len()).fold(0, |k, j| if value(left[j]) > value(left[k]) { j } else { k });
            let film = left.remove(next);
            (0..32).filter(|bit| genres[film as usize] >> bit & 1 == 1).for_each(|bit| shown[bit] += 1);
            page.push(film);
        }
        page
    }

    /// Puts a new film into every tenth place, and says which.
    fn explore(
        &self,
        scores: &[f32],
        page: &mut [u32],
        allowed: impl Fn(u32) -> bool,
        seed: u64,
    ) -> Vec<u32> {
        let likes = self.sections.u32s(crate::artifact::Kind::Likes);
        let is_new = |film: u32| likes[film as usize] < NEW && !page.contains(&film) && allowed(film);
        let mut new = best(scores, EXPLORE_AMONG, is_new);
        let mut explored = Vec::new();
        for place in (EXPLORE_EVERY - 1..page.len()).step_by(EXPLORE_EVERY) {
            if new.is_empty() {
                break;
            }
            let drawn = mixed(seed.wrapping_add(place as u64)) as usize % new.len();
            let film = new.remove(drawn);
            page[place] = film;
            explored.push(film);
        }
        explored
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads a seed over all bits.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
