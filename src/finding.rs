//! A finding: something reported about a user, a policy or the tenant, with a stable code, one
//! sentence and a place.
//!
//! Not here: how a finding is shown (`render`), or when one is reported (the module that finds it).

use std::fmt;

use crate::id::UserId;
use crate::source::Origin;
use crate::untrusted::{Words, label};

/// How much a finding matters. Errors stop the plan (exit code 3).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

macro_rules! codes {
    ($($name:ident $text:literal $severity:ident $about:literal),+ $(,)?) => {
        /// The stable code of a kind of finding.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum Code {
            $(#[doc = $about] #[serde(rename = $text)] $name),+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the code as printed: kebab-case, never changed once published.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }

            /// Returns the sentence for the table in the documentation.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about),+ }
            }
        }
    };
}

codes! {
    // Files.
    InvalidYaml "invalid-yaml" Error "The file is not YAML that mfactl reads",
    FileUnreadable "file-unreadable" Error "A file could not be read",
    FileOutside "file-outside" Error "A link or a folder leads out of the repository, or to a file that is not a policy; with `--guards-from`, any link",
    GuardsDiffer "guards-differ" Error "A key of `mfactl.yaml` differs from the trusted file of `--guards-from`",
    UnknownKey "unknown-key" Error "The key is unknown in this place",
    EmptyKey "empty-key" Error "A key has no value",
    MissingKey "missing-key" Error "A required key is missing",
    DuplicateKey "duplicate-key" Error "A map contains the same key twice",
    WrongType "wrong-type" Error "A value has the wrong type, such as a map instead of a string",
    UnknownValue "unknown-value" Error "A value is not one of the possible values",
    UnsupportedVersion "unsupported-version" Error "This program does not support the `version` of the file",
    InvalidId "invalid-id" Error "An object id is not valid",
    InvalidEndpoint "invalid-endpoint" Error "An endpoint is not a URL, or uses plain http to another machine",
    HiddenCharacter "hidden-character" Error "A name or another value contains an invisible character, or one that changes how other characters are shown",
    // Checks.
    CheckFailed "check-failed" Error "A check of the policies fails: a person becomes something else than the check expects",
    SignInDiffers "sign-in-differs" Error "The sandbox judges the sign-in of an invented person differently from the plan",
    GroupNotNamed "group-not-named" Error "An invented person is in a group that no policy and no check names",
    RoleNotNamed "role-not-named" Warning "An invented person has a role that no policy names, with a name similar to that of another role",
    NoChecks "no-checks" Error "There is no file with checks",
    // Policies.
    PolicyName "policy-name" Error "A policy name is too long, or has characters other than letters, digits, `-`, `_`, `.` and spaces",
    DuplicatePolicy "duplicate-policy" Error "Two policies have the same name",
    DuplicateObject "duplicate-object" Error "Two entries manage the same object of the tenant",
    NoPolicies "no-policies" Error "The policies folder contains no policy",
    NobodyNamed "nobody-named" Error "A policy applies to no user: `appliesTo` names none, or no user can match `where`",
    NothingDesired "nothing-desired" Error "The `desired` of a policy sets nothing",
    PolicyUnstable "policy-unstable" Error "The changes of a plan would change what the policies want: `where.registered` must not depend on what a policy does",
    PolicyConflict "policy-conflict" Error "Two policies of the same priority want different values for the same user",
    // Names against the tenant.
    GroupNotFound "group-not-found" Error "No security group has this name or id",
    GroupAmbiguous "group-ambiguous" Error "Several security groups have this name",
    GroupUnreadable "group-unreadable" Error "A group named in `appliesTo` could not be read completely",
    RoleNotFound "role-not-found" Error "No directory role has this name or template id",
    RoleUnreadable "role-unreadable" Error "A policy names a directory role, but the roles could not be read",
    RoleEligibilityUnknown "role-eligibility-unknown" Warning "The users who may activate a directory role could not be read, so a policy that names the role applies only to users who hold it now",
    UserNotFound "user-not-found" Warning "A user named in `appliesTo` does not exist",
    SnapshotLacks "snapshot-lacks" Warning "The snapshot does not have something that the files name, so it is unknown",
    UserLeftOut "user-left-out" Note "A user is named in `appliesTo`, but the policy excludes them",
    AttributeMissing "attribute-missing" Note "A policy does not apply to the user, because the directory lacks an attribute that `where` tests",
    GuardUnresolved "guard-unresolved" Error "A break-glass entry or an exception could not be resolved or could not be read completely",
    GuardGroupUnprotected "guard-group-unprotected" Warning "A group decides which users are never written or are excluded, and many admins can change its members",
    ExceptionEmpty "exception-empty" Error "An excluded group has no members, and `allowEmpty: true` is not set",
    ExceptionOver "exception-over" Warning "An exception has expired and no longer counts",
    MembershipUnsettled "membership-unsettled" Note "The directory and its index disagree about the members of a group that excludes users or that the rules of the tenant name, so mfactl assumes the worse case for these users",
    NameDiffers "name-differs" Warning "The name next to an id differs from the name in the tenant; the id decides",
    BreakGlassMinimum "break-glass-minimum" Error "There are fewer enabled break-glass accounts than `minimum`",
    BreakGlassEmpty "break-glass-empty" Error "A break-glass group has no members, and `allowEmpty: true` is not set",
    BreakGlassLost "break-glass-lost" Error "A break-glass group lost accounts since the last apply, and the files do not say that this is intended",
    BreakGlassFormer "break-glass-former" Warning "An account is listed as a former break-glass account, but still is one",
    // Numbers.
    NoNumberInDirectory "no-number-in-directory" Note "The directory holds no number for the user",
    NumberInvalid "number-invalid" Warning "A number in the directory cannot be parsed or is not possible",
    NumberRegionUnknown "number-region-unknown" Warning "A number is in national format, and nothing says which country it belongs to",
    NumberRegionConflict "number-region-conflict" Warning "A number is in national format, and `usageLocation` and `country` turn it into two different numbers",
    CountryUnread "country-unread" Note "A number is in national format, and mfactl does not know the `country` of the user",
    NumbersNotCompared "numbers-not-compared" Note "Registered phone numbers are replaced, and mfactl did not check whether users outside the policies have the new numbers",
    NumberNotSmsCapable "number-not-sms-capable" Warning "The line of a number does not receive text messages",
    NumberShared "number-shared" Warning "A number is already registered for another user, or is wanted for several users",
    NumberKept "number-kept" Note "The registered number differs from the one in the directory, and is kept",
    SmsSignInSideEffect "sms-sign-in-side-effect" Warning "A mobile phone is not registered, because that could switch SMS sign-in on for the user",
    PhoneWithheld "phone-withheld" Warning "A phone is not registered, because something that it requires is missing",
    SmsSignInWithheld "sms-sign-in-withheld" Warning "SMS sign-in is not switched on, because the user is not allowed to use it or the number is taken",
    ReplaceWithheld "replace-withheld" Warning "A registered number is not overwritten from the directory, because an attacker could take over an account that way",
    RemovalWithheld "removal-withheld" Warning "A method is not removed, because the user needs it",
    // Methods and state.
    DefaultKept "default-kept" Note "The default method of the user is stronger than the desired one, and is kept",
    DefaultMethodMoot "default-method-moot" Note "A policy sets the default method of users, but system-preferred MFA is on, so Entra prompts for the strongest method instead",
    DefaultWithheld "default-withheld" Warning "A preference is not changed, because the user lacks the method or would be asked for a weaker one",
    ChangedSinceRun "changed-since-run" Warning "A value that a run wrote has been changed since by someone else, so an undo leaves it as it is",
    NotPutBack "not-put-back" Warning "A change of a run cannot be put back",
    RestoreDiffers "restore-differs" Warning "A restore file contains another value than the journal, and the value is not put back",
    RunDamaged "run-damaged" Warning "A part of a run could not be read, so that some of its writes may be missing",
    StillWanted "still-wanted" Warning "The policies still want a change that an undo takes back, so the next apply makes it again",
    LegacyProtocols "legacy-protocols" Note "MFA becomes enforced for accounts, so programs that cannot ask for MFA stop working for them",
    MfaWithheld "mfa-withheld" Warning "A step is withheld, because the user could not answer an MFA prompt after it",
    MfaLoweredNotCovered "mfa-lowered-not-covered" Warning "MFA is not lowered, because nothing else certainly requires it",
    UserOpen "user-open" Warning "MFA is required and no usable method is registered: the next person with the password can register their own",
    PortalsOnly "portals-only" Warning "Only the admin portals require MFA of the user, so a password is enough for mail and files",
    UserStuck "user-stuck" Warning "MFA is required and no registered method works: the account is locked out",
    Unreadable "unreadable" Warning "A fact of a user or of the tenant could not be read, so nothing that depends on it is changed",
    BreakGlassNoMethod "break-glass-no-method" Warning "A break-glass account could not answer an MFA prompt",
    MfaDemandedElsewhere "mfa-demanded-elsewhere" Warning "Per-user MFA is raised for a user, although Conditional Access or security defaults already require MFA",
    LegacyMethodPolicy "legacy-method-policy" Note "Older settings, which Graph does not show, still count in addition to the authentication methods policy",
    PhoneOnlyRetirement "phone-only-retirement" Warning "The only usable method is a phone, and Microsoft soon stops delivering text messages and calls",
    // Guards that a change of the files makes weaker.
    PolicyRemoved "policy-removed" Warning "A change removes a policy that manages users",
    ModeToReport "mode-to-report" Warning "A change makes a policy only report what it would do",
    ScopeNarrowed "scope-narrowed" Warning "A change narrows `appliesTo` or `where`, so a policy applies to fewer users",
    SettingUnmanaged "setting-unmanaged" Warning "A change leaves a setting unmanaged that a policy managed",
    RuleWeakened "rule-weakened" Warning "A change lets a policy want a weaker value, or replace a stronger one",
    RuleOvertaken "rule-overtaken" Warning "A change lets another policy decide a setting, and that policy wants a weaker value",
    WeakerWanted "weaker-wanted" Warning "A change lets a policy weaken a setting that no policy decided",
    ReplaceAllowed "replace-allowed" Warning "A change lets the directory overwrite registered numbers",
    SourceChanged "source-changed" Warning "A change takes numbers from another attribute of the directory",
    RegionWidened "region-widened" Warning "A change reads national numbers by the country of another source",
    ExceptionWidened "exception-widened" Warning "A change excludes more users from a policy",
    ExceptionExtended "exception-extended" Warning "A change excludes users from a policy for longer",
    AllowEmptyAdded "allow-empty-added" Warning "A change allows that a group of break-glass or excluded accounts is empty",
    BreakGlassAdded "break-glass-added" Warning "A change adds a break-glass account, which no policy protects any more",
    BreakGlassRemoved "break-glass-removed" Warning "A change removes a break-glass account, so that policies may write to it",
    FormerAdded "former-added" Warning "A change accepts that an account is no longer a break-glass account",
    MinimumLowered "minimum-lowered" Warning "A change requires fewer break-glass accounts",
    BrakeRaised "brake-raised" Warning "A change lets a brake pass larger plans",
    DeliveryLater "delivery-later" Warning "A change expects text messages and calls for longer, so that phones count as usable for longer",
    CompareNarrowed "compare-narrowed" Warning "A change compares new numbers with those of fewer users",
    NumbersNotKept "numbers-not-kept" Warning "A change no longer keeps overwritten numbers, or for a shorter time, so that an undo cannot put them back",
    RunStoreMoved "run-store-moved" Warning "A change records runs in another place, where neither the lock nor the earlier runs are known",
    ShareRaised "share-raised" Warning "A change takes a larger share of the quotas of the tenant from other programs",
    DisclosureRaised "disclosure-raised" Warning "A change makes outputs say more about single users",
    PoliciesOutside "policies-outside" Warning "A change allows policies outside the repository, where no review sees them",
    TenantChanged "tenant-changed" Warning "A change applies the policies to another tenant or another cloud",
    EndpointChanged "endpoint-changed" Warning "A change sends requests and tokens to another host",
    ObjectUnmanaged "object-unmanaged" Warning "A change leaves an object of the tenant unmanaged",
    ObjectLowered "object-lowered" Warning "A change wants a weaker value for an object of the tenant",
    NotCompared "not-compared" Warning "The files could not be compared with the base, so it is unknown which guards a change makes weaker",
}

