//! The item-item model: EDLAE, the full-rank denoising linear autoencoder.
//!
//! With `G = XᵀX` the counts of films liked together, `Λ = λI + p/(1-p)·diag(G)` and `P = (G + Λ)⁻¹`, the weight
//! of liked film `i` for film `j` is `B[i,j] = -P[i,j] / P[j,j]`, zero on the diagonal. Source: H. Steck,
//! *Autoencoders that don't overfit towards the Identity*, NeurIPS 2020; with `p = 0` it is EASE (Steck 2019).
//!
//! Memory: one dense `f32` matrix of the films. It holds the counts, their factor, its inverse and the inverse of the
//! whole, each in the place of the one before. For another ridge the films are counted again: that is quicker than the
//! inversion, and half a matrix less.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, Mat, MatMut, Par};
use rayon::prelude::*;

use crate::error::Error;
use crate::packed::PackedRows;
use crate::sparse::Sparse;

/// Parallel pieces of the dense steps. A constant, not the thread count: the split decides the order of the sums,
/// and a model must not depend on how many threads happened to be there.
const PIECES: usize = 8;

/// Triangles of at most this size are inverted and squared through a copy; greater ones are cut in four.
const SMALL: usize = 64;

const COUNTS: &str = "the counts of films liked together";

/// The likes, and the matrix in which every ridge is solved.
pub(crate) struct Workspace {
    /// A row per person.
    likes: Sparse,
    /// Its transpose.
    by_film: Sparse,
    /// The counts, the factor, its inverse, then the whole symmetric inverse `P`; of no size before the first ridge.
    matrix: Mat<f32>,
}

/// What is tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ridge {
    /// `λ`, in likes.
    pub lambda: f32,
    /// `p`, the share of likes that training hides from the model.
    pub dropout: f32,
}

impl Workspace {
    /// For `likes`, a row per person, and its transpose.
    pub(crate) fn new(likes: Sparse, by_film: Sparse) -> Self {
        Self { likes, by_film, matrix: Mat::new() }
    }

    /// Number of films.
    pub(crate) fn films(&self) -> usize {
        self.likes.columns()
    }

    /// Counts films liked together, on and below the diagonal.
    fn count(&mut self) {
        let films = self.films();
        if self.matrix.nrows() != films {
            self.matrix = Mat::zeros(films, films);
        }
        let (likes, by_film) = (&self.likes, &self.by_film);
        // Column `j` of a column-major matrix is contiguous: entries below the diagonal are films after `j`.
        self.matrix.as_mut().par_col_iter_mut().enumerate().for_each(|(film, column)| {
            let Some(column) = column.try_as_col_major_mut() else { return };
            let column = &mut column.as_slice_mut()[film..];
            column.fill(0.0);
            for (person, weight) in by_film.entries(film) {
                let (index, weights) = likes.row(person as usize);
                for (&other, &other_weight) in index.iter().zip(weights).rev() {
                    let Some(after) = (other as usize).checked_sub(film) else { break };
                    column[after] += weight * other_weight;
                }
            }
        });
    }

    /// Solves for one ridge; afterwards [`Solved`] reads the weights.
    pub(crate) fn solve(&mut self, ridge: Ridge) -> Result<Solved<'_>, Error> {
        let n = self.films();
        let par = Par::rayon(PIECES);
        let odds = ridge.dropout / (1.0 - ridge.dropout);
        self.count();
        for film in 0..n {
            self.matrix[(film, film)] = self.matrix[(film, film)] * (1.0 + odds) + ridge.lambda;
        }
        let params = Default::default();
        let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f32>(n, par, params));
        let factored = cholesky_in_place(
            self.matrix.as_mut(),
            LltRegularization::default(),
            par,
            MemStack::new(&mut memory),
            params,
        );
        factored.map_err(|_| Error::NotPositive { what: COUNTS })?;
        invert_lower(self.matrix.as_mut(), par);
        square_lower(self.matrix.as_mut(), par);
        mirror(self.matrix.as_mut());
        let scale: Vec<f32> = (0..n).map(|j| -1.0 / self.matrix[(j, j)]).collect();
        if scale.iter().any(|s| !s.is_finite()) {
            return Err(Error::NotPositive { what: COUNTS });
        }
        Ok(Solved { inverse: &self.matrix, scale })
    }
}

/// Inverts a lower triangle in its place: `[A 0; B C]` becomes `[A⁻¹ 0; -C⁻¹BA⁻¹ C⁻¹]`.
fn invert_lower(matrix: MatMut<'_, f32>, par: Par) {
    let n = matrix.nrows();
    if n <= SMALL {
        let before = matrix.to_owned();
        invert_lower_triangular(matrix, before.as_ref(), Par::Seq);
        return;
    }
    let (mut a, _, mut b, mut c) = matrix.split_at_mut(n / 2, n / 2);
    solve_lower_triangular_in_place(c.as_ref(), b.as_mut(), par);
    solve_upper_triangular_in_place(a.as_ref().transpose(), b.as_mut().transpose_mut(), par);
    b.par_col_iter_mut().for_each(|column| column.iter_mut().for_each(|x| *x = -*x));
    invert_lower(a.as_mut(), par);
    invert_lower(c.as_mut(), par);
}

