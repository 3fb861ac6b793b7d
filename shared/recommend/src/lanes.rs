//! The inner loops: dot products and scaled sums of short dense rows.
//!
//! Sums run in thirty-two explicit lanes with fused multiply-add, so that the compiler can use whatever vector
//! width the machine has, and so that the result does not depend on that width. [`widest`] compiles its closure
//! for the widest instruction set found at run time; without it the x86-64 baseline of 2003 is used.

use pulp::Arch;

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
