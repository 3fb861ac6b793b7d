//! `import-accounts`: people of another system, with the hashes of the passwords that they have there.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use screensort_accounts::import::{Imported, Line, keep};
use screensort_runtime::Stack;

use crate::command::Failure;

/// Reads `file` and says what became of its lines. A line that cannot be taken is reported by its number, never by
/// what stands in it, and stops nothing.
pub(crate) async fn run(stack: &Stack, file: &Path) -> Result<String, Failure> {
    let (mut made, mut known, mut refused) = (0_u32, 0_u32, Vec::new());
    for (at, line) in BufReader::new(File::open(file)?).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        // The parser's own words would repeat the line.
        let taken = match serde_json::from_str::<Line>(&line) {
            Ok(line) => keep(stack, &line).await,
            Err(_) => Err(screensort_accounts::import::Fault::Shape),
        };
        match taken {
            Ok(Imported::Made) => made += 1,
            Ok(Imported::Known) => known += 1,
            Err(fault) => refused.push(format!("line {}: {fault}", at + 1)),
        }
    }
    let mut text =
        format!("{made} accounts made, {known} were there already, {} lines refused.", refused.len());
    for fault in &refused {
        text.push('\n');
        text.push_str(fault);
    }
    if refused.is_empty() { Ok(text) } else { Err(Failure::new(&text)) }
}
