//! The meaning of files in the fingerprint of a plan: rewriting files without changing their meaning
//! keeps the fingerprint, and every key of both schemas changes it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use mfactl::plan::fingerprint::Fingerprint;
use mfactl::plan::pipeline;
use mfactl::policy::meaning::{Difference, Meaning};
use mfactl::policy::{self, PolicySet, schema};
use serde_json::{Value, json};

use crate::policies::spelled::Spelling;
use crate::support::tiny_tenant::Tenant;

/// A project and two policies that use every key of the schemas.
fn everything() -> (Value, Value) {
    let project = json!({
        "version": 1, "tenant": "sandbox", "cloud": "global", "credential": "auto",
        "policies": "policies",
        "breakGlass": {
            "users": [
                { "id": "00000000-0000-4000-8000-000000000001", "name": "bg1@x.y" },
                { "id": "00000000-0000-4000-8000-000000000002", "name": "bg2@x.y" },
            ],
            "groups": [{ "id": "00000000-0000-4000-8000-000000000064", "name": "Sales", "allowEmpty": false }],
            "former": [{ "id": "00000000-0000-4000-8000-000000000099", "name": "bg9@x.y" }],
            "minimum": 2,
        },
        "brakes": {
            "changedUsers": { "percent": 100, "floor": 1 },
            "weakenedUsers": { "percent": 100, "floor": 1 },
            "replacedNumbers": { "percent": 100, "floor": 1 },
        },
        "phoneDelivery": { "by": "microsoft", "until": "2027-02-01", "privilegedUntil": "2027-07-01" },
        "runs": {
            "keepNumbers": true,
            "store": "s3://runs/a",
            "restore": "s3://restore",
            "keepFor": "90d"
        },
        "quota": { "share": 50 },
        "disclose": "names",
        "numbers": { "compareWith": "inScope" },
        "endpoints": { "graph": "http://127.0.0.1:8080", "login": "http://127.0.0.1:8080" },
    });
    let other = json!({
        "appliesTo": { "groups": ["Finance", "Sales"], "users": ["ida@x.y", "jon@x.y"] },
        "priority": 900,
        "desired": { "perUserMfa": "enabled" },
    });
    let policies = json!({ "version": 1, "policies": { "p": {
        "description": "Everybody, # and: more", "mode": "enforce", "priority": 100,
        "appliesTo": {
            "everyone": true,
            "groups": ["Finance", { "id": "00000000-0000-4000-8000-000000000064", "name": "Sales" }],
            "roles": ["Global Administrator", "Global Reader"],
            "users": ["ida@x.y", "ann@x.y"],
        },
        "except": [
            {
                "groups": [{ "id": "00000000-0000-4000-8000-000000000066", "name": "Empty" }],
                "allowEmpty": true, "reason": "nobody's", "until": "2027-06-30",
            },
            { "users": [{ "id": "00000000-0000-4000-8000-000000000006", "name": "dan@x.y" }] },
            { "roles": ["Global Reader"] },
        ],
        "where": {
            "department": { "none": ["Legal", "IT"] }, "usageLocation": { "none": ["CN"] },
            "synced": [true, false], "userType": ["member", "guest"], "accountEnabled": true,
            "registered": { "none": ["passkey"] },
        },
        "desired": {
            "phones": {
                "mobile": {
                    "from": ["mobilePhone", "businessPhones"], "region": "NL",
                    "ifRegistered": "replace", "smsSignIn": "off",
                },
                "alternateMobile": { "from": "businessPhones", "region": "usageLocation", "ifRegistered": "keep" },
                "office": { "from": "extensionAttribute7", "region": "NL", "ifRegistered": "keep" },
            },
            "defaultMethod": ["push", "sms"], "systemPreferredMfa": true, "perUserMfa": "enabled",
        },
    }, "other": other }, "tenant": { "securityDefaults": "on" } });
    (project, policies)
}

