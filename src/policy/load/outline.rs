//! The structure of a file, with the place of every key and value. It is read to report an error, because a
//! refusal of the YAML library knows either the key or the value, and a good message needs both; and to find
//! hidden characters.
//!
//! Not here: what the keys mean (`policy::file`).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_yaml::{DuplicateKeyPolicy, MergeKeyPolicy, Spanned};

use crate::source::Span;
use crate::untrusted::hides;

/// The structure of a file.
pub(super) struct Outline(Node);

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutlineKind {
    Empty,
    Word,
    List,
    Map,
}

/// A value, with its key if it has one, and the key of the map or list that contains it.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutlineEntry {
    pub(super) owner: Option<Span>,
    pub(super) key: Option<Span>,
    pub(super) value: Span,
    pub(super) kind: OutlineKind,
}

struct Node {
    span: Span,
    shape: Shape,
}

enum Shape {
    Empty,
    Word(Letters),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// The hidden characters of a scalar.
#[derive(Debug, Clone, Copy, Default)]
struct Letters {
    /// The first invisible character.
    hidden: Option<char>,
    /// Whether the scalar has several lines.
    breaks: bool,
}

impl Letters {
    fn of(word: &str) -> Self {
        let hidden = word.chars().find(|letter| *letter != '\n' && hides(*letter));
        Self { hidden, breaks: word.contains('\n') }
    }

    /// A character that is not allowed here. Prose can have several lines.
    fn fault(self, is_prose: bool) -> Option<char> {
        self.hidden.or_else(|| (self.breaks && !is_prose).then_some('\n'))
    }
}

impl Outline {
    /// Reads the structure of a text, if it is YAML.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut options = super::yaml::options();
        // Accept here what the real parse refuses: the message must show where the refused key or value is.
        options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
        options.merge_keys = MergeKeyPolicy::AsOrdinary;
        options.reject_unsupported_tags = false;
        options.reject_tagged_field_names = false;
        serde_yaml::from_str_with_options(text, options).ok().map(Self)
    }

    /// The entry whose key is at `place`.
    pub(super) fn with_key(&self, place: Span) -> Option<OutlineEntry> {
        self.find(|entry| entry.key.is_some_and(|key| key.offset == place.offset))
    }

    /// The entry whose value is at `place`.
    pub(super) fn with_value(&self, place: Span) -> Option<OutlineEntry> {
        self.find(|entry| entry.value.offset == place.offset)
    }

    /// The entry whose value is the map that has a key at `place`.
    pub(super) fn around(&self, place: Span) -> Option<OutlineEntry> {
        let mut map = None;
        self.0.walk(None, &mut |_, node| {
            if node.keys().any(|key| key.offset == place.offset) {
                map = Some(node.span);
            }
        });
        self.with_value(map?)
    }

    /// The keys of the map that has a key at `place`, in the order of the text.
    pub(super) fn siblings(&self, place: Span) -> Vec<Span> {
        let mut found = Vec::new();
        self.0.walk(None, &mut |_, node| {
            if node.keys().any(|key| key.offset == place.offset) {
                found = node.keys().collect();
            }
        });
        found
    }

    /// The keys at the top of the file, with their values.
    pub(super) fn top(&self) -> impl Iterator<Item = (Span, Span)> {
        let entries: &[(Node, Node)] = match &self.0.shape {
            Shape::Map(entries) => entries,
            Shape::Empty | Shape::Word(_) | Shape::List(_) => &[],
        };
        entries.iter().map(|(key, value)| (key.span, value.span))
    }

    /// The offset and the key of every map that is the value of a key.
    pub(super) fn maps(&self) -> BTreeMap<u32, Span> {
        let mut maps = BTreeMap::new();
        self.0.walk(None, &mut |owner, node| {
            for entry in node.entries(owner) {
                if let OutlineEntry { key: Some(key), kind: OutlineKind::Map, .. } = entry {
                    maps.insert(entry.value.offset, key);
                }
            }
        });
        maps
    }

    /// Every key and value with a hidden character, and that character. The values of keys for which
    /// `is_prose` is true can have several lines.
    pub(super) fn hidden(&self, is_prose: impl Fn(Span) -> bool) -> Vec<(Span, char)> {
        let mut found = Vec::new();
        self.0.walk(None, &mut |key, node| match &node.shape {
            Shape::Word(letters) => {
                let fault = letters.fault(key.is_some_and(&is_prose));
                found.extend(fault.map(|letter| (node.span, letter)));
            }
            Shape::Map(pairs) => {
                for (key, _) in pairs {
                    if let Shape::Word(letters) = key.shape {
                        found.extend(letters.fault(false).map(|letter| (key.span, letter)));
                    }
                }
            }
            Shape::Empty | Shape::List(_) => {}
        });
        found
    }

    /// The file itself.
    pub(super) fn root(&self) -> OutlineEntry {
        OutlineEntry { owner: None, key: None, value: self.0.span, kind: self.0.kind() }
    }

    fn find(&self, wanted: impl Fn(&OutlineEntry) -> bool) -> Option<OutlineEntry> {
        let mut found = None;
        self.0.walk(None, &mut |owner, node| {
            for entry in node.entries(owner) {
                if found.is_none() && wanted(&entry) {
                    found = Some(entry);
                }
            }
        });
        found
    }
}

impl Node {
    const fn kind(&self) -> OutlineKind {
        match self.shape {
            Shape::Empty => OutlineKind::Empty,
            Shape::Word(_) => OutlineKind::Word,
            Shape::List(_) => OutlineKind::List,
            Shape::Map(_) => OutlineKind::Map,
        }
    }

    fn keys(&self) -> impl Iterator<Item = Span> {
        let pairs: &[(Self, Self)] = match &self.shape {
            Shape::Map(pairs) => pairs,
            Shape::Empty | Shape::Word(_) | Shape::List(_) => &[],
        };
        pairs.iter().map(|(key, _)| key.span)
    }

    /// The direct entries of this node, whose own key is `owner`.
    fn entries(&self, owner: Option<Span>) -> Vec<OutlineEntry> {
        let entry =
            |key, node: &Self| OutlineEntry { owner, key, value: node.span, kind: node.kind() };
        match &self.shape {
            Shape::Empty | Shape::Word(_) => Vec::new(),
            Shape::List(nodes) => nodes.iter().map(|node| entry(None, node)).collect(),
            Shape::Map(pairs) => {
                pairs.iter().map(|(key, node)| entry(Some(key.span), node)).collect()
            }
        }
    }

    fn walk(&self, key: Option<Span>, visit: &mut impl FnMut(Option<Span>, &Self)) {
        visit(key, self);
        match &self.shape {
            Shape::Empty | Shape::Word(_) => {}
            Shape::List(nodes) => nodes.iter().for_each(|node| node.walk(key, visit)),
            Shape::Map(pairs) => {
                pairs.iter().for_each(|(key, node)| node.walk(Some(key.span), visit));
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Shape>::deserialize(deserializer)?;
        Ok(Self { span: spanned.referenced.into(), shape: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_unit<E: Error>(self) -> Result<Shape, E> {
                Ok(Shape::Empty)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
                Ok(Shape::Word(Letters::default()))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Shape, E> {
                Ok(Shape::Word(Letters::default()))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Shape, E> {
                Ok(Shape::Word(Letters::default()))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
                Ok(Shape::Word(Letters::default()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Shape, E> {
                Ok(Shape::Word(Letters::of(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = seq.next_element()? {
                    nodes.push(node);
                }
                Ok(Shape::List(nodes))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Shape::Map(pairs))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}
