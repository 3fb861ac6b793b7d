//! What no source may hold.

use crate::{assert_none, rust_sources};

/// The text up to the parenthesis that closes the one before it.
fn argument(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

#[test]
fn no_expression_of_a_store_request_is_put_together_from_values() {
    let mut faults = Vec::new();
    for (path, source) in rust_sources(&["shared", "functions", "local"]) {
        for (at, found) in source.match_indices("_expression(") {
            let argument = argument(&source[at + found.len()..]);
            if ["format!", "concat!", "push_str", "&("].iter().any(|maker| argument.contains(maker)) {
                let line = source[..at].lines().count();
                faults.push(format!(
                    "{path}:{line}: values go through expression_attribute_values: {argument}"
                ));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn nothing_speaks_partiql() {
    let words = ["execute_statement", "execute_transaction", "partiql"];
    let mut faults = Vec::new();
    for (path, source) in rust_sources(&["shared", "functions", "local"]) {
        let code = source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (at, line) in code {
            if words.iter().any(|word| line.to_lowercase().contains(word)) {
                faults.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn the_check_sees_what_it_looks_for() {
    assert_eq!(argument("\"pk = :pk\".to_owned()) .send()"), "\"pk = :pk\".to_owned()");
    assert!(argument("format!(\"pk = {x}\"))").contains("format!"));
}