/// Each key with its place in [`everything`] and a value with another meaning.
pub(crate) fn pairs() -> Vec<(&'static str, &'static str, Value)> {
    let uuid = |last: u8| format!("00000000-0000-4000-8000-0000000000{last:02x}");
    vec![
        ("tenant", "/tenant", json!("exchangelabs.nl")),
        ("tenant.securityDefaults", "/tenant/securityDefaults", json!("off")),
        ("cloud", "/cloud", json!("usGov")),
        ("credential", "/credential", json!("azureCli")),
        ("breakGlass", "/breakGlass/minimum", json!(1)),
        ("breakGlass.users", "/breakGlass/users/1/id", json!(uuid(3))),
        ("breakGlass.users.id", "/breakGlass/users/1/id", json!(uuid(3))),
        ("breakGlass.users.name", "/breakGlass/users/1/name", json!("bg3@x.y")),
        ("breakGlass.groups", "/breakGlass/groups/0/id", json!(uuid(0x65))),
        ("breakGlass.groups.id", "/breakGlass/groups/0/id", json!(uuid(0x65))),
        ("breakGlass.groups.name", "/breakGlass/groups/0/name", json!("Sale")),
        ("breakGlass.groups.allowEmpty", "/breakGlass/groups/0/allowEmpty", json!(true)),
        ("breakGlass.former", "/breakGlass/former/0/id", json!(uuid(0x98))),
        ("breakGlass.former.id", "/breakGlass/former/0/id", json!(uuid(0x98))),
        ("breakGlass.former.name", "/breakGlass/former/0/name", json!("bg8@x.y")),
        ("breakGlass.minimum", "/breakGlass/minimum", json!(1)),
        ("brakes", "/brakes/changedUsers/floor", json!(2)),
        ("brakes.changedUsers", "/brakes/changedUsers/floor", json!(2)),
        ("brakes.changedUsers.percent", "/brakes/changedUsers/percent", json!(99)),
        ("brakes.changedUsers.floor", "/brakes/changedUsers/floor", json!(2)),
        ("brakes.weakenedUsers", "/brakes/weakenedUsers/floor", json!(2)),
        ("brakes.weakenedUsers.percent", "/brakes/weakenedUsers/percent", json!(99)),
        ("brakes.weakenedUsers.floor", "/brakes/weakenedUsers/floor", json!(2)),
        ("brakes.replacedNumbers", "/brakes/replacedNumbers/floor", json!(2)),
        ("brakes.replacedNumbers.percent", "/brakes/replacedNumbers/percent", json!(99)),
        ("brakes.replacedNumbers.floor", "/brakes/replacedNumbers/floor", json!(2)),
        ("phoneDelivery", "/phoneDelivery", json!({ "by": "ownProvider" })),
        ("phoneDelivery.by", "/phoneDelivery", json!({ "by": "ownProvider" })),
        ("phoneDelivery.until", "/phoneDelivery/until", json!("2027-03-01")),
        ("phoneDelivery.privilegedUntil", "/phoneDelivery/privilegedUntil", json!("2027-08-01")),
        ("runs", "/runs/keepNumbers", json!(false)),
        ("runs.keepNumbers", "/runs/keepNumbers", json!(false)),
        ("runs.store", "/runs/store", json!("s3://runs/b")),
        ("runs.restore", "/runs/restore", json!("s3://other")),
        ("runs.keepFor", "/runs/keepFor", json!("30d")),
        ("quota", "/quota/share", json!(51)),
        ("disclose", "/disclose", json!("counts")),
        ("numbers", "/numbers/compareWith", json!("everyone")),
        ("numbers.compareWith", "/numbers/compareWith", json!("everyone")),
        ("quota.share", "/quota/share", json!(51)),
        ("endpoints", "/endpoints/graph", json!("http://127.0.0.1:8081")),
        ("endpoints.graph", "/endpoints/graph", json!("http://127.0.0.1:8081")),
        ("endpoints.login", "/endpoints/login", json!("http://127.0.0.1:8081")),
        ("description", "/description", json!("Nobody")),
        ("mode", "/mode", json!("report")),
        ("priority", "/priority", json!(101)),
        ("appliesTo", "/appliesTo", json!({ "everyone": true })),
        ("appliesTo.everyone", "/appliesTo/everyone", json!(false)),
        ("appliesTo.groups", "/appliesTo/groups", json!(["Finance"])),
        ("appliesTo.groups.id", "/appliesTo/groups/1/id", json!(uuid(0x65))),
        ("appliesTo.groups.name", "/appliesTo/groups/1/name", json!("Sale")),
        ("appliesTo.roles", "/appliesTo/roles", json!(["Global Reader"])),
        ("appliesTo.users", "/appliesTo/users", json!(["ida@x.y"])),
        ("except", "/except", json!([{ "roles": ["Global Reader"] }])),
        ("except.groups", "/except/0/groups/0/id", json!(uuid(0x65))),
        ("except.groups.id", "/except/0/groups/0/id", json!(uuid(0x65))),
        ("except.groups.name", "/except/0/groups/0/name", json!("Emptied")),
        ("except.users", "/except/1/users/0/id", json!(uuid(7))),
        ("except.users.id", "/except/1/users/0/id", json!(uuid(7))),
        ("except.users.name", "/except/1/users/0/name", json!("don@x.y")),
        ("except.roles", "/except/2/roles", json!(["Global Administrator"])),
        ("except.reason", "/except/0/reason", json!("somebody's")),
        ("except.until", "/except/0/until", json!("2027-07-01")),
        ("except.allowEmpty", "/except/0/allowEmpty", json!(false)),
        ("where", "/where", json!({ "synced": true })),
        ("where.department", "/where/department", json!("Legal")),
        ("where.department.any", "/where/department", json!({ "any": ["Legal", "IT"] })),
        ("where.department.none", "/where/department/none", json!(["Legal"])),
        ("where.usageLocation", "/where/usageLocation", json!("CN")),
        ("where.usageLocation.any", "/where/usageLocation", json!({ "any": ["CN"] })),
        ("where.usageLocation.none", "/where/usageLocation/none", json!(["DE"])),
        ("where.synced", "/where/synced", json!(true)),
        ("where.synced.any", "/where/synced", json!({ "any": [true] })),
        ("where.synced.none", "/where/synced", json!({ "none": [true] })),
        ("where.userType", "/where/userType", json!("guest")),
        ("where.userType.any", "/where/userType", json!({ "any": ["guest"] })),
        ("where.userType.none", "/where/userType", json!({ "none": ["guest"] })),
        ("where.accountEnabled", "/where/accountEnabled", json!("any")),
        ("where.accountEnabled.any", "/where/accountEnabled", json!({ "any": [false] })),
        ("where.accountEnabled.none", "/where/accountEnabled", json!({ "none": [true] })),
        ("where.registered", "/where/registered", json!("passkey")),
        ("where.registered.any", "/where/registered", json!({ "any": ["passkey"] })),
        ("where.registered.none", "/where/registered/none", json!(["email"])),
        ("desired", "/desired", json!({ "perUserMfa": "enabled" })),
        ("desired.phones", "/desired/phones", json!({ "mobile": "absent" })),
        ("desired.phones.mobile", "/desired/phones/mobile", json!("absent")),
        (
            "desired.phones.mobile.from",
            "/desired/phones/mobile/from",
            json!(["businessPhones", "mobilePhone"]),
        ),
        ("desired.phones.mobile.region", "/desired/phones/mobile/region", json!("usageLocation")),
        (
            "desired.phones.mobile.ifRegistered",
            "/desired/phones/mobile/ifRegistered",
            json!("keep"),
        ),
        ("desired.phones.mobile.smsSignIn", "/desired/phones/mobile/smsSignIn", json!("on")),
        ("desired.phones.alternateMobile", "/desired/phones/alternateMobile", json!("unmanaged")),
        (
            "desired.phones.alternateMobile.from",
            "/desired/phones/alternateMobile/from",
            json!("mobilePhone"),
        ),
        (
            "desired.phones.alternateMobile.region",
            "/desired/phones/alternateMobile/region",
            json!("BE"),
        ),
        (
            "desired.phones.alternateMobile.ifRegistered",
            "/desired/phones/alternateMobile/ifRegistered",
            json!("replace"),
        ),
        ("desired.phones.office", "/desired/phones/office", json!("absent")),
        ("desired.phones.office.from", "/desired/phones/office/from", json!("mobilePhone")),
        ("desired.phones.office.region", "/desired/phones/office/region", json!("BE")),
        (
            "desired.phones.office.ifRegistered",
            "/desired/phones/office/ifRegistered",
            json!("replace"),
        ),
        ("desired.defaultMethod", "/desired/defaultMethod", json!(["sms", "push"])),
        ("desired.defaultMethod.exactly", "/desired/defaultMethod", json!({ "exactly": "sms" })),
        ("desired.systemPreferredMfa", "/desired/systemPreferredMfa", json!("unmanaged")),
        (
            "desired.systemPreferredMfa.exactly",
            "/desired/systemPreferredMfa",
            json!({ "exactly": true }),
        ),
        ("desired.perUserMfa", "/desired/perUserMfa", json!("disabled")),
    ]
}

