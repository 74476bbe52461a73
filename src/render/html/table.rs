//! Tables of a page: a caption, column heads that the script can sort by, and rows.
//!
//! Not here: the table of single users, which the script makes from data (`people`).

use super::element::{Element, element, texted};

/// How a column is aligned and sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Words,
    Number,
}

/// A column head.
pub(super) type Column = (&'static str, Align);

pub(super) const fn words(title: &'static str) -> Column {
    (title, Align::Words)
}

pub(super) const fn number(title: &'static str) -> Column {
    (title, Align::Number)
}

/// A row: the cells that [`cell`] and [`count`] make.
pub(super) type Row = Vec<Element>;

/// A cell with words.
pub(super) const fn cell() -> Element {
    element("td")
}

/// A cell with a number, perhaps one that is not shown exactly.
pub(super) fn count(number: impl ToString) -> Element {
    let number = number.to_string();
    let cell = texted("td", &number).class("number");
    if number == "0" { cell.flag("data-none") } else { cell }
}

/// The most rows of a table. A page stays small even if a plan has thousands of kinds of changes.
const MOST_ROWS: usize = 500;

/// Returns a table of the first rows, and says how many more there are. The first cell of each row is its head.
pub(super) fn table(
    caption: &str,
    columns: &[Column],
    rows: impl IntoIterator<Item = Row>,
) -> Element {
    let heads = columns.iter().map(|(title, align)| {
        let head = element("th").is("scope", "col");
        match align {
            Align::Words => head.text(title),
            Align::Number => head.class("number").text(title),
        }
    });
    let head = element("thead").with(element("tr").all(heads));
    let mut rows = rows.into_iter();
    let first = rows.by_ref().take(MOST_ROWS).map(|row| element("tr").all(row));
    let body = element("tbody").all(first);
    let more = rows.count();
    let table = element("table").with(texted("caption", caption)).with(head).with(body);
    let frame = element("div").class("table").with(table);
    match more {
        0 => frame,
        more => element("div").with(frame).with(more_in_json(more)),
    }
}

/// Returns where a reader finds what the page has no room for.
pub(super) fn more_in_json(more: usize) -> Element {
    element("p").text(&format!("And {more} more: ")).name("--format json").text(" lists them.")
}

/// A head of a row.
pub(super) fn row_head() -> Element {
    element("th").is("scope", "row")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_table_says_how_many_rows_it_leaves_out() {
        let row = || vec![row_head().text("a")];
        let rows = |number| table("t", &[words("name")], (0..number).map(|_| row())).to_string();
        assert_eq!(rows(500).matches("<tr>").count(), 501);
        assert!(!rows(500).contains("more"));
        let long = rows(50_000);
        assert_eq!(long.matches("<tr>").count(), 501);
        assert!(long.contains("And 49500 more: "), "{}", long.len());
    }

    #[test]
    fn table_has_a_caption_and_heads_of_columns_and_rows() {
        let row = vec![row_head().name("a|<b>"), count("<5")];
        let html = table("Users", &[words("name"), number("users")], [row]).to_string();
        assert_eq!(
            html,
            "<div class=\"table\"><table><caption>Users</caption><thead><tr><th scope=\"col\">name</th>\
            <th scope=\"col\" class=\"number\">users</th></tr></thead><tbody><tr><th scope=\"row\"><code>a|&lt;b&gt;\
            </code></th><td class=\"number\">&lt;5</td></tr></tbody></table></div>"
        );
    }
}
