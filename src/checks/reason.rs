//! The reason for a result, in a sentence, and the place of the rule that decided: what `mfactl explain` would
//! say of the person.
//!
//! Not here: the explanation itself (`explain`).

use crate::explain::{Because, Decision, ExplainVerdict, Explanation, Matching, RuleEffect};
use crate::finding::quoted;
use crate::policy::{Policy, PolicySet};
use crate::posture::Usable;
use crate::scope::UserPart;
use crate::settings::Setting;
use crate::source::Origin;
use crate::tenant::user_set::Tristate;

/// The most policies that a sentence names.
const MOST: usize = 3;

/// Why a result is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckReason {
    pub(super) sentence: String,
    /// The rule or the policy that decided, and what it does.
    pub(super) place: Option<(Origin, String)>,
}

/// Returns why the setting of the person becomes what it becomes.
pub(super) fn of_setting(
    explanation: &Explanation,
    decision: &Decision,
    set: &PolicySet,
) -> CheckReason {
    let Some(first) = decision.voices.first().filter(|_| has_rule(decision)) else {
        return of_no_rule(explanation, decision.setting, set);
    };
    let policy = set.policies.iter().find(|policy| policy.name == first.policy);
    let origin = policy.and_then(|policy| policy.rules.origin(decision.setting));
    CheckReason {
        sentence: sentence(decision, &first.policy),
        place: origin.map(|origin| (origin, "this rule decides".to_owned())),
    }
}

/// Whether a rule of an enforced policy applies.
fn has_rule(decision: &Decision) -> bool {
    decision.voices.first().is_some_and(|voice| voice.heard != RuleEffect::ReportsOnly)
}

fn sentence(decision: &Decision, winner: &str) -> String {
    let by = quoted(winner);
    let refused = decision.refused.as_ref();
    let why = refused.map_or("", |refused| refused.why.as_str());
    let code = refused.map_or_else(String::new, |refused| format!(" [{}]", refused.code));
    let wanted = refused.map_or_else(String::new, |refused| refused.wanted.to_string());
    let text = match decision.verdict {
        ExplainVerdict::Unmanaged => format!("policy {by} leaves it unmanaged"),
        ExplainVerdict::Nothing => format!("policy {by} yields no value, because {why}{code}"),
        ExplainVerdict::Withheld => {
            format!("policy {by} wants `{wanted}`, which is withheld, because {why}{code}")
        }
        ExplainVerdict::Conflict => format!("it is not changed, because {why}{code}"),
        ExplainVerdict::AsWanted | ExplainVerdict::Changes | ExplainVerdict::Unmentioned => {
            format!("policy {by} decides")
        }
    };
    text + &overruled(decision)
}

fn overruled(decision: &Decision) -> String {
    let beaten = decision.voices.iter().filter(|voice| voice.heard == RuleEffect::Beaten);
    let names: Vec<String> = beaten
        .take(MOST)
        .map(|voice| format!("{} (priority {})", quoted(&voice.policy), voice.priority))
        .collect();
    let priority = decision.voices.first().map_or(0, |voice| voice.priority);
    match names.is_empty() {
        true => String::new(),
        false => format!("; its priority {priority} overrules {}", names.join(" and ")),
    }
}

/// The reason why no rule decides: the policies that mention the setting and do not apply.
fn of_no_rule(explanation: &Explanation, setting: Setting, set: &PolicySet) -> CheckReason {
    if explanation.part == UserPart::BreakGlass {
        let sentence = "this is a break-glass account, which no policy ever writes to".to_owned();
        let place = set.project.break_glass.origin;
        return CheckReason {
            sentence,
            place: place.map(|origin| (origin, "these accounts".to_owned())),
        };
    }
    let others: Vec<(&Policy, &Matching)> = set
        .policies
        .iter()
        .filter(|policy| policy.rules.mentions(setting))
        .filter_map(|policy| Some((policy, matching(explanation, &policy.name)?)))
        .collect();
    let why = |(_, one): &(&Policy, &Matching)| {
        let name = quoted(&one.policy);
        match &one.left_out {
            Some(out) => format!("{name} does not apply: {}", out.text),
            None => format!("{name} is in report mode"),
        }
    };
    // Policies that name the person come first.
    let named = others.iter().filter(|(_, one)| !one.named.is_empty());
    let unnamed = others.iter().filter(|(_, one)| one.named.is_empty());
    let sorted: Vec<_> = named.chain(unnamed).collect();
    let texts: Vec<String> = sorted.iter().take(MOST).map(|one| why(one)).collect();
    let place = sorted.first().map(|(policy, one)| (policy.origin, place_text(one)));
    let sentence = match texts.is_empty() {
        true => "no policy mentions it".to_owned(),
        false => format!("no policy that applies mentions it ({})", texts.join("; ")),
    };
    CheckReason { sentence, place }
}

fn place_text(one: &Matching) -> String {
    match one.left_out {
        Some(_) => "this policy does not apply".to_owned(),
        None => "this policy only reports".to_owned(),
    }
}

/// Returns the policy as it was compared with the person.
pub(super) fn matching<'a>(explanation: &'a Explanation, policy: &str) -> Option<&'a Matching> {
    explanation.policies.iter().find(|one| one.policy == policy)
}

/// Whether an exception of the policy excludes the person.
pub(super) fn is_excluded(explanation: &Explanation, policy: &str) -> bool {
    let out = matching(explanation, policy).and_then(|one| one.left_out.as_ref());
    out.is_some_and(|out| out.because == Because::Exception)
}

/// Whether the policy applies to the person.
pub(super) fn applies(explanation: &Explanation, policy: &str) -> bool {
    matching(explanation, policy).is_some_and(|one| one.left_out.is_none())
}

/// Returns what requires MFA of the person after an apply, and which methods can answer.
pub(super) fn of_posture(explanation: &Explanation) -> String {
    let standing = &explanation.standing;
    let demanded: Vec<String> = standing
        .demanded
        .iter()
        .filter(|one| one.after == Tristate::Yes)
        .map(|one| match one.portals_only {
            true => format!("{} (only at the admin portals)", one.text),
            false => one.text.clone(),
        })
        .collect();
    let required = match demanded.as_slice() {
        [] => "MFA is not required".to_owned(),
        all => format!("MFA is required by {}", all.join(" and ")),
    };
    let usable: Vec<&str> = standing.methods.as_ref().map_or_else(
        |_| Vec::new(),
        |methods| {
            let usable = methods.iter().filter(|one| one.usable == Usable::Yes);
            usable.map(|one| one.kind.name()).collect()
        },
    );
    let registered = standing.methods.as_ref().map_or(0, Vec::len);
    let methods = match (usable.as_slice(), registered) {
        ([], 0) => "no method is registered".to_owned(),
        ([], _) => "no registered method is usable".to_owned(),
        (all, _) => format!("usable: {}", all.join(", ")),
    };
    let not_written = explanation.settings.iter().find_map(|decision| {
        let refused = decision.refused.as_ref()?;
        Some(format!("; {}: {} [{}]", decision.setting.name(), refused.why, refused.code))
    });
    format!("{required}, {methods}{}", not_written.unwrap_or_default())
}
