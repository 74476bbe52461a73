//! The sentence of a plan or a change that a reviewer reads first.
//!
//! Not here: the rows (`content`).

use crate::disclose::Discloser;
use crate::plan::difference::PlanDifference;
use crate::plan::review::Comparison;
use crate::render::plan::text::counted;
use crate::settings::Setting;
use crate::settings::change::Action;

/// What a difference does to users, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Effects {
    raised: usize,
    lowered: usize,
    phones: usize,
    removed: usize,
    others: usize,
}

/// Returns what the change or the plan does, as a clause without a subject.
pub(super) fn sentence(comparison: &Comparison, disclose: &Discloser) -> String {
    let effects = effects(&comparison.difference);
    let guards = comparison.loosenings.len();
    let users = |number| counted(disclose.count(number), "user", "users");
    let phones = |number| counted(disclose.count(number), "phone", "phones");
    let parts = [
        (effects.raised, format!("raises {}", users(effects.raised))),
        (effects.lowered, format!("lowers {}", users(effects.lowered))),
        (effects.phones, format!("adds {}", phones(effects.phones))),
        (effects.removed, format!("removes {}", phones(effects.removed))),
        (guards, format!("loosens {guards} {}", if guards == 1 { "guard" } else { "guards" })),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, part)| part).collect();
    match (parts.is_empty(), effects.others > 0 || comparison.has_effect()) {
        (false, _) => parts.join(", "),
        (true, true) => "raises none, lowers none".to_owned(),
        (true, false) => "has no effect".to_owned(),
    }
}

fn effects(difference: &PlanDifference) -> Effects {
    let mut effects = Effects::default();
    for delta in difference.settings() {
        let Some(change) = delta.with else {
            effects.others += 1;
            continue;
        };
        match (delta.setting, change.action()) {
            (Setting::PerUserMfa, _) if change.weakens() => effects.lowered += 1,
            (Setting::PerUserMfa, _) => effects.raised += 1,
            (setting, Action::Create) if setting.phone().is_some() => effects.phones += 1,
            (setting, Action::Delete) if setting.phone().is_some() => effects.removed += 1,
            _ => effects.others += 1,
        }
    }
    effects
}
