//! Goes through every setting and asks for what only discipline would give it: a sample, a pair of meanings,
//! a place in the invented policies, a value that survives being saved and applied, a stage, a request, a
//! count in the summary, and permissions. A setting says the rest in its own file, or does not compile
//! (`docs/design/adding-a-setting.md`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::path::Path;

use mfactl::entra::permissions::Need;
use mfactl::entra::{path_of_fact, write};
use mfactl::id::UserId;
use mfactl::number::{PhoneNumber, RawNumber};
use mfactl::plan::summary::Summary;
use mfactl::policy::{self, PolicySet};
use mfactl::settings::change::{Change, Mandate, PolicyIndex, Stage};
use mfactl::settings::full_value::FullValue;
use mfactl::settings::kind::Removal;
use mfactl::settings::{Setting, SettingRule, Value, Values};
use mfactl::tenant::directory::{Attribute, User, UserIndex};
use mfactl::tenant::facts::{Facts, MethodKind, Methods, Phone, Read};
use mfactl::tenant::lookup::{Extra, UserFact};
use uuid::Uuid;

use crate::apply::unknown_results_promise::setting_of;
use crate::policies::meaning;
use crate::support::invented;
use crate::support::tiny_tenant::person;

const ME: UserId = UserId::from_uuid(Uuid::from_u128(1));
const NUMBER: &str = "+31 612345678";

/// The sample that has every key.
fn sample() -> PolicySet {
    let path = Path::new("tests/samples/valid/everything/mfactl.yaml");
    policy::load(path).unwrap_or_else(|faults| panic!("{:#?}", faults.findings))
}

fn rules(set: &PolicySet, setting: Setting) -> Vec<&SettingRule> {
    set.policies.iter().filter_map(|policy| policy.rules.managed(setting)).collect()
}

/// A user whose number is in every attribute that the sample names.
fn user(set: &PolicySet) -> User {
    let from = set.policies.iter().flat_map(|policy| policy.rules.attributes());
    let from: BTreeSet<Attribute> = from.collect();
    let attributes = from.into_iter().map(|attribute| (attribute, RawNumber::new(NUMBER)));
    User { attributes: attributes.collect(), ..person(1, "ann").0 }
}

/// What the sample wants for a setting, as values that a write can have: of several methods the first one.
fn values(setting: Setting) -> Vec<Value> {
    let set = sample();
    let user = user(&set);
    let mut values = Vec::new();
    for rule in rules(&set, setting) {
        assert_eq!(rule.setting(), setting);
        let value = match rule.wish(&user, Value::Nothing).value.expect("a value") {
            Value::Preference(methods) => Value::Default(methods.iter().next().expect("a method")),
            value => value,
        };
        if !values.contains(&value) {
            values.push(value);
        }
    }
    assert!(
        values.len() > 1,
        "{setting:?}: the sample needs rules that want two values: {values:?}"
    );
    values
}

/// Every change from one of these values to another.
fn changes(setting: Setting) -> Vec<Change> {
    let values = values(setting);
    let pairs = values.iter().flat_map(|before| values.iter().map(move |after| (*before, *after)));
    let pairs = pairs.filter(|(before, after)| before != after);
    pairs.map(|(before, after)| change(setting, before, after)).collect()
}

fn change(setting: Setting, before: Value, after: Value) -> Change {
    let (user, policy) = (UserIndex::new(0), PolicyIndex::FIRST);
    Change { user, setting, before, after, policy, mandate: Mandate::default() }
}

/// The facts of a user with three known phones and nothing else known.
fn with_phones() -> Facts {
    let number = PhoneNumber::from_graph(NUMBER).expect("a number");
    let phones =
        [MethodKind::MobilePhone, MethodKind::AlternateMobilePhone, MethodKind::OfficePhone];
    let methods = phones
        .into_iter()
        .fold(Methods::default(), |methods, kind| methods.with_phone(kind, Phone::Number(number)));
    Facts { methods: Read::Known(methods), ..Facts::NOT_READ }
}

#[test]
fn every_setting_has_a_sample_and_a_pair_of_meanings() {
    let set = sample();
    let pairs = meaning::pairs();
    for setting in Setting::ALL {
        assert!(!rules(&set, setting).is_empty(), "{setting:?}: no rule in the sample");
        let key = format!("desired.{}", setting.key());
        assert!(pairs.iter().any(|(pair, ..)| *pair == key), "{key}: no pair of meanings");
        let digests: BTreeSet<String> =
            rules(&set, setting).iter().map(|rule| rule.meaning().digest()).collect();
        assert!(digests.len() > 1, "{setting:?}: all rules mean the same");
        let words: BTreeSet<String> =
            rules(&set, setting).iter().map(ToString::to_string).collect();
        assert!(words.len() > 1, "{setting:?}: all rules print the same: {words:?}");
    }
    let keys: BTreeSet<&str> = Setting::ALL.iter().map(|setting| setting.key()).collect();
    let names: BTreeSet<&str> = Setting::ALL.iter().map(|setting| setting.name()).collect();
    assert_eq!((keys.len(), names.len()), (Setting::ALL.len(), Setting::ALL.len()));
}

