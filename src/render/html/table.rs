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

/// Returns a table. The first cell of each row is its head.
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
    let body = element("tbody").all(rows.into_iter().map(|row| element("tr").all(row)));
    let table = element("table").with(texted("caption", caption)).with(head).with(body);
    element("div").class("table").with(table)
}

/// A head of a row.
pub(super) fn row_head() -> Element {
    element("th").is("scope", "row")
}

#[cfg(test)]
mod tests {
    use super::*;

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
