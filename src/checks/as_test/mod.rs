//! Writes a file of checks from a real user: an invented person with the same groups, roles and methods, and
//! what the plan says now. Nothing in it names the user: not the name, not the object id, no number.
//!
//! The tenant of a file of checks is invented as well: it has no Conditional Access policies, and nobody else is
//! in it. So the file is evaluated before it is written, and an expectation that does not hold there becomes a
//! comment.
//!
//! `person` is the person, `numbers` its phone numbers.
//!
//! Not here: how a file is evaluated (`run`), or reading the user (`run::explain`).

mod numbers;
mod person;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::becomes::{Becomes, word_of};
use super::file::ChecksFile;
use super::reason;
use super::run::outcomes;
use crate::explain::{Decision, ExplainVerdict, Explanation, RuleEffect};
use crate::finding::Finding;
use crate::observed::Observed;
use crate::policy::{PolicySet, beside};
use crate::settings::Setting;
use crate::source::Sources;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Read;
use crate::tenant::roles::Roles;
use crate::tenant::user_set::Tristate;

/// The invented name.
const NAME: &str = "person-1";

/// The file, and the comments in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFromUser {
    /// In YAML.
    pub text: String,
    /// The number of results that an invented tenant cannot show.
    pub left_as_comments: usize,
}

/// Makes a check of a user from what was observed, and from the explanation of the user.
///
/// # Errors
/// The policies contradict each other for the invented person.
pub fn as_test(
    set: &PolicySet,
    (observed, roles): (&Observed, &Read<Roles>),
    index: UserIndex,
    explanation: &Explanation,
) -> Result<CheckFromUser, Vec<Finding>> {
    let head = head(set, (observed, roles), index);
    let probe = format!("{head}\nalways:\n  - nobody: {{ becomes: [open] }}\n");
    let content: ChecksFile = beside::parse(&probe, &mut Sources::default())?;
    let made = outcomes(set, &content, observed.basis.today)?;
    let Some(made) = made.first() else { return Err(Vec::new()) };
    let expected = Expected::between(explanation, &made.explanation);
    Ok(CheckFromUser {
        text: format!("{head}\n{}", expected.text()),
        left_as_comments: expected.comments.len(),
    })
}

/// Returns the file without its expectations.
fn head(set: &PolicySet, (observed, roles): (&Observed, &Read<Roles>), index: UserIndex) -> String {
    let today = observed.basis.today;
    let tenant = match observed.basis.demand.security_defaults() {
        Tristate::Yes => "tenant: { securityDefaults: true }\n",
        Tristate::No | Tristate::Unknown => "",
    };
    let person = person::keys(set, (observed, roles), index).join(", ");
    let person = if person.is_empty() { "{}".to_owned() } else { format!("{{ {person} }}") };
    format!(
        "# Made from a user of the tenant by `mfactl explain --as-test`. The name and the numbers are invented.\n\
         version: 1\ntoday: {today}\n{tenant}\npeople:\n  {NAME}: {person}\n"
    )
}

/// What a check can expect, and the results that an invented tenant cannot show.
#[derive(Debug, Default)]
struct Expected {
    phones: Vec<String>,
    others: Vec<String>,
    comments: Vec<String>,
}

impl Expected {
    /// Compares the result of the user with that of the invented person. Where both are the same, it is expected.
    fn between(user: &Explanation, made: &Explanation) -> Self {
        let mut expected = Self::default();
        expected.add_settings((user, made), |decision| {
            decision.verdict != ExplainVerdict::Unmentioned
                || decision.setting == Setting::PerUserMfa
        });
        let (after, made_after) = (user.standing.after.as_str(), made.standing.after.as_str());
        match after == made_after {
            true => expected.others.push(format!("posture: {after}")),
            false => expected.differs("the posture", after, made_after),
        }
        expected.add_policies(user, made);
        if expected.others.is_empty() && expected.phones.is_empty() {
            expected.add_settings((user, made), |_| true);
        }
        expected
    }

