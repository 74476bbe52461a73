//! Invented tenants and policies, from pools so small that everything meets everything.

mod wanted;
mod written;

use std::fmt;

use jiff::civil::{Date, date};
use mfactl_sandbox::seeds;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use wanted::Policy;
pub(crate) use wanted::uses;

/// In the directory: good ones in several writings, and every kind of bad one.
const DIRECTORY_NUMBERS: &[Option<&str>] = &[
    None,
    Some("+31 6 12345678"),
    Some("+31 6 12345678"),
    Some("+31 612345679"),
    Some("+31 (0)6 56789012"),
    Some("+32 470 12 34 56"),
    Some("06 23456789"),
    Some("0031 6 34567890"),
    Some("+31 0031 6 45678901"),
    Some("+31 20 1234567"),
    Some("+31 6 1234567"),
    Some("+1 206 555 0123"),
    Some("+31 6 ******78"),
    Some("n.v.t."),
];

/// Registered: good, another, a digit short, a fixed line, hidden.
const REGISTERED: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    None,
    Some("+31 612345678"),
    Some("+32 471234567"),
    Some("+31 62739405"),
    Some("+31 201234570"),
    Some("+XX XXXXXXXXX78"),
];

/// Registered in a place that is called: good ones, some of which others have too, and bad ones.
const CALLED: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    Some("+31 201234571"),
    Some("+31 612345678"),
    Some("+31 612345679"),
    Some("+31 62739"),
    Some("+XX XXXXXXXXX71"),
];

/// In the directory, in attributes of their own.
const ELSEWHERE: &[Option<&str>] = &[
    None,
    None,
    Some("+31 20 1234571"),
    Some("+31 6 12345679"),
    Some("+31 6 56789012"),
    Some("020 1234572"),
    Some("+31 20 1234573 x12"),
    Some("+31 6 123"),
];

/// Asked for first, where they have it.
const DEFAULTS: &[Option<&str>] = &[
    None,
    Some("sms"),
    Some("sms"),
    Some("voiceMobile"),
    Some("voiceAlternateMobile"),
    Some("voiceOffice"),
    Some("push"),
    Some("oath"),
];

const OTHER_METHODS: &[&str] = &[
    "microsoftAuthenticator",
    "softwareOath",
    "fido2",
    "windowsHelloForBusiness",
    "platformCredential",
    "temporaryAccessPass",
    "temporaryAccessPass/used",
    "external",
    "external/second",
    "email",
    "qrCodePin",
    "x509Certificate",
];

/// The external method that the seeds allow.
const EXTERNAL_METHOD: &str = "5c9a1b6e-74d2-4e08-a3f1-d8b06e25c947";

/// A second external method.
const SECOND_EXTERNAL: &str = "5c9a1b6e-74d2-4e08-a3f1-d8b06e25c948";

/// What the tenant does not allow, whatever its seed says.
const SWITCHES: &[&str] =
    &["Sms", "Voice", "MicrosoftAuthenticator", "Fido2", EXTERNAL_METHOD, SECOND_EXTERNAL];

#[derive(Clone)]
pub(crate) struct Person {
    directory: Option<&'static str>,
    location: Option<&'static str>,
    kind: &'static str,
    state: &'static str,
    /// `businessPhones` and `extensionAttribute7`.
    attributes: [Option<&'static str>; 2],
    mobile: Option<&'static str>,
    alternate: Option<&'static str>,
    office: Option<&'static str>,
    methods: Vec<&'static str>,
    default: Option<&'static str>,
    system_preferred: bool,
    /// SMS sign-in is switched off, if the tenant allows it for the user.
    refuses_texts: bool,
    role: Option<Role>,
    in_staff: bool,
    in_nested: bool,
    in_pilot: bool,
}

/// One line of what is not as with anybody: a failing tenant is read by somebody.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = (self.in_staff, self.in_nested, self.in_pilot);
        write!(f, "{} {} in {:?} {groups:?}", self.kind, self.state, self.location)?;
        let directory = (self.directory, self.attributes);
        write!(f, " directory {directory:?} methods {:?}", self.methods)?;
        write!(f, " phones {:?}", (self.mobile, self.alternate, self.office))?;
        let prefers = (self.default, self.system_preferred, self.refuses_texts);
        write!(f, " prefers {prefers:?} role {:?}", self.role)
    }
}

