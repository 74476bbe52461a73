//! The rows of the table: for each code, a change of the two files that is reported, its place and its users.
//!
//! Not here: comparing them with the program (the module above).

pub(super) const PROJECT: &str = "\
version: 1
tenant: exchangelabs.nl
policies: policies
breakGlass:
  users:
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61 }
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62 }
brakes:
  changedUsers: { percent: 30, floor: 10 }
numbers: { compareWith: everyone }
runs: { keepNumbers: true }
quota: { share: 100 }
phoneDelivery: { until: 2027-02-01 }
";

/// Seven users in `staff`, two of them with an administrator role. Five of them are in `pilot`.
pub(super) const POLICY: &str = "\
version: 1
tenant: { securityDefaults: on }
policies:
  staff:
    priority: 100
    appliesTo:
      groups: [MFA Pilot]
      users: [a.vermeulen@exchangelabs.nl, m.dekoning@exchangelabs.nl]
    except:
      - users: [{ id: ID_OF_BART }]
        until: 2027-03-01
    where: { synced: [true, false] }
    desired:
      phones:
        mobile: { from: mobilePhone, smsSignIn: off }
      defaultMethod: [push, oath, sms]
      systemPreferredMfa: true
      perUserMfa: enforced
  pilot:
    priority: 200
    appliesTo: { groups: [MFA Pilot] }
    desired: { perUserMfa: enabled }
";

/// An edit: a text that is in one of the two files once, and the text instead of it.
pub(super) type Edit = (&'static str, &'static str);

/// A change that makes a guard weaker.
pub(super) struct Row {
    pub(super) code: &'static str,
    /// From the files above to the base.
    pub(super) base: &'static [Edit],
    /// From the base to the head.
    pub(super) head: &'static [Edit],
    pub(super) place: &'static str,
    /// The users and the administrators among them; none for a guard of all users.
    pub(super) concerned: Option<(usize, usize)>,
    pub(super) seen: Seen,
}

/// Which comparison sees the change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Both with a tenant and without one.
    Both,
    /// The other one cannot be made.
    Offline,
    /// The files alone do not show it, or show more.
    WithTenant,
}

const fn row(
    code: &'static str,
    head: &'static [Edit],
    place: &'static str,
    concerned: Option<(usize, usize)>,
) -> Row {
    Row { code, base: &[], head, place, concerned, seen: Seen::Both }
}

impl Row {
    const fn from(self, base: &'static [Edit]) -> Self {
        Self { base, ..self }
    }

    const fn seen(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }
}

pub(super) const EXCEPT_BART: &str =
    "    except:\n      - users: [{ id: ID_OF_BART }]\n        until: 2027-03-01\n";
pub(super) const SERVICES: &str = "8e5b1f70-c4a3-4d26-b9e8-60f7d2a5134c";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = of_policies();
    rows.extend(of_exceptions());
    rows.extend(of_the_project());
    rows
}

