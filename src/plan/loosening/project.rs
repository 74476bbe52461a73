//! Guards in `mfactl.yaml` that a change makes weaker.
//!
//! Not here: break-glass accounts (`break_glass`), or policies (`policies`).

use jiff::civil::Date;

use super::{Loosening, Sides};
use crate::disclose::Disclosure;
use crate::finding::{Code, quoted};
use crate::plan::brakes::BrakeName;
use crate::policy::places::KeyPlaces;
use crate::policy::{Brakes, CloudName, CompareWith, Limit, Project, TenantRef};
use crate::source::Origin;
use crate::tenant::delivery::Delivery;

/// Compares every key, so that a new key does not compile until it is decided whether it is a guard.
pub(super) fn loosenings(sides: Sides<'_>) -> Vec<Loosening> {
    let Project {
        tenant,
        cloud,
        // It says who signs in. What that identity may do is decided in the tenant.
        credential: _,
        delivery,
        // `break_glass` compares it.
        break_glass: _,
        brakes,
        runs,
        compare_with,
        quota_share,
        endpoints,
        policies_outside,
        disclose,
        // A place is no guard.
        places: _,
    } = &sides.base.policies.project;
    let now = &sides.head.policies.project;
    let mut found = Found { sides, all: Vec::new() };
    found.tenant((tenant, *cloud), (&now.tenant, now.cloud));
    found.delivery(*delivery, now.delivery);
    found.brakes(*brakes, now.brakes);
    if (&runs.store, &runs.restore) != (&now.runs.store, &now.runs.restore) {
        let message = "runs are recorded in another place, where neither the lock nor the earlier runs are known";
        found.add(Code::RunStoreMoved, message, |places| places.run_store);
    }
    if now.runs.keep_for_days.is_some_and(|days| runs.keep_for_days.is_none_or(|was| days < was)) {
        let message =
            "the values from before a run are kept for a shorter time, and an undo needs them";
        found.add(Code::NumbersNotKept, message, |places| places.keep_for);
    }
    if runs.keep_numbers && !now.runs.keep_numbers {
        let message = "overwritten numbers are no longer kept, so an undo cannot put them back";
        found.add(Code::NumbersNotKept, message, |places| places.keep_numbers);
    }
    if (*compare_with, now.compare_with) == (CompareWith::Everyone, CompareWith::InScope) {
        let message = "new numbers are compared only with those of users in scope";
        found.add(Code::CompareNarrowed, message, |places| places.compare_with);
    }
    if now.quota_share > *quota_share {
        let message = format!(
            "a run takes a larger share of the quotas: {quota_share} % before, {} % now",
            now.quota_share
        );
        found.add(Code::ShareRaised, message, |places| places.quota_share);
    }
    // Without the key, requests go to the hosts of Microsoft.
    if now.endpoints.is_some() && now.endpoints != *endpoints {
        let message = "requests and tokens go to other hosts, on the machine of the run";
        found.add(Code::EndpointChanged, message, |places| places.endpoints);
    }
    if now.policies_outside && !policies_outside {
        let message = "the policies may be outside the repository";
        found.add(Code::PoliciesOutside, message, |places| places.policies_outside);
    }
    if discloses_more(*disclose, now.disclose) {
        let word = now.disclose.map_or("nothing", Disclosure::as_str);
        let message = format!("outputs say more about single users: `disclose` is {word} now");
        found.add(Code::DisclosureRaised, message, |places| places.disclose);
    }
    found.all
}

/// Whether an output says more about single users, in a CI job or elsewhere. Without the key, the first shows
/// numbers of users and the other one names.
fn discloses_more(before: Option<Disclosure>, now: Option<Disclosure>) -> bool {
    let defaults = [Disclosure::Counts, Disclosure::Names];
    defaults.into_iter().any(|default| now.unwrap_or(default) > before.unwrap_or(default))
}

struct Found<'a> {
    sides: Sides<'a>,
    all: Vec<Loosening>,
}

impl Found<'_> {
    fn add(
        &mut self,
        code: Code,
        message: impl Into<String>,
        place: impl Fn(&KeyPlaces) -> Option<Origin>,
    ) {
        let Sides { base, head } = self.sides;
        let (before, now) = (place(&base.policies.project.places), &head.policies.project.places);
        self.all.push(Loosening::new(code, message).at(self.sides, place(now), before));
    }

    fn tenant(&mut self, before: (&TenantRef, CloudName), now: (&TenantRef, CloudName)) {
        let name = |tenant: &TenantRef| match tenant {
            TenantRef::Sandbox => "sandbox".to_owned(),
            TenantRef::Named(name) => name.to_lowercase(),
        };
        let (old, new) = (name(before.0), name(now.0));
        if old != new {
            let message =
                format!("the policies are for tenant {} now, not {}", quoted(&new), quoted(&old));
            self.add(Code::TenantChanged, message, |places| places.tenant);
        }
        if before.1 != now.1 {
            let (old, new) = (before.1.as_str(), now.1.as_str());
            let message = format!("the policies are for cloud `{new}` now, not `{old}`");
            self.add(Code::TenantChanged, message, |places| places.cloud);
        }
    }

    fn delivery(&mut self, before: Delivery, now: Delivery) {
        let is_later = |before: Option<Date>, now: Option<Date>| {
            before.is_some_and(|before| now.is_none_or(|now| now > before))
        };
        let Delivery { ends, privileged_ends } = before;
        if !is_later(ends, now.ends) && !is_later(privileged_ends, now.privileged_ends) {
            return;
        }
        let words = |Delivery { ends, privileged_ends }: Delivery| {
            let day = |day: Option<Date>| day.map_or("never".to_owned(), |day| day.to_string());
            format!("{} (for Global Administrators {})", day(ends), day(privileged_ends))
        };
        let message = format!(
            "phones count as usable for longer; delivery ended {} before, and ends {} now",
            words(before),
            words(now)
        );
        self.add(Code::DeliveryLater, message, |places| places.delivery.or(places.cloud));
    }

    /// Reports each brake that lets a larger plan pass.
    fn brakes(&mut self, before: Brakes, now: Brakes) {
        for name in BrakeName::ALL {
            let (before, now) = (limit(before, name), limit(now, name));
            if now.percent <= before.percent && now.floor <= before.floor {
                continue;
            }
            let message = format!(
                "brake `{}` lets larger plans pass: {} before, {} now",
                name.as_str(),
                words(before),
                words(now)
            );
            self.add(Code::BrakeRaised, message, |places| match name {
                BrakeName::ChangedUsers => places.changed_users,
                BrakeName::WeakenedUsers => places.weakened_users,
                BrakeName::ReplacedNumbers => places.replaced_numbers,
            });
        }
    }
}

const fn limit(brakes: Brakes, name: BrakeName) -> Limit {
    let Brakes { changed_users, weakened_users, replaced_numbers } = brakes;
    match name {
        BrakeName::ChangedUsers => changed_users,
        BrakeName::WeakenedUsers => weakened_users,
        BrakeName::ReplacedNumbers => replaced_numbers,
    }
}

fn words(Limit { percent, floor }: Limit) -> String {
    format!("{percent} % or {floor} users")
}
