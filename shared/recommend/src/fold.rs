//! Fold-in: a person's vector, solved exactly, and the shares of the score.
//!
//! With the films' vectors fixed, the vector of a person is `w = A⁻¹ Σ c h` over the likes, `A = α₀HᵀH + ρI + Σ c h hᵀ`
//! over likes and dislikes. A score is `h_j·w`, so the share of liked film `l` in the score of `j` is
//! `c_l (A⁻¹h_j)·h_l` (Hu, Koren, Volinsky 2008, section 5): the shares add up to the score, nothing is left over.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::cholesky::llt::solve::solve_in_place;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::lanes::{add_scaled, dot, widest};

/// A solved person.
pub(crate) struct FoldIn {
    dims: usize,
    /// The factor of `A`, lower triangle.
    factor: Mat<f32>,
    /// Vectors of the likes, then of the dislikes, row-major.
    rows: Vec<f32>,
    /// Weights of the likes, then of the dislikes, the latter negative.
    weights: Vec<f32>,
    /// The person's vector.
    pub taste: Vec<f32>,
}

impl FoldIn {
    /// Solves for a person. `gram` is `HᵀH`, dims × dims; `rows` holds one vector per weight; a weight above zero is
    /// a like, below zero a dislike (target zero). `None` when the matrix is not positive definite.
    pub(crate) fn solve(
        gram: &[f32],
        background: f32,
        ridge: f32,
        rows: Vec<f32>,
        weights: Vec<f32>,
    ) -> Option<Self> {
        let dims = gram.len().isqrt();
        let mut factor = Mat::from_fn(dims, dims, |i, j| background * gram[i * dims + j]);
        (0..dims).for_each(|k| factor[(k, k)] += ridge);
        let mut scaled = rows.clone();
        let mut taste = vec![0.0f32; dims];
        for (row, weight) in scaled.chunks_exact_mut(dims).zip(&weights) {
            if *weight > 0.0 {
                add_scaled(&mut taste, *weight, row);
            }
            let root = weight.abs().sqrt();
            row.iter_mut().for_each(|x| *x *= root);
        }
        let scaled = MatRef::from_row_major_slice(&scaled, weights.len(), dims);
        matmul(
            factor.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Add,
            scaled.transpose(),
            BlockStructure::Rectangular,
            scaled,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        let params = Default::default();
        let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f32>(dims, Par::Seq, params));
        cholesky_in_place(
            factor.as_mut(),
            LltRegularization::default(),
            Par::Seq,
            MemStack::new(&mut memory),
            params,
        )
        .ok()?;
        let mut fold = Self { dims, factor, rows, weights, taste: Vec::new() };
        fold.divide(&mut taste);
        fold.taste = taste;
        fold.taste.iter().all(|x| x.is_finite()).then_some(fold)
    }

    /// Applies `A⁻¹` to vectors that lie one after the other.
    fn divide(&self, vectors: &mut [f32]) {
        let count = vectors.len() / self.dims;
        let columns = MatMut::from_column_major_slice_mut(vectors, self.dims, count);
        solve_in_place(self.factor.as_ref(), columns, Par::Seq, MemStack::new(&mut []));
    }

    /// For each vector in `films`, the share of each like in its score, less the share in the score of `mean`.
    pub(crate) fn shares(&self, mut films: Vec<f32>, mean: &[f32]) -> Vec<Vec<f32>> {
        for film in films.chunks_exact_mut(self.dims) {
            add_scaled(film, -1.0, mean);
        }
        self.divide(&mut films);
        let likes = self.weights.iter().take_while(|w| **w > 0.0).count();
        let mut all = Vec::with_capacity(films.len() / self.dims);
        widest(
            #[inline(always)]
            || {
                for film in films.chunks_exact(self.dims) {
                    let mut shares = vec![0.0f32; likes];
                    let rows = self.rows.chunks_exact(self.dims);
                    for ((share, row), weight) in shares.iter_mut().zip(rows).zip(&self.weights) {
                        *share = weight * dot(film, row);
                    }
                    all.push(shares);
                }
            },
        );
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, dims: usize, step: f32) -> Vec<f32> {
        (0..count * dims).map(|k| (k as f32 * step).sin()).collect()
    }

    fn gram(rows: &[f32], dims: usize) -> Vec<f32> {
        let sum = |i: usize, j: usize| rows.chunks(dims).map(|row| row[i] * row[j]).sum::<f32>();
        (0..dims * dims).map(|k| sum(k / dims, k % dims)).collect()
    }

    #[test]
    fn the_solution_satisfies_its_equation() {
        let dims = 8;
        let films = rows(30, dims, 0.37);
        let gram = gram(&films, dims);
        let own = films[..4 * dims].to_vec();
        let weights = vec![1.0, 0.5, 2.0, -1.0];
        let fold = FoldIn::solve(&gram, 0.3, 0.7, own.clone(), weights.clone()).unwrap();
        for i in 0..dims {
            let mut left = 0.7 * fold.taste[i];
            left += (0..dims).map(|j| 0.3 * gram[i * dims + j] * fold.taste[j]).sum::<f32>();
            let mut right = 0.0;
            for (row, weight) in own.chunks(dims).zip(&weights) {
                left += weight.abs() * row[i] * dot(row, &fold.taste);
                right += weight.max(0.0) * row[i];
            }
            assert!((left - right).abs() < 1e-4, "{left} {right}");
        }
    }

    #[test]
    fn the_shares_add_up_to_the_score() {
        let dims = 8;
        let films = rows(30, dims, 0.53);
        let fold =
            FoldIn::solve(&gram(&films, dims), 0.3, 0.7, films[..3 * dims].to_vec(), vec![1.0, 0.4, -0.8])
                .unwrap();
        for (film, shares) in films.chunks(dims).zip(fold.shares(films.clone(), &[0.0; 8])) {
            assert_eq!(shares.len(), 2);
            assert!((shares.iter().sum::<f32>() - dot(film, &fold.taste)).abs() < 1e-5);
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_gives_no_solution() {
        assert!(FoldIn::solve(&[-1.0, 0.0, 0.0, -1.0], 1.0, 0.0, vec![0.0, 0.0], vec![1.0]).is_none());
    }
}
