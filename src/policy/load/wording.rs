//! The messages for what the YAML library refused. The library addresses programmers, so only the parser's
//! messages about YAML syntax are passed on.
//!
//! Not here: the place of a refusal (`yaml`).

use serde_yaml::Error;

use crate::finding::quoted;
use crate::untrusted::printable;

/// The most characters quoted from a message of the parser, because it repeats names from the file.
const LONGEST: usize = 200;

pub(super) const LIST: &str = "a list";
pub(super) const KEYS: &str = "keys with values";

/// The value that the YAML library expected.
pub(super) const fn wanted(error: &Error) -> &'static str {
    match error {
        Error::InvalidBooleanStrict { .. } => "`true` or `false`",
        Error::InvalidScalar { .. } => "a whole number from 0 to 4294967295",
        Error::Unexpected { expected, .. } => match expected.as_bytes() {
            b"sequence start" => LIST,
            b"mapping start" => KEYS,
            _ => "a single value",
        },
        _ => "something else",
    }
}

/// A label that says what was expected. Labels must be short.
pub(super) fn not(wanted: &str) -> String {
    const SHORT: usize = 24;
    if wanted.len() <= SHORT { format!("not {wanted}") } else { "not one of these".to_owned() }
}

/// The message and the help for an error of the parser itself.
pub(super) fn invalid(error: &Error) -> (String, &'static str) {
    let text = |message: &str, help| (message.to_owned(), help);
    match error {
        Error::MergeKeyNotAllowed { .. } | Error::MergeValueNotMapOrSeqOfMaps { .. } => text(
            "merge keys (`<<`) are not supported",
            "write the keys out, so that a reader sees them where they apply",
        ),
        Error::UnsupportedTag { tag, .. } | Error::TaggedStructFieldName { tag, .. } => {
            (format!("the tag {} has no meaning here", quoted(tag)), "remove it")
        }
        Error::MultipleDocuments { .. } => text(
            "the file has more than one YAML document (`---`)",
            "remove the `---`, or move each further document to a file of its own; one file can hold several policies",
        ),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => text(
            "the file is nested too deeply, or too large with its aliases expanded",
            "split the file, and write aliases (`*name`) out",
        ),
        Error::UnknownAnchor { .. } => {
            text("an alias refers to an anchor that is not in the file", "write the value out")
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            text("an alias contains itself", "write the value out")
        }
        Error::ExternalMessage { msg, .. } => (
            format!(
                "not valid YAML: {}",
                printable(&msg.chars().take(LONGEST).collect::<String>())
            ),
            "look here and just before for a missing quote or bracket, or for a wrong indentation",
        ),
        Error::Eof { .. } => text("the file ends too early", "complete it"),
        _ => text("mfactl cannot read this", "compare it with the example in the schema"),
    }
}

/// Returns `did you mean …` if one of the known words is similar.
#[must_use]
pub fn suggestion(word: &str, known: &[&str]) -> Option<String> {
    const NEAR: f32 = 0.6;
    // Very long words are never similar to a known word, and comparing them is expensive.
    if word.len() > 64 {
        return None;
    }
    let nearest = similar::get_close_matches(word, known, 1, NEAR);
    nearest.first().map(|word| format!("did you mean `{word}`?"))
}

/// Lists words. A numbered series is shortened to its first and last word.
#[must_use]
pub fn listed(words: &[&str]) -> String {
    let stem = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let is_series = |one: &&str, other: &&str| {
        let (one_stem, other_stem) = (stem(one), stem(other));
        one_stem < one.len()
            && other_stem < other.len()
            && one.get(..one_stem) == other.get(..other_stem)
    };
    let runs = words.chunk_by(is_series).map(|run| match run {
        [first, .., last] => format!("`{first}` to `{last}`"),
        rest => rest.iter().map(|word| format!("`{word}`")).collect(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_series_is_shortened() {
        assert_eq!(listed(&[]), "");
        assert_eq!(listed(&["a", "b"]), "`a`, `b`");
        assert_eq!(listed(&["phone", "x1", "x2", "x3", "y1"]), "`phone`, `x1` to `x3`, `y1`");
    }

    #[test]
    fn only_similar_words_are_suggested() {
        let known = ["everyone", "groups", "users"];
        assert_eq!(suggestion("group", &known).as_deref(), Some("did you mean `groups`?"));
        assert_eq!(suggestion("Groups", &known).as_deref(), Some("did you mean `groups`?"));
        assert_eq!(suggestion("except", &known), None);
        assert_eq!(suggestion(&"g".repeat(1000), &known), None);
    }
}
