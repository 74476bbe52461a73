//! Parses a text into a value, or turns the refusal into a finding that points at the right key or value.
//!
//! Not here: which files there are (`load`), the messages of the parser (`wording`), or whether the contents
//! make sense (`check`).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_yaml::{Error, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

use super::outline::{Outline, OutlineEntry, OutlineKind};
use super::wording::{self, KEYS, LIST, listed, not, suggestion, wanted};
use crate::finding::{Code, Finding, quoted};
use crate::source::{FileId, Origin, Sources, Span};
use crate::untrusted::printable;

/// Several times the nodes of ten thousand policies with thirty nodes each.
const MAX_NODES: usize = 2_000_000;
const MAX_EVENTS: usize = 2 * MAX_NODES;
/// The most events that all aliases of a file can expand to, and the most aliases.
const MAX_UNFOLDED: usize = 100_000;
const MAX_ALIASES: usize = 10_000;
/// Deeper than any valid file.
const MAX_DEPTH: usize = 32;

/// The beginning of a file.
const START: Span = Span { line: 1, column: 1, offset: 0, len: 0 };

/// The parser options for every file.
pub(super) fn options() -> Options {
    serde_yaml::options! {
        with_snippet: false,
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        reject_tagged_field_names: true,
        emit_comments: false,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_UNFOLDED },
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_events: MAX_EVENTS,
            max_aliases: MAX_ALIASES,
            max_depth: MAX_DEPTH,
        },
    }
}

/// Parses a text.
///
/// # Errors
/// The first structural fault.
pub(super) fn parse<T: DeserializeOwned>(text: &str, file: FileId) -> Result<T, Finding> {
    serde_yaml::from_str_with_options(text, options()).map_err(|error| {
        let refusal = Refusal { text, file, outline: Outline::read(text) };
        refusal.finding(&error)
    })
}

/// Returns the value of a key at the top of a text that could not be parsed as a whole.
pub(super) fn top_word(text: &str, wanted: &str) -> Option<(String, Span)> {
    let outline = Outline::read(text)?;
    outline
        .top()
        .find(|(key, value)| slice(text, *key) == wanted && !slice(text, *value).is_empty())
        .map(|(_, value)| (bare(slice(text, value)).to_owned(), value))
}

/// A text that could not be parsed.
struct Refusal<'a> {
    text: &'a str,
    file: FileId,
    outline: Option<Outline>,
}

