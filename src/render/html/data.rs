//! The data of the script: a table as JSON inside an element that a browser does not run. A text that several rows
//! share is stored once, so that the data of 50,000 users stay small.
//!
//! INVARIANT: the JSON has no `<`, so it cannot end its element or begin a comment.
//!
//! Not here: what the rows say (`people`), or how the script shows them (`script.js`).

use std::collections::HashMap;

use crate::untrusted::{Json, printable};

/// JSON for an element of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScriptData(String);

impl ScriptData {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// How the script shows a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Text,
    /// Several texts, separated by a semicolon and a space; each is on a line of its own.
    List,
    /// A posture: a word with its colour, and a list to choose from.
    Posture,
    /// One of a few words, to choose from.
    Choice,
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataColumn {
    pub(super) title: &'static str,
    pub(super) kind: ColumnKind,
}

/// A table for the script. The first column is the name of the row.
#[derive(Debug, Default)]
pub(super) struct DataTable {
    rows: String,
    words: String,
    places: HashMap<String, usize>,
    number: usize,
}

impl DataTable {
    /// Adds a row: its name, and one text for each other column.
    pub(super) fn row(&mut self, name: &str, texts: &[String]) {
        let begin = if self.number == 0 { "" } else { ",\n" };
        self.number += 1;
        self.rows.push_str(&format!("{begin}[{}", quoted(name)));
        for text in texts {
            let place = self.place(text);
            self.rows.push_str(&format!(",{place}"));
        }
        self.rows.push(']');
    }

    /// Returns the place of a text in the list of words.
    fn place(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.places.len();
        self.places.insert(text.to_owned(), place);
        let begin = if place == 0 { "" } else { ",\n" };
        self.words.push_str(&format!("{begin}{}", quoted(text)));
        place
    }

    pub(super) const fn rows(&self) -> usize {
        self.number
    }

    /// Returns the table as JSON.
    pub(super) fn finish(self, columns: &[DataColumn]) -> ScriptData {
        let columns: Vec<String> = columns.iter().map(column).collect();
        let (words, rows) = (self.words, self.rows);
        ScriptData(format!(
            "{{\"columns\":[{}],\n\"words\":[{words}],\n\"rows\":[{rows}]}}\n",
            columns.join(",")
        ))
    }
}

fn column(column: &DataColumn) -> String {
    let kind = match column.kind {
        ColumnKind::Text => "text",
        ColumnKind::List => "list",
        ColumnKind::Posture => "posture",
        ColumnKind::Choice => "choice",
    };
    format!("{{\"title\":{},\"kind\":\"{kind}\"}}", quoted(column.title))
}

/// Returns a text as a JSON string without invisible characters and without the characters of markup.
fn quoted(text: &str) -> String {
    let shown = serde_json::Value::from(&*printable(text)).to_string();
    let shown = Json::escaped(&shown);
    shown.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_have_no_markup_and_read_as_the_text() {
        let mut table = DataTable::default();
        let hostile = "</script><!-- \u{2028}&\"\\";
        table.row(hostile, &["open".to_owned(), hostile.to_owned()]);
        table.row("b", &["open".to_owned(), String::new()]);
        assert_eq!(table.rows(), 2);
        let columns = [DataColumn { title: "name", kind: ColumnKind::Text }];
        let data = table.finish(&columns);
        assert!(!data.text().contains(['<', '>', '&', '\u{2028}']), "{data:?}");
        let read: serde_json::Value = serde_json::from_str(data.text()).unwrap();
        let shown = "</script><!-- \\u{2028}&\"\\";
        assert_eq!(read["words"], serde_json::json!(["open", shown, ""]));
        assert_eq!(read["rows"], serde_json::json!([[shown, 0, 1], ["b", 0, 2]]));
    }
}