/// How somebody is a Global Administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Active,
    Eligible,
}

/// A tenant, and policies for it. The first two people are the break-glass accounts.
#[derive(Debug, Clone)]
pub(crate) struct Invented {
    people: Vec<Person>,
    policies: Vec<Policy>,
    variant: &'static str,
    switched_off: Vec<&'static str>,
    sms_sign_in: Option<SmsSignIn>,
    /// Everybody in `MFA Pilot` is a Global Administrator.
    pilots_rule: bool,
    today: Option<Date>,
}

/// The users that the tenant allows SMS sign-in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SmsSignIn {
    Everybody,
    Pilots,
}

const PEOPLE: usize = 9;

fn person() -> impl Strategy<Value = Person> {
    let kinds = &[
        "member",
        "member",
        "member",
        "member",
        "member",
        "member",
        "guest",
        "elsewhere",
        "disabled",
    ];
    let about = (
        select(DIRECTORY_NUMBERS),
        select(&[Some("NL"), Some("NL"), Some("US"), None][..]),
        select(&kinds[..]),
        select(&["disabled", "disabled", "enabled", "enforced"][..]),
    );
    let phones =
        (select(REGISTERED), select(CALLED), select(CALLED), select(ELSEWHERE), select(ELSEWHERE));
    let prefers = (select(DEFAULTS), prop::bool::weighted(0.3), prop::bool::weighted(0.3));
    let has = (subsequence(OTHER_METHODS, 0..3), select(ROLES));
    let is_in = (prop::bool::weighted(0.7), any::<bool>(), any::<bool>());
    (about, phones, prefers, has, is_in).prop_map(
        |(
            (directory, location, kind, state),
            (mobile, alternate, office, business, extension),
            (default, system_preferred, refuses_texts),
            (methods, role),
            (in_staff, in_nested, in_pilot),
        )| Person {
            directory,
            location,
            kind,
            state,
            attributes: [business, extension],
            mobile,
            alternate: alternate.filter(|_| mobile.is_some()),
            office,
            methods,
            default,
            system_preferred,
            refuses_texts,
            role,
            in_staff,
            in_nested,
            in_pilot,
        },
    )
}

const ROLES: &[Option<Role>] =
    &[None, None, None, None, None, None, None, None, Some(Role::Active), Some(Role::Eligible)];

/// Before phones are no longer delivered to, between the two days, and after.
const DAYS: &[Option<Date>] = &[
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    Some(date(2027, 3, 1)),
    Some(date(2027, 8, 1)),
];

const TEXTS: &[Option<SmsSignIn>] =
    &[None, None, None, None, Some(SmsSignIn::Everybody), Some(SmsSignIn::Pilots)];

pub(crate) fn invented() -> impl Strategy<Value = Invented> {
    let people = prop::collection::vec(person(), PEOPLE);
    let policies = prop::collection::vec(wanted::policy(), 1..5);
    let variants = [&["exchangelabs"; 4][..], seeds::names()].concat();
    let switches = subsequence(SWITCHES, 0..3);
    let tenant = (select(variants), switches, select(TEXTS), any::<u8>(), select(DAYS));
    (people, policies, tenant).prop_map(
        |(people, policies, (variant, switched_off, sms_sign_in, luck, today))| Invented {
            people,
            policies,
            variant,
            switched_off,
            sms_sign_in,
            pilots_rule: luck < 20,
            today,
        },
    )
}
