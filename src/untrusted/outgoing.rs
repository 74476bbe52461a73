//! Escapes once more what leaves the program. A page is built from escaped parts; this module catches a part
//! that was forgotten, and what only arises where two parts meet.
//!
//! Not here: the escaping of one text (the module above).

use std::borrow::Cow;
use std::io;

use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use super::hides;

/// Escapes a page of text for a terminal. Line feeds and colour codes stay, because they are the program's
/// own. Other invisible characters are escaped, and so are the commands of runners.
#[must_use]
pub fn page(text: &str) -> Cow<'_, str> {
    if text.split('\n').all(is_clean) {
        return Cow::Borrowed(text);
    }
    let mut page = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        push(line, true, &mut page);
        page.push_str(end);
    }
    Cow::Owned(page)
}

fn is_clean(line: &str) -> bool {
    let plain = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (plain || !line.chars().any(hides))
        && !line.contains("##")
        && !line.trim_start().starts_with("::")
}

fn push(line: &str, has_colours: bool, page: &mut String) {
    let mut rest = line;
    let (mut has_begun, mut before) = (false, None);
    while let Some(letter) = rest.chars().next() {
        let code = if has_colours { colour_code(rest) } else { 0 };
        if code > 0 {
            let (own, after) = rest.split_at_checked(code).unwrap_or((rest, ""));
            page.push_str(own);
            rest = after;
            continue;
        }
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let is_command = match letter {
            '#' => before == Some('#'),
            ':' => !has_begun && before == Some(':'),
            _ => false,
        };
        if is_command || hides(letter) {
            page.extend(letter.escape_unicode());
            before = Some('}');
        } else {
            page.push(letter);
            before = Some(letter);
        }
        has_begun |= letter != ':' && !letter.is_whitespace() || is_command;
    }
}

/// The length of the code at the beginning of the text that sets a colour or weight; 0 if there is none.
fn colour_code(text: &str) -> usize {
    let Some(code) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = code.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if code.as_bytes().get(digits) == Some(&b'm') { digits + 3 } else { 0 }
}

/// Escapes a line of the log, without its line feed. Logs have no colours, so colour codes are escaped too.
#[must_use]
pub fn log_line(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 64);
    push(text, false, &mut line);
    Cow::Owned(line)
}

/// Writes indented JSON and escapes every invisible character and the second of two `#`. A JSON parser still
/// returns the original text.
#[derive(Default)]
pub struct Json<'a>(PrettyFormatter<'a>);

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Json")
    }
}

impl Json<'_> {
    /// Part of a JSON string, with these escapes.
    #[must_use]
    pub fn escaped(fragment: &str) -> Cow<'_, str> {
        if !fragment.contains("##") && !fragment.chars().any(hides) {
            return Cow::Borrowed(fragment);
        }
        let mut text = String::with_capacity(fragment.len() + 32);
        let mut before = None;
        for letter in fragment.chars() {
            if hides(letter) || (letter == '#' && before == Some('#')) {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
                before = None;
            } else {
                text.push(letter);
                before = Some(letter);
            }
        }
        Cow::Owned(text)
    }
}

impl Formatter for Json<'_> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        writer.write_all(Self::escaped(fragment).as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
