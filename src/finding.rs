//! What is reported about a user, a policy or the tenant: a stable code, one sentence, and where.
//!
//! Not here: how a finding is shown (`render`), or what makes one (the module that found it).

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
        /// The stable name of a kind of finding.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum Code {
            $(#[doc = $about] #[serde(rename = $text)] $name),+
        }

        impl Code {
            /// Every code there is, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name as printed: kebab-case, never changed once published.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }

            /// One sentence for the table in the documentation.
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
    FileOutside "file-outside" Error "A link or a folder that leads out of the repository, or to what is no policy",
    UnknownKey "unknown-key" Error "A key that has no meaning here",
    EmptyKey "empty-key" Error "A key with nothing behind it",
    MissingKey "missing-key" Error "A key that must be there is not",
    DuplicateKey "duplicate-key" Error "The same key twice in one map",
    WrongType "wrong-type" Error "A value of the wrong kind, such as a map where a word belongs",
    UnknownValue "unknown-value" Error "A word that is none of the possible ones",
    UnsupportedVersion "unsupported-version" Error "A `version` that this program does not read",
    InvalidId "invalid-id" Error "An object id that is not one",
    InvalidEndpoint "invalid-endpoint" Error "An endpoint that is no URL, or plain http to another machine",
    // Policies.
    DuplicatePolicy "duplicate-policy" Error "Two policies of one name",
    NoPolicies "no-policies" Error "The policies folder holds no policy",
    NobodyNamed "nobody-named" Error "A policy whose `appliesTo` names nobody, or whose `where` lets nobody through",
    NothingDesired "nothing-desired" Error "A policy whose `desired` says nothing",
    PolicyUnstable "policy-unstable" Error "A plan that would make policies want something else: `where.registered` must not follow from what a policy does",
    PolicyConflict "policy-conflict" Error "Two policies of one priority want different things of the same user",
    // Names against the tenant.
    GroupNotFound "group-not-found" Error "No security group of this name or id",
    GroupAmbiguous "group-ambiguous" Error "Several security groups of this name",
    GroupUnreadable "group-unreadable" Error "A group named in `appliesTo` that could not be read whole",
    RoleNotFound "role-not-found" Error "No directory role of this name or template id",
    RoleUnreadable "role-unreadable" Error "A directory role is named, and roles could not be read",
    RoleEligibilityUnknown "role-eligibility-unknown" Warning "Who may take up a directory role could not be read, so policies reach only those who hold it",
    UserNotFound "user-not-found" Warning "A user named in `appliesTo` who does not exist",
    UserLeftOut "user-left-out" Note "A user named in `appliesTo` whom the policy leaves out all the same",
    AttributeMissing "attribute-missing" Note "A user whom a policy leaves out because the directory lacks an attribute that `where` asks for",
    GuardUnresolved "guard-unresolved" Error "A break-glass entry or an exception that could not be resolved and read whole",
    GuardGroupUnprotected "guard-group-unprotected" Warning "A group decides who is never written or left alone, and many can change who is in it",
    ExceptionEmpty "exception-empty" Error "An excepted group with nobody in it, which nobody said is meant",
    ExceptionOver "exception-over" Warning "An exception whose day has come, and which counts no more",
    MembershipUnsettled "membership-unsettled" Note "The directory and its index disagree on who is in a group that leaves people out or that the tenant's rules name; those people count on the side that hurts",
    NameDiffers "name-differs" Warning "The id decides, but the name written beside it is not the one in the tenant",
    BreakGlassMinimum "break-glass-minimum" Error "Fewer enabled break-glass accounts than `minimum`",
    BreakGlassEmpty "break-glass-empty" Error "A break-glass group with nobody in it, which nobody said is meant",
    BreakGlassLost "break-glass-lost" Error "A break-glass group without accounts that were in it at the last apply, which nobody said is meant",
    BreakGlassFormer "break-glass-former" Warning "An account that is listed as a former break-glass account and is one all the same",
    // Numbers.
    NoNumberInDirectory "no-number-in-directory" Note "The directory holds no number for the user",
    NumberInvalid "number-invalid" Warning "A number in the directory that cannot be read or is not possible",
    NumberRegionUnknown "number-region-unknown" Warning "A national number, and nothing says of which country",
    NumberRegionConflict "number-region-conflict" Warning "A national number that `usageLocation` and `country` make two different numbers of",
    CountryUnread "country-unread" Note "The `country` of a user, whose number is national, holds no country that mfactl knows",
    NumbersNotCompared "numbers-not-compared" Note "Registered numbers are overwritten, and it was not looked at whether somebody outside the policies has the new ones",
    NumberNotSmsCapable "number-not-sms-capable" Warning "A number on a line that receives no text message",
    NumberShared "number-shared" Warning "A number that is already registered for somebody else, or wanted for several users",
    NumberKept "number-kept" Note "The user has another number registered than the directory holds; it is kept",
    SmsSignInSideEffect "sms-sign-in-side-effect" Warning "A mobile phone is not registered, because the tenant would let the user sign in by text with it",
    PhoneWithheld "phone-withheld" Warning "A phone is not registered, because something it needs is not there",
    SmsSignInWithheld "sms-sign-in-withheld" Warning "Signing in by text is not switched on, because it cannot be for this user",
    ReplaceWithheld "replace-withheld" Warning "A registered number is not overwritten from the directory, because that could be how an account is taken over",
    RemovalWithheld "removal-withheld" Warning "A method is not removed, because the user needs it",
    // Methods and state.
    DefaultKept "default-kept" Note "The user's default method is stronger than the one that is wanted, and is kept",
    DefaultMethodMoot "default-method-moot" Note "A default method is managed for users whom Entra asks for the strongest method anyway",
    DefaultWithheld "default-withheld" Warning "A preference is not changed, because the user lacks the method or would be asked for a weaker one",
    ChangedSinceRun "changed-since-run" Warning "What a run wrote was changed since by somebody else, and is not put back",
    NotPutBack "not-put-back" Warning "Something that a run changed cannot be put back",
    RestoreDiffers "restore-differs" Warning "A restore file holds another value than the journal shows, and it is not put back",
    RunDamaged "run-damaged" Warning "Something of a run could not be read, so that a write of it may be missing",
    StillWanted "still-wanted" Warning "What an undo puts back is still wanted by the policies, so that the next apply does it again",
    LegacyProtocols "legacy-protocols" Note "Accounts for which programs that cannot ask for MFA stop working, because they are enforced",
    MfaWithheld "mfa-withheld" Warning "A step is withheld, because the user could not answer a demand for MFA after it",
    MfaLoweredNotCovered "mfa-lowered-not-covered" Warning "MFA is not lowered, because nothing else provably demands it",
    UserOpen "user-open" Warning "MFA is demanded of the user and nothing is registered: whoever has the password registers first",
    PortalsOnly "portals-only" Warning "Only the admin portals demand MFA of the user: a password opens mail and files",
    UserStuck "user-stuck" Warning "MFA is demanded of the user and nothing registered can answer",
    Unreadable "unreadable" Warning "Something of a user or of the tenant could not be read, so nothing that rests on it is changed",
    BreakGlassNoMethod "break-glass-no-method" Warning "A break-glass account that could not answer a demand for MFA",
    MfaDemandedElsewhere "mfa-demanded-elsewhere" Warning "Per-user MFA is raised for a user of whom Conditional Access or security defaults demand MFA already",
    LegacyMethodPolicy "legacy-method-policy" Note "Older settings, which Graph does not show, still count beside the authentication methods policy",
    PhoneOnlyRetirement "phone-only-retirement" Warning "Only a phone answers for the user, and texts and calls stop being delivered soon",
}