/// Keys that do not affect desired values: the version of the format, and the places of policies.
const MEANINGLESS: [&str; 3] = ["version", "policies", "policiesOutside"];

/// Loads a folder with these files: `mfactl.yaml` and files under `policies`.
fn read(files: &[(&str, String)]) -> PolicySet {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("policies")).expect("a folder");
    for (path, text) in files {
        fs::write(folder.path().join(path), text).expect("a file");
    }
    policy::load(&folder.path().join("mfactl.yaml")).unwrap_or_else(|faults| {
        panic!("{:#?}\n{files:?}", faults.findings);
    })
}

fn plainly(project: &Value, policies: &Value) -> PolicySet {
    read(&[("mfactl.yaml", project.to_string()), ("policies/a.yaml", policies.to_string())])
}

/// The fingerprint of the plan of a small tenant.
fn fingerprint(set: &PolicySet) -> Fingerprint {
    let observed = Tenant::new().seen(set).expect("policies that resolve");
    Fingerprint::of(&pipeline::plan(set, observed).only_concerned(), None)
}

/// Collects the keys of a schema as paths. Entries of lists and maps have no key.
fn keys(schema: &Value, root: &Value, path: &str, found: &mut BTreeSet<String>) {
    let reference = schema["$ref"].as_str().and_then(|text| text.strip_prefix("#"));
    if let Some(target) = reference.and_then(|pointer| root.pointer(pointer)) {
        keys(target, root, path, found);
    }
    for part in ["anyOf", "oneOf", "allOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            keys(one, root, path, found);
        }
    }
    for part in ["items", "additionalProperties"].map(|part| &schema[part]) {
        if part.is_object() {
            keys(part, root, path, found);
        }
    }
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        found.insert(path.clone());
        keys(value, root, &path, found);
    }
}