/// Quotes foreign text for a message: in backticks, on one line, and shortened if it is long. A backtick
/// inside is escaped, because text after it would look like a part of the message.
#[must_use]
pub fn quoted(word: &(impl Words + ?Sized)) -> String {
    let word = without_numbers(word.words());
    format!("`{}`", label(&word).replace('`', "\\u{60}"))
}

/// Masks the digits of everything that could be a phone number, one mark for each digit: a phone
/// number belongs neither in a policy nor in the log of a pull request. Ids, dates and IP addresses
/// stay.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut shown = String::with_capacity(text.len());
    let mut place = 0;
    while let Some(letter) = letters.get(place) {
        let rest = letters.get(place..).unwrap_or_default();
        let before = |back: usize| place.checked_sub(back).and_then(|at| letters.get(at));
        let in_word = |one: Option<&char>| one.is_some_and(|one| one.is_alphanumeric());
        // An invalid id continues after its hyphens; a `+` starts a new number.
        let inside_word =
            in_word(before(1)) || (before(1) == Some(&'-') && in_word(before(2)) && *letter != '+');
        let length =
            if inside_word { 1 } else { kept_length(rest).or(number_length(rest)).unwrap_or(1) };
        let part = rest.get(..length).unwrap_or(rest);
        let hides = length > 1 && kept_length(rest).is_none();
        if length == 1 {
            shown.push(*letter);
        } else {
            shown.extend(part.iter().map(|one| if hides && one.is_numeric() { '•' } else { *one }));
        }
        place += length;
    }
    shown
}

