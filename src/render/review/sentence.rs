//! The sentence of a plan or a change that a reviewer reads first.
//!
//! Not here: the groups below it (`kinds`).

use crate::disclose::Discloser;
use crate::plan::difference::PlanDifference;
use crate::plan::review::Comparison;
use crate::render::plan::text::counted;
use crate::settings::kind::Effect;

/// What a difference does to users, compared with the base, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Effects {
    raised: usize,
    lowered: usize,
    /// Users whose MFA the base would raise.
    no_longer_raised: usize,
    /// Users whose MFA the base would lower.
    no_longer_lowered: usize,
    added: usize,
    no_longer_added: usize,
    removed: usize,
    no_longer_removed: usize,
}

/// Returns what the change or the plan does, as a clause without a subject.
pub(in crate::render) fn sentence(comparison: &Comparison, disclose: &Discloser) -> String {
    let effects = effects(&comparison.difference);
    let guards = comparison.loosenings.len();
    let users = |verb: &str, number| {
        (number, format!("{verb} {}", counted(disclose.count(number), "user", "users")))
    };
    let phones = |verb: &str, number| {
        (number, format!("{verb} {}", counted(disclose.count(number), "phone", "phones")))
    };
    let parts = [
        users("lowers", effects.lowered),
        users("no longer raises", effects.no_longer_raised),
        users("raises", effects.raised),
        users("no longer lowers", effects.no_longer_lowered),
        phones("removes", effects.removed),
        phones("no longer adds", effects.no_longer_added),
        phones("adds", effects.added),
        phones("no longer removes", effects.no_longer_removed),
        (guards, format!("loosens {guards} {}", if guards == 1 { "guard" } else { "guards" })),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, part)| part).collect();
    match (parts.is_empty(), comparison.has_effect()) {
        (false, _) => parts.join(", "),
        (true, true) => "raises none, lowers none".to_owned(),
        (true, false) => "has no effect".to_owned(),
    }
}

fn effects(difference: &PlanDifference) -> Effects {
    let mut effects = Effects::default();
    for delta in difference.settings() {
        let is_planned = delta.with.is_some();
        let is_phone = delta.setting.phone().is_some();
        let (before, after) = delta.results();
        let results = (before.is_nothing(), after.is_nothing());
        let counter = match (delta.effect(), results, is_planned) {
            (Effect::Raises, _, true) => &mut effects.raised,
            (Effect::Raises, _, false) => &mut effects.no_longer_lowered,
            (Effect::Lowers, _, true) => &mut effects.lowered,
            (Effect::Lowers, _, false) => &mut effects.no_longer_raised,
            (_, (true, true), _) => continue,
            (_, (true, false), true) if is_phone => &mut effects.added,
            (_, (true, false), false) if is_phone => &mut effects.no_longer_removed,
            (_, (false, true), true) if is_phone => &mut effects.removed,
            (_, (false, true), false) if is_phone => &mut effects.no_longer_added,
            _ => continue,
        };
        *counter += 1;
    }
    effects
}
