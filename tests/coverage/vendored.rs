//! Files of others that are committed: they must be what they are said to be.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::{read, root};

#[test]
fn the_reference_pages_files_are_those_that_were_published() {
    let listed = read("functions/system/docs/README.md");
    let sums: Vec<(&str, &str)> =
        listed.lines().filter_map(|line| line.strip_prefix("    ")?.split_once("  ")).collect();
    assert_eq!(sums.len(), 2, "the README lists the sums of two files");
    for (sum, name) in sums {
        let packed = std::fs::read(root().join(format!("functions/system/docs/{name}.gz"))).unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, sum, "{name} is not the file that functions/system/docs/README.md names");
    }
}

#[test]
fn every_packed_file_is_listed() {
    let listed = read("functions/system/docs/README.md");
    for entry in std::fs::read_dir(root().join("functions/system/docs")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if let Some(plain) = name.strip_suffix(".gz") {
            assert!(listed.contains(&format!("  {plain}\n")), "{name} has no sum");
        }
    }
}
