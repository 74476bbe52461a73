//! The sections of a page, and how much of each fits. A section is dropped to a smaller form as a whole: all
//! rows, the first rows, or one line. Nothing is cut inside.
//!
//! Not here: the rows (`content`).

use super::dialect::Dialect;

/// The most rows of a section that does not fit completely.
const MOST_ROWS: usize = 25;

/// A page before its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MarkdownPage {
    /// Marker, title and counts.
    pub(super) head: String,
    pub(super) sections: Vec<Section>,
    pub(super) foot: String,
}

/// One section with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Sections of a smaller rank get room first.
    pub(super) rank: u8,
    /// Own words and numbers only.
    pub(super) title: String,
    /// Whether the rows are shown without a click.
    pub(super) is_open: bool,
    pub(super) rows: Vec<String>,
}

/// How much of a section is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    First,
    Line,
}

/// Returns the page within the size that the host takes.
pub(super) fn layout(page: &MarkdownPage, dialect: Dialect) -> String {
    let sections: Vec<&Section> = page.sections.iter().filter(|one| !one.rows.is_empty()).collect();
    let size = |section: &Section, form| section.written(form, dialect).len();
    let mut forms: Vec<(&Section, Form)> =
        sections.into_iter().map(|section| (section, Form::Line)).collect();
    let least: usize = forms.iter().map(|(section, form)| size(section, *form)).sum();
    let mut left = dialect.most().saturating_sub(page.head.len() + page.foot.len() + least);
    let mut order: Vec<&mut (&Section, Form)> = forms.iter_mut().collect();
    order.sort_by_key(|(section, _)| section.rank);
    for (section, form) in order {
        let line = size(section, Form::Line);
        let fits = |form| size(section, form).checked_sub(line).is_some_and(|more| more <= left);
        if let Some(larger) = [Form::Whole, Form::First].into_iter().find(|form| fits(*form)) {
            left = left.saturating_sub(size(section, larger).saturating_sub(line));
            *form = larger;
        }
    }
    let mut out = page.head.clone();
    for (section, form) in forms {
        out.push_str(&section.written(form, dialect));
    }
    out + &page.foot
}

impl Section {
    fn written(&self, form: Form, dialect: Dialect) -> String {
        let shown = match form {
            Form::Whole => self.rows.len(),
            Form::First => self.rows.len().min(MOST_ROWS),
            Form::Line => return format!("**{}**: too long to list here\n\n", self.title),
        };
        let mut rows: String =
            self.rows.iter().take(shown).map(|row| format!("- {row}\n")).collect();
        if let Some(more) = self.rows.len().checked_sub(shown).filter(|more| *more > 0) {
            rows += &format!("- and {more} more\n");
        }
        let title = &self.title;
        match (self.is_open, dialect.has_html()) {
            (true, _) => format!("**{title}**\n\n{rows}\n"),
            (false, true) => {
                format!("<details><summary>{title}</summary>\n\n{rows}\n</details>\n\n")
            }
            (false, false) => format!("#### {title}\n\n{rows}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_get_room_by_rank() {
        let section = |rank, rows: usize| Section {
            rank,
            title: format!("rank {rank}"),
            is_open: false,
            rows: vec!["x".repeat(900); rows],
        };
        let page = MarkdownPage {
            head: "head\n".to_owned(),
            sections: vec![section(2, 20), section(0, 60), section(1, 60)],
            foot: "foot\n".to_owned(),
        };
        let out = layout(&page, Dialect::Bitbucket);
        assert!(
            out.len() <= Dialect::Bitbucket.most() && out.starts_with("head\n"),
            "{}",
            out.len()
        );
        assert!(out.ends_with("foot\n") && out.contains("- and 35 more\n"));
        let lines: Vec<&str> = out.lines().filter(|line| line.contains("rank")).collect();
        assert_eq!(
            lines,
            [
                "**rank 2**: too long to list here",
                "#### rank 0",
                "**rank 1**: too long to list here"
            ]
        );
        let out = layout(&page, Dialect::GitLab);
        assert_eq!(out.matches("<details>").count(), out.matches("</details>").count());
        assert_eq!(out.matches("- x").count(), 140);
    }
}
