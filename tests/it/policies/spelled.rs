//! Writes one value in many YAML spellings with the same meaning: comments, line endings, a byte order
//! mark, the order of keys, block and flow style, quotes.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use fastrand::Rng;
use serde_json::{Map, Value};

/// Lists in which the order does not matter.
const SETS: [&str; 6] = ["groups", "users", "roles", "except", "any", "none"];

pub(crate) struct Spelling(Rng);

impl Spelling {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// Writes a whole file.
    pub(crate) fn write(&mut self, value: &Value) -> String {
        let mut text = String::new();
        if self.0.bool() {
            text += "# yaml-language-server: $schema=schemas/some.json\n";
        }
        if self.0.u8(..4) == 0 {
            text += "---\n";
        }
        self.map(value.as_object().expect("a file is a map"), 0, &mut text);
        if self.0.bool() {
            text += "\n# the end\n\n";
        }
        if self.0.bool() {
            text = text.replace('\n', "\r\n");
        }
        if self.0.u8(..4) == 0 { format!("\u{feff}{text}") } else { text }
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize, text: &mut String) {
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        self.0.shuffle(&mut entries);
        let pad = " ".repeat(indent);
        for (key, value) in entries {
            if self.0.u8(..3) == 0 {
                *text += &format!("{pad}# about {key}: {{ [ \"\n");
            }
            let spelled = self.word(key);
            *text += &format!("{pad}{spelled}:");
            self.value(key, value, indent, text);
        }
    }

    /// Writes the value of a key, after the colon.
    fn value(&mut self, key: &str, value: &Value, indent: usize, text: &mut String) {
        let in_blocks = self.0.bool();
        match value {
            Value::Object(map) if in_blocks => {
                self.end(text);
                let deeper = self.0.usize(1..5);
                self.map(map, indent + deeper, text);
            }
            Value::Array(entries) if in_blocks => {
                self.end(text);
                let deeper = self.0.usize(0..3);
                let pad = " ".repeat(indent + deeper);
                for entry in self.ordered(key, entries) {
                    let flow = self.flow(key, &entry);
                    *text += &format!("{pad}- {flow}");
                    self.end(text);
                }
            }
            _ => {
                let flow = self.flow(key, value);
                *text += &format!(" {flow}");
                self.end(text);
            }
        }
    }

    fn end(&mut self, text: &mut String) {
        *text += if self.0.u8(..4) == 0 { "  # so it is\n" } else { "\n" };
    }

    fn ordered(&mut self, key: &str, entries: &[Value]) -> Vec<Value> {
        let mut entries = entries.to_vec();
        if SETS.contains(&key) {
            self.0.shuffle(&mut entries);
        }
        entries
    }

    fn flow(&mut self, key: &str, value: &Value) -> String {
        match value {
            Value::String(word) => self.word(word),
            Value::Array(entries) => {
                let entries: Vec<String> =
                    self.ordered(key, entries).iter().map(|entry| self.flow(key, entry)).collect();
                let comma = if self.0.bool() { ", " } else { " ,  " };
                format!("[{}]", entries.join(comma))
            }
            Value::Object(map) => {
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                self.0.shuffle(&mut entries);
                let entries: Vec<String> = entries
                    .into_iter()
                    .map(|(key, value)| format!("{}: {}", self.word(key), self.flow(key, value)))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            }
            other => other.to_string(),
        }
    }

    fn word(&mut self, word: &str) -> String {
        let is_plain = word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.chars().all(|one| one.is_ascii_alphanumeric() || one == ' ')
            && !["true", "false", "null", "on", "off", "yes", "no"].contains(&word);
        match self.0.u8(..4) {
            0 | 1 if is_plain => word.to_owned(),
            0 => format!("'{}'", word.replace('\'', "''")),
            1 => {
                let first = word.chars().next().map(|one| format!("\\u{:04x}", u32::from(one)));
                let rest: String = word.chars().skip(1).collect();
                format!("\"{}{}\"", first.unwrap_or_default(), rest.replace('"', "\\\""))
            }
            _ => Value::from(word).to_string(),
        }
    }
}
