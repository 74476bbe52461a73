//! The first line of a comment: a marker with what the comment is about. It is all that mfactl reads back from
//! a comment.
//!
//! A host that shows HTML comments gets a definition of a link, which Markdown does not show:
//! `[mfactl-v1]: # "…"`. Not here: the rest of the comment (`render`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{ReviewError, ReviewErrorKind};

/// The most earlier pushes that a comment lists.
const HISTORY: usize = 5;
/// The number of digits of a hash that a reader sees.
const SHOWN: usize = 12;
const COMMENT: (&str, &str) = ("<!-- mfactl v1 ", " -->");
const DEFINITION: (&str, &str) = ("[mfactl-v1]: # \"", "\"");

/// What a comment is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The tenant of the plan.
    pub tenant: String,
    /// The path of `mfactl.yaml` in the repository.
    pub config: String,
    /// The commit that was planned.
    #[serde(default)]
    pub head: Option<String>,
    /// The fingerprint of the difference; `None` if the change makes none.
    #[serde(default)]
    pub difference: Option<String>,
    /// Whether a guard is loosened or a brake is tripped.
    #[serde(default)]
    pub attention: bool,
    /// Earlier pushes, the last first: head and difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<(Option<String>, Option<String>)>,
    /// Keys of a later version.
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkerStyle {
    Comment,
    Definition,
}

/// A rendered comment, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentFile {
    marker: Marker,
    style: MarkerStyle,
    /// Everything below the marker.
    text: String,
}

impl CommentFile {
    /// Takes a file apart.
    ///
    /// # Errors
    /// The first line is no marker, or a value in it is not valid.
    pub fn parse(file: &str) -> Result<Self, ReviewError> {
        let invalid = |why: &str| ReviewError::new(ReviewErrorKind::Marker(why.to_owned()));
        let file = file.strip_prefix('\u{feff}').unwrap_or(file);
        let (first, text) = file.split_once('\n').unwrap_or((file, ""));
        let (json, style) =
            between(first).ok_or_else(|| invalid("its first line is not a marker"))?;
        let marker = read(json).ok_or_else(|| invalid("its marker is not valid"))?;
        Ok(Self { marker, style, text: text.trim().to_owned() })
    }

    #[must_use]
    pub const fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Returns the text without the marker.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds the push of an older comment to the history, unless it was the same push.
    pub(super) fn continue_from(&mut self, older: &Marker) {
        let mut history = older.history.clone();
        if older.head != self.marker.head {
            history.insert(0, (older.head.clone(), older.difference.clone()));
        }
        history.truncate(HISTORY);
        self.marker.history = history;
    }

    /// Returns the whole comment: marker, text, earlier pushes and the time of posting.
    pub(super) fn written(&self, now: jiff::Timestamp) -> String {
        let mut body = format!("{}\n{}\n", self.first_line(), self.text);
        let history: String = (1..).zip(&self.marker.history).map(push).collect();
        if !history.is_empty() {
            body += &format!("\n{history}");
        }
        body + &format!("\nPosted {}\n", now.strftime("%Y-%m-%d %H:%M UTC"))
    }

    fn first_line(&self) -> String {
        self.marker.written(self.style)
    }
}

impl Marker {
    /// Creates the marker of a new comment.
    #[must_use]
    pub fn new(tenant: String, config: String) -> Self {
        let more = Map::new();
        Self {
            tenant,
            config,
            head: None,
            difference: None,
            attention: false,
            history: Vec::new(),
            more,
        }
    }

    /// Returns the first line of a comment, without a line feed. Where HTML comments are shown, it is a
    /// definition of a link.
    #[must_use]
    pub fn line(&self, shows_html_comments: bool) -> String {
        self.written(match shows_html_comments {
            true => MarkerStyle::Definition,
            false => MarkerStyle::Comment,
        })
    }

    fn written(&self, style: MarkerStyle) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        // Characters that could end the marker, or that an editor could change, are escaped in the JSON.
        let mut plain = String::with_capacity(json.len());
        for letter in json.chars() {
            match letter {
                '<' | '>' | '&' | '`' | '\u{7f}'.. => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        plain.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                letter => plain.push(letter),
            }
        }
        let ((begin, end), json) = match style {
            MarkerStyle::Comment => (COMMENT, plain),
            MarkerStyle::Definition => {
                (DEFINITION, plain.replace('\\', "\\\\").replace('"', "\\\""))
            }
        };
        format!("{begin}{json}{end}")
    }
}

impl Marker {
    /// Reads the marker of an existing comment; `None` if it is no comment of mfactl.
    pub(super) fn of_comment(body: &str) -> Option<Self> {
        read(between(body.lines().next()?)?.0)
    }

    /// Whether two comments are about the same tenant and project file.
    pub(super) fn is_about_same(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.config == other.config
    }

    fn is_valid(&self) -> bool {
        let is_word = |text: &str| !text.is_empty() && text.len() <= 1024;
        is_word(&self.tenant)
            && is_word(&self.config)
            && is_hash(self.head.as_ref())
            && is_hash(self.difference.as_ref())
    }
}

