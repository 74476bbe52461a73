//! A plan, or the review of a change, as Markdown for a pull request. The result depends on the plan alone, and
//! fits the largest comment of the host.
//!
//! - `dialect` knows the hosts; `escape` writes the text of others.
//! - `content` makes the sections, `section` chooses how much of each fits.
//!
//! Not here: the marker in the first line and posting (`review_host`), or the groups (`review::kinds`).

mod content;
mod dialect;
mod escape;
mod section;

use crate::disclose::Discloser;
use crate::plan::Plan;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::review::Review;
use crate::render::disclosed;

pub use dialect::Dialect;
pub use escape::{code, prose};

/// How a plan is shown as Markdown.
#[derive(Debug, Clone, Copy)]
pub struct MarkdownView<'a> {
    pub dialect: Dialect,
    pub disclose: &'a Discloser,
    /// The first line, which the host does not show.
    pub marker: &'a str,
    /// The digest of the difference, if there is a difference.
    pub digest: Option<Fingerprint>,
}

/// Returns the plan, or what a change of the files does, within the size that the host takes.
#[must_use]
pub fn markdown(plan: &Plan, review: Option<&Review>, view: MarkdownView<'_>) -> String {
    let (plan, review) = disclosed::shown(plan, review, view.disclose);
    let page = content::page(&plan, review.as_deref(), view);
    section::layout(&page, view.dialect)
}