/// Somebody's word for a message: in backticks, cut where it is long, on one line, and without a backtick,
/// behind which it could go on as if it were the message.
#[must_use]
pub fn quoted(word: &(impl Words + ?Sized)) -> String {
    let word = without_numbers(word.words());
    format!("`{}`", label(&word).replace('`', "\\u{60}"))
}

/// Text in which the digits of whatever could be a phone number are hidden, letter for letter: a
/// number has no place in a policy, and none in the log of a pull request. Ids, days and addresses
/// of machines stay.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut shown = String::with_capacity(text.len());
    let mut place = 0;
    while let Some(letter) = letters.get(place) {
        let rest = letters.get(place..).unwrap_or_default();
        let before = |back: usize| place.checked_sub(back).and_then(|at| letters.get(at));
        let in_word = |one: Option<&char>| one.is_some_and(|one| one.is_alphanumeric());
        // A broken id goes on after its hyphens; what begins with `+` begins anew.
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

/// The length of an object id or the address of a machine that begins here.
fn kept_length(letters: &[char]) -> Option<usize> {
    let text = |length| letters.get(..length).map(|part| part.iter().collect::<String>());
    if text(36).is_some_and(|text| uuid::Uuid::try_parse(&text).is_ok()) {
        return Some(36);
    }
    let length = letters.iter().take_while(|one| one.is_ascii_digit() || **one == '.').count();
    text(length)?.parse::<std::net::Ipv4Addr>().ok().map(|_| length)
}

/// The length of what could be a phone number that begins here: a `+` or a zero and at least seven
/// digits, or nine digits and more.
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

/// A place that a finding points at, with a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub origin: Origin,
    pub text: String,
}

/// Something reported. The message is one line, lower case, without a final period.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: Code,
    /// The code's own severity, unless the place it was found in knows better.
    pub severity: Severity,
    pub message: String,
    /// What to do next, one line.
    pub help: Option<String>,
    /// The first label is the primary one. A saved plan outlives the files they point into.
    #[serde(skip)]
    pub labels: Vec<Label>,
    /// Whom it concerns; what concerns many users alike is one finding.
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
    fn a_word_of_the_user_stays_on_its_line_and_short() {
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
    fn whatever_could_be_a_number_is_hidden() {
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