/// Returns the JSON of a marker line.
fn between(line: &str) -> Option<(&str, MarkerStyle)> {
    let line = line.trim_end();
    let inside = |(begin, end)| line.strip_prefix(begin)?.strip_suffix(end);
    let comment = inside(COMMENT).map(|json| (json, MarkerStyle::Comment));
    comment.or_else(|| inside(DEFINITION).map(|json| (json, MarkerStyle::Definition)))
}

/// Reads a marker. A part of the history that is not valid ends the history.
fn read(json: &str) -> Option<Marker> {
    let unescaped = || json.replace("\\\"", "\"").replace("\\\\", "\\");
    let marker: Option<Marker> = serde_json::from_str(json).ok();
    let mut marker = marker.or_else(|| serde_json::from_str(&unescaped()).ok())?;
    let is_push = |(head, difference): &&(Option<String>, Option<String>)| {
        is_hash(head.as_ref()) && is_hash(difference.as_ref())
    };
    let valid = marker.history.iter().take(HISTORY).take_while(is_push).count();
    marker.history.truncate(valid);
    marker.is_valid().then_some(marker)
}

fn is_hash(text: Option<&String>) -> bool {
    text.is_none_or(|text| {
        (4..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Returns the line of an earlier push.
fn push((number, (head, difference)): (usize, &(Option<String>, Option<String>))) -> String {
    let pushes = if number == 1 { "push" } else { "pushes" };
    let what = match difference {
        Some(difference) => format!("difference `{}`", cut(difference)),
        None => "no change".to_owned(),
    };
    let head = head.as_ref().map(|head| format!(" (head `{}`)", cut(head))).unwrap_or_default();
    format!("- {number} {pushes} ago: {what}{head}\n")
}

fn cut(hash: &str) -> String {
    match hash.get(..SHOWN) {
        Some(begin) if hash.len() > SHOWN => format!("{begin}…"),
        _ => hash.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<!-- mfactl v1 {\"tenant\":\"e1c8\",\"config\":\"a-->b\",\"head\":\"4f1c00\",\
                        \"difference\":\"41aa00\",\"attention\":true,\"later\":[1]} -->\n### Plan\n\ntext\n";

    fn file(text: &str) -> CommentFile {
        CommentFile::parse(text).unwrap()
    }

    #[test]
    fn marker_survives_both_ways_of_writing_it() {
        let mut file = file(FILE);
        for style in [MarkerStyle::Comment, MarkerStyle::Definition] {
            file.style = style;
            let body = file.written(jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(Marker::of_comment(&body).as_ref(), Some(file.marker()), "{body}");
            assert!(body.ends_with("text\n\nPosted 1970-01-01 00:00 UTC\n"), "{body}");
            assert_eq!(
                body.lines().next().unwrap().matches("-->").count(),
                usize::from(style == MarkerStyle::Comment)
            );
        }
        let raw = FILE.replace("<!-- mfactl v1 ", "[mfactl-v1]: # \"").replace("} -->", "}\"");
        assert_eq!(CommentFile::parse(&raw).unwrap().marker(), file.marker());
    }

    #[test]
    fn history_has_the_last_five_pushes() {
        let mut older = file(FILE);
        for number in 1..9 {
            let mut newer = file(&FILE.replace("4f1c00", &format!("4f1c0{number}")));
            newer.continue_from(older.marker());
            older = newer;
        }
        let body = older.written(jiff::Timestamp::UNIX_EPOCH);
        assert!(
            body.contains("- 1 push ago: difference `41aa00` (head `4f1c07`)\n- 2 pushes ago:"),
            "{body}"
        );
        assert!(body.contains("- 5 pushes ago") && !body.contains("- 6"), "{body}");
        let mut again = file(&FILE.replace("4f1c00", "4f1c08"));
        again.continue_from(older.marker());
        assert_eq!(again.marker().history, older.marker().history, "the same push is no history");
    }

    #[test]
    fn other_first_lines_are_no_marker() {
        for text in [
            "",
            "### Plan",
            "<!-- mfactl v2 {} -->",
            "<!-- mfactl v1 {} -->",
            " <!-- mfactl v1 {\"tenant\":\"a\",\"config\":\"b\"} -->",
            "<!-- mfactl v1 {\"tenant\":\"a\",\"config\":\"b\",\"head\":\"not hex\"} -->",
            "<!-- mfactl v1 {\"tenant\":\"\",\"config\":\"b\"} -->",
        ] {
            assert!(CommentFile::parse(text).is_err(), "{text}");
            assert_eq!(Marker::of_comment(text), None, "{text}");
        }
    }

    #[test]
    fn history_of_a_comment_is_read_as_hashes_only() {
        let line = "<!-- mfactl v1 {\"tenant\":\"a\",\"config\":\"b\",\"history\":[[\"abcd\",null],[\"`<b>\",\"abcd\"]]} -->";
        let marker = Marker::of_comment(line).unwrap();
        assert_eq!(marker.history, [(Some("abcd".to_owned()), None)]);
    }
}