pub(super) fn of_policies() -> Vec<Row> {
    vec![
        row(
            "policy-removed",
            &[
                ("  staff:\n", "  other:\n"),
                ("groups: [MFA Pilot]\n      users: [a.", "users: [a."),
            ],
            "base policies/staff.yaml:4",
            Some((5, 0)),
        )
        .seen(Seen::WithTenant),
        row(
            "policy-removed",
            &[(
                "  pilot:\n    priority: 200\n    appliesTo: { groups: [MFA Pilot] }\n    desired: { phones: { office: { from: businessPhones } } }\n",
                "",
            )],
            "base policies/staff.yaml:19",
            Some((5, 0)),
        )
        .from(&[("perUserMfa: enabled", "phones: { office: { from: businessPhones } }")]),
        row(
            "mode-to-report",
            &[("    priority: 100\n", "    priority: 100\n    mode: report\n")],
            "head policies/staff.yaml:4",
            Some((7, 2)),
        ),
        row(
            "scope-narrowed",
            &[(", m.dekoning@exchangelabs.nl", "")],
            "head policies/staff.yaml:4",
            Some((1, 1)),
        ),
        row(
            "scope-narrowed",
            &[("synced: [true, false]", "synced: false")],
            "head policies/staff.yaml:4",
            Some((5, 0)),
        ),
        row(
            "setting-unmanaged",
            &[("      systemPreferredMfa: true\n", "")],
            "base policies/staff.yaml:17",
            Some((7, 2)),
        ),
        row(
            "setting-unmanaged",
            &[("systemPreferredMfa: true", "systemPreferredMfa: unmanaged")],
            "head policies/staff.yaml:17",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("perUserMfa: enforced", "perUserMfa: enabled")],
            "head policies/staff.yaml:18",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("systemPreferredMfa: true", "systemPreferredMfa: false")],
            "head policies/staff.yaml:17",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("[push, oath, sms]", "[sms, push]")],
            "head policies/staff.yaml:16",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("[push, oath, sms]", "{ exactly: sms }")],
            "head policies/staff.yaml:16",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("smsSignIn: off", "smsSignIn: on")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "rule-weakened",
            &[("{ from: mobilePhone }", "absent")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        )
        .from(&[(", smsSignIn: off", "")]),
        row(
            "replace-allowed",
            &[("smsSignIn: off", "ifRegistered: replace, smsSignIn: off")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "source-changed",
            &[("from: mobilePhone", "from: [mobilePhone, extensionAttribute7]")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "region-widened",
            &[("smsSignIn: off", "region: [usageLocation, NL], smsSignIn: off")],
            "head policies/staff.yaml:15",
            Some((7, 2)),
        ),
        row(
            "rule-overtaken",
            &[("priority: 200", "priority: 50")],
            "head policies/staff.yaml:22",
            Some((5, 0)),
        ),
        row(
            "rule-overtaken",
            &[("priority: 100", "priority: 300")],
            "head policies/staff.yaml:22",
            Some((5, 0)),
        ),
        row(
            "rule-overtaken",
            &[("appliesTo: { groups: [MFA Pilot] }", "appliesTo: { everyone: true }")],
            "head policies/staff.yaml:22",
            Some((2, 2)),
        )
        .from(&[("priority: 200", "priority: 50")]),
        row(
            "weaker-wanted",
            &[("{ perUserMfa: enabled }", "{ perUserMfa: enabled, phones: { office: absent } }")],
            "head policies/staff.yaml:22",
            Some((1, 0)),
        )
        .from(&[("{ groups: [MFA Pilot] }", "{ users: [m.postma@exchangelabs.nl] }")]),
        row(
            "object-unmanaged",
            &[("tenant: { securityDefaults: on }", "tenant: { securityDefaults: unmanaged }")],
            "head policies/staff.yaml:2",
            None,
        ),
        row(
            "object-unmanaged",
            &[("tenant: { securityDefaults: on }\n", "")],
            "base policies/staff.yaml:2",
            None,
        ),
        row(
            "object-lowered",
            &[("tenant: { securityDefaults: on }", "tenant: { securityDefaults: off }")],
            "head policies/staff.yaml:2",
            None,
        ),
    ]
}

pub(super) fn of_exceptions() -> Vec<Row> {
    vec![
        row(
            "exception-widened",
            &[("[{ id: ID_OF_BART }]", "[{ id: ID_OF_BART }, { id: ID_OF_ALEX }]")],
            "head policies/staff.yaml:10",
            Some((1, 1)),
        ),
        row(
            "exception-widened",
            &[(
                "[{ id: ID_OF_BART }]",
                "[{ id: ID_OF_BART }]\n        roles: [Global Administrator]",
            )],
            "head policies/staff.yaml:10",
            Some((2, 2)),
        ),
        row(
            "exception-widened",
            &[("[{ id: ID_OF_BART }]", "[{ id: ID_OF_BART }]\n        groups: [{ id: SERVICES }]")],
            "head policies/staff.yaml:10",
            Some((0, 0)),
        ),
        row(
            "exception-extended",
            &[("until: 2027-03-01", "until: 2027-04-01")],
            "head policies/staff.yaml:10",
            Some((1, 1)),
        )
        .from(&[("ID_OF_BART", "ID_OF_ALEX")]),
        row(
            "exception-extended",
            &[("        until: 2027-03-01\n", "")],
            "head policies/staff.yaml:10",
            Some((1, 1)),
        )
        .from(&[("ID_OF_BART", "ID_OF_ALEX")]),
        row(
            "allow-empty-added",
            &[("until: 2027-03-01", "until: 2027-03-01\n        allowEmpty: true")],
            "head policies/staff.yaml:10",
            None,
        )
        .from(&[("users: [{ id: ID_OF_BART }]", "groups: [{ id: SERVICES }]")]),
    ]
}

