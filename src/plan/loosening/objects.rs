//! Objects of the tenant that a change manages less.
//!
//! Not here: the accounts that the change of an object affects (`plan::objects`).

use super::{Loosening, Sides};
use crate::finding::{Code, quoted};
use crate::policy::objects::ObjectRules;
use crate::resources::{ObjectKind, ObjectValue};
use crate::source::Origin;

pub(super) fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    let (base, head) = (&sides.base.policies.objects, &sides.head.policies.objects);
    ObjectKind::ALL.into_iter().filter_map(|object| compared(sides, object, base, head)).collect()
}

fn compared(
    sides: Sides<'_>,
    object: ObjectKind,
    base: &ObjectRules,
    head: &ObjectRules,
) -> Option<Loosening> {
    let (before, now) = (wanted(base, object), wanted(head, object));
    let before_at = before.map(|(_, origin)| origin);
    let (code, message) = match (before, now) {
        (None, None) => return None,
        (Some(_), None) => {
            (Code::ObjectUnmanaged, format!("{} is no longer managed", quoted(object.key())))
        }
        (before, Some((now, _))) => {
            let before = before.map(|(value, _)| value);
            // Without a rule, the tenant has what was read.
            let read = sides.head.observed.map(|one| object.observed(&one.basis.demand));
            let was_weak = before.or(read).is_some_and(|value| is_weak(object, value));
            if !is_weak(object, now) || was_weak {
                return None;
            }
            (Code::ObjectLowered, format!("{} is to be {now}", quoted(object.key())))
        }
    };
    let head_at = now.map(|(_, origin)| origin).or_else(|| head.place(object));
    Some(Loosening::new(code, message).at(sides, head_at, before_at))
}

fn wanted(rules: &ObjectRules, object: ObjectKind) -> Option<(ObjectValue, Origin)> {
    let mut managed = rules.managed().filter(|(one, ..)| *one == object);
    managed.next().map(|(_, value, origin)| (value, origin))
}

fn is_weak(object: ObjectKind, value: ObjectValue) -> bool {
    value != ObjectValue::Unknown && !object.demands_more(value)
}
