//! Pictures of numbers of users as SVG: bars with one part for each posture, and the same over days.
//!
//! A picture gets its numbers as they may be shown (`UserCount`), so it says no more than its table: a number
//! that is not shown has a fixed width. Colours are classes, because the page allows no style of an element.
//!
//! Not here: the tables with the same numbers (`table`).

use super::element::{Element, element, texted};
use crate::disclose::UserCount;

/// The size of a picture, in its own units.
const WIDTH: f64 = 720.0;
const BAR: f64 = 30.0;
const LABEL: f64 = 20.0;
const GAP: f64 = 16.0;

/// The smallest width of a part, so that one user among many is seen.
const THINNEST: f64 = 4.0;
/// The drawn number for 1 to 4 users.
const FEW: f64 = 2.0;
/// The width of a digit inside a part.
const DIGIT: f64 = 9.0;

/// What a part of a picture means. The name is the class of its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hue(pub(super) &'static str);

/// A number of users with one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) hue: Hue,
    pub(super) words: &'static str,
    pub(super) users: UserCount,
}

/// A bar with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) parts: Vec<Part>,
}

/// Returns the drawn size of a number.
fn weight(users: UserCount) -> f64 {
    match users {
        UserCount::Exactly(number) => f64::from(u32::try_from(number).unwrap_or(u32::MAX)),
        UserCount::Few => FEW,
    }
}

/// Returns bars below each other, with a legend.
pub(super) fn bars(id: &'static str, title: &str, bars: &[Bar]) -> Element {
    let most = bars.iter().map(total).fold(0.0, f64::max);
    let row = LABEL + BAR + GAP;
    let height = row * bars.iter().fold(0.0, |rows, _| rows + 1.0) - GAP;
    let mut svg = picture(id, title, &described(bars), height);
    let mut top = 0.0;
    for bar in bars {
        svg = svg.with(words(0.0, top + 14.0, "label", &bar.label)).with(parts(bar, top, most));
        top += row;
    }
    element("figure").with(svg).with(legend(bars))
}

fn total(bar: &Bar) -> f64 {
    bar.parts.iter().map(|part| weight(part.users)).sum()
}

/// Draws the parts of one bar next to each other. Every part is visible, and the bar stays within the picture.
fn parts(bar: &Bar, top: f64, most: f64) -> Element {
    let shown: Vec<&Part> = bar.parts.iter().filter(|part| weight(part.users) > 0.0).collect();
    let thinnest = shown.iter().fold(0.0, |sum, _| sum + THINNEST);
    let room = (WIDTH - thinnest).max(0.0);
    let mut group = element("g");
    let mut left = 0.0;
    for part in shown {
        let width = THINNEST + room * weight(part.users) / most.max(1.0);
        let rect = element("rect")
            .is("x", rounded(left))
            .is("y", rounded(top + LABEL))
            .is("width", rounded((width - 1.0).max(1.0)))
            .is("height", BAR)
            .class(part.hue.0);
        group = group.with(rect.with(texted("title", &phrase(part))));
        let number = part.users.to_string();
        let fits = number.chars().fold(8.0, |size, _| size + DIGIT) <= width;
        if fits {
            let (x, y) = (left + width / 2.0, top + LABEL + BAR / 2.0 + 5.0);
            group = group.with(words(x, y, "inside", &number).is("text-anchor", "middle"));
        }
        left += width;
    }
    group
}

fn phrase(part: &Part) -> String {
    format!("{}: {}", part.words, part.users)
}

fn described(bars: &[Bar]) -> String {
    let bar = |bar: &Bar| {
        let shown = bar.parts.iter().filter(|part| weight(part.users) > 0.0);
        let parts: Vec<String> = shown.map(phrase).collect();
        format!("{}: {}.", bar.label, parts.join(", "))
    };
    bars.iter().map(bar).collect::<Vec<_>>().join(" ")
}

/// Returns the colours that the bars use. The table next to the picture has the numbers.
fn legend(bars: &[Bar]) -> Element {
    let mut seen: Vec<(Hue, &str)> = Vec::new();
    for part in bars.iter().flat_map(|bar| &bar.parts) {
        let is_new = !seen.iter().any(|(hue, _)| *hue == part.hue);
        if is_new && weight(part.users) > 0.0 {
            seen.push((part.hue, part.words));
        }
    }
    let item = |(hue, words): (Hue, &str)| element("li").with(swatch(hue)).text(words);
    element("ul").class("legend").is("aria-hidden", "true").all(seen.into_iter().map(item))
}

/// A square of a colour.
fn swatch(hue: Hue) -> Element {
    let square = element("rect").is("width", 10).is("height", 10).is("rx", 2).class(hue.0);
    element("svg").class("swatch").is("viewBox", "0 0 10 10").is("aria-hidden", "true").with(square)
}

/// Creates the frame of a picture with its alternative text.
fn picture(id: &'static str, title: &str, description: &str, height: f64) -> Element {
    let (name, about) = (format!("{id}-title"), format!("{id}-description"));
    element("svg")
        .class("picture")
        .is("viewBox", format!("0 0 {WIDTH} {}", rounded(height)))
        .is("role", "img")
        .is("aria-labelledby", format!("{name} {about}"))
        .with(texted("title", title).is("id", name))
        .with(texted("desc", description).is("id", about))
}

fn words(x: f64, y: f64, class: &'static str, text: &str) -> Element {
    element("text").is("x", rounded(x)).is("y", rounded(y)).class(class).text(text)
}

/// Rounds to a tenth, so that the text of a picture is short and the same on every machine.
fn rounded(size: f64) -> f64 {
    (size * 10.0).round() / 10.0
}

/// The numbers of users from one day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DayBar {
    /// Days since the first one.
    pub(super) after: i32,
    pub(super) label: String,
    pub(super) parts: Vec<Part>,
}

