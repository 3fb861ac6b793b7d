//! The inner loops: dot products and scaled sums of short dense rows.
//!
//! The loops of training name the vector registers themselves; those of serving leave it to the compiler: sums run in thirty-two explicit lanes with fused multiply-add, so that the compiler can use whatever vector
//! width the machine has, and so that the result does not depend on that width. [`widest`] compiles its closure
//! for the widest instruction set found at run time; without it the x86-64 baseline of 2003 is used.

use pulp::{Arch, Simd};

const LANES: usize = 32;

/// Runs `work` compiled for the widest vector instructions of this machine. The closure should be
/// `#[inline(always)]` and so should what it calls, or the width is lost at the call.
#[inline(always)]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

#[inline(always)]
fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for k in 0..width {
            lanes[k] += lanes[k + width];
        }
    }
    lanes[0]
}

/// Dot product of two rows of the same length.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for k in 0..LANES {
            sums[k] = x[k].mul_add(y[k], sums[k]);
        }
    }
    let mut total = fold(sums);
    for (x, y) in a_rest.iter().zip(b_rest) {
        total = x.mul_add(*y, total);
    }
    total
}

/// Dot products of four rows with one vector, which is loaded once for all four.
#[inline(always)]
pub(crate) fn dot_four<S: Simd>(simd: S, rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    let (x, x_rest) = S::as_simd_f32s(x);
    let (a, a_rest) = S::as_simd_f32s(rows[0]);
    let (b, b_rest) = S::as_simd_f32s(rows[1]);
    let (c, c_rest) = S::as_simd_f32s(rows[2]);
    let (d, d_rest) = S::as_simd_f32s(rows[3]);
    let (a, b, c, d) = (&a[..x.len()], &b[..x.len()], &c[..x.len()], &d[..x.len()]);
    let zero = simd.splat_f32s(0.0);
    let (mut sum_a, mut sum_b, mut sum_c, mut sum_d) = (zero, zero, zero, zero);
    for k in 0..x.len() {
        sum_a = simd.mul_add_f32s(a[k], x[k], sum_a);
        sum_b = simd.mul_add_f32s(b[k], x[k], sum_b);
        sum_c = simd.mul_add_f32s(c[k], x[k], sum_c);
        sum_d = simd.mul_add_f32s(d[k], x[k], sum_d);
    }
    let mut totals = [
        simd.reduce_sum_f32s(sum_a),
        simd.reduce_sum_f32s(sum_b),
        simd.reduce_sum_f32s(sum_c),
        simd.reduce_sum_f32s(sum_d),
    ];
    for k in 0..x_rest.len() {
        totals[0] = a_rest[k].mul_add(x_rest[k], totals[0]);
        totals[1] = b_rest[k].mul_add(x_rest[k], totals[1]);
        totals[2] = c_rest[k].mul_add(x_rest[k], totals[2]);
        totals[3] = d_rest[k].mul_add(x_rest[k], totals[3]);
    }
    totals
}

/// `y += Σ scale * row` over four rows, with one pass over `y`.
#[inline(always)]
pub(crate) fn add_four<S: Simd>(simd: S, y: &mut [f32], scales: [f32; 4], rows: [&[f32]; 4]) {
    let (y, y_rest) = S::as_mut_simd_f32s(y);
    let (a, a_rest) = S::as_simd_f32s(rows[0]);
    let (b, b_rest) = S::as_simd_f32s(rows[1]);
    let (c, c_rest) = S::as_simd_f32s(rows[2]);
    let (d, d_rest) = S::as_simd_f32s(rows[3]);
    let (a, b, c, d) = (&a[..y.len()], &b[..y.len()], &c[..y.len()], &d[..y.len()]);
    let (scale_a, scale_b) = (simd.splat_f32s(scales[0]), simd.splat_f32s(scales[1]));
    let (scale_c, scale_d) = (simd.splat_f32s(scales[2]), simd.splat_f32s(scales[3]));
    for k in 0..y.len() {
        let first = simd.mul_add_f32s(scale_a, a[k], simd.mul_add_f32s(scale_b, b[k], y[k]));
        y[k] = simd.mul_add_f32s(scale_c, c[k], simd.mul_add_f32s(scale_d, d[k], first));
    }
    for k in 0..y_rest.len() {
        let first = scales[0].mul_add(a_rest[k], scales[1].mul_add(b_rest[k], y_rest[k]));
        y_rest[k] = scales[2].mul_add(c_rest[k], scales[3].mul_add(d_rest[k], first));
    }
}

