//! Makes `data/breached.bin` from `data/common_passwords.txt.gz`, or a filter from a list of your own:
//!
//! ```text
//! cargo run -p screensort-auth --example breached_filter -- LIST.txt.gz OUT.bin
//! ```
//!
//! The list is gzipped text, one password a line.

use std::io::Read as _;
use std::{env, fs};

use screensort_auth::password::BreachedFilter;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(list), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: breached_filter LIST.txt.gz OUT.bin".into());
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(list)?).read_to_string(&mut text)?;
    fs::write(out, BreachedFilter::build(text.lines())?)?;
    Ok(())
}
