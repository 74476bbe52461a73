//! The policy that decides a setting: the whole table, and properties that must never matter.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use mfactl::desired::{Candidates, PolicyView, desired};
use mfactl::finding::Code;
use mfactl::settings::Setting;
use mfactl::settings::Value;
use mfactl::tenant::facts::{MethodKind, Methods, MfaState, Read, UnknownReason};
use proptest::prelude::*;

use crate::support::tiny_tenant::{Tenant, codes, id, methods};

/// How a policy treats the setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Managed,
    Unmanaged,
    Report,
}

/// The result of two policies for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The plan sets the state of the user to enforced, or to enabled.
    Enforced,
    Enabled,
    /// Nothing is changed.
    Nothing,
    /// The setting of this user is withheld and reported.
    Withheld,
    /// The files are refused.
    Refused,
}

use Effect::{Enabled, Enforced, Nothing, Refused, Withheld};
use Treatment::{Managed, Report, Unmanaged};

const TREATMENTS: [Treatment; 3] = [Managed, Unmanaged, Report];

/// Two policies, `a` and `b`, for ann.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// The priority of `a`. The priority of `b` is 5.
    priority: u32,
    /// Whether both desire the same. Otherwise `a` desires enforced and `b` enabled.
    same: bool,
    /// Whether both name ann. Otherwise one names a group of hers, so the conflict shows only in the
    /// tenant.
    offline: bool,
    a: Treatment,
    b: Treatment,
}

impl Pair {
    fn text(self) -> String {
        let wants = |voice, state| if voice == Unmanaged { "unmanaged" } else { state };
        let one = |name, voice: Treatment, priority, who, state| {
            let mode = if voice == Report { "report" } else { "enforce" };
            format!(
                "  {name}:\n    mode: {mode}\n    priority: {priority}\n    appliesTo: {{ {who} }}\n    \
                 desired: {{ perUserMfa: {} }}\n",
                wants(voice, state)
            )
        };
        let who = if self.offline { "users: [ann@x.y]" } else { "groups: [Sales]" };
        let state = if self.same { "enforced" } else { "enabled" };
        format!(
            "version: 1\npolicies:\n{}{}",
            one("a", self.a, self.priority, "users: [ann@x.y]", "enforced"),
            one("b", self.b, 5, who, state)
        )
    }

    /// The expected result, written from the documented rules and not from the code.
    fn expected(self) -> Effect {
        let other = if self.same { Enforced } else { Enabled };
        match (self.a, self.b) {
            // A policy in report mode decides nothing.
            (Report, Report) => Nothing,
            (Report, Managed) => other,
            (Managed, Report) => Enforced,
            (Report, Unmanaged) | (Unmanaged, Report) => Nothing,
            // `unmanaged` is one rule, so two such policies never conflict.
            (Unmanaged, Unmanaged) => Nothing,
            (Managed, Unmanaged) if self.priority < 5 => Enforced,
            (Unmanaged, Managed) if self.priority > 5 => other,
            (Managed, Unmanaged) | (Unmanaged, Managed) if self.priority != 5 => Nothing,
            (Managed, Managed) if self.priority < 5 || self.same => Enforced,
            (Managed, Managed) if self.priority > 5 => other,
            _ if self.offline => Refused,
            _ => Withheld,
        }
    }

    /// The expected result of the policies in report mode.
    fn expected_report(self) -> Effect {
        let other = if self.same { Enforced } else { Enabled };
        let (a_wins, b_wins) = (self.priority < 5, self.priority > 5);
        match (self.a, self.b) {
            (Report, _) if a_wins => Enforced,
            (_, Report) if b_wins => other,
            (Report, Report | Managed) if !b_wins && self.same => Enforced,
            (Report, Report) if b_wins => other,
            (Report, Report) if a_wins => Enforced,
            (Report, _) | (_, Report) if !a_wins && !b_wins => {
                // If both agree, `a` decides. If `b` is the one in report mode, it shows nothing.
                if self.same && self.a == Managed { Nothing } else { Withheld }
            }
            _ => Nothing,
        }
    }
}

