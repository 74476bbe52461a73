//! A value without its place in the file and its spelling, and the digest of it. Two values have the same
//! digest exactly if they ask for the same.
//!
//! Not here: the value of a rule (the file of each setting), or of the other keys (`policy::meaning`).

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

/// A value of a file, reduced to its meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Nothing,
    Word(String),
    /// The order matters.
    List(Vec<Self>),
    /// The order does not matter.
    Set(BTreeSet<Self>),
    Map(Vec<(&'static str, Self)>),
}

impl Node {
    /// Returns SHA-256 in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        self.put(&mut digest);
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes the kind and length before each part, so that different nodes never give the same bytes.
    fn put(&self, digest: &mut Sha256) {
        let mut head = |kind: u8, length: usize| {
            digest.update([kind]);
            digest.update((length as u64).to_le_bytes());
        };
        match self {
            Self::Nothing => head(b'n', 0),
            Self::Word(word) => {
                head(b'w', word.len());
                digest.update(word.as_bytes());
            }
            Self::List(nodes) => {
                head(b'l', nodes.len());
                nodes.iter().for_each(|node| node.put(digest));
            }
            Self::Set(nodes) => {
                head(b's', nodes.len());
                nodes.iter().for_each(|node| node.put(digest));
            }
            Self::Map(entries) => {
                head(b'm', entries.len());
                for (key, node) in entries {
                    Self::Word((*key).to_owned()).put(digest);
                    node.put(digest);
                }
            }
        }
    }
}

/// Returns the node of a word or a number.
#[must_use]
pub fn word(word: impl ToString) -> Node {
    Node::Word(word.to_string())
}

/// Returns the node of a word that may be missing.
#[must_use]
pub fn perhaps(value: Option<impl ToString>) -> Node {
    value.map_or(Node::Nothing, word)
}

/// Returns the node of values whose order does not matter.
#[must_use]
pub fn set<T>(values: &[T], node: impl Fn(&T) -> Node) -> Node {
    Node::Set(values.iter().map(node).collect())
}

/// Returns the node of keys with their values.
#[must_use]
pub fn map<const N: usize>(entries: [(&'static str, Node); N]) -> Node {
    Node::Map(entries.into())
}
