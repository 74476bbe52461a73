//! Which policy wins: the whole table, and what must never make a difference.

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

/// How a policy speaks of the setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Managed,
    Unmanaged,
    Report,
}

/// What comes of two policies for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// The plan has the user enforced, or enabled.
    Enforced,
    Enabled,
    /// Nothing is changed.
    Nothing,
    /// The setting of this user is left alone, and that is said.
    Withheld,
    /// The files are refused.
    Refused,
}

use Came::{Enabled, Enforced, Nothing, Refused, Withheld};
use Voice::{Managed, Report, Unmanaged};

const VOICES: [Voice; 3] = [Managed, Unmanaged, Report];

/// Two policies, `a` and `b`, about ann.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// Of `a`; that of `b` is 5.
    priority: u32,
    /// Both want the same; otherwise `a` wants enforced and `b` enabled.
    same: bool,
    /// Both name ann; otherwise one names a group that she is in.
    offline: bool,
    a: Voice,
    b: Voice,
}

impl Pair {
    fn text(self) -> String {
        let wants = |voice, state| if voice == Unmanaged { "unmanaged" } else { state };
        let one = |name, voice: Voice, priority, who, state| {
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

    /// What the policies are meant to come to, written out by the rules and not by the code.
    fn expected(self) -> Came {
        let other = if self.same { Enforced } else { Enabled };
        match (self.a, self.b) {
            // Who only reports takes no part.
            (Report, Report) => Nothing,
            (Report, Managed) => other,
            (Managed, Report) => Enforced,
            (Report, Unmanaged) | (Unmanaged, Report) => Nothing,
            // Leaving alone is one rule, whatever else the policies are.
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

    /// What the policies in report mode are meant to show.
    fn expected_report(self) -> Came {
        let other = if self.same { Enforced } else { Enabled };
        let (a_wins, b_wins) = (self.priority < 5, self.priority > 5);
        match (self.a, self.b) {
            (Report, _) if a_wins => Enforced,
            (_, Report) if b_wins => other,
            (Report, Report | Managed) if !b_wins && self.same => Enforced,
            (Report, Report) if b_wins => other,
            (Report, Report) if a_wins => Enforced,
            (Report, _) | (_, Report) if !a_wins && !b_wins => {
                // `a` speaks for both where they agree, and it is `b` that reports.
                if self.same && self.a == Managed { Nothing } else { Withheld }
            }
            _ => Nothing,
        }
    }
}

#[test]
fn the_table_of_precedence() {
    let mut count = 0;
    for priority in [1, 5, 9] {
        for (same, offline) in [(true, true), (true, false), (false, true), (false, false)] {
            for (a, b) in VOICES.into_iter().flat_map(|a| VOICES.map(|b| (a, b))) {
                let pair = Pair { priority, same, offline, a, b };
                let (came, reported) = came_of(pair);
                assert_eq!(came, pair.expected(), "{pair:?}");
                if came != Refused {
                    assert_eq!(reported, pair.expected_report(), "reported: {pair:?}");
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 3 * 4 * 9);
}

/// What comes of it for ann: in the plan, and in what is only reported.
fn came_of(pair: Pair) -> (Came, Came) {
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
fn every_setting_is_won_for_itself() {
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
fn a_policy_that_makes_its_own_condition_true_is_an_error() {
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

    // Once it is so, it is no longer what the policies do.
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
fn a_where_that_a_policy_makes_false_is_stable_when_nothing_else_is_wanted() {
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

/// Policies from small pools, so that they overlap; `{g}` stands for a way of naming a group.
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

fn came(text: &str) -> Result<String, String> {
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
        let by_name = came(&text(&policies, &order, |name, _| name.to_owned()));
        let by_id = came(&text(&policies, &rotated, |_, number| id(number).to_string()));
        let both = came(&text(&policies, &order, |name, number| {
            format!("{{ id: {}, name: {name} }}", id(number))
        }));
        prop_assert_eq!(&by_name, &by_id);
        prop_assert_eq!(&by_name, &both);
    }

    #[test]
    fn a_policy_for_nobody_changes_nothing(policies in policies(), wants in 0_usize..2, report in any::<bool>()) {
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
        prop_assert_eq!(came(&without), came(&with));
    }

    #[test]
    fn a_policy_that_reports_changes_nothing_that_is_done(policies in policies()) {
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

/// It is unknown whether `a` applies to a user whose methods could not be read. `b` does not win then.
#[test]
fn a_policy_that_may_apply_lets_no_later_policy_decide() {
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
    assert_eq!(wanted(unread, 4), (enabled, 1), "`b` wins in any case");
}
