//! A plan, the review of a change, or a report as a page: one HTML file with pictures and tables, for readers who
//! do not use a terminal. The result depends on the plan or the report alone.
//!
//! - `element` writes markup and escapes the text of others; `page` is the frame with its security policy.
//! - `chart` draws pictures, `table` makes tables, `data` holds single users for the script.
//! - `plan`, `review` and `report` make the sections; `sections` has those that a plan and a review share, `people`
//!   and `accounts` the rows of single users.
//! - `style.css` and `script.js` are part of the page. The script sorts and filters, and nothing else needs it.
//!
//! Not here: the groups and the sentence (`render::review`), or what a report counts (`report`).

mod accounts;
mod chart;
mod data;
mod element;
mod page;
mod people;
mod plan;
mod report;
mod review;
mod sections;
mod table;

use crate::disclose::Discloser;
use crate::plan::Plan;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::review::Review;
use crate::render::disclosed;

pub use report::html as report;

/// How a plan or a report is shown as a page.
#[derive(Debug, Clone, Copy)]
pub struct HtmlView<'a> {
    pub disclose: &'a Discloser,
    /// The tenant is the embedded one.
    pub sandbox: bool,
    /// Only a part of the plan was selected.
    pub part: bool,
    /// The digest of the difference, if there is a difference.
    pub digest: Option<Fingerprint>,
}

/// Returns the plan, or what a change of the files does, as a page.
#[must_use]
pub fn plan(plan: &Plan, review: Option<&Review>, view: HtmlView<'_>) -> String {
    let (plan, review) = disclosed::shown(plan, review, view.disclose);
    page::document(plan::page(&plan, review.as_deref(), view))
}