impl Refusal<'_> {
    fn finding(&self, error: &Error) -> Finding {
        let place = place(error, self.text);
        match innermost(error) {
            Error::SerdeUnknownField { field, expected, .. } => {
                self.unknown_key(place, field, expected)
            }
            Error::SerdeMissingField { field, .. } => self.missing_key(place, field),
            Error::DuplicateMappingKey { .. } => self.duplicate_key(place),
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                self.unknown_word(place, variant, expected)
            }
            Error::SerdeInvalidLength { len: 0, .. } => self.empty(self.by_key(place), place),
            Error::NullIntoString { .. } => self.empty(self.by_value(place), place),
            Error::SerdeInvalidValue { expected, .. } => {
                self.unfit(Code::UnknownValue, self.by_key(place), place, expected)
            }
            Error::SerdeInvalidType { expected, .. } => {
                self.unfit(Code::WrongType, self.by_key(place), place, expected)
            }
            Error::InvalidBooleanStrict { .. }
            | Error::InvalidScalar { .. }
            | Error::Unexpected { .. } => {
                let wanted = wanted(innermost(error));
                self.unfit(Code::WrongType, self.by_value(place), place, wanted)
            }
            Error::Eof { .. } if self.is_blank() => {
                Finding::new(Code::MissingKey, "the file is empty")
                    .at(self.origin(START), "nothing here")
                    .help("start with `version: 1`")
            }
            other => self.invalid(place, other),
        }
    }

    fn unknown_key(&self, place: Span, key: &str, known: &[&str]) -> Finding {
        let map = self.outline.as_ref().and_then(|outline| outline.around(place));
        let message = match map {
            Some(map) => format!("unknown key {} in {}", quoted(key), self.name(map)),
            None => format!("unknown key {}", quoted(key)),
        };
        let label = suggestion(key, known).unwrap_or_else(|| "not a key here".to_owned());
        Finding::new(Code::UnknownKey, message)
            .at(self.origin(place), label)
            .help(format!("possible keys: {}", listed(known)))
    }

    /// `place` is the last key of the map, or the map itself if it has no keys.
    fn missing_key(&self, place: Span, key: &str) -> Finding {
        let outline = self.outline.as_ref();
        let is_key = outline.is_some_and(|outline| outline.with_key(place).is_some());
        let map = outline.and_then(|outline| match is_key {
            true => outline.around(place),
            false => outline.with_value(place),
        });
        let first = outline.and_then(|outline| outline.top().next());
        let (place, what, label) = match map {
            Some(map) => (map.key.unwrap_or(map.value), self.name(map), "here"),
            None => (first.map_or(START, |(key, _)| key), "the file".to_owned(), "in this file"),
        };
        Finding::new(Code::MissingKey, format!("{what} has no `{key}`"))
            .at(self.origin(place), format!("`{key}` is missing {label}"))
            .help(format!("add `{key}: …`"))
    }

    fn duplicate_key(&self, place: Span) -> Finding {
        let siblings =
            self.outline.as_ref().map(|outline| outline.siblings(place)).unwrap_or_default();
        let key = self.slice_of_key(&siblings, place);
        let first = siblings.iter().find(|sibling| slice(self.text, **sibling) == key);
        let finding = Finding::new(Code::DuplicateKey, format!("duplicate key {}", quoted(key)))
            .at(self.origin(place), "the second")
            .help("keep one of them, or rename one");
        match first {
            Some(first) if first.offset != place.offset => {
                finding.at(self.origin(*first), "the first")
            }
            _ => finding,
        }
    }

    fn unknown_word(&self, place: Span, word: &str, known: &[&str]) -> Finding {
        let entry = self.by_key(place);
        let message = match entry {
            Some(entry) => format!("{} cannot be {}", self.name(entry), quoted(word)),
            None => format!("{} is not a valid value here", quoted(word)),
        };
        let place = entry.map_or(place, |entry| entry.value);
        let label = suggestion(word, known).unwrap_or_else(|| "not a value here".to_owned());
        Finding::new(Code::UnknownValue, message)
            .at(self.origin(place), label)
            .help(format!("possible values: {}", listed(known)))
    }

    fn empty(&self, entry: Option<OutlineEntry>, place: Span) -> Finding {
        let place = entry.and_then(|entry| entry.key).unwrap_or(place);
        let (message, label, help) = match entry {
            Some(OutlineEntry { key: Some(key), kind: OutlineKind::List, .. }) => (
                format!("{} is an empty list", self.word(key)),
                "no entries",
                "name at least one, or remove the key",
            ),
            Some(OutlineEntry { key: Some(key), .. }) => (
                format!("{} has no value", self.word(key)),
                "no value",
                "give it a value, or remove the key",
            ),
            _ => ("an entry is empty".to_owned(), "empty", "fill it in, or remove it"),
        };
        Finding::new(Code::EmptyKey, message).at(self.origin(place), label).help(help)
    }

    /// The finding for a value that is not what is expected there.
    fn unfit(&self, code: Code, entry: Option<OutlineEntry>, place: Span, wanted: &str) -> Finding {
        if entry.is_some_and(|entry| entry.kind == OutlineKind::Empty) {
            return self.empty(entry, place);
        }
        let what = match entry {
            Some(entry) => self.name(entry),
            None if self.outline.is_some() => "the file".to_owned(),
            None => "this place".to_owned(),
        };
        let entry = entry.or_else(|| self.outline.as_ref().map(Outline::root));
        let place = entry.map_or(place, |entry| entry.value);
        let word = bare(slice(self.text, place));
        let (found, is_word) = match entry.map(|entry| entry.kind) {
            Some(OutlineKind::List) => ("a list".to_owned(), false),
            Some(OutlineKind::Map) => (KEYS.to_owned(), false),
            _ => (quoted(word), true),
        };
        let help = match wanted {
            KEYS if entry.is_some_and(|entry| entry.key.is_some()) => {
                "write its keys on the lines below it, indented".to_owned()
            }
            KEYS if entry.is_none_or(|entry| entry.value.offset == START.offset) => {
                "start with `version: 1`".to_owned()
            }
            LIST if is_word && word.len() < 60 => format!("write `[{}]`", printable(word)),
            LIST => "write `[one, two]`, or a line with `- ` for each entry".to_owned(),
            _ => format!("write {wanted}"),
        };
        let known: Vec<&str> = wanted.split('`').skip(1).step_by(2).collect();
        let near = if is_word { suggestion(bare(word), &known) } else { None };
        Finding::new(code, format!("{what} takes {wanted}, not {found}"))
            .at(self.origin(place), near.unwrap_or_else(|| not(wanted)))
            .help(help)
    }

    fn invalid(&self, place: Span, error: &Error) -> Finding {
        let (message, help) = wording::invalid(error);
        Finding::new(Code::InvalidYaml, message).at(self.origin(place), "here").help(help)
    }

    /// The entry of a refusal whose place is the key, as for serde's own errors; in a list, the value.
    fn by_key(&self, place: Span) -> Option<OutlineEntry> {
        let outline = self.outline.as_ref()?;
        outline.with_key(place).or_else(|| outline.with_value(place))
    }

    /// The entry of a refusal whose place is the value, as for errors of the YAML library. A map and its
    /// first key start at the same place, so this differs from [`Self::by_key`].
    fn by_value(&self, place: Span) -> Option<OutlineEntry> {
        let outline = self.outline.as_ref()?;
        outline.with_value(place).or_else(|| outline.with_key(place))
    }

    /// Names an entry in a message: by its key, or by the list that contains it.
    fn name(&self, entry: OutlineEntry) -> String {
        match entry {
            OutlineEntry { key: Some(key), .. } => self.word(key),
            OutlineEntry { owner: Some(owner), .. } => format!("an entry of {}", self.word(owner)),
            OutlineEntry { .. } => "an entry".to_owned(),
        }
    }

    /// Names a key in a message. In YAML, a key can also be a list, a map or empty.
    fn word(&self, key: Span) -> String {
        match bare(slice(self.text, key)) {
            "" | "~" | "null" | "[" | "{" => "a key that is not a word".to_owned(),
            word => quoted(word),
        }
    }

    /// The text of the key at `place`. The outline knows its length.
    fn slice_of_key(&self, siblings: &[Span], place: Span) -> &str {
        let known = siblings.iter().find(|sibling| sibling.offset == place.offset);
        slice(self.text, known.copied().unwrap_or(place))
    }

    fn is_blank(&self) -> bool {
        self.text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'))
    }

    const fn origin(&self, span: Span) -> Origin {
        Origin { file: self.file, span }
    }
}

