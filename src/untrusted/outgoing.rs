//! The last look at what leaves the program. Pages are put together of escaped parts; this holds whatever
//! is forgotten on the way, and what only arises where two parts meet.

use std::borrow::Cow;
use std::io;

use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use super::hides;

/// A page of text for a terminal. Line feeds and the codes of colours stay, as the program's own; other
/// characters that nobody sees are escaped, and no line begins with a command of a runner.
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
    let (mut begun, mut before) = (false, None);
    while let Some(letter) = rest.chars().next() {
        let code = if has_colours { code_of_colour(rest) } else { 0 };
        if code > 0 {
            let (own, after) = rest.split_at_checked(code).unwrap_or((rest, ""));
            page.push_str(own);
            rest = after;
            continue;
        }
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let commands = match letter {
            '#' => before == Some('#'),
            ':' => !begun && before == Some(':'),
            _ => false,
        };
        if commands || hides(letter) {
            page.extend(letter.escape_unicode());
            before = Some('}');
        } else {
            page.push(letter);
            before = Some(letter);
        }
        begun |= letter != ':' && !letter.is_whitespace() || commands;
    }
}

/// The length of a code that sets colours or weight and begins here.
fn code_of_colour(text: &str) -> usize {
    let Some(code) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = code.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if code.as_bytes().get(digits) == Some(&b'm') { digits + 3 } else { 0 }
}

/// A line of the log, without its end. Nothing in it is the program's to format: colours are off.
#[must_use]
pub fn log_line(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 64);
    push(text, false, &mut line);
    Cow::Owned(line)
}

/// Writes JSON in lines, with an escape for every letter that nobody sees, and for the second of two `#`.
/// Who reads the JSON gets the text as it was.
#[derive(Default)]
pub struct Json<'a>(PrettyFormatter<'a>);

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Json")
    }
}

impl Json<'_> {
    /// A piece of a string as JSON has it.
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