/// The size of a picture over days.
const TALL: f64 = 210.0;
const AXIS: f64 = 44.0;
/// The last day is followed by a share of the whole time.
const AFTERMATH: f64 = 0.18;
/// Labels that are nearer to each other are on two lines.
const NEAR: f64 = 96.0;

/// Returns the numbers over days: each part is an area whose height changes on the days.
pub(super) fn days(id: &'static str, title: &str, days: &[DayBar]) -> Element {
    let bars: Vec<Bar> =
        days.iter().map(|day| Bar { label: day.label.clone(), parts: day.parts.clone() }).collect();
    let most = bars.iter().map(total).fold(1.0, f64::max);
    let last = days.last().map_or(0.0, |day| f64::from(day.after)).max(1.0);
    let all = last * (1.0 + AFTERMATH);
    let place = |day: &DayBar| f64::from(day.after) / all * WIDTH;
    let mut svg = picture(id, title, &described(&bars), TALL + AXIS);
    let ends = days.iter().skip(1).map(place).chain([WIDTH]);
    for (day, end) in days.iter().zip(ends) {
        svg = svg.with(column(day, place(day), end, most));
    }
    let mut before = f64::NEG_INFINITY;
    let mut is_low = false;
    for day in days {
        let x = place(day);
        is_low = x - before < NEAR && !is_low;
        svg = svg.with(mark(x, &day.label, is_low));
        before = x;
    }
    element("figure").with(svg).with(legend(&bars))
}

/// Draws the parts of one period on top of each other.
fn column(day: &DayBar, left: f64, right: f64, most: f64) -> Element {
    let shown: Vec<&Part> = day.parts.iter().filter(|part| weight(part.users) > 0.0).collect();
    let thinnest = shown.iter().fold(0.0, |sum, _| sum + THINNEST);
    let room = (TALL - thinnest).max(0.0);
    let mut group = element("g");
    let mut bottom = TALL;
    for part in shown {
        let height = THINNEST + room * weight(part.users) / most;
        bottom -= height;
        let rect = element("rect")
            .is("x", rounded(left))
            .is("y", rounded(bottom))
            .is("width", rounded(right - left))
            .is("height", rounded(height))
            .class(part.hue.0);
        group = group.with(rect.with(texted("title", &phrase(part))));
        let number = part.users.to_string();
        let fits = number.chars().fold(8.0, |size, _| size + DIGIT) <= right - left;
        if fits && height >= 16.0 {
            let (x, y) = (f64::midpoint(left, right), bottom + height / 2.0 + 5.0);
            group = group.with(words(x, y, "inside", &number).is("text-anchor", "middle"));
        }
    }
    group
}

/// Marks a day on the axis.
fn mark(x: f64, label: &str, is_low: bool) -> Element {
    let line = element("line")
        .is("x1", rounded(x))
        .is("x2", rounded(x))
        .is("y1", 0)
        .is("y2", TALL + 6.0)
        .class("mark");
    let y = if is_low { TALL + 38.0 } else { TALL + 20.0 };
    element("g").with(line).with(words(x, y, "label", label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(hue: &'static str, users: UserCount) -> Part {
        Part { hue: Hue(hue), words: hue, users }
    }

    fn widths(svg: &str) -> Vec<f64> {
        let figure = svg.split("<ul").next().unwrap();
        let rects = figure.split("<rect ").skip(1);
        let width =
            |rect: &str| rect.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse();
        rects.map(|rect| width(rect).unwrap()).collect()
    }

    #[test]
    fn parts_fill_the_bar_and_one_user_is_seen() {
        let bar = Bar {
            label: "now".to_owned(),
            parts: vec![
                part("protected", UserCount::Exactly(50_000)),
                part("open", UserCount::Exactly(1)),
                part("stuck", UserCount::Exactly(0)),
            ],
        };
        let svg = bars("x", "t", &[bar]).to_string();
        let widths = widths(&svg);
        assert_eq!(widths.len(), 2);
        assert!(widths.iter().all(|width| *width >= 3.0), "{widths:?}");
        assert!(widths.iter().sum::<f64>() <= WIDTH, "{widths:?}");
        assert!(svg.contains(">now: protected: 50000, open: 1.</desc>"), "{svg}");
        assert!(!svg.contains("stuck"), "{svg}");
    }

    #[test]
    fn hidden_number_has_always_the_same_width() {
        let drawn = |number| {
            let users =
                crate::disclose::Discloser::new(crate::disclose::Disclosure::Counts, "t", None)
                    .count(number);
            let parts = vec![part("protected", UserCount::Exactly(40)), part("open", users)];
            bars("x", "t", &[Bar { label: String::new(), parts }]).to_string()
        };
        assert_eq!(drawn(1), drawn(4));
        assert_ne!(drawn(4), drawn(5));
    }

    #[test]
    fn days_end_at_the_edge_and_near_labels_take_two_lines() {
        let day = |after, label: &str| DayBar {
            after,
            label: label.to_owned(),
            parts: vec![part("protected", UserCount::Exactly(3)), part("open", UserCount::Few)],
        };
        let svg = days("x", "t", &[day(0, "a"), day(60, "b"), day(70, "c")]).to_string();
        assert_eq!(svg.matches("y=\"230\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("y=\"248\"").count(), 1, "{svg}");
        let widths: f64 = widths(&svg).iter().sum();
        assert!((widths - 2.0 * WIDTH).abs() < 1.0, "{svg}");
    }

    #[test]
    fn nothing_to_count_draws_nothing() {
        let bar = Bar { label: "now".to_owned(), parts: Vec::new() };
        assert!(widths(&bars("x", "t", &[bar]).to_string()).is_empty());
    }
}