#[test]
fn every_key_of_the_schemas_changes_the_meaning() {
    let mut all = BTreeSet::new();
    let (mfactl, policies) = (schema::mfactl(), schema::policy());
    keys(&mfactl, &mfactl, "", &mut all);
    let mut of_policies = BTreeSet::new();
    keys(&policies, &policies, "", &mut of_policies);
    all.extend(of_policies.iter().map(|key| key.replacen("policies.", "", 1)));
    all.retain(|key| !MEANINGLESS.contains(&key.as_str()));
    let tried: BTreeSet<String> = pairs().iter().map(|(key, ..)| (*key).to_owned()).collect();
    assert_eq!(tried, all, "each key of the schemas needs a pair of values here");

    let (project, policies) = everything();
    let before = Meaning::of(&plainly(&project, &policies));
    for (key, pointer, other) in pairs() {
        let (mut project, mut policies) = (project.clone(), policies.clone());
        let in_policy = format!("/policies/p{pointer}");
        let (place, expected) = match project.pointer_mut(pointer) {
            Some(place) => {
                let top = key.split('.').next().expect("a key").to_owned();
                (place, Difference::Project(top))
            }
            None if key.starts_with("tenant.") => {
                let place = policies.pointer_mut(pointer).expect(pointer);
                (place, Difference::Object(key.to_owned()))
            }
            None => {
                let place = policies.pointer_mut(&in_policy).expect(pointer);
                (place, Difference::Changed("p".to_owned()))
            }
        };
        assert_ne!(*place, other, "{key}");
        *place = other;
        let after = Meaning::of(&plainly(&project, &policies));
        assert_eq!(before.differences(&after), [expected], "{key}");
    }
}

#[test]
fn differences_of_two_meanings_name_the_policy() {
    let (project, mut policies) = everything();
    let before = Meaning::of(&plainly(&project, &policies));
    assert_eq!(before.differences(&before), []);
    let other = policies["policies"].as_object_mut().expect("a map").remove("other");
    policies["policies"]["another"] = other.expect("a policy");
    let after = Meaning::of(&plainly(&project, &policies));
    let named = |name: &str| name.to_owned();
    let differences = [Difference::Added(named("another")), Difference::Removed(named("other"))];
    assert_eq!(before.differences(&after), differences);
}

/// Rewrites comments, line endings, byte order marks, quotes, flow style, and the order of keys and files.
#[test]
fn rewriting_files_changes_no_fingerprint() {
    rewriting_changes_no_fingerprint(24);
}

#[test]
#[ignore = "long: 150 spellings, where the quick test has 24"]
fn rewriting_files_in_many_ways_changes_no_fingerprint() {
    rewriting_changes_no_fingerprint(150);
}