/// Puts the lower triangle of `MᵀM` in the place of a lower triangle `M`: `[A 0; B C]` becomes
/// `[AᵀA+BᵀB ·; CᵀB CᵀC]`.
fn square_lower(matrix: MatMut<'_, f32>, par: Par) {
    use BlockStructure::{Rectangular, TriangularLower, TriangularUpper};
    let n = matrix.nrows();
    if n <= SMALL {
        let before = matrix.to_owned();
        let (left, right) = (before.as_ref().transpose(), before.as_ref());
        let (upper, lower) = (TriangularUpper, TriangularLower);
        matmul(matrix, lower, Accum::Replace, left, upper, right, lower, 1.0, Par::Seq);
        return;
    }
    let (mut a, room, b, c) = matrix.split_at_mut(n / 2, n / 2);
    square_lower(a.as_mut(), par);
    let (left, right) = (b.as_ref().transpose(), b.as_ref());
    matmul(a, TriangularLower, Accum::Add, left, Rectangular, right, Rectangular, 1.0, par);
    // Nothing that is needed lies above the diagonal: there is room for B while CᵀB takes its place.
    let mut before = room.transpose_mut();
    before.copy_from(b.as_ref());
    let (left, right) = (c.as_ref().transpose(), before.as_ref());
    matmul(b, Rectangular, Accum::Replace, left, TriangularUpper, right, Rectangular, 1.0, par);
    square_lower(c, par);
}

/// Copies the lower triangle into the upper one.
fn mirror(mut matrix: MatMut<'_, f32>) {
    let n = matrix.nrows();
    if n <= SMALL {
        for j in 0..n {
            for i in 0..j {
                matrix[(i, j)] = matrix[(j, i)];
            }
        }
        return;
    }
    let (a, above, below, c) = matrix.split_at_mut(n / 2, n / 2);
    above.transpose_mut().copy_from(below);
    mirror(a);
    mirror(c);
}

/// The weights for one ridge, read from the inverse without another matrix.
pub(crate) struct Solved<'a> {
    inverse: &'a Mat<f32>,
    scale: Vec<f32>,
}

impl Solved<'_> {
    pub(crate) fn films(&self) -> usize {
        self.scale.len()
    }

    /// Writes row `film`, the weights of a like of `film` for every film, into `row`.
    pub(crate) fn row_into(&self, film: usize, row: &mut [f32]) {
        // The inverse is symmetric: its column is its row, and contiguous.
        let column = self.inverse.col_as_slice(film);
        for ((out, value), scale) in row.iter_mut().zip(column).zip(&self.scale) {
            *out = value * scale;
        }
        row[film] = 0.0;
    }

    /// Scores of every film for a person's likes.
    pub(crate) fn scores(&self, likes: impl IntoIterator<Item = (u32, f32)>) -> Vec<f32> {
        let mut total = vec![0.0f32; self.films()];
        for (film, weight) in likes {
            let film = film as usize;
            let own = total[film];
            for (out, value) in total.iter_mut().zip(self.inverse.col_as_slice(film)) {
                *out += weight * value;
            }
            total[film] = own;
        }
        for (out, scale) in total.iter_mut().zip(&self.scale) {
            *out *= scale;
        }
        total
    }
}

/// Keeps the `keep` greatest weights of the whole matrix (about: to one part in 128 of the threshold) as packed rows
/// of the catalogue; `place` gives the catalogue's index of a trained film, ascending.
///
/// One threshold for all rows lost less quality in measurements than a fixed number per row or per column.
pub(crate) fn thin(
    solved: &Solved<'_>,
    keep: usize,
    place: &[u32],
    catalogue: usize,
) -> Result<PackedRows, Error> {
    let films = solved.films();
    let mut row = vec![0.0f32; films];
    let mut counts = vec![0u64; 1 << 16];
    for film in 0..films {
        solved.row_into(film, &mut row);
        for value in &row {
            counts[magnitude(*value)] += 1;
        }
    }
    let mut floor = counts.len();
    let mut kept = 0u64;
    while floor > 1 && kept + counts[floor - 1] <= keep as u64 {
        floor -= 1;
        kept += counts[floor];
    }
    let mut rows = PackedRows::new(catalogue);
    let mut film = 0;
    for index in 0..catalogue as u32 {
        if place.get(film) != Some(&index) {
            rows.push(std::iter::empty())?;
            continue;
        }
        solved.row_into(film, &mut row);
        let entries = row.iter().zip(place).filter(|(value, _)| magnitude(**value) >= floor);
        rows.push(entries.map(|(value, column)| (*column, *value)))?;
        film += 1;
    }
    Ok(rows)
}

