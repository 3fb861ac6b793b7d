//! The latent factor model: implicit alternating least squares.
//!
//! Every film has a vector `h` of `d` numbers and every person a vector `w`; the score is `w·h`. With the films
//! fixed, a person's vector minimises `Σ c (w·h - t)² + α₀ Σ (w·h)² + λ (Σ c + α₀ n)^ν |w|²`: the first sum over
//! the person's own films (target `t` = 1 for a like, 0 for a dislike), the second over all `n`. Sources: Y. Hu,
//! Y. Koren, C. Volinsky, *Collaborative filtering for implicit feedback datasets*, ICDM 2008; the scaling of the
//! ridge by frequency from S. Rendle et al., *Revisiting the performance of iALS*, RecSys 2022.
//!
//! Training solves each row with a few preconditioned conjugate-gradient steps from the row of the epoch before
//! (G. Takács, I. Pilászy, D. Tikk, *Applications of the conjugate gradient method for implicit feedback
//! collaborative filtering*, RecSys 2011), in the basis in which `α₀HᵀH` is diagonal: the background then costs
//! `d` instead of `d²` operations a step and is part of the preconditioner. Fold-in solves exactly.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rand_mt::Mt;
use rayon::prelude::*;

use crate::error::Error;
use crate::lanes::{add_four, add_four_squares, add_scaled, dot, dot_four};
use crate::sparse::Sparse;

/// Rows that one task solves with one set of scratch vectors.
const ROWS_PER_TASK: usize = 32;

/// What is tuned, and how long to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Length of a vector.
    pub dims: usize,
    /// `α₀`, the weight of every film the person said nothing about.
    pub background: f32,
    /// `λ`, the ridge before scaling.
    pub lambda: f32,
    /// Passes over the data.
    pub epochs: usize,
    /// Conjugate-gradient steps per row and pass.
    pub steps: usize,
}

impl Settings {
    /// The ridge of a row with total weight `own` against `others` rows on the other side (`ν` = 1).
    pub(crate) fn ridge(&self, own: f32, others: usize) -> f32 {
        self.lambda * (own + self.background * others as f32)
    }
}

/// Vectors of the films, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    pub dims: usize,
    pub rows: Vec<f32>,
}

impl Factors {
    pub(crate) fn row(&self, film: usize) -> &[f32] {
        &self.rows[film * self.dims..(film + 1) * self.dims]
    }
}

/// Trains the films' vectors. `likes` has a row per person, `by_film` is its transpose.
pub(crate) fn train(
    likes: &Sparse,
    by_film: &Sparse,
    settings: Settings,
    seed: u32,
    mut epoch_done: impl FnMut(usize),
) -> Result<Factors, Error> {
    let dims = settings.dims;
    let mut films = start(likes.columns(), dims, seed);
    let mut people = vec![0.0f32; likes.rows() * dims];
    for epoch in 0..settings.epochs {
        half(likes, &films, &mut people, settings)?;
        half(by_film, &people, &mut films, settings)?;
        epoch_done(epoch + 1);
    }
    if films.iter().any(|x| !x.is_finite()) {
        return Err(Error::NotPositive { what: "the vectors of the films" });
    }
    Ok(Factors { dims, rows: films })
}

/// Normal numbers of standard deviation `0.1 / √d` (Box and Muller).
fn start(rows: usize, dims: usize, seed: u32) -> Vec<f32> {
    let mut generator = Mt::new(seed);
    let mut unit = || (f64::from(generator.next_u32()) + 0.5) / 4_294_967_296.0;
    let scale = 0.1 / (dims as f64).sqrt();
    let normal = |_| (scale * (-2.0 * unit().ln()).sqrt() * (std::f64::consts::TAU * unit()).cos()) as f32;
    (0..rows * dims).map(normal).collect()
}

/// Solves every row of `out` against the `fixed` side.
fn half(entries: &Sparse, fixed: &[f32], out: &mut [f32], settings: Settings) -> Result<(), Error> {
    let (dims, others) = (settings.dims, entries.columns());
    if others == 0 || entries.rows() == 0 {
        return Ok(());
    }
    let (basis, energy) = principal_axes(&gram(fixed, dims))?;
    let mut fixed = fixed.to_vec();
    turn(&mut fixed, basis.as_ref());
    turn(out, basis.as_ref());
    let background: Vec<f32> = energy.iter().map(|e| settings.background * e.max(0.0)).collect();
    out.par_chunks_mut(ROWS_PER_TASK * dims).enumerate().for_each(|(task, rows)| {
        let first = task * ROWS_PER_TASK;
        let side = Side { fixed: &fixed, background: &background, settings, others };
        Arch::new().dispatch(Block { entries, first, side, rows });
    });
    turn(out, basis.as_ref().transpose());
    Ok(())
}

