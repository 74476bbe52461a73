//! Elements of a page. The text of others reaches a page only as text or as the value of an attribute, and both
//! escape it: it forms no markup, and invisible characters are shown as escapes.
//!
//! INVARIANT: names of tags and attributes, and the text of the style and the script, are literals of the
//! program (`&'static str`).
//!
//! Not here: the elements of one page (`plan`, `report`), or the data of the script (`data`).

use std::fmt::{self, Write as _};

use crate::untrusted::{label, printable};

/// Elements without an end tag.
const VOID: [&str; 2] = ["meta", "input"];

/// An element with everything inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    tag: &'static str,
    attributes: String,
    inside: String,
}

/// Creates an element without attributes and content.
pub(super) const fn element(tag: &'static str) -> Element {
    Element { tag, attributes: String::new(), inside: String::new() }
}

/// Creates an element that contains a text.
pub(super) fn texted(tag: &'static str, text: &str) -> Element {
    element(tag).text(text)
}

impl Element {
    /// Adds an attribute.
    pub(super) fn is(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        _ = write!(self.attributes, " {name}=\"{}\"", escaped(&printable(&value)));
        self
    }

    /// Adds an attribute without a value.
    pub(super) fn flag(mut self, name: &'static str) -> Self {
        _ = write!(self.attributes, " {name}");
        self
    }

    pub(super) fn class(self, names: &'static str) -> Self {
        self.is("class", names)
    }

    /// Adds a text. It is shown completely.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.inside.push_str(&escaped(&printable(text)));
        self
    }

    /// Adds a name as a code: shortened if it is long.
    pub(super) fn name(mut self, name: &str) -> Self {
        let shown = if name.is_empty() { "(no name)".into() } else { label(name) };
        _ = write!(self.inside, "<code>{}</code>", escaped(&shown));
        self
    }

    /// Adds a message: its words as text, and what it quotes in backticks as names.
    pub(super) fn prose(self, message: &str) -> Self {
        let parts: Vec<&str> = message.split('`').collect();
        let last = parts.len().saturating_sub(1);
        parts.into_iter().enumerate().fold(self, |element, (place, part)| {
            // A backtick without a partner quotes nothing.
            match place % 2 == 1 && place < last {
                true => element.name(part),
                false => element.text(part),
            }
        })
    }

    pub(super) fn with(mut self, inside: Self) -> Self {
        _ = write!(self.inside, "{inside}");
        self
    }

    pub(super) fn all(self, inside: impl IntoIterator<Item = Self>) -> Self {
        inside.into_iter().fold(self, Self::with)
    }

    /// Adds the text of a style or a script, which are files of the program.
    pub(super) fn own(mut self, text: &'static str) -> Self {
        self.inside.push_str(text);
        self
    }

    /// Adds JSON that is escaped for an element of a script.
    pub(super) fn data(mut self, json: &super::data::ScriptData) -> Self {
        self.inside.push_str(json.text());
        self
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, attributes, inside } = self;
        match VOID.contains(tag) {
            true => write!(f, "<{tag}{attributes}>"),
            false => write!(f, "<{tag}{attributes}>{inside}</{tag}>"),
        }
    }
}

/// Escapes every character that could end a text or a value.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            _ => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_of_others_form_no_markup() {
        for (text, shown) in [
            ("a", "a"),
            ("<script>", "&lt;script&gt;"),
            ("</p><!--", "&lt;/p&gt;&lt;!--"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("' onload='x", "&#39; onload=&#39;x"),
            ("&lt;", "&amp;lt;"),
            ("\u{202e}a\u{0}\u{2028}", "\\u{202e}a\\u{0}\\u{2028}"),
        ] {
            assert_eq!(texted("p", text).to_string(), format!("<p>{shown}</p>"));
            let value = element("p").is("title", text).to_string();
            assert_eq!(value, format!("<p title=\"{shown}\"></p>"));
        }
    }

    #[test]
    fn message_shows_what_it_quotes_as_names() {
        let shown = element("p").prose("policy `a<b` and `c").to_string();
        assert_eq!(shown, "<p>policy <code>a&lt;b</code> and c</p>");
        assert_eq!(element("p").prose("``").to_string(), "<p><code>(no name)</code></p>");
        let long = element("p").name(&"<".repeat(100)).to_string();
        assert_eq!(long.matches("&lt;").count(), 52);
    }

    #[test]
    fn elements_nest_and_void_elements_have_no_end() {
        let list = element("ul").all([texted("li", "a"), texted("li", "b")]).class("x");
        assert_eq!(list.to_string(), "<ul class=\"x\"><li>a</li><li>b</li></ul>");
        let head = element("head").with(element("meta").is("charset", "utf-8"));
        assert_eq!(head.to_string(), "<head><meta charset=\"utf-8\"></head>");
    }
}