/// Returns the length of an object id or an IPv4 address that begins here.
fn kept_length(letters: &[char]) -> Option<usize> {
    let text = |length| letters.get(..length).map(|part| part.iter().collect::<String>());
    if text(36).is_some_and(|text| uuid::Uuid::try_parse(&text).is_ok()) {
        return Some(36);
    }
    let length = letters.iter().take_while(|one| one.is_ascii_digit() || **one == '.').count();
    text(length)?.parse::<std::net::Ipv4Addr>().ok().map(|_| length)
}

/// Returns the length of a possible phone number that begins here: at least seven digits after a `+`, a
/// `(` or a leading zero, or else at least nine digits.
fn number_length(letters: &[char]) -> Option<usize> {
    let first = *letters.first()?;
    if first != '+' && first != '(' && !first.is_numeric() {
        return None;
    }
    let belongs = |one: &&char| {
        one.is_numeric()
            || one.is_whitespace()
            || "+-().,/_\u{a0}\u{2010}\u{2011}\u{2212}".contains(**one)
    };
    let run: Vec<char> = letters.iter().take_while(belongs).copied().collect();
    let length = run.iter().rposition(|one| one.is_numeric())? + 1;
    let text: String = run.iter().take(length).collect();
    let digits = text.chars().filter(|one| one.is_numeric()).count();
    let least = if first.is_numeric() && first != '0' { 9 } else { 7 };
    (digits >= least).then_some(length)
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place that a finding points at, with a short text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub origin: Origin,
    pub text: String,
}

