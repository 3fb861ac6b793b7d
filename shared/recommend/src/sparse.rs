//! A sparse matrix by rows: who liked what, or what is near what.

/// Sparse rows: `index[offsets[r]..offsets[r + 1]]` are the columns of row `r`, ascending and distinct, with the
/// values of `weight` beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparse {
    columns: usize,
    offsets: Vec<usize>,
    index: Vec<u32>,
    weight: Vec<f32>,
}

impl Sparse {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, offsets: vec![0], index: Vec::new(), weight: Vec::new() }
    }

    /// With room for so many entries: growing leaves holes as large as what it replaces.
    pub(crate) fn with_room(columns: usize, entries: usize) -> Self {
        Self { index: Vec::with_capacity(entries), weight: Vec::with_capacity(entries), ..Self::new(columns) }
    }

    /// Appends a row; `row` is sorted by column and has no column twice.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, weight) in row {
            debug_assert!((column as usize) < self.columns);
            self.index.push(column);
            self.weight.push(weight);
        }
        self.offsets.push(self.index.len());
    }

    pub(crate) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Number of stored entries.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[row]..self.offsets[row + 1];
        (&self.index[range.clone()], &self.weight[range])
    }

    pub(crate) fn entries(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let (index, weight) = self.row(row);
        index.iter().copied().zip(weight.iter().copied())
    }

    pub(crate) fn transposed(&self) -> Self {
        let mut offsets = vec![0usize; self.columns + 1];
        for &column in &self.index {
            offsets[column as usize + 1] += 1;
        }
        for k in 0..self.columns {
            offsets[k + 1] += offsets[k];
        }
        let mut next = offsets.clone();
        let mut index = vec![0u32; self.len()];
        let mut weight = vec![0.0f32; self.len()];
        for row in 0..self.rows() {
            for (column, value) in self.entries(row) {
                let at = &mut next[column as usize];
                index[*at] = row as u32;
                weight[*at] = value;
                *at += 1;
            }
        }
        Self { columns: self.rows(), offsets, index, weight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_twice_gives_the_matrix_back() {
        let mut matrix = Sparse::new(4);
        matrix.push([(0, 1.0), (3, 2.0)]);
        matrix.push([]);
        matrix.push([(1, 3.0), (3, 4.0)]);
        let turned = matrix.transposed();
        assert_eq!((turned.rows(), turned.columns(), turned.len()), (4, 3, 4));
        assert_eq!(turned.entries(3).collect::<Vec<_>>(), [(0, 2.0), (2, 4.0)]);
        assert_eq!(turned.transposed(), matrix);
    }
}
