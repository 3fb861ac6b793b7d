//! What callers send that is meant for an interpreter: statements, scripts, paths. None of it works here, where
//! nothing that a caller sends is ever interpreted; that somebody tries is worth knowing.
//!
//! The list is short and its entries are long enough that a film's title or a search hardly holds one by accident.

/// Pieces of texts that are meant to be interpreted, in lower case.
const PIECES: &[&str] = &[
    "' or '1'='1",
    "' or 1=1",
    "\" or 1=1",
    "'; drop table",
    "union select",
    "union all select",
    "waitfor delay",
    "pg_sleep(",
    "sleep(5",
    "benchmark(",
    "information_schema",
    "<script",
    "javascript:",
    "onerror=",
    "onload=",
    "../../",
    "..\\..\\",
    "/etc/passwd",
    "${jndi:",
    "{{7*7}}",
    "${7*7}",
    "\"$ne\"",
    "\"$gt\"",
    "\"$where\"",
    "[$ne]",
    "<!entity",
    "<?php",
    "169.254.169.254",
];

/// The most bytes that are looked at.
const LOOKED_AT: usize = 4 << 10;

/// Whether `text` holds such a piece. Spaces written as `+`, and several of them, count as one.
pub fn is_probe(text: &str) -> bool {
    let mut plain = String::with_capacity(text.len().min(LOOKED_AT));
    for character in text.chars().take(LOOKED_AT) {
        let character = if character == '+' || character.is_whitespace() { ' ' } else { character };
        if character != ' ' || !plain.ends_with(' ') {
            plain.push(character.to_ascii_lowercase());
        }
    }
    PIECES.iter().any(|piece| plain.contains(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_known() {
        let probes = [
            "x' OR 1=1 --",
            "' UNION  ALL\tSELECT password FROM users",
            "<ScRiPt>alert(1)</script>",
            "../../../etc/passwd",
            "${jndi:ldap://x}",
            "{\"email\":{\"$ne\":null}}",
            "1' OR '1'='1",
            "1;WAITFOR DELAY '0:0:5'",
        ];
        for probe in probes {
            assert!(is_probe(probe), "{probe}");
        }
    }

    #[test]
    fn what_people_search_for_is_no_probe() {
        let searches = [
            "",
            "Ocean's Eleven",
            "O'Or de ma vie",
            "Union Station",
            "Script & Selection",
            "Script",
            "select committee",
            "union",
            "Drop Dead Fred",
            "a or b",
            "$9.99",
            "The Sleep (2019)",
            "Se7en",
            "M*A*S*H",
            "Ä ä",
            "\u{0}",
            "Romeo + Juliet",
            "\"quoted\" & more;",
        ];
        for search in searches {
            assert!(!is_probe(search), "{search}");
        }
    }
}
