//! The item-item model: EDLAE, the full-rank denoising linear autoencoder.
//!
//! With `G = XᵀX` the counts of films liked together, `Λ = λI + p/(1-p)·diag(G)` and `P = (G + Λ)⁻¹`, the weight
//! of liked film `i` for film `j` is `B[i,j] = -P[i,j] / P[j,j]`, zero on the diagonal. Source: H. Steck,
//! *Autoencoders that don't overfit towards the Identity*, NeurIPS 2020; with `p = 0` it is EASE (Steck 2019).
//!
//! Memory: two dense `f32` matrices of the films. Their lower triangles hold the factor, its inverse and the inverse
//! of the whole; the counts wait in the upper triangles, so that another ridge can be tried without counting again.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Accum, Mat, MatMut, Par};
use rayon::prelude::*;

use crate::error::Error;
use crate::packed::PackedRows;
use crate::sparse::Sparse;

/// Parallel pieces of the dense steps. A constant, not the thread count: the split decides the order of the sums,
/// and a model must not depend on how many threads happened to be there.
const PIECES: usize = 8;

const COUNTS: &str = "the counts of films liked together";

/// The two matrices in which every ridge is solved.
pub(crate) struct Workspace {
    films: usize,
    /// Strictly above the diagonal: counts. On and below: the factor, then the inverse.
    counts: Mat<f32>,
    /// The counts of each film with itself.
    diagonal: Vec<f32>,
    /// The inverse of the factor, then the whole symmetric inverse `P`.
    inverse: Mat<f32>,
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
    /// Counts films liked together. `likes` has a row per person, `by_film` is its transpose.
    pub(crate) fn count(likes: &Sparse, by_film: &Sparse) -> Self {
        let films = likes.columns();
        let mut counts = Mat::<f32>::zeros(films, films);
        let mut diagonal = vec![0.0f32; films];
        // Column `j` of a column-major matrix is contiguous: entries above the diagonal are films before `j`.
        counts.as_mut().par_col_iter_mut().zip(diagonal.par_iter_mut()).enumerate().for_each(
            |(film, (column, own))| {
                let Some(column) = column.try_as_col_major_mut() else { return };
                let column = column.as_slice_mut();
                for (person, weight) in by_film.entries(film) {
                    let (index, weights) = likes.row(person as usize);
                    for (&other, &other_weight) in index.iter().zip(weights) {
                        if other as usize >= film {
                            break;
                        }
                        column[other as usize] += weight * other_weight;
                    }
                    *own += weight * weight;
                }
            },
        );
        Self { films, counts, diagonal, inverse: Mat::zeros(films, films) }
    }

    /// Number of films.
    pub(crate) fn films(&self) -> usize {
        self.films
    }

    /// Solves for one ridge; afterwards [`Solved`] reads the weights.
    pub(crate) fn solve(&mut self, ridge: Ridge) -> Result<Solved<'_>, Error> {
        let n = self.films;
        let par = Par::rayon(PIECES);
        let odds = ridge.dropout / (1.0 - ridge.dropout);
        // Factoring writes above the diagonal too, so the counts wait in the other matrix meanwhile.
        copy_upper(&self.counts, self.inverse.as_mut());
        for j in 0..n {
            for i in j + 1..n {
                self.counts[(i, j)] = self.counts[(j, i)];
            }
            self.counts[(j, j)] = self.diagonal[j] * (1.0 + odds) + ridge.lambda;
        }
        let params = Default::default();
        let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f32>(n, par, params));
        let factored = cholesky_in_place(
            self.counts.as_mut(),
            LltRegularization::default(),
            par,
            MemStack::new(&mut memory),
            params,
        );
        copy_upper(&self.inverse, self.counts.as_mut());
        factored.map_err(|_| Error::NotPositive { what: COUNTS })?;
        invert_lower_triangular(self.inverse.as_mut(), self.counts.as_ref(), par);
        matmul(
            self.counts.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            self.inverse.as_ref().transpose(),
            BlockStructure::TriangularUpper,
            self.inverse.as_ref(),
            BlockStructure::TriangularLower,
            1.0,
            par,
        );
        mirror(&self.counts, self.inverse.as_mut());
        let scale: Vec<f32> = (0..n).map(|j| -1.0 / self.inverse[(j, j)]).collect();
        if scale.iter().any(|s| !s.is_finite()) {
            return Err(Error::NotPositive { what: COUNTS });
        }
        Ok(Solved { inverse: &self.inverse, scale })
    }
}

/// Copies what is strictly above the diagonal.
fn copy_upper(from: &Mat<f32>, to: MatMut<'_, f32>) {
    to.par_col_iter_mut().enumerate().for_each(|(j, mut column)| {
        for i in 0..j {
            column[i] = from[(i, j)];
        }
    });
}

/// Copies the lower triangle of `from` into both triangles of `to`.
fn mirror(from: &Mat<f32>, to: MatMut<'_, f32>) {
    to.par_col_iter_mut().enumerate().for_each(|(j, mut column)| {
        for i in 0..column.nrows() {
            column[i] = if i >= j { from[(i, j)] } else { from[(j, i)] };
        }
    });
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
        let mut likes = Sparse::new(40);
        for person in 0..60u32 {
            likes.push((0..40u32).filter(|film| (film * 7 + person * 3) % 11 < 4).map(|film| (film, 1.0)));
        }
        likes
    }

    #[test]
    fn the_counts_survive_a_solve_so_that_another_ridge_gives_the_same_as_afresh() {
        let (likes, by_film) = (likes(), likes().transposed());
        let first = Ridge { lambda: 50.0, dropout: 0.5 };
        let second = Ridge { lambda: 5.0, dropout: 0.33 };
        let mut used = Workspace::count(&likes, &by_film);
        used.solve(first).unwrap();
        let again = used.solve(second).unwrap().scores([(3, 1.0), (8, 1.0)]);
        let fresh = Workspace::count(&likes, &by_film).solve(second).unwrap().scores([(3, 1.0), (8, 1.0)]);
        assert_eq!(again, fresh);
    }

    #[test]
    fn scores_are_the_sum_of_the_rows() {
        let mut workspace = Workspace::count(&likes(), &likes().transposed());
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
        let mut workspace = Workspace::count(&likes, &likes.transposed());
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
        let solve = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut workspace = Workspace::count(&likes(), &likes().transposed());
                workspace.solve(Ridge { lambda: 5.0, dropout: 0.5 }).unwrap().scores([(3, 1.0), (8, 1.0)])
            })
        };
        assert_eq!(solve(1), solve(3));
    }

    #[test]
    fn thinning_keeps_the_greatest_weights_of_the_whole_matrix() {
        let mut workspace = Workspace::count(&likes(), &likes().transposed());
        let solved = workspace.solve(Ridge { lambda: 5.0, dropout: 0.5 }).unwrap();
        let place: Vec<u32> = (0..40).map(|k| k * 2).collect();
        let rows = thin(&solved, 400, &place, 80).unwrap();
        let view = rows.view();
        let kept: usize = (0..80).map(|row| view.entries(row).filter(|(_, w)| *w != 0.0).count()).sum();
        assert!((300..=400).contains(&kept), "{kept}");
        assert_eq!(view.entries(1).count(), 0);
    }
}
