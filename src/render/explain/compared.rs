//! What a change of the files does for one user, as a part of the text and of the JSON of an explanation.
//!
//! Not here: the comparison (`explain::compared`).

use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::Serialize;

use super::text::{ALTER, FAINT, HEAD, line};
use crate::explain::{ExplainVerdict, SettingOutcome, UserDifference, UserReview};
use crate::render::plan::grouping::{Shown, WithoutWith};
use crate::untrusted::{label, printable};

pub(super) fn write(review: &UserReview, out: &mut String) -> fmt::Result {
    writeln!(out, "\n{HEAD}This change{HEAD:#}, compared with `{}`", review.against)?;
    match &review.result {
        Ok(difference) => differs(difference, out),
        Err(not) => {
            writeln!(out, "  {ALTER}warning{ALTER:#}: not compared: {}", printable(&not.why))?;
            writeln!(out, "      {FAINT}help: {}{FAINT:#}", printable(&not.help))
        }
    }
}

fn differs(difference: &UserDifference, out: &mut String) -> fmt::Result {
    let UserDifference { part, posture, starting, ceasing, settings } = difference;
    if difference.is_empty() {
        return writeln!(out, "  No effect on this user.");
    }
    if let Some((without, with)) = part {
        line(out, "part", &format!("{}, before: {}", with.about(), without.about()))?;
    }
    if let Some((without, with)) = posture {
        let words = format!("{}, before: {}", with.as_str(), without.as_str());
        line(out, "posture after an apply", &words)?;
    }
    let names =
        |names: &[String]| names.iter().map(|one| label(one)).collect::<Vec<_>>().join(", ");
    if !starting.is_empty() {
        line(out, "applies from now on", &names(starting))?;
    }
    if !ceasing.is_empty() {
        line(out, "no longer applies", &names(ceasing))?;
    }
    for (setting, without, with) in settings {
        let words = format!("{}; before: {}", outcome(with), outcome(without));
        line(out, setting.name(), &words)?;
    }
    Ok(())
}

fn outcome(one: &SettingOutcome) -> String {
    let by = one.by.as_ref().map_or_else(
        || "no policy".to_owned(),
        |(policy, place)| format!("{}  {place}", label(policy)),
    );
    match one.verdict {
        ExplainVerdict::Changes => format!("becomes {} ({by})", one.planned),
        ExplainVerdict::AsWanted => format!("{}, as wanted ({by})", one.planned),
        ExplainVerdict::Withheld => format!("withheld ({by})"),
        ExplainVerdict::Conflict => format!("left as it is: policies disagree ({by})"),
        ExplainVerdict::Nothing => format!("the rule has no value for the user ({by})"),
        ExplainVerdict::Unmanaged | ExplainVerdict::Unmentioned => {
            format!("{}, left as it is ({by})", one.planned)
        }
    }
}

/// What the change of the files does for the user, compared with the base.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UserDifference")]
pub(super) struct UserReviewRow<'a> {
    /// The base, as it was named.
    against: &'a str,
    compared: bool,
    /// Why not; absent if compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// Absent if not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangeRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UserChange")]
struct ChangeRow<'a> {
    /// The posture after an apply, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    posture: Option<WithoutWith<&'static str>>,
    /// The part of the user in the plan, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<WithoutWith<&'static str>>,
    /// The policies that apply only with the change.
    starting: &'a [String],
    /// The policies that apply only without it.
    ceasing: &'a [String],
    settings: Vec<SettingRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SettingDifference")]
struct SettingRow<'a> {
    setting: &'static str,
    without: OutcomeRow<'a>,
    with: OutcomeRow<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Outcome")]
struct OutcomeRow<'a> {
    verdict: &'static str,
    planned: Shown,
    policy: Option<&'a str>,
}

pub(super) fn row(review: &UserReview) -> UserReviewRow<'_> {
    UserReviewRow {
        against: review.against.raw(),
        compared: review.result.is_ok(),
        why: review.result.as_ref().err().map(|not| not.why.as_str()),
        change: review.result.as_ref().ok().map(change),
    }
}

fn change(difference: &UserDifference) -> ChangeRow<'_> {
    let UserDifference { part, posture, starting, ceasing, settings } = difference;
    let rows = settings.iter().map(|(setting, without, with)| SettingRow {
        setting: setting.key(),
        without: outcome_row(without),
        with: outcome_row(with),
    });
    ChangeRow {
        posture: posture
            .map(|(without, with)| WithoutWith { without: without.as_str(), with: with.as_str() }),
        part: part
            .map(|(without, with)| WithoutWith { without: without.as_str(), with: with.as_str() }),
        starting,
        ceasing,
        settings: rows.collect(),
    }
}

fn outcome_row(one: &SettingOutcome) -> OutcomeRow<'_> {
    let policy = one.by.as_ref().map(|(policy, _)| policy.as_str());
    OutcomeRow { verdict: one.verdict.as_str(), planned: Shown(one.planned.form()), policy }
}