#[test]
fn invented_policies_use_every_setting() {
    for setting in Setting::ALL {
        let key = setting.key();
        assert!(invented::uses(key), "`{key}` is missing in `KEYS` of support/invented/wanted.rs");
    }
}

#[test]
fn values_of_every_setting_survive_being_saved_and_applied() {
    for setting in Setting::ALL {
        let set = sample();
        let wanted = rules(&set, setting).into_iter().map(SettingRule::wanted);
        for value in values(setting).into_iter().chain(wanted) {
            let text = serde_json::to_string(&FullValue::from(value)).expect("a text");
            let read: FullValue = serde_json::from_str(&text).expect("a value");
            assert_eq!(Value::from(read), value, "{setting:?}: {text}");
        }
        for value in values(setting) {
            let facts = change(setting, Value::Nothing, value).applied_to(with_phones());
            let observed = Values::observed(&facts).get(setting);
            assert!(observed.meets(value), "{setting:?}: {value} is observed as {observed}");
        }
    }
}

#[test]
fn changes_of_every_setting_have_a_stage_and_a_count() {
    let mut stages = BTreeSet::new();
    for setting in Setting::ALL {
        for value in values(setting) {
            stages.insert(change(setting, Value::Nothing, value).stage());
            if setting.removal() == Removal::Written {
                let removed = change(setting, value, Value::Nothing);
                let mandate = Mandate { goes_last: true, ..removed.mandate };
                stages.extend([removed, Change { mandate, ..removed }].map(|one| one.stage()));
            }
        }
        for change in changes(setting) {
            stages.insert(change.stage());
            assert!(Stage::ALL.contains(&change.stage()), "{change:?}: never written");
            assert!(is_counted(&change), "{change:?}: in no count of the summary");
        }
    }
    let unused: Vec<&Stage> = Stage::ALL.iter().filter(|stage| !stages.contains(stage)).collect();
    // One number in the sample cannot replace another.
    let replaces = [Stage::ReplaceMobile, Stage::ReplaceAlternateMobile, Stage::ReplaceOffice];
    assert_eq!(unused, replaces.iter().collect::<Vec<_>>(), "stages of no setting");
    assert!(Stage::ALL.is_sorted(), "an apply goes through `ALL`, and the guard sorts");
    let places = Setting::ALL.map(|setting| setting as usize);
    assert!(places.into_iter().eq(0..Setting::ALL.len()), "`Values` has one place for each");
}

fn is_counted(change: &Change) -> bool {
    let Summary {
        users_changed: _,
        phones_to_add,
        phones_to_replace,
        phones_to_remove,
        mfa_begun,
        mfa_tightened,
        mfa_lowered,
        preferences_changed,
        withheld: _,
    } = Summary::of(&[], std::slice::from_ref(change), &[]);
    let phones = phones_to_add + phones_to_replace + phones_to_remove;
    phones + mfa_begun + mfa_tightened + mfa_lowered + preferences_changed == 1
}

#[test]
fn requests_of_every_setting_are_permitted_and_recognised() {
    for setting in Setting::ALL {
        for change in changes(setting) {
            let request = write::request(ME, &change);
            let request = request.unwrap_or_else(|| panic!("{change:?}: no request"));
            let need = Need::of(request.method.as_str(), &request.url);
            let need = need.unwrap_or_else(|| panic!("{}: no need", request.url));
            assert!(Need::to_write(setting).contains(&need), "{setting:?}: {need:?} is not named");
            assert!(!need.permissions().is_empty(), "{need:?}: no permission");
            assert_ne!(need.role(), "Global Reader", "{need:?}: a role that cannot write");
            let body = request.body.map_or_else(String::new, |body| body.to_string());
            assert_eq!(setting_of(&request.url, &body), Some(setting), "{} {body}", request.url);
        }
    }
}

#[test]
fn the_fact_of_every_setting_is_read_and_permitted() {
    let set = sample();
    for setting in Setting::ALL {
        let fact = setting.fact();
        assert!(UserFact::ALL.contains(&fact), "{fact:?} is missing in `UserFact::ALL`");
        assert!(Extra::ALL.wants(fact), "{fact:?} is missing in `Extra::ALL`");
        for rule in rules(&set, setting) {
            assert!(rule.extra().wants(fact), "{setting:?}: {fact:?} is not read for a rule");
        }
        let (path, need) = (path_of_fact(fact, ME), Need::to_read(fact));
        assert_eq!(Need::of("GET", &path), Some(need), "{path}");
        assert!(!need.permissions().is_empty(), "{need:?}: no permission");
        assert!(!need.permission().contains("Write"), "{need:?}: a permission to write");
        let always = Extra::default().wants(fact);
        assert_eq!(Need::OF_EVERY_PLAN.contains(&need), always, "{need:?}: is it always read?");
    }
}
