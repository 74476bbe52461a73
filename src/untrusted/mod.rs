//! Text from outside the program: names from the directory, names and paths from a repository, messages of
//! Graph, the contents of a journal or a saved plan. It is shown escaped, so that it cannot move the cursor,
//! hide itself, begin a new line, or give a command to the runner of a pipeline.
//!
//! [`Untrusted`] holds such text: its `Display` escapes, and only [`Untrusted::raw`] returns it unchanged.
//! [`printable`] escapes text that is part of a message. `outgoing` escapes whole pages and JSON once more
//! before they leave the program.
//!
//! Not here: phone numbers, which are masked by their own type (`number`), and valid names of policies
//! (`policy`).

mod letters;
mod outgoing;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use letters::MOST_MARKS;
pub use letters::{hides, is_mark};
pub use outgoing::{Json, log_line, page};

/// The longest label in characters. A longer one is cut in the middle.
const LONGEST_LABEL: usize = 64;
const BEGIN: usize = 40;
const END: usize = 12;

/// Text from outside; a copy shares it. `{}` shows it as a label: escaped, and cut in the middle if it is long. `{:#}` shows
/// all of it, escaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Untrusted(Arc<str>);

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Untrusted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl Untrusted {
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The placeholder of an unknown name.
    #[must_use]
    pub fn unknown() -> &'static Self {
        static UNKNOWN: LazyLock<Untrusted> = LazyLock::new(|| Untrusted::new("?"));
        &UNKNOWN
    }

    /// The text unchanged: to compare, to search, to send, and for the strings of JSON.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text as `{}` shows it.
    #[must_use]
    pub fn label(&self) -> Cow<'_, str> {
        label(&self.0)
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.alternate() {
            true => f.pad(&printable(&self.0)),
            false => f.pad(&self.label()),
        }
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for Untrusted {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Untrusted {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

/// Text of any type, from outside or not. The text is not escaped.
pub trait Words {
    fn words(&self) -> &str;
}

impl Words for str {
    fn words(&self) -> &str {
        self
    }
}

impl Words for String {
    fn words(&self) -> &str {
        self
    }
}

impl Words for Untrusted {
    fn words(&self) -> &str {
        self.raw()
    }
}

impl<T: Words + ?Sized> Words for &T {
    fn words(&self) -> &str {
        (**self).words()
    }
}

/// A label: escaped, and cut in the middle if it is long.
#[must_use]
pub fn label(text: &str) -> Cow<'_, str> {
    let cut = |number: usize| text.char_indices().nth(number).map(|(at, _)| at);
    if cut(LONGEST_LABEL).is_none() {
        return printable(text);
    }
    let end = text.char_indices().rev().nth(END - 1).map_or(0, |(at, _)| at);
    let begin = text.get(..cut(BEGIN).unwrap_or_default()).unwrap_or_default();
    let end = text.get(end..).unwrap_or_default();
    Cow::Owned(format!("{}…{}", printable(begin), printable(end)))
}

/// Escapes whatever could move the cursor, hide a word, reverse the order of a line, begin a line, or command
/// a runner. The result is one line. Text that is already escaped does not change.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let (mut before, mut marks) = (None, 0);
    for letter in text.chars() {
        let is_mark = is_mark(letter);
        marks = if is_mark { marks + 1 } else { 0 };
        // A mark at the beginning would be drawn on what the program printed before it.
        let is_loose = is_mark && (before.is_none() || marks > MOST_MARKS);
        if hides(letter) || is_loose || (is_sign(letter) && before == Some(letter)) {
            shown.extend(letter.escape_unicode());
            before = Some('}');
        } else {
            shown.push(letter);
            before = Some(letter);
        }
    }
    Cow::Owned(shown)
}

/// Two of these characters begin a command of a runner:
/// - GitHub: `##[…]` anywhere in a line, and `::…` at its beginning, after white space (actions/runner
///   2.336.0, `ActionCommand.cs`; checked 2026-11);
/// - Azure Pipelines: `##vso[…]` anywhere in a line (microsoft/azure-pipelines-agent, `Command.cs`), and the
///   formats `##[…]`, such as `##[error]` (`ExecutionContext.cs`; both checked 2026-11);
/// - `TeamCity`: `##teamcity[` (JetBrains documentation, "Service Messages"; checked 2026-11).
const fn is_sign(letter: char) -> bool {
    matches!(letter, '#' | ':')
}

/// Whether nothing has to be escaped. May say no for text that needs no escape.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && bytes
            .iter()
            .zip(bytes.iter().skip(1))
            .all(|(one, next)| one != next || !is_sign(char::from(*one)))
}

#[cfg(test)]
mod tests;