#[test]
fn every_pair_of_policies_has_the_expected_result() {
    let mut count = 0;
    for priority in [1, 5, 9] {
        for (same, offline) in [(true, true), (true, false), (false, true), (false, false)] {
            for (a, b) in TREATMENTS.into_iter().flat_map(|a| TREATMENTS.map(|b| (a, b))) {
                let pair = Pair { priority, same, offline, a, b };
                let (planned, reported) = effects_of(pair);
                assert_eq!(planned, pair.expected(), "{pair:?}");
                if planned != Refused {
                    assert_eq!(reported, pair.expected_report(), "reported: {pair:?}");
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 3 * 4 * 9);
}

/// The result for ann: in the plan, and in report mode.
fn effects_of(pair: Pair) -> (Effect, Effect) {
    let outcome = match Tenant::new().plan(&pair.text()) {
        Ok(outcome) => outcome,
        Err(faults) => {
            assert_eq!(codes(&faults), "policy-conflict", "{pair:?}");
            return (Refused, Nothing);
        }
    };
    let plan = &outcome.plan;
    let ann = plan.directory.find_by_name("ann@x.y").expect("ann");
    let state = |after: Value| match after {
        Value::State(MfaState::Enforced) => Enforced,
        Value::State(MfaState::Enabled) => Enabled,
        other => panic!("{other}"),
    };
    let of = |changes: &[mfactl::settings::change::Change], withheld: &[mfactl::plan::Withheld]| {
        let change = changes.iter().find(|change| change.user == ann);
        let is_withheld = withheld.iter().any(|one| one.user == ann);
        change.map_or(if is_withheld { Withheld } else { Nothing }, |change| state(change.after))
    };
    let withheld = of(&plan.changes, &plan.withheld);
    let reported = of(&plan.reported, &plan.reported_withheld);
    assert_eq!(
        [withheld, reported].contains(&Withheld),
        outcome.has(Code::PolicyConflict),
        "{pair:?}"
    );
    (withheld, reported)
}

#[test]
fn each_setting_has_its_own_deciding_policy() {
    let text = "version: 1
policies:
  first:
    priority: 1
    appliesTo: { users: [ann@x.y] }
    desired: { perUserMfa: unmanaged }
  second:
    priority: 2
    appliesTo: { groups: [Sales] }
    desired: { phones: { mobile: { from: mobilePhone } }, perUserMfa: enforced }
  third:
    priority: 3
    appliesTo: { users: [ben@x.y] }
    desired: { phones: { mobile: unmanaged } }
";
    let outcome = Tenant::new().plan(text).expect("a plan");
    let changes = outcome.meaning();
    for line in [
        "change ann phones.mobile +31 6••••••78 second",
        "change ben phones.mobile +31 6••••••78 second",
        "change ben perUserMfa enforced second",
    ] {
        assert!(changes.contains(line), "{changes}");
    }
    assert!(!changes.contains("ann perUserMfa"), "{changes}");
}

#[test]
fn plan_that_would_make_another_policy_apply_is_an_error() {
    let text = "version: 1
policies:
  phone:
    appliesTo: { groups: [Sales] }
    desired: { phones: { mobile: { from: mobilePhone } } }
  then:
    appliesTo: { groups: [Sales] }
    where: { registered: mobilePhone }
    desired: { perUserMfa: enforced }
";
    let outcome = Tenant::new().plan(text).expect("a plan");
    assert!(outcome.plan.is_faulty());
    let finding = outcome.finding(Code::PolicyUnstable).expect("a finding");
    assert_eq!(finding.users.len(), 3);
    let lines: Vec<u32> = finding.labels.iter().map(|label| label.origin.span.line).collect();
    assert_eq!(lines, [9, 8], "{finding:?}");

    // Once the phones are registered, the condition no longer depends on the plan.
    let all = [MethodKind::MobilePhone, MethodKind::Authenticator];
    let number = mfactl::number::PhoneNumber::from_graph("+31 612345678").expect("a number");
    let registered = ["ann", "ben", "cas"].into_iter().fold(Tenant::new(), |tenant, name| {
        tenant.but(name, |facts| {
            facts.methods = methods(&all).map(|methods| methods.with_mobile(number));
        })
    });
    let outcome = registered.plan(text).expect("a plan");
    assert!(!outcome.plan.is_faulty());
    assert_eq!(outcome.changed(), "ann ben cas");
}

#[test]
fn condition_that_becomes_false_is_stable_if_no_value_changes() {
    let text = "version: 1
policies:
  first:
    appliesTo: { groups: [Sales] }
    where: { registered: { none: [mobilePhone] } }
    desired: { phones: { mobile: { from: mobilePhone } }, perUserMfa: enforced }
";
    let outcome = Tenant::new().plan(text).expect("a plan");
    assert!(!outcome.plan.is_faulty(), "{:?}", outcome.plan.findings);
    assert_eq!(outcome.changed(), "ann ben cas");
}

/// Policies from small pools of values, so that they overlap. `{Sales}` is replaced by a name or an id.
fn policies() -> impl Strategy<Value = Vec<(&'static str, &'static str, &'static str, u32)>> {
    let who = prop::sample::select(vec![
        "groups: [{Sales}]",
        "groups: [{All}]",
        "groups: [{Sales}, {Finance}]",
        "users: [ann@x.y]",
    ]);
    let only = prop::sample::select(vec![
        "synced: false",
        "department: Sales",
        "registered: { none: [passkey] }",
    ]);
    let wants = prop::sample::select(vec![
        "perUserMfa: enforced",
        "perUserMfa: enabled",
        "perUserMfa: unmanaged",
        "phones: { mobile: { from: mobilePhone } }",
    ]);
    prop::collection::vec((who, only, wants, 1_u32..4), 1..5)
}

fn text(
    policies: &[(&str, &str, &str, u32)],
    order: &[usize],
    group: impl Fn(&str, u128) -> String,
) -> String {
    let mut text = "version: 1\npolicies:\n".to_owned();
    for place in order {
        let (who, only, wants, priority) = policies[*place];
        let named = [("Sales", 100), ("Finance", 101), ("All", 103)]
            .into_iter()
            .fold(who.to_owned(), |who, (name, number)| {
                who.replace(&format!("{{{name}}}"), &group(name, number))
            });
        let mode = if place % 3 == 2 { "report" } else { "enforce" };
        text += &format!(
            "  p{place}:\n    mode: {mode}\n    priority: {priority}\n    appliesTo: {{ {named} }}\n    \
             where: {{ {only} }}\n    desired: {{ {wants} }}\n"
        );
    }
    text
}

fn result_of(text: &str) -> Result<String, String> {
    let outcome = Tenant::new().plan(text);
    outcome.map(|outcome| outcome.meaning()).map_err(|faults| codes(&faults))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn order_and_names_make_no_difference(policies in policies(), rotation in 0_usize..4) {
        let order: Vec<usize> = (0..policies.len()).collect();
        let mut rotated = order.clone();
        rotated.rotate_left(rotation % policies.len());
        let by_name = result_of(&text(&policies, &order, |name, _| name.to_owned()));
        let by_id = result_of(&text(&policies, &rotated, |_, number| id(number).to_string()));
        let both = result_of(&text(&policies, &order, |name, number| {
            format!("{{ id: {}, name: {name} }}", id(number))
        }));
        prop_assert_eq!(&by_name, &by_id);
        prop_assert_eq!(&by_name, &both);
    }

    #[test]
    fn policy_without_users_changes_nothing(policies in policies(), wants in 0_usize..2, report in any::<bool>()) {
        let order: Vec<usize> = (0..policies.len()).collect();
        let without = text(&policies, &order, |name, _| name.to_owned());
        let (wants, mode) = (
            ["perUserMfa: disabled", "perUserMfa: unmanaged"][wants],
            if report { "report" } else { "enforce" },
        );
        let with = format!(
            "{without}  a first:\n    mode: {mode}\n    priority: 0\n    appliesTo: {{ groups: [Empty] }}\n    \
             desired: {{ {wants} }}\n"
        );
        prop_assert_eq!(result_of(&without), result_of(&with));
    }

    #[test]
    fn policy_in_report_mode_does_not_affect_the_plan(policies in policies()) {
        let order: Vec<usize> = (0..policies.len()).collect();
        let all = Tenant::new().plan(&text(&policies, &order, |name, _| name.to_owned()));
        let enforced: Vec<usize> = order.into_iter().filter(|place| place % 3 != 2).collect();
        let few = Tenant::new().plan(&text(&policies, &enforced, |name, _| name.to_owned()));
        if let (Ok(all), Ok(few)) = (all, few) {
            let done = |meaning: String| {
                let lines = meaning.lines().filter(|line| line.starts_with("change") || line.contains("in scope"));
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(done(all.meaning()), done(few.meaning()));
        }
    }
}

/// It is unknown whether `a` applies to a user with unreadable methods. In that case `b` does not decide.
#[test]
fn policy_that_may_apply_blocks_every_later_policy() {
    let policies = |priority: u32| {
        format!(
            "version: 1\npolicies:\n  a:\n    priority: 5\n    appliesTo: {{ users: [ann@x.y] }}\n    \
             where: {{ registered: [passkey] }}\n    desired: {{ perUserMfa: enforced }}\n  \
             b:\n    priority: {priority}\n    appliesTo: {{ users: [ann@x.y] }}\n    \
             desired: {{ perUserMfa: enabled }}\n"
        )
    };
    let wanted = |registered: Read<Methods>, priority: u32| {
        let tenant = Tenant::new().but("ann", |facts| facts.methods = registered);
        let (set, observed) = tenant.observed(&policies(priority)).expect("policies");
        let index = observed.directory.find_by_name("ann@x.y").expect("ann");
        let candidates = Candidates { policies: &set.policies, scope: &observed.scope };
        let user = observed.directory.user(index).expect("ann");
        let facts = observed.facts(index);
        let desired = desired(candidates, PolicyView::Real, index, user, &facts);
        (desired.values.get(Setting::PerUserMfa), desired.said.len())
    };
    let unread = Read::Unknown(UnknownReason::Forbidden);
    let (disabled, enabled, enforced) = (
        Value::State(MfaState::Disabled),
        Value::State(MfaState::Enabled),
        Value::State(MfaState::Enforced),
    );
    for priority in [6, 10] {
        assert_eq!(wanted(methods(&[MethodKind::Passkey]), priority), (enforced, 1));
        assert_eq!(wanted(methods(&[]), priority), (enabled, 1));
        assert_eq!(wanted(unread, priority), (disabled, 0), "{priority}");
    }
    assert_eq!(wanted(unread, 4), (enabled, 1), "`b` decides in any case");
}