/// Rewrites the files in so many ways.
fn rewriting_changes_no_fingerprint(ways: usize) {
    let (mut project, policies) = everything();
    // An empty group, so that no user of the small tenant is a break-glass account.
    project["breakGlass"]["groups"] =
        json!([{ "id": "00000000-0000-4000-8000-000000000066", "allowEmpty": true }]);
    let plain = plainly(&project, &policies);
    let (meaning, named) = (Meaning::of(&plain), fingerprint(&plain));
    let mut spellings = BTreeSet::new();
    for seed in 0..ways as u64 {
        let mut spelling = Spelling::new(seed);
        let one =
            |name: &str| json!({ "version": 1, "policies": { name: policies["policies"][name] } });
        let (mut first, second) = (one("p"), one("other"));
        first["tenant"] = policies["tenant"].clone();
        let files = match seed % 3 {
            0 => vec![("policies/a.yaml", spelling.write(&policies))],
            1 => vec![
                ("policies/a.yaml", spelling.write(&first)),
                ("policies/b.yml", spelling.write(&second)),
            ],
            _ => vec![
                ("policies/z.yaml", spelling.write(&first)),
                ("policies/b.yaml", spelling.write(&second)),
            ],
        };
        let project = [("mfactl.yaml", spelling.write(&project))];
        let files: Vec<(&str, String)> = project.into_iter().chain(files).collect();
        let set = read(&files);
        assert_eq!(Meaning::of(&set), meaning, "{seed}: {files:#?}");
        assert_eq!(fingerprint(&set), named, "{seed}: {files:#?}");
        spellings.extend(files.into_iter().map(|(_, text)| text));
    }
    assert!(spellings.len() > 2 * ways, "{} spellings", spellings.len());
}

/// Defaults that are written out, and other spellings of the same value.
#[test]
fn explicit_defaults_mean_the_same_as_missing_keys() {
    let (project, policies) = everything();
    let lean = json!({
        "version": 1, "tenant": "sandbox", "policies": "policies",
        "breakGlass": { "users": project["breakGlass"]["users"] },
    });
    let mut full = lean.clone();
    for (key, value) in [
        ("cloud", json!("global")),
        ("credential", json!("auto")),
        ("runs", json!({ "keepNumbers": true })),
        ("quota", json!({ "share": 100 })),
        ("numbers", json!({ "compareWith": "inScope" })),
        ("brakes", json!({ "changedUsers": { "percent": 30, "floor": 10 } })),
        ("phoneDelivery", project["phoneDelivery"].clone()),
        ("policies", json!("./policies")),
    ] {
        full[key] = value;
    }
    assert_eq!(Meaning::of(&plainly(&lean, &policies)), Meaning::of(&plainly(&full, &policies)));
    let policy = |block: Value| {
        Meaning::of(&plainly(&lean, &json!({ "version": 1, "policies": { "p": block } })))
    };
    let same: BTreeMap<&str, Value> = BTreeMap::from([
        ("mode", json!("enforce")),
        ("priority", json!(1000)),
        ("where", json!({ "userType": "member", "accountEnabled": [true] })),
    ]);
    let mut block = json!({
        "appliesTo": { "users": ["a@x.y", "b@x.y"] },
        "desired": { "phones": { "mobile": { "from": "mobilePhone" } } },
    });
    let short = policy(block.clone());
    for (key, value) in same {
        block[key] = value;
    }
    block["appliesTo"] = json!({ "everyone": false, "users": ["b@x.y", "a@x.y"] });
    let source =
        json!({ "from": ["mobilePhone"], "region": "usageLocation", "ifRegistered": "keep" });
    block["desired"]["phones"]["mobile"] = source;
    assert_eq!(short, policy(block));
}

/// Two paths to one file.
#[test]
fn names_of_files_do_not_depend_on_the_path_to_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("tenants/one");
    fs::create_dir_all(inside.join("rules/more")).expect("folders");
    let (mut project, policies) = everything();
    project["policies"] = json!("./rules");
    fs::write(inside.join("mfactl.yaml"), project.to_string()).expect("a file");
    fs::write(inside.join("rules/more/a.yaml"), policies.to_string()).expect("a file");
    let names = |config: &Path| {
        let set = policy::load(config).expect("files without faults");
        set.sources.iter().map(|(_, source)| source.name.clone()).collect::<Vec<_>>()
    };
    let expected = ["mfactl.yaml", "rules/more/a.yaml"];
    assert_eq!(names(&inside.join("mfactl.yaml")), expected);
    assert_eq!(names(&folder.path().join("./tenants/../tenants/one/mfactl.yaml")), expected);
}