pub(super) fn of_the_project() -> Vec<Row> {
    const GROUP: &[Edit] = &[(
        "brakes:\n",
        "  groups:\n    - { id: 0b7d2c55-81e6-4f39-a2c0-97d4e13b6f08 }\nbrakes:\n",
    )];
    vec![
        row("break-glass-added", &[("brakes:\n", "    - { id: ID_OF_ALEX }\nbrakes:\n")], "head mfactl.yaml:8", Some((1, 1))),
        row("break-glass-removed", &[("    - { id: ID_OF_ALEX }\n", "")], "base mfactl.yaml:8", Some((1, 1))).from(&[("brakes:\n", "    - { id: ID_OF_ALEX }\nbrakes:\n")]),
        row("break-glass-added", GROUP, "head mfactl.yaml:9", Some((0, 0))),
        row("allow-empty-added", &[("6f08 }", "6f08, allowEmpty: true }")], "head mfactl.yaml:9", None).from(GROUP),
        row("former-added", &[("brakes:\n", "  former: [{ id: ID_OF_ALEX }]\nbrakes:\n")], "head mfactl.yaml:8", Some((1, 1))),
        row("minimum-lowered", &[("brakes:\n", "  minimum: 0\nbrakes:\n")], "head mfactl.yaml:8", None),
        row("brake-raised", &[("percent: 30", "percent: 60")], "head mfactl.yaml:9", None),
        row("brake-raised", &[("  changedUsers: { percent: 20, floor: 10 }\n", "  weakenedUsers: { percent: 0 }\n")], "base mfactl.yaml:9", None).from(&[("percent: 30", "percent: 20")]),
        row("delivery-later", &[("until: 2027-02-01", "until: 2027-05-01")], "head mfactl.yaml:13", None),
        row("delivery-later", &[("{ until: 2027-02-01 }", "{ by: ownProvider }")], "head mfactl.yaml:13", None),
        row("compare-narrowed", &[("numbers: { compareWith: everyone }\n", "")], "base mfactl.yaml:10", None),
        row("numbers-not-kept", &[("keepNumbers: true", "keepNumbers: false")], "head mfactl.yaml:11", None),
        row("numbers-not-kept", &[("keepNumbers: true", "keepNumbers: true, keepFor: 30d")], "head mfactl.yaml:11", None),
        row("run-store-moved", &[("keepNumbers: true", "keepNumbers: true, store: elsewhere")], "head mfactl.yaml:11", None),
        row("share-raised", &[("share: 99", "share: 100")], "head mfactl.yaml:12", None).from(&[("share: 100", "share: 99")]),
        row("disclosure-raised", &[("quota: { share: 100 }\n", "quota: { share: 100 }\ndisclose: names\n")], "head mfactl.yaml:13", None),
        row("policies-outside", &[("policies: policies\n", "policies: policies\npoliciesOutside: true\n")], "head mfactl.yaml:4", None),
        row("tenant-changed", &[("tenant: exchangelabs.nl", "tenant: contoso.com")], "head mfactl.yaml:2", None).seen(Seen::Offline),
        row("tenant-changed", &[("policies: policies\n", "policies: policies\ncloud: usGov\n")], "head mfactl.yaml:4", None).seen(Seen::Offline),
        row("endpoint-changed", &[("quota: { share: 100 }\n", "quota: { share: 100 }\nendpoints: { graph: 'https://localhost:1', login: 'https://localhost:1' }\n")], "head mfactl.yaml:13", None).seen(Seen::Offline),
    ]
}
