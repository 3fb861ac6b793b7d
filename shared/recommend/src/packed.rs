//! Sparse rows at two bytes an entry: the distance to the column before, and the weight in 127ths of the row's
//! greatest.
//!
//! A distance of 255 or more is bridged by entries of weight zero. The rows are read where they lie; a row is walked
//! from its beginning, which is what scoring does anyway.

use crate::error::Error;

const FARTHEST: u32 = 255;

/// Rows being packed.
#[derive(Clone, Debug)]
pub(crate) struct PackedRows {
    columns: usize,
    pub(crate) offsets: Vec<u32>,
    pub(crate) scales: Vec<f32>,
    pub(crate) cells: Vec<[u8; 2]>,
}

impl PackedRows {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, offsets: vec![0], scales: Vec::new(), cells: Vec::new() }
    }

    /// Appends a row, given by ascending columns. Weights that round to zero are dropped.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond 2³² entries.
    pub(crate) fn push(&mut self, row: impl Iterator<Item = (u32, f32)> + Clone) -> Result<(), Error> {
        let scale = row.clone().fold(0.0f32, |most, (_, w)| most.max(w.abs())) / 127.0;
        let mut before = 0u32;
        if scale > 0.0 && scale.is_finite() {
            for (column, weight) in row {
                debug_assert!(column >= before && (column as usize) < self.columns);
                let level = (weight / scale).round() as i8;
                if level == 0 {
                    continue;
                }
                let mut distance = column - before;
                while distance >= FARTHEST {
                    self.cells.push([FARTHEST as u8, 0]);
                    distance -= FARTHEST;
                }
                self.cells.push([distance as u8, level.cast_unsigned()]);
                before = column;
            }
        }
        self.scales.push(if scale.is_finite() { scale } else { 0.0 });
        let end = u32::try_from(self.cells.len()).map_err(|_| Error::TooLarge { what: "item-item rows" })?;
        self.offsets.push(end);
        Ok(())
    }

    pub(crate) fn view(&self) -> Packed<'_> {
        Packed { offsets: &self.offsets, scales: &self.scales, cells: &self.cells }
    }
}

/// Packed rows where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a> {
    pub offsets: &'a [u32],
    pub scales: &'a [f32],
    pub cells: &'a [[u8; 2]],
}

impl<'a> Packed<'a> {
    /// Columns and weights of a row; bridges show up as weight zero.
    #[inline(always)]
    pub(crate) fn entries(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + 'a {
        let cells = &self.cells[self.offsets[row] as usize..self.offsets[row + 1] as usize];
        let scale = self.scales[row];
        let mut column = 0u32;
        cells.iter().map(move |[distance, level]| {
            column += u32::from(*distance);
            (column, scale * f32::from(level.cast_signed()))
        })
    }

    /// `total += factor * row`.
    #[inline(always)]
    pub(crate) fn add_to(&self, row: usize, factor: f32, total: &mut [f32]) {
        for (column, weight) in self.entries(row) {
            total[column as usize] += factor * weight;
        }
    }

    /// Whether every row can be read without leaving the arrays or the `columns`.
    pub(crate) fn is_sound(&self, columns: usize) -> bool {
        let ordered = self.offsets.first() == Some(&0)
            && self.offsets.windows(2).all(|pair| pair[0] <= pair[1])
            && self.offsets.last().is_some_and(|end| *end as usize == self.cells.len());
        ordered
            && self.scales.len() + 1 == self.offsets.len()
            && self.scales.iter().all(|scale| scale.is_finite() && *scale >= 0.0)
            && self.offsets.windows(2).all(|pair| {
                let row = &self.cells[pair[0] as usize..pair[1] as usize];
                let last: u64 = row.iter().map(|cell| u64::from(cell[0])).sum();
                row.is_empty() || last < columns as u64
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(columns: usize, rows: &[Vec<(u32, f32)>]) -> PackedRows {
        let mut packed = PackedRows::new(columns);
        rows.iter().for_each(|row| packed.push(row.iter().copied()).unwrap());
        packed
    }

    proptest! {
        #[test]
        fn every_row_comes_back_within_half_a_step(
            rows in prop::collection::vec(prop::collection::btree_map(0u32..5000, -2.0f32..2.0, 0..40), 0..6)
        ) {
            let rows: Vec<Vec<(u32, f32)>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
            let packed = packed(5000, &rows);
            prop_assert!(packed.view().is_sound(5000));
            for (k, row) in rows.iter().enumerate() {
                let mut total = vec![0.0f32; 5000];
                packed.view().add_to(k, 1.0, &mut total);
                let step = row.iter().fold(0.0f32, |most, (_, w)| most.max(w.abs())) / 127.0;
                for (column, weight) in row {
                    prop_assert!((total[*column as usize] - weight).abs() <= 0.5001 * step + 1e-9);
                    total[*column as usize] = 0.0;
                }
                prop_assert!(total.iter().all(|x| *x == 0.0));
            }
        }
    }

    #[test]
    fn rows_that_would_leave_the_columns_are_unsound() {
        let sound = packed(300, &[vec![(299, 1.0)]]);
        assert!(sound.view().is_sound(300));
        assert!(!sound.view().is_sound(299));
        let mut torn = sound.clone();
        torn.offsets[1] += 1;
        assert!(!torn.view().is_sound(300));
        let mut absurd = sound;
        absurd.scales[0] = f32::NAN;
        assert!(!absurd.view().is_sound(300));
    }
}