/// The error itself, without the alias through which the parser reached it.
fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        other => other,
    }
}

/// The place of an error. For the contents of an alias, this is the place of the alias.
fn place(error: &Error, text: &str) -> Span {
    let place = match error.without_snippet() {
        Error::AliasError { locations, .. } => Some(locations.reference_location),
        other => other.location(),
    };
    let mut span = place.map(Span::from).unwrap_or_default();
    // The scanner reports only lines and columns, no offsets.
    if place.is_some_and(|place| place.span().byte_offset().is_none()) {
        let before: usize = text
            .split_inclusive('\n')
            .take(span.line.saturating_sub(1) as usize)
            .map(str::len)
            .sum();
        let line = text.get(before..).unwrap_or_default();
        let column = span.column.saturating_sub(1) as usize;
        let within = line.char_indices().nth(column).map_or(0, |(at, _)| at);
        span.offset = u32::try_from(before + within).unwrap_or(u32::MAX);
    }
    span
}

pub(super) fn slice(text: &str, span: Span) -> &str {
    let start = span.offset as usize;
    text.get(start..start.saturating_add(span.len as usize)).unwrap_or_default()
}

/// Removes the quotes of a word.
fn bare(word: &str) -> &str {
    let inside = |mark| word.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    inside('"').or_else(|| inside('\'')).unwrap_or(word)
}

/// Moves places from the start of a map to its key, because a label at the key is clearer.
pub(super) fn point_at_keys<'a>(places: impl Iterator<Item = &'a mut Origin>, sources: &Sources) {
    let mut maps: BTreeMap<FileId, BTreeMap<u32, Span>> = BTreeMap::new();
    for place in places {
        let text = sources.get(place.file).map_or("", |source| source.text.as_str());
        // The library gives a map the length of its bracket, or none.
        if !matches!(slice(text, place.span), "" | "{") {
            continue;
        }
        let maps = maps.entry(place.file).or_insert_with(|| {
            Outline::read(text).map(|outline| outline.maps()).unwrap_or_default()
        });
        if let Some(key) = maps.get(&place.span.offset) {
            place.span = *key;
        }
    }
}