    fn add_settings(
        &mut self,
        (user, made): (&Explanation, &Explanation),
        is_of_interest: impl Fn(&Decision) -> bool,
    ) {
        for (decision, other) in user.settings.iter().zip(&made.settings) {
            if is_of_interest(decision) {
                self.add_setting(decision, other);
            }
        }
    }

    fn add_setting(&mut self, decision: &Decision, made: &Decision) {
        let setting = decision.setting;
        let (word, made_word) = (word_of(decision), word_of(made));
        let is_a_word = Becomes::of_word(setting, &word).is_some();
        if word != made_word || !is_a_word {
            let code = refusal(decision).map_or_else(String::new, |code| format!(" [{code}]"));
            return self.differs(setting.name(), &format!("{word}{code}"), &made_word);
        }
        let mut keys = vec![format!("becomes: {word}")];
        if let Some(by) = decider(decision).filter(|by| decider(made) == Some(by)) {
            keys.push(format!("by: {}", yaml(by)));
        }
        if let Some(code) = refusal(decision).filter(|code| refusal(made) == Some(code)) {
            keys.push(format!("because: {code}"));
        }
        let (list, key) = match setting {
            Setting::MobilePhone => (&mut self.phones, "mobile"),
            Setting::AlternateMobilePhone => (&mut self.phones, "alternateMobile"),
            Setting::OfficePhone => (&mut self.phones, "office"),
            Setting::SmsSignIn => (&mut self.phones, "smsSignIn"),
            Setting::DefaultMethod => (&mut self.others, "defaultMethod"),
            Setting::SystemPreferredMfa => (&mut self.others, "systemPreferredMfa"),
            Setting::PerUserMfa => (&mut self.others, "perUserMfa"),
        };
        list.push(format!("{key}: {{ {} }}", keys.join(", ")));
    }

    fn add_policies(&mut self, user: &Explanation, made: &Explanation) {
        let applying = |one: &Explanation| {
            let all = one.policies.iter().filter(|policy| policy.left_out.is_none());
            all.map(|policy| policy.policy.clone()).collect::<BTreeSet<_>>()
        };
        let excluded = |one: &Explanation| {
            let all = one.policies.iter().filter(|policy| reason::is_excluded(one, &policy.policy));
            all.map(|policy| policy.policy.clone()).collect::<BTreeSet<_>>()
        };
        let list = |names: &BTreeSet<String>| {
            names.iter().map(|name| yaml(name)).collect::<Vec<_>>().join(", ")
        };
        let (policies, made_policies) = (applying(user), applying(made));
        match policies == made_policies {
            true => self.others.push(format!("policies: [{}]", list(&policies))),
            false => self.comments.push(format!(
                "policies that apply are [{}]; here they are [{}]",
                list(&policies),
                list(&made_policies)
            )),
        }
        let both: BTreeSet<String> =
            excluded(user).intersection(&excluded(made)).cloned().collect();
        if !both.is_empty() {
            self.others.push(format!("excludedFrom: [{}]", list(&both)));
        }
    }

    fn differs(&mut self, what: &str, user: &str, made: &str) {
        self.comments.push(format!("{what} becomes {user}; here it becomes {made}"));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.comments.is_empty() {
            text += "# An invented tenant cannot show this, for example because Conditional Access, another user\n\
                     # or the name of the user decides it. In the tenant,\n";
            self.comments.iter().for_each(|comment| _ = writeln!(text, "# - {comment}"));
        }
        _ = writeln!(text, "expect:\n  {NAME}:");
        if !self.phones.is_empty() {
            text += "    phones:\n";
            self.phones.iter().for_each(|phone| _ = writeln!(text, "      {phone}"));
        }
        self.others.iter().for_each(|other| _ = writeln!(text, "    {other}"));
        text
    }
}

/// Returns the policy whose rule decides.
fn decider(decision: &Decision) -> Option<&str> {
    let decides = decision.voices.iter().find(|voice| voice.heard == RuleEffect::Decides);
    decides.map(|voice| voice.policy.as_str())
}

/// Returns the code of the finding that says why nothing is written.
fn refusal(decision: &Decision) -> Option<&'static str> {
    decision.refused.as_ref().map(|refused| refused.code.as_str())
}

/// Returns a text in YAML. A string of JSON is one of YAML.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
