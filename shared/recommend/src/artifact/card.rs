//! What the artifact says about itself.

use serde::{Deserialize, Serialize};

use crate::metrics::Quality;
use crate::signal::Intake;

/// Where a model comes from, how it was set and how good it was on people it had not seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of the model, as the caller named it.
    pub model_version: String,
    /// Version of the catalogue that it was trained on.
    pub catalog_version: String,
    /// Seed of the run.
    pub seed: u32,
    /// People whose likes trained it.
    pub people: usize,
    /// Films that have at least one like.
    pub liked_films: usize,
    /// What was used of the input.
    pub intake: Intake,
    /// The settings that validation chose.
    pub settings: Settings,
    /// Quality on held-out people of the same run; `None` when there were too few people to hold any out.
    pub quality: Option<Quality>,
}

/// What a run tunes. Everything that serving needs is in here too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Weights of the models in the blend.
    pub weights: Weights,
    /// `λ` of the item-item model, in likes.
    pub item_lambda: f32,
    /// Dropout of the item-item model.
    pub item_dropout: f32,
    /// Length of a film's vector.
    pub dims: usize,
    /// `α₀` of the latent model: weight of what a person said nothing about.
    pub background: f32,
    /// `λ` of the latent model, before scaling by frequency.
    pub lambda: f32,
    /// Passes over the data.
    pub epochs: usize,
    /// Conjugate-gradient steps a row and pass.
    pub steps: usize,
    /// Weight in training of a film that a person saw and neither liked nor disliked.
    pub seen: f32,
    /// Weight of a thumb down in the latent model's fold-in, where it is a target of zero.
    pub dislike: f32,
    /// Part of a disliked film's row that the item-item and content models take away.
    pub dislike_rows: f32,
    /// Thumbs at which a person's own taste and the popularity prior weigh the same.
    pub prior_thumbs: f32,
    /// Item-item weights kept per film, on average.
    pub kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            item_lambda: 100.0,
            item_dropout: 0.5,
            dims: 128,
            background: 0.3,
            lambda: 0.007,
            epochs: 16,
            steps: 3,
            seen: 0.5,
            dislike: 2.0,
            dislike_rows: 0.1,
            prior_thumbs: 1.0,
            kept: 256,
        }
    }
}

impl Settings {
    pub(crate) fn is_sound(&self) -> bool {
        let Weights { item, latent, content } = self.weights;
        let parts = [
            item,
            latent,
            content,
            self.background,
            self.seen,
            self.dislike,
            self.dislike_rows,
            self.prior_thumbs,
        ];
        parts.iter().all(|x| x.is_finite() && (0.0..=1_000.0).contains(x))
            && self.lambda.is_finite()
            && self.lambda > 0.0
            && self.dims <= 1_024
    }
}

/// How much each model's scores count, in standard deviations over the films.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The item-item model.
    pub item: f32,
    /// The latent model.
    pub latent: f32,
    /// Content.
    pub content: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { item: 0.2, latent: 0.8, content: 0.0 }
    }
}
