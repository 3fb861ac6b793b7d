//! The artifact: what is whole is read back, what is not is refused with a reason.

mod world;

use proptest::prelude::*;
use screensort_recommend::{Error, Model, Profile};
use world::{quick, trained};

fn bytes() -> Vec<u8> {
    trained(60, 40, &quick()).bytes
}

fn refusal(bytes: &[u8]) -> Error {
    Model::read(bytes).unwrap_err()
}

/// The bytes with a checksum that fits, as somebody who writes the format on purpose would have it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes[16..]);
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn a_model_comes_back_with_its_card() {
    let trained = trained(60, 40, &quick());
    let model = Model::read(trained.bytes.as_slice()).unwrap();
    assert_eq!(model.card(), &trained.card);
    assert_eq!(model.movie_ids(), (1..=40).collect::<Vec<u32>>());
}

#[test]
fn a_truncated_artifact_is_refused_at_every_length() {
    let bytes = bytes();
    for length in (0..bytes.len()).step_by(97).chain([1, 7, 8, 63, 64, bytes.len() - 1]) {
        let error = refusal(&bytes[..length]);
        let named =
            matches!(error, Error::Truncated { .. }) || (length == 0 && matches!(error, Error::Foreign));
        assert!(named, "{length}: {error}");
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut bytes = bytes();
    bytes.push(0);
    assert!(matches!(refusal(&bytes), Error::Absurd { .. }));
}

#[test]
fn foreign_files_are_refused() {
    for foreign in [b"".as_slice(), b"userId,movieId,rating,timestamp\n1,2,3,4\n", &[0; 200], &[0xff; 200]] {
        assert!(matches!(refusal(foreign), Error::Foreign));
    }
}

#[test]
fn another_format_is_named() {
    let mut bytes = bytes();
    bytes[8] = 9;
    assert!(matches!(refusal(&bytes), Error::Format { found: 9, known: 1 }));
}

#[test]
fn an_absurd_length_is_refused_before_memory_is_asked_for() {
    let mut bytes = bytes();
    bytes[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(refusal(&bytes), Error::Absurd { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        thread_local!(static BYTES: Vec<u8> = bytes());
        let mut bytes = BYTES.with(Clone::clone);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Model::read(bytes.as_slice()).is_err());
    }

    /// Only that it never panics: a value may change within what makes sense.
    #[test]
    fn a_changed_byte_under_a_fitting_checksum_never_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        in_head in any::<bool>(),
    ) {
        thread_local!(static BYTES: Vec<u8> = bytes());
        let mut bytes = BYTES.with(Clone::clone);
        for (at, value) in changes {
            let at = 16 + at.index(if in_head { 600 } else { bytes.len() - 16 });
            bytes[at] = value;
        }
        if let Ok(model) = Model::read(sealed(bytes).as_slice()) {
            let profile = Profile::of_likes(model.movie_ids().iter().copied().take(3));
            let page = model.recommend(&profile, |_| true, &screensort_recommend::PageOptions::default());
            prop_assert!(page.len() <= 20);
            model.similar(3, 5, |_| true);
            model.why(&profile, 7);
        }
    }
}
