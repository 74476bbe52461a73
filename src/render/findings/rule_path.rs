//! The keys that lead to a line of a file, such as `policies/staff/desired`: the name of a rule that does not
//! change when lines above it do.
//!
//! The keys are read from the indentation, because a file with a fault is often not YAML. Not here: the
//! structure of valid files (`policy`).

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{FileId, Origin, Sources};
use crate::untrusted::label;

/// The keys of the lines that findings point at.
pub(super) struct RulePaths(BTreeMap<(FileId, u32), String>);

/// A key or a list entry that contains the current line.
struct Level {
    indent: usize,
    is_entry: bool,
    key: Option<String>,
}

impl RulePaths {
    /// Reads the files of these places, each of them once.
    pub(super) fn of(places: impl Iterator<Item = Origin>, sources: &Sources) -> Self {
        let mut wanted: BTreeMap<FileId, BTreeSet<u32>> = BTreeMap::new();
        for origin in places {
            wanted.entry(origin.file).or_default().insert(origin.span.line);
        }
        let mut paths = BTreeMap::new();
        for (file, lines) in wanted {
            let Some(source) = sources.get(file).filter(|source| source.is_shown) else { continue };
            let found = read(&source.text, &lines).into_iter();
            paths.extend(found.map(|(line, path)| ((file, line), path)));
        }
        Self(paths)
    }

    /// Returns the keys of a place; empty for a whole file, and for a file whose text is not shown.
    pub(super) fn at(&self, origin: Origin) -> &str {
        self.0.get(&(origin.file, origin.span.line)).map_or("", String::as_str)
    }
}

fn read(text: &str, lines: &BTreeSet<u32>) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let last = lines.last().copied().unwrap_or(0);
    for (number, line) in (1_u32..=last).zip(text.lines()) {
        step(line, &mut levels);
        if lines.contains(&number) {
            let keys: Vec<&str> = levels.iter().filter_map(|level| level.key.as_deref()).collect();
            found.push((number, keys.join("/")));
        }
    }
    found
}

/// Leaves the levels that end before this line, and enters those that it begins.
fn step(line: &str, levels: &mut Vec<Level>) {
    let mut rest = line.trim_start_matches(' ');
    let mut indent = line.len() - rest.len();
    if rest.is_empty() || rest.starts_with('#') {
        return;
    }
    loop {
        let is_entry = rest == "-" || rest.starts_with("- ");
        // A list may be as far to the left as its key.
        let contains = |level: &Level| {
            level.indent < indent || (level.indent == indent && is_entry && !level.is_entry)
        };
        while levels.last().is_some_and(|level| !contains(level)) {
            levels.pop();
        }
        if !is_entry {
            break;
        }
        levels.push(Level { indent, is_entry, key: None });
        let after = rest.trim_start_matches('-').trim_start_matches(' ');
        indent += rest.len() - after.len();
        rest = after;
    }
    if let Some(key) = key(rest) {
        levels.push(Level { indent, is_entry: false, key: Some(key) });
    }
}

/// Returns the key at the beginning of a text.
fn key(text: &str) -> Option<String> {
    let (key, _) =
        text.split_once(": ").or_else(|| Some((text.trim_end().strip_suffix(':')?, "")))?;
    let key = key.trim().trim_matches(['"', '\'']);
    (!key.starts_with(['{', '['])).then(|| label(key).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_lead_to_a_line_are_found() {
        let text = "version: 1\n# a: comment\npolicies:\n  'all staff':\n    appliesTo:\n      users:\n      - a\n      \
                    - name: b\n        id: c\n    desired: { x: 1 }\n  pilot:\n    desired:\n      perUserMfa: y\n";
        let lines = (1..=13).collect();
        let found: BTreeMap<u32, String> = read(text, &lines).into_iter().collect();
        for (line, path) in [
            (1, "version"),
            (7, "policies/all staff/appliesTo/users"),
            (8, "policies/all staff/appliesTo/users/name"),
            (9, "policies/all staff/appliesTo/users/id"),
            (10, "policies/all staff/desired"),
            (13, "policies/pilot/desired/perUserMfa"),
        ] {
            assert_eq!(found.get(&line).map(String::as_str), Some(path), "line {line}");
        }
    }

    #[test]
    fn text_that_is_no_yaml_has_a_path_too() {
        let text = "}: {\n\t- -\n- - - x:\n---\n:\n";
        assert_eq!(read(text, &(1..=5).collect()).len(), 5);
    }
}