/// `y += Σ scale * row²` over four rows.
#[inline(always)]
pub(crate) fn add_four_squares<S: Simd>(simd: S, y: &mut [f32], scales: [f32; 4], rows: [&[f32]; 4]) {
    let (y, y_rest) = S::as_mut_simd_f32s(y);
    for (row, scale) in
        [(rows[0], scales[0]), (rows[1], scales[1]), (rows[2], scales[2]), (rows[3], scales[3])]
    {
        let (row, row_rest) = S::as_simd_f32s(row);
        let (row, wide) = (&row[..y.len()], simd.splat_f32s(scale));
        for k in 0..y.len() {
            y[k] = simd.mul_add_f32s(simd.mul_f32s(wide, row[k]), row[k], y[k]);
        }
        for k in 0..y_rest.len() {
            y_rest[k] = (scale * row_rest[k]).mul_add(row_rest[k], y_rest[k]);
        }
    }
}

/// Dot product of a row of bytes with a row of floats of the same length; the caller applies the scale.
#[inline(always)]
pub(crate) fn dot_bytes(a: &[i8], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for k in 0..LANES {
            sums[k] = f32::from(x[k]).mul_add(y[k], sums[k]);
        }
    }
    let mut total = fold(sums);
    for (x, y) in a_rest.iter().zip(b_rest) {
        total = f32::from(*x).mul_add(*y, total);
    }
    total
}

/// `y += scale * x`.
#[inline(always)]
pub(crate) fn add_scaled(y: &mut [f32], scale: f32, x: &[f32]) {
    debug_assert_eq!(x.len(), y.len());
    for (y, x) in y.iter_mut().zip(x) {
        *y = scale.mul_add(*x, *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_products_agree_with_the_plain_sum_at_every_length() {
        for len in 0..70 {
            let a: Vec<f32> = (0..len).map(|k| (k as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..len).map(|k| (k as f32 * 0.73).cos()).collect();
            let bytes: Vec<i8> = (0..len).map(|k| (k * 7 % 255) as u8 as i8).collect();
            let plain: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let coarse: f64 = bytes.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(dot(&a, &b)) - plain).abs() < 1e-5);
            let twice: Vec<f32> = a.iter().map(|x| 2.0 * x).collect();
            let simd = pulp::Scalar::new();
            let four = dot_four(simd, [&a, &twice, &b, &a], &b);
            assert!(
                (f64::from(four[0]) - plain).abs() < 1e-5 && (f64::from(four[1]) - 2.0 * plain).abs() < 2e-5
            );
            let mut sum = a.clone();
            add_four(simd, &mut sum, [1.0, 0.5, -2.0, 3.0], [&a, &twice, &b, &a]);
            for ((sum, a), b) in sum.iter().zip(&a).zip(&b) {
                assert!((sum - (6.0 * a - 2.0 * b)).abs() < 1e-5);
            }
            assert!((f64::from(dot_bytes(&bytes, &b)) - coarse).abs() < 1e-2);
        }
    }

    #[test]
    fn the_widest_instructions_give_the_same_bits_as_the_narrowest() {
        let a: Vec<f32> = (0..128).map(|k| (k as f32 * 0.11).sin()).collect();
        let b: Vec<f32> = (0..128).map(|k| (k as f32 * 0.19).cos()).collect();
        let narrow = dot(&a, &b);
        let wide = widest(
            #[inline(always)]
            || dot(&a, &b),
        );
        assert_eq!(narrow.to_bits(), wide.to_bits());
    }
}