/// `FᵀF`. Sequential on purpose: it is cheap, and the order of its sums must not depend on the threads.
pub(crate) fn gram(rows: &[f32], dims: usize) -> Mat<f32> {
    let rows = MatRef::from_row_major_slice(rows, rows.len() / dims, dims);
    let mut gram = Mat::zeros(dims, dims);
    matmul(gram.as_mut(), Accum::Replace, rows.transpose(), rows, 1.0, Par::Seq);
    gram
}

fn principal_axes(gram: &Mat<f32>) -> Result<(Mat<f32>, Vec<f32>), Error> {
    let dims = gram.nrows();
    let (mut basis, mut energy) = (Mat::zeros(dims, dims), Diag::zeros(dims));
    let params = Default::default();
    let need = self_adjoint_evd_scratch::<f32>(dims, ComputeEigenvectors::Yes, Par::Seq, params);
    let mut memory = MemBuffer::new(need);
    self_adjoint_evd(
        gram.as_ref(),
        energy.as_mut(),
        Some(basis.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        params,
    )
    .map_err(|_| Error::NotPositive { what: "the vectors of the films" })?;
    Ok((basis, (0..dims).map(|k| energy[k]).collect()))
}

/// Turns rows into another basis, in place.
fn turn(rows: &mut [f32], basis: MatRef<'_, f32>) {
    let dims = basis.nrows();
    rows.par_chunks_mut(256 * dims).for_each(|rows| {
        let (count, before) = (rows.len() / dims, rows.to_vec());
        let before = MatRef::from_row_major_slice(&before, count, dims);
        let after = MatMut::from_row_major_slice_mut(rows, count, dims);
        matmul(after, Accum::Replace, before, basis, 1.0, Par::Seq);
    });
}

/// What the rows of one side have in common while they are solved.
#[derive(Clone, Copy)]
struct Side<'a> {
    /// Vectors of the other side, in the basis in which the background is diagonal.
    fixed: &'a [f32],
    /// That diagonal.
    background: &'a [f32],
    settings: Settings,
    /// Rows of the other side.
    others: usize,
}

/// A block of rows, solved one after the other with the widest instructions of the machine.
struct Block<'a> {
    entries: &'a Sparse,
    first: usize,
    side: Side<'a>,
    rows: &'a mut [f32],
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let dims = self.side.settings.dims;
        let mut scratch = Scratch::new(dims);
        for (k, x) in self.rows.chunks_exact_mut(dims).enumerate() {
            scratch.solve(simd, self.entries.row(self.first + k), self.side, x);
        }
    }
}

/// A row's entries, four at a time: vectors of the other side and weights. The last four are filled up with weights of
/// zero.
#[derive(Clone, Copy)]
struct Fours<'a> {
    index: &'a [u32],
    weight: &'a [f32],
    fixed: &'a [f32],
    dims: usize,
}

impl<'a> Fours<'a> {
    #[inline(always)]
    fn at(&self, k: usize) -> ([&'a [f32]; 4], [f32; 4]) {
        let last = self.index.len() - 1;
        let row = |k: usize| &self.fixed[self.index[k.min(last)] as usize * self.dims..][..self.dims];
        let weight = |k: usize| if k <= last { self.weight[k] } else { 0.0 };
        let rows = [row(k), row(k + 1), row(k + 2), row(k + 3)];
        (rows, [weight(k), weight(k + 1), weight(k + 2), weight(k + 3)])
    }
}

/// Weight times what is missing to the target: 1 for a like, 0 for a dislike.
#[inline(always)]
fn error(weight: f32, product: f32) -> f32 {
    if weight > 0.0 { weight * (1.0 - product) } else { weight * product }
}

/// Vectors that one row's solve needs.
struct Scratch {
    /// `D`: background and ridge.
    diagonal: Vec<f32>,
    /// The diagonal of the whole matrix.
    preconditioner: Vec<f32>,
    residual: Vec<f32>,
    direction: Vec<f32>,
    /// The matrix times the direction.
    image: Vec<f32>,
}

impl Scratch {
    fn new(dims: usize) -> Self {
        let zeros = || vec![0.0; dims];
        Self {
            diagonal: zeros(),
            preconditioner: zeros(),
            residual: zeros(),
            direction: zeros(),
            image: zeros(),
        }
    }

