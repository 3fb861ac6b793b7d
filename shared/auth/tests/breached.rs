//! The committed filter is the one that the committed list makes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Read as _;

use screensort_auth::password::BreachedFilter;

const LIST: &[u8] = include_bytes!("../data/common_passwords.txt.gz");
const FILTER: &[u8] = include_bytes!("../data/breached.bin");

#[test]
fn the_committed_filter_is_made_from_the_committed_list() {
    let mut text = String::new();
    flate2::read::GzDecoder::new(LIST).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 80_000);
    assert!(BreachedFilter::build(text.lines()).unwrap() == FILTER, "run the example breached_filter");
    let filter = BreachedFilter::built_in();
    assert!(text.lines().all(|word| word.chars().count() >= 8 && filter.contains(word)));
    assert_eq!(filter.passwords(), 80_000);
    assert!(FILTER.len() < 200_000, "{} bytes", FILTER.len());
}
