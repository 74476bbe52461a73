//! The frame of a page: the head with its content security policy, the style, the title, the list of sections, the
//! foot and the script. The page is one file, and it asks for no other.
//!
//! Not here: the sections (`plan`, `review`, `report`).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::data::ScriptData;
use super::element::{Element, element, texted};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A page before it is written.
#[derive(Debug)]
pub(super) struct HtmlPage {
    /// The title of the window, in plain words.
    pub(super) title: String,
    /// What the page is about: the command and the tenant.
    pub(super) about: Element,
    /// The sentence that a reader needs first.
    pub(super) heading: Element,
    /// Facts below the heading.
    pub(super) facts: Vec<Element>,
    pub(super) sections: Vec<PageSection>,
    pub(super) foot: Vec<Element>,
    pub(super) people: Option<ScriptData>,
}

/// A section of a page.
#[derive(Debug)]
pub(super) struct PageSection {
    pub(super) id: &'static str,
    /// Own words and numbers only.
    pub(super) title: &'static str,
    /// A number next to the title.
    pub(super) number: Option<String>,
    /// Whether a reader should look at it before the others.
    pub(super) is_alarm: bool,
    pub(super) content: Vec<Element>,
}

impl PageSection {
    /// Creates a section with a number next to its title.
    pub(super) fn new(id: &'static str, title: &'static str, number: impl ToString) -> Self {
        let number = Some(number.to_string());
        Self { id, title, number, is_alarm: false, content: Vec::new() }
    }

    /// Creates a section without a number.
    pub(super) const fn plain(id: &'static str, title: &'static str) -> Self {
        Self { id, title, number: None, is_alarm: false, content: Vec::new() }
    }

    pub(super) const fn alarm(mut self) -> Self {
        self.is_alarm = true;
        self
    }

    pub(super) fn with(mut self, element: Element) -> Self {
        self.content.push(element);
        self
    }

    pub(super) fn all(mut self, elements: impl IntoIterator<Item = Element>) -> Self {
        self.content.extend(elements);
        self
    }
}

/// Returns the page as one document.
pub(super) fn document(page: HtmlPage) -> String {
    let mut out = "<!DOCTYPE html>\n<html lang=\"en\">\n".to_owned();
    for element in head(&page.title) {
        _ = writeln!(out, "{element}");
    }
    out.push_str("<body>\n");
    _ = writeln!(
        out,
        "{}",
        element("a").class("skip").is("href", "#main").text("Skip to the content")
    );
    let top = element("header").class("top").all([page.about.class("about"), page.heading]);
    _ = writeln!(out, "{}", top.with(element("ul").class("facts").all(page.facts)));
    _ = writeln!(out, "{}", contents(&page.sections));
    out.push_str("<main id=\"main\">\n");
    for one in page.sections {
        _ = writeln!(out, "{}", section(one));
    }
    out.push_str("</main>\n");
    _ = writeln!(out, "{}", element("footer").all(page.foot).with(made_by()));
    if let Some(people) = &page.people {
        let data = element("script").is("type", "application/json").is("id", "people-data");
        _ = writeln!(out, "{}", data.data(people));
    }
    _ = writeln!(out, "{}", element("script").own(SCRIPT));
    out + "</body>\n</html>\n"
}

fn head(title: &str) -> [Element; 8] {
    let named = |name, content: &str| element("meta").is("name", name).is("content", content);
    let policy = element("meta").is("http-equiv", "Content-Security-Policy");
    [
        element("meta").is("charset", "utf-8"),
        // The policy comes before everything that it is about.
        policy.is("content", content_security_policy()),
        named("referrer", "no-referrer"),
        named("robots", "noindex"),
        named("viewport", "width=device-width, initial-scale=1"),
        named("color-scheme", "light dark"),
        texted("title", title),
        element("style").own(STYLE),
    ]
}

/// Allows the style and the script of this page, by their digests, and nothing else.
fn content_security_policy() -> String {
    let [style, script] = [STYLE, SCRIPT].map(|text| STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
}

/// Returns the list of the sections with their numbers, which sums up the page.
fn contents(sections: &[PageSection]) -> Element {
    let item = |section: &PageSection| {
        let link = element("a").is("href", format!("#{}", section.id));
        let link = if section.is_alarm { link.class("alarm") } else { link };
        let link = link.text(section.title);
        let link = match &section.number {
            Some(number) => link.text(" ").with(texted("b", number)),
            None => link,
        };
        element("li").with(link)
    };
    let list = element("ul").all(sections.iter().map(item));
    element("nav").is("aria-label", "Sections").with(list)
}

fn section(section: PageSection) -> Element {
    let heading = format!("{}-heading", section.id);
    let title = element("h2").is("id", &heading).text(section.title);
    let title = match &section.number {
        Some(number) => title.text(" ").with(texted("span", number).class("number")),
        None => title,
    };
    let outer = element("section").is("id", section.id).is("aria-labelledby", &heading);
    let outer = if section.is_alarm { outer.class("alarm") } else { outer };
    outer.with(title).all(section.content)
}

fn made_by() -> Element {
    texted("p", "Made by mfactl. This file asks for nothing from the network.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_end_no_element() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn policy_allows_nothing_by_origin() {
        let policy = content_security_policy();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    }
}