    /// Improves `x` towards the solution of `(D + Σ c y yᵀ) x = Σ c t y`, with `c` the weight's size and `t` 1 for
    /// a positive weight, 0 for a negative one.
    #[inline(always)]
    fn solve<S: Simd>(&mut self, simd: S, (index, weight): (&[u32], &[f32]), side: Side<'_>, x: &mut [f32]) {
        let Side { fixed, background, settings, others } = side;
        let dims = settings.dims;
        if index.is_empty() {
            x.fill(0.0);
            return;
        }
        let fours = Fours { index, weight, fixed, dims };
        let ridge = settings.ridge(weight.iter().map(|c| c.max(0.0)).sum(), others);
        for k in 0..dims {
            self.diagonal[k] = background[k] + ridge;
            self.preconditioner[k] = self.diagonal[k];
            self.residual[k] = -self.diagonal[k] * x[k];
        }
        for k in (0..index.len()).step_by(4) {
            let (rows, [a, b, c, d]) = fours.at(k);
            let [for_a, for_b, for_c, for_d] = dot_four(simd, rows, x);
            let errors = [error(a, for_a), error(b, for_b), error(c, for_c), error(d, for_d)];
            add_four(simd, &mut self.residual, errors, rows);
            add_four_squares(simd, &mut self.preconditioner, [a.abs(), b.abs(), c.abs(), d.abs()], rows);
        }
        self.direction.fill(0.0);
        let mut energy = 0.0f32;
        for _ in 0..settings.steps {
            for k in 0..dims {
                self.image[k] = self.residual[k] / self.preconditioner[k];
            }
            let next = dot(&self.image, &self.residual);
            if next <= 1e-20 {
                return;
            }
            let turn = if energy > 0.0 { next / energy } else { 0.0 };
            energy = next;
            for k in 0..dims {
                self.direction[k] = turn.mul_add(self.direction[k], self.image[k]);
                self.image[k] = self.diagonal[k] * self.direction[k];
            }
            for k in (0..index.len()).step_by(4) {
                let (rows, [a, b, c, d]) = fours.at(k);
                let [for_a, for_b, for_c, for_d] = dot_four(simd, rows, &self.direction);
                let scales = [a.abs() * for_a, b.abs() * for_b, c.abs() * for_c, d.abs() * for_d];
                add_four(simd, &mut self.image, scales, rows);
            }
            let length = energy / dot(&self.direction, &self.image);
            add_scaled(x, length, &self.direction);
            add_scaled(&mut self.residual, -length, &self.image);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::FoldIn;

    const SETTINGS: Settings = Settings { dims: 24, background: 0.3, lambda: 0.01, epochs: 5, steps: 3 };

    fn likes() -> Sparse {
        let mut likes = Sparse::new(50);
        for person in 0..80u32 {
            let row = (0..50u32).filter(|film| (film * 7 + person * 3) % 13 < 4);
            likes.push(row.map(|film| (film, if film % 3 == 0 { 0.5 } else { 1.0 })));
        }
        likes
    }

    fn trained(settings: Settings) -> Factors {
        train(&likes(), &likes().transposed(), settings, 3, |_| {}).unwrap()
    }

    #[test]
    fn fold_in_gives_the_row_that_training_would() {
        let factors = trained(SETTINGS);
        let row = [(2u32, 1.0f32), (9, 0.5), (11, 1.0), (30, -2.0), (41, 1.0)];
        let mut one = Sparse::new(50);
        one.push(row);
        let mut retrained = vec![0.0f32; SETTINGS.dims];
        half(&one, &factors.rows, &mut retrained, Settings { steps: 200, ..SETTINGS }).unwrap();
        let products = gram(&factors.rows, SETTINGS.dims);
        let products: Vec<f32> = (0..SETTINGS.dims * SETTINGS.dims)
            .map(|k| products[(k / SETTINGS.dims, k % SETTINGS.dims)])
            .collect();
        let rows = row.iter().flat_map(|(film, _)| factors.row(*film as usize).to_vec()).collect();
        let weights = row.iter().map(|(_, w)| *w).collect();
        let fold =
            FoldIn::solve(&products, SETTINGS.background, SETTINGS.ridge(3.5, 50), rows, weights).unwrap();
        for film in 0..50 {
            let (a, b) = (dot(&fold.taste, factors.row(film)), dot(&retrained, factors.row(film)));
            assert!((a - b).abs() < 1e-3, "film {film}: {a} {b}");
        }
    }

    #[test]
    fn likes_score_higher_than_films_of_no_relation() {
        let factors = trained(SETTINGS);
        let mut one = Sparse::new(50);
        one.push(likes().entries(0).take(6));
        let mut taste = vec![0.0f32; SETTINGS.dims];
        half(&one, &factors.rows, &mut taste, SETTINGS).unwrap();
        let mean = |liked: bool| {
            let own: Vec<u32> = likes().row(0).0.to_vec();
            let films: Vec<usize> = (0..50).filter(|film| own.contains(&(*film as u32)) == liked).collect();
            films.iter().map(|film| dot(&taste, factors.row(*film))).sum::<f32>() / films.len() as f32
        };
        assert!(mean(true) > mean(false) + 0.2, "{} {}", mean(true), mean(false));
    }

    #[test]
    fn a_row_without_entries_is_zero() {
        let mut none = Sparse::new(50);
        none.push([]);
        let mut taste = vec![1.0f32; SETTINGS.dims];
        half(&none, &trained(SETTINGS).rows, &mut taste, SETTINGS).unwrap();
        assert!(taste.iter().all(|x| *x == 0.0));
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| trained(SETTINGS).rows)
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn lengths_that_no_vector_register_divides_train_too() {
        for dims in [1, 5, 13] {
            assert!(trained(Settings { dims, ..SETTINGS }).rows.iter().any(|x| *x != 0.0));
        }
    }
}
