//! Searches what is printed for phone numbers, however they are written.
//!
//! Not here: the tests of privacy (`cli::privacy`).

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;

use mfactl_sandbox::Store;
use serde_json::Value;

/// Returns all numbers of the directory and all registered ones, each as its last eight digits.
pub(crate) fn numbers(store: &Store) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    for one in store.users() {
        let registered = one.methods.iter().filter_map(|method| method.get("phoneNumber"));
        let desks = one.user.get("businessPhones").and_then(Value::as_array);
        let all = registered.chain(desks.into_iter().flatten()).chain(one.user.get("mobilePhone"));
        numbers.extend(all.filter_map(Value::as_str).filter_map(last_digits));
    }
    numbers
}

/// Checks that a text shows none of the numbers.
#[track_caller]
pub(crate) fn shows_none(text: &str, numbers: &BTreeSet<String>) {
    for digits in digit_strings(text) {
        let shown = numbers.iter().find(|number| digits.contains(number.as_str()));
        assert_eq!(shown, None, "in {digits}, in:\n{text}");
    }
}

/// Returns the last eight digits of a number, if it shows as many.
pub(crate) fn last_digits(number: &str) -> Option<String> {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits.len().checked_sub(8).map(|start| digits[start..].iter().collect())
}

/// Returns the runs of digits in a text, without the blanks, dashes and brackets between the digits.
pub(crate) fn digit_strings(text: &str) -> Vec<String> {
    let within = |c: char| c.is_ascii_digit() || " -()./+".contains(c);
    text.split(|c: char| !within(c))
        .map(|run| run.chars().filter(char::is_ascii_digit).collect::<String>())
        .filter(|digits| digits.len() >= 8)
        .collect()
}