/// Order-preserving size class of a weight: exponent and seven bits of mantissa; zero is class zero.
fn magnitude(value: f32) -> usize {
    (value.abs().to_bits() >> 15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likes() -> Sparse {
        likes_of(40)
    }

    fn likes_of(films: u32) -> Sparse {
        let mut likes = Sparse::new(films as usize);
        for person in 0..60u32 {
            likes.push((0..films).filter(|film| (film * 7 + person * 3) % 11 < 4).map(|film| (film, 1.0)));
        }
        likes
    }

    #[test]
    fn what_is_solved_in_place_is_the_inverse() {
        // Large enough to be cut in four more than once, and into unequal parts.
        let films = 4 * SMALL + 3;
        let likes = likes_of(films as u32);
        let ridge = Ridge { lambda: 40.0, dropout: 0.5 };
        let mut workspace = Workspace::new(likes.clone(), likes.transposed());
        let inverse = workspace.solve(ridge).unwrap().inverse.clone();
        let mut regularised = Mat::<f32>::zeros(films, films);
        for person in 0..likes.rows() {
            for (i, _) in likes.entries(person) {
                for (j, _) in likes.entries(person) {
                    regularised[(i as usize, j as usize)] += if i == j { 2.0 } else { 1.0 };
                }
            }
        }
        (0..films).for_each(|film| regularised[(film, film)] += ridge.lambda);
        let product = &regularised * &inverse;
        for i in 0..films {
            for j in 0..films {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product[(i, j)] - expected).abs() < 1e-4, "{i} {j}: {}", product[(i, j)]);
            }
        }
    }

    #[test]
    fn another_ridge_gives_the_same_as_afresh() {
        let first = Ridge { lambda: 50.0, dropout: 0.5 };
        let second = Ridge { lambda: 5.0, dropout: 0.33 };
        let mut used = Workspace::new(likes(), likes().transposed());
        used.solve(first).unwrap();
        let again = used.solve(second).unwrap().scores([(3, 1.0), (8, 1.0)]);
        let mut fresh = Workspace::new(likes(), likes().transposed());
        assert_eq!(again, fresh.solve(second).unwrap().scores([(3, 1.0), (8, 1.0)]));
    }

    #[test]
    fn scores_are_the_sum_of_the_rows() {
        let mut workspace = Workspace::new(likes(), likes().transposed());
        let solved = workspace.solve(Ridge { lambda: 5.0, dropout: 0.5 }).unwrap();
        let scores = solved.scores([(3, 1.0), (8, 0.5)]);
        let (mut a, mut b) = (vec![0.0; 40], vec![0.0; 40]);
        solved.row_into(3, &mut a);
        solved.row_into(8, &mut b);
        for film in 0..40 {
            assert!((scores[film] - a[film] - 0.5 * b[film]).abs() < 1e-5);
        }
        assert_eq!((a[3], b[8]), (0.0, 0.0));
    }

    #[test]
    fn the_weights_solve_the_ridge_regression_they_stand_for() {
        // Without dropout, column j of B minimises |x_j - X b|² + λ|b|² with b_j = 0: its gradient is zero.
        let likes = likes();
        let mut workspace = Workspace::new(likes.clone(), likes.transposed());
        let solved = workspace.solve(Ridge { lambda: 5.0, dropout: 0.0 }).unwrap();
        let mut weights = vec![vec![0.0f32; 40]; 40];
        (0..40).for_each(|film| solved.row_into(film, &mut weights[film]));
        let dense: Vec<Vec<f32>> = (0..likes.rows())
            .map(|person| {
                let mut row = vec![0.0; 40];
                likes.entries(person).for_each(|(film, w)| row[film as usize] = w);
                row
            })
            .collect();
        for j in 0..40 {
            for i in (0..40).filter(|&i| i != j) {
                let error = |row: &Vec<f32>| row[j] - (0..40).map(|k| row[k] * weights[k][j]).sum::<f32>();
                let slope: f32 =
                    dense.iter().map(|row| row[i] * error(row)).sum::<f32>() - 5.0 * weights[i][j];
                assert!(slope.abs() < 2e-3, "film {i} for {j}: {slope}");
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let likes = likes_of(300);
        let solve = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut workspace = Workspace::new(likes.clone(), likes.transposed());
                workspace.solve(Ridge { lambda: 5.0, dropout: 0.5 }).unwrap().scores([(3, 1.0), (8, 1.0)])
            })
        };
        assert_eq!(solve(1), solve(3));
    }

    #[test]
    fn thinning_keeps_the_greatest_weights_of_the_whole_matrix() {
        let mut workspace = Workspace::new(likes(), likes().transposed());
        let solved = workspace.solve(Ridge { lambda: 5.0, dropout: 0.5 }).unwrap();
        let place: Vec<u32> = (0..40).map(|k| k * 2).collect();
        let rows = thin(&solved, 400, &place, 80).unwrap();
        let view = rows.view();
        let kept: usize = (0..80).map(|row| view.entries(row).filter(|(_, w)| *w != 0.0).count()).sum();
        assert!((300..=400).contains(&kept), "{kept}");
        assert_eq!(view.entries(1).count(), 0);
    }
}
