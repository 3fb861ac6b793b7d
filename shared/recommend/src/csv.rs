//! Plain `ratings.csv` files: `userId,movieId,rating,timestamp`, as MovieLens has them.

use std::io::BufRead;

use crate::error::Error;
use crate::signal::Signal;

/// A rating of at least this is a like.
pub const LIKE_FROM: f32 = 4.0;
/// A rating of at most this is a dislike.
pub const DISLIKE_TO: f32 = 2.0;
/// The highest rating that is believed.
const HIGHEST: f32 = 10.0;
/// A longer line is no rating.
const LONGEST_LINE: u64 = 4_096;

/// Reads ratings as signals: at least 4 is a like, at most 2 a dislike. The header may be missing, and so may the
/// timestamps, which then are zero.
///
/// # Errors
///
/// [`Error::Row`] names the line of the first row that is not four (or three) numbers in range; [`Error::Nothing`] is
/// a file without ratings; [`Error::Io`] a failure to read.
pub fn read_ratings(mut from: impl BufRead, mut rows_read: impl FnMut(usize)) -> Result<Vec<Signal>, Error> {
    let mut signals = Vec::new();
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let mut limited = std::io::Read::take(&mut from, LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(|source| Error::Io { what: "the ratings", source })? == 0 {
            break;
        }
        let wrong = |what: String| Error::Row { line: number, what };
        if line.len() as u64 == LONGEST_LINE {
            return Err(wrong("too long for a rating".into()));
        }
        let text = std::str::from_utf8(&line).map_err(|_| wrong("not UTF-8 text".into()))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || (number == 1 && is_header(text)) {
            continue;
        }
        signals.push(signal(text).map_err(wrong)?);
        if signals.len().is_multiple_of(100_000) {
            rows_read(signals.len());
        }
    }
    if signals.is_empty() {
        return Err(Error::Nothing { what: "the file has no ratings" });
    }
    rows_read(signals.len());
    Ok(signals)
}

fn is_header(text: &str) -> bool {
    let name = text.split(',').next().unwrap_or_default().trim().trim_matches('"').to_ascii_lowercase();
    matches!(name.as_str(), "userid" | "user_id" | "user")
}

fn signal(text: &str) -> Result<Signal, String> {
    let fields: Vec<&str> = text.split(',').map(|field| field.trim().trim_matches('"')).collect();
    let (&[person, film, rating], at) = match fields.as_slice() {
        [person, film, rating] => (&[*person, *film, *rating], "0"),
        [person, film, rating, at] => (&[*person, *film, *rating], *at),
        other => return Err(format!("{} fields instead of userId,movieId,rating,timestamp", other.len())),
    };
    let person = person.parse().map_err(|_| format!("userId {} is not a whole number", shown(person)))?;
    let film = film
        .parse()
        .map_err(|_| format!("movieId {} is not a whole number up to {}", shown(film), u32::MAX))?;
    let value: f32 = rating.parse().map_err(|_| format!("rating {} is not a number", shown(rating)))?;
    if !(0.0..=HIGHEST).contains(&value) {
        return Err(format!("rating {} is not between 0 and {HIGHEST}", shown(rating)));
    }
    let at = at.parse().map_err(|_| format!("timestamp {} is not whole seconds", shown(at)))?;
    let value = match value {
        like if like >= LIKE_FROM => 1.0,
        dislike if dislike <= DISLIKE_TO => -1.0,
        _ => 0.0,
    };
    Ok(Signal { person, film, value, at })
}

/// A field for a message: short, and without anything that a terminal would obey.
fn shown(field: &str) -> String {
    format!("{:?}", field.chars().take(24).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Signal>, Error> {
        read_ratings(text.as_bytes(), |_| {})
    }

    fn complaint(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn ratings_become_likes_dislikes_and_neither() {
        let text = "userId,movieId,rating,timestamp\r\n1,2,4.0,9\r\n1,3,2.0,8\r\n\r\n1,4,3.5,7\r\n";
        let values: Vec<f32> = read(text).unwrap().iter().map(|s| s.value).collect();
        assert_eq!(values, [1.0, -1.0, 0.0]);
    }

    #[test]
    fn header_timestamps_and_byte_order_mark_are_optional() {
        assert_eq!(read("1,2,5").unwrap(), [Signal { person: 1, film: 2, value: 1.0, at: 0 }]);
        assert_eq!(read("\u{feff}userId,movieId,rating\n1,2,5\n").unwrap().len(), 1);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        assert_eq!(
            complaint("userId,movieId,rating,timestamp\n1,2,NaN,3\n"),
            "line 2: rating \"NaN\" is not between 0 and 10"
        );
        assert_eq!(
            complaint("1,2,4,3\n1,x,4,3\n"),
            "line 2: movieId \"x\" is not a whole number up to 4294967295"
        );
        assert_eq!(complaint("1,2\n"), "line 1: 2 fields instead of userId,movieId,rating,timestamp");
        assert_eq!(complaint("1,2,99,3\n"), "line 1: rating \"99\" is not between 0 and 10");
        assert_eq!(complaint("1,2,4,soon\n"), "line 1: timestamp \"soon\" is not whole seconds");
        assert_eq!(complaint("-1,2,4,3\n"), "line 1: userId \"-1\" is not a whole number");
        assert!(complaint(&"9".repeat(10_000)).starts_with("line 1: too long"));
    }

    #[test]
    fn a_file_without_ratings_is_refused() {
        for text in ["", "\n\n", "userId,movieId,rating,timestamp\n"] {
            assert_eq!(complaint(text), "the file has no ratings");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_ratings(bytes.as_slice(), |_| {});
        }
    }
}