/// A finding. The message is one line, lower case, without a final period.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: Code,
    /// The severity of the code, unless the finding module sets another one.
    pub severity: Severity,
    pub message: String,
    /// What the user can do next, one line.
    pub help: Option<String>,
    /// The first label is the primary one. A saved plan does not store labels, because it outlives the
    /// files they point into.
    #[serde(skip)]
    pub labels: Vec<Label>,
    /// The users it is about. The same problem of many users is one finding.
    pub users: Vec<UserId>,
    pub policy: Option<String>,
}

impl Finding {
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            help: None,
            labels: Vec::new(),
            users: Vec::new(),
            policy: None,
        }
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    #[must_use]
    pub fn at(mut self, origin: Origin, text: impl Into<String>) -> Self {
        self.labels.push(Label { origin, text: text.into() });
        self
    }

    #[must_use]
    pub fn users(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.users.extend(users);
        self
    }

    #[must_use]
    pub fn policy(mut self, name: impl Into<String>) -> Self {
        self.policy = Some(name.into());
        self
    }

    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_short_and_stays_on_one_line() {
        for (word, expected) in [
            ("All Staff", "`All Staff`"),
            ("日本", "`日本`"),
            ("a\nb\t\u{1b}[31m", "`a\\u{a}b\\u{9}\\u{1b}[31m`"),
            ("\u{202e}txt", "`\\u{202e}txt`"),
            ("zero\u{200b}width", "`zero\\u{200b}width`"),
        ] {
            assert_eq!(quoted(word), expected);
        }
        assert_eq!(quoted(&"é".repeat(100)).chars().count(), 40 + 1 + 12 + 2);
        assert_eq!(quoted("a` is fine, `b"), "`a\\u{60} is fine, \\u{60}b`");
    }

    #[test]
    fn codes_are_kebab_case_and_unique() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c == '-' || c.is_ascii_lowercase())));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn possible_phone_numbers_are_masked() {
        for (text, shown) in [
            ("`mobile` is `+31612345678`", "`mobile` is `+•••••••••••`"),
            ("31612345678", "•••••••••••"),
            ("06-12 34 56 78 and", "••-•• •• •• •• and"),
            ("(020) 123 4567", "(•••) ••• ••••"),
            ("until: 2027-06-30", "until: 2027-06-30"),
            ("6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61", "6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61"),
            ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
            ("http://192.168.100.100:8080", "http://192.168.100.100:8080"),
            ("62e90394-69f5-4237-9190-012177145e1", "62e90394-69f5-4237-9190-012177145e1"),
            ("user000123@exchangelabs.nl", "user000123@exchangelabs.nl"),
            ("priority: 1000, limit 30 of 59", "priority: 1000, limit 30 of 59"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), shown);
        }
    }
}
