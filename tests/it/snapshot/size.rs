//! A snapshot of a million users: its size, and that it is read as it was written.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;

use jiff::Timestamp;
use mfactl::entra::tenant_rules::ConfiguredRules;
use mfactl::id::{GroupId, TenantId, UserId};
use mfactl::number::{PhoneNumber, RawNumber, Region};
use mfactl::snapshot::pseudonym::{PersonSalt, RecordingKey};
use mfactl::snapshot::{AboutSnapshot, NamedInFiles, RecordedGroups, Recording, read, write};
use mfactl::tenant::demand::MfaRules;
use mfactl::tenant::directory::{Account, Attribute, Country, Directory, Group, Identity, User};
use mfactl::tenant::domains::{Domains, SignsIn};
use mfactl::tenant::facts::{Facts, MethodKind, Methods, MfaState, Read};
use mfactl::tenant::lookup::Lookup;
use mfactl::tenant::membership::Guarding;
use mfactl::tenant::method_policy::Settings;
use mfactl::tenant::roles::Roles;
use uuid::Uuid;

const DEPARTMENTS: [&str; 6] = ["Sales", "Finance", "IT", "Marketing", "Legal", "Operations"];

/// A number without a pattern (splitmix64).
const fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn id(place: u32) -> UserId {
    let high = mixed(u64::from(place));
    UserId::from_uuid(Uuid::from_u64_pair(high, mixed(high)))
}

fn number(place: u32) -> String {
    format!("+31 6 {:08}", 10_000_000 + place)
}

fn user(place: u32) -> User {
    User {
        id: id(place),
        name: format!("user{place:07}@exchangelabs.nl").into(),
        account: Account { enabled: !place.is_multiple_of(20), ..Account::default() },
        usage_location: Region::new("NL"),
        country: Country::Known(Region::new("NL").expect("a country")),
        department: DEPARTMENTS.get(place as usize % 6).map(|name| (*name).into()),
        attributes: [(Attribute::MobilePhone, RawNumber::new(number(place)))].into(),
    }
}

fn facts(user: &User) -> Facts {
    let place: u32 = user.name.raw()[4..11].parse().expect("a place");
    let methods = match place % 3 {
        0 => Methods::default(),
        one => {
            let registered = Methods::default()
                .with_mobile(PhoneNumber::from_graph(&number(place)).expect("a number"));
            let kinds = match one {
                1 => registered.kinds,
                _ => registered.kinds.with(MethodKind::Authenticator),
            };
            Methods { kinds, ..registered }
        }
    };
    Facts {
        methods: Read::Known(methods),
        state: Read::Known(MfaState::Enabled),
        ..Facts::NOT_READ
    }
}

/// Each user is in five of 200 groups.
fn groups(users: u32) -> Vec<(Group, Vec<UserId>)> {
    let group = |number: u32| Group {
        id: GroupId::from_uuid(Uuid::from_u128(u128::from(number) + 1)),
        name: format!("Group {number}").into(),
        is_security: true,
        is_role_assignable: false,
        is_dynamic: false,
    };
    let is_in = |number: u32| {
        move |place: &u32| mixed((u64::from(*place) << 8) | u64::from(number)).is_multiple_of(40)
    };
    (0..200)
        .map(|number| (group(number), (0..users).filter(is_in(number)).map(id).collect()))
        .collect()
}

fn written(users: u32) -> (u64, usize) {
    let directory = Directory::new((0..users).map(user), groups(users));
    let about = AboutSnapshot {
        tenant: Identity {
            id: TenantId::from_uuid(Uuid::from_u128(1)),
            domain: "exchangelabs.nl".into(),
        },
        cloud: "global".to_owned(),
        made: Timestamp::now(),
        day: None,
        sandbox: false,
        groups: RecordedGroups::All,
        names: false,
        regions: BTreeSet::new(),
    };
    let rules = ConfiguredRules {
        rules: MfaRules {
            conditional_access: Read::Known(Vec::new()),
            security_defaults: Read::Known(false),
            domains: Domains::new([("exchangelabs.nl".to_owned(), SignsIn::Here)]),
            public_cloud: true,
        },
        settings: Read::Known(Settings::default()),
        groups: BTreeMap::new(),
    };
    let recording = Recording {
        about,
        directory: &directory,
        facts: &facts,
        roles: &Read::Known(Roles::default()),
        rules: &rules,
        guarded: &Guarding::default(),
        named: &NamedInFiles::default(),
        key: &RecordingKey::new(b"a secret of 25 characters", false),
        salt: PersonSalt(Uuid::from_u128(7)),
    };
    let file = tempfile::NamedTempFile::new().expect("a file");
    write(&recording, &mut BufWriter::new(file.as_file())).expect("a disk");
    let bytes = File::open(file.path()).and_then(|file| file.metadata()).expect("a file").len();
    let snapshot = read(file.path()).expect("a snapshot");
    let everyone = Lookup { everyone: true, ..Lookup::default() };
    (bytes, snapshot.directory(&everyone, &BTreeSet::new()).len())
}

#[test]
#[ignore = "long: a million users"]
fn a_million_users_fit_100_megabytes() {
    let (bytes, read) = written(1_000_000);
    println!("{bytes} bytes");
    assert_eq!(read, 1_000_000);
    assert!(bytes < 100_000_000, "{bytes} bytes");
}

#[test]
fn thousands_of_users_take_less_than_100_bytes_each() {
    let (bytes, read) = written(3_000);
    assert_eq!(read, 3_000);
    assert!(bytes < 300_000, "{bytes} bytes");
}
