//! `bench argon2`: what hashing a password takes here, and which cost is the highest that fits.

use std::time::Duration;

use cpu_time::ThreadTime;
use screensort_auth::password::{Cost, Hasher, Password};
use screensort_crypto::KeyId;

use crate::command::Failure;

/// Costs from the least that can be configured upward: memory in KiB, passes. One lane: a function has one core.
const COSTS: [(u32, u32); 9] = [
    (19 * 1024, 2),
    (32 * 1024, 2),
    (32 * 1024, 3),
    (46 * 1024, 3),
    (64 * 1024, 3),
    (64 * 1024, 4),
    (96 * 1024, 3),
    (128 * 1024, 3),
    (128 * 1024, 4),
];

/// Measures processor time, which what else runs on the machine changes little, and returns a table and a recommendation: the most memory that fits into `target` milliseconds, then
/// the most passes. Memory is what an attacker's hardware pays for most.
pub(crate) fn run(target: u64, rounds: usize) -> Result<String, Failure> {
    let password = Password::parse("Violet-kettle7 hums")?;
    let mut text = String::from("CPU time of one hash\nmemory KiB  passes  lanes  median ms  slowest ms\n");
    let mut best: Option<(u32, u32)> = None;
    for (memory, passes) in COSTS {
        let hasher = Hasher::new(Cost::new(memory, passes, 1)?, KeyId::new("bench")?);
        let mut times = Vec::with_capacity(rounds.max(1));
        for _ in 0..rounds.max(1) {
            let pending = hasher.hash(&password)?;
            let began = ThreadTime::now();
            pending.finish(&[7; 32])?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        text.push_str(&format!(
            "{memory:>10}  {passes:>6}  {:>5}  {:>9.1}  {:>10.1}\n",
            1,
            ms(median),
            ms(slowest)
        ));
        if median <= Duration::from_millis(target) {
            best = best.max(Some((memory, passes)));
        }
    }
    text.push_str(&match best {
        Some((memory, passes)) => {
            format!("Recommended for at most {target} ms: SCREENSORT_ARGON2={memory},{passes},1")
        }
        None => format!(
            "Nothing fits into {target} ms. The least that can be configured: SCREENSORT_ARGON2={},{},1",
            COSTS[0].0, COSTS[0].1
        ),
    });
    Ok(text)
}
