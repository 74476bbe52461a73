//! What a change does to the rules that decide about users, and how it is put into words.
//!
//! Not here: finding it (`users`, `files`).

use super::{Concerned, Loosening, Sides};
use crate::finding::{Code, quoted};
use crate::policy::Policy;
use crate::settings::Setting;
use crate::settings::change::PolicyIndex;
use crate::settings::kind::Looser;
use crate::source::Origin;

/// What a change does: the kind, the policy that decided, the policy that decides now, and the setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LooseningCause {
    pub code: Code,
    pub base: Option<PolicyIndex>,
    pub head: Option<PolicyIndex>,
    pub setting: Option<Setting>,
}

impl LooseningCause {
    /// Returns what happened to a whole policy.
    pub(super) const fn of_policy(
        code: Code,
        base: PolicyIndex,
        head: Option<PolicyIndex>,
    ) -> Self {
        Self { code, base: Some(base), head, setting: None }
    }
}

/// Returns the code for a looser rule of the same policy.
pub(super) const fn code(looser: Looser) -> Code {
    match looser {
        Looser::Value => Code::RuleWeakened,
        Looser::Replaces => Code::ReplaceAllowed,
        Looser::Source => Code::SourceChanged,
        Looser::Region => Code::RegionWidened,
    }
}

pub(super) fn loosening(
    sides: Sides<'_>,
    cause: &LooseningCause,
    concerned: Option<Concerned>,
) -> Loosening {
    let LooseningCause { code, base, head, setting } = *cause;
    let base = base.and_then(|index| sides.base.policies.policies.get(index.place()));
    let head = head.and_then(|index| sides.head.policies.policies.get(index.place()));
    let words = Words { base, head, setting };
    let found = Loosening::new(code, words.about(code)).concerning(concerned);
    let found = found.at(sides, words.in_head(), words.in_base());
    match head.or(base) {
        Some(policy) => found.of_policy(&policy.name),
        None => found,
    }
}

struct Words<'a> {
    base: Option<&'a Policy>,
    head: Option<&'a Policy>,
    setting: Option<Setting>,
}

impl Words<'_> {
    /// Returns the place of the rule, or else of the policy, in the head. A rule that the head lost has none.
    fn in_head(&self) -> Option<Origin> {
        let policy = self.head?;
        let Some(setting) = self.setting else { return Some(policy.origin) };
        let is_same = self.base.is_some_and(|base| base.name == policy.name);
        policy.rules.origin(setting).or((!is_same).then_some(policy.origin))
    }

    fn in_base(&self) -> Option<Origin> {
        let policy = self.base?;
        let rule = self.setting.and_then(|setting| policy.rules.origin(setting));
        Some(rule.unwrap_or(policy.origin))
    }

    fn about(&self, code: Code) -> String {
        let name = |policy: Option<&Policy>| policy.map_or("?".to_owned(), |one| quoted(&one.name));
        let (base, head) = (name(self.base), name(self.head));
        let key = self.setting.map_or_else(String::new, |setting| quoted(setting.key()));
        let change = self.change();
        match code {
            Code::PolicyRemoved => format!("policy {base} is removed"),
            Code::ModeToReport => format!("policy {head} is only reported, and no longer applied"),
            Code::ScopeNarrowed => format!("policy {head} applies to fewer users"),
            Code::SettingUnmanaged if self.is_same() => {
                format!("policy {head} no longer manages {key}")
            }
            Code::SettingUnmanaged => {
                format!(
                    "policy {head} leaves {key} unmanaged, and policy {base} no longer decides it"
                )
            }
            Code::RuleOvertaken => {
                format!(
                    "policy {head} decides {key} instead of policy {base}, and wants less{change}"
                )
            }
            Code::WeakerWanted => {
                format!("policy {head} weakens {key}, which no policy decided{change}")
            }
            Code::ReplaceAllowed => {
                format!("policy {head} lets the directory overwrite registered numbers ({key})")
            }
            Code::SourceChanged => {
                format!("policy {head} takes numbers from elsewhere ({key}){change}")
            }
            Code::RegionWidened => {
                format!("policy {head} reads national numbers by another country ({key}){change}")
            }
            _ => format!("policy {head} wants less of {key}{change}"),
        }
    }

    fn is_same(&self) -> bool {
        self.base.zip(self.head).is_some_and(|(base, head)| base.name == head.name)
    }

    /// Returns the rule before and now.
    fn change(&self) -> String {
        let rule = |policy: Option<&Policy>| policy?.rules.describe(self.setting?);
        match (rule(self.base), rule(self.head)) {
            (Some(before), Some(now)) => format!(": {before} before, {now} now"),
            (None, Some(now)) => format!(": {now}"),
            (_, None) => String::new(),
        }
    }
}
