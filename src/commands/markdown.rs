//! `plan --format markdown`: the page with its marker, for `mfactl comment`.
//!
//! Not here: the page (`render::markdown`), or posting it (`comment`).

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::disclose::Discloser;
use crate::git::Revision;
use crate::plan::Plan;
use crate::plan::brakes::Brake;
use crate::plan::fingerprint::{Fingerprint, Key};
use crate::plan::review::{Alarm, Review};
use crate::render::counts::alone;
use crate::render::markdown::{Dialect, MarkdownView, markdown};
use crate::review_host::Marker;

impl ValueEnum for Dialect {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

/// Returns the page of a plan or a review. If the policies are a copy of data, no commit is known.
pub(super) fn page(
    (plan, review): (&Plan, Option<&Review>),
    (config, is_copy): (&Path, bool),
    dialect: Dialect,
    (disclose, key): (&Discloser, Option<&Key>),
) -> String {
    let digest = digest(plan, review, key);
    let difference = match review.map(|review| review.result.is_ok()) {
        // It is unknown what the change does, which is never nothing.
        Some(false) => Some(plan.fingerprint),
        _ => digest,
    };
    let mut marker = marker(plan, review, config, difference);
    marker.head = marker.head.filter(|_| !is_copy);
    let marker = marker.line(!dialect.has_html());
    markdown(plan, review, MarkdownView { dialect, disclose, marker: &marker, digest })
}

/// Returns the digest of what the change does, or of what the plan does; `None` if that is nothing.
pub(super) fn digest(
    plan: &Plan,
    review: Option<&Review>,
    key: Option<&Key>,
) -> Option<Fingerprint> {
    match review {
        Some(Review { result: Ok(comparison), .. }) => {
            comparison.has_effect().then(|| comparison.difference.digest(key))
        }
        Some(Review { result: Err(_), .. }) => None,
        None => {
            let has_changes = !(plan.changes.is_empty() && plan.objects.is_empty());
            has_changes.then(|| alone(plan).difference.digest(key))
        }
    }
}

fn marker(
    plan: &Plan,
    review: Option<&Review>,
    config: &Path,
    difference: Option<Fingerprint>,
) -> Marker {
    let folder = config.parent().unwrap_or_else(|| Path::new(""));
    let head = Revision::find(folder, "HEAD").ok();
    let file = config.file_name().unwrap_or(config.as_os_str()).to_string_lossy();
    let path = match &head {
        Some(head) => format!("{}{file}", head.prefix()),
        None => config.to_string_lossy().into_owned(),
    };
    let is_tripped = plan.brakes.iter().any(Brake::tripped);
    let is_loosened = review.is_some_and(|review| review.raises(Alarm::Loosened));
    let mut marker = Marker::new(plan.identity.id.to_string(), path);
    marker.head = head.map(|head| head.commit().to_owned());
    marker.difference = difference.map(|one| one.to_string());
    marker.attention = is_tripped || is_loosened;
    marker
}
