//! How much an output says about single users: their names, pseudonyms, or only how many they are.
//!
//! [`Discloser`] chooses the words for one user, for a number of users, and for a text that may quote names.
//! [`begin`] sets the level of the process, and [`outgoing`] hides the names and object ids of a text that is
//! already built: an error, a note, a line of the log.
//!
//! Not here: the outputs themselves (`render`), or text that harms a terminal (`untrusted`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use ring::hmac;
use uuid::Uuid;

use crate::finding::Finding;
use crate::id::UserId;
use crate::untrusted::Untrusted;

/// How much an output says about single users. A lower level comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disclosure {
    /// Only numbers of users.
    Counts,
    /// A pseudonym for each user.
    Pseudonyms,
    /// User principal names and object ids.
    Names,
}

/// The smallest number of users that is printed as it is.
const FEWEST: usize = 5;
/// What a hidden name becomes where no pseudonym is allowed.
const HIDDEN: &str = "…";
/// The bytes of a pseudonym. With fewer, two users of a large tenant would often get the same one.
const PSEUDONYM: usize = 5;

impl Disclosure {
    pub const ALL: [Self; 3] = [Self::Counts, Self::Pseudonyms, Self::Names];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Pseudonyms => "pseudonyms",
            Self::Names => "names",
        }
    }

    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Counts => "only numbers of users; a number from 1 to 4 is shown as `<5`",
            Self::Pseudonyms => "a pseudonym for each user",
            Self::Names => "user principal names and object ids",
        }
    }

    /// Returns the level that counts: the lower of both that are given, or else the default, which is lower
    /// in a CI job.
    #[must_use]
    pub fn choose(asked: Option<Self>, in_file: Option<Self>, is_ci: bool) -> Self {
        let default = if is_ci { Self::Counts } else { Self::Names };
        asked.into_iter().chain(in_file).min().unwrap_or(default)
    }
}

/// Whether a value of the variable `CI` means that this is a CI job.
#[must_use]
pub fn is_ci(variable: Option<&str>) -> bool {
    variable.is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case("false"))
}

/// Chooses the words for users.
#[derive(Clone)]
pub struct Discloser {
    level: Disclosure,
    key: hmac::Key,
    /// The one id that is never hidden.
    tenant: Option<Uuid>,
    /// The ids of known names, as they are shown, in lower case.
    known: Arc<BTreeMap<String, UserId>>,
}

impl Discloser {
    /// Creates a discloser for a tenant. Without a secret, the key of pseudonyms is the id of the tenant,
    /// which many people know.
    #[must_use]
    pub fn new(level: Disclosure, tenant: &str, secret: Option<&str>) -> Self {
        let key = secret.filter(|secret| !secret.trim().is_empty()).unwrap_or(tenant);
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        Self { level, key, tenant: Uuid::try_parse(tenant).ok(), known: Arc::default() }
    }

    /// Adds users, so that their names in a text get the pseudonyms of their ids.
    #[must_use]
    pub fn knowing<'a>(&self, users: impl Iterator<Item = (&'a Untrusted, UserId)>) -> Self {
        let known = users.map(|(name, id)| (name.label().to_lowercase(), id)).collect();
        Self { known: Arc::new(known), ..self.clone() }
    }

    /// A discloser that shows everything.
    #[must_use]
    pub fn of_names() -> Self {
        Self::new(Disclosure::Names, "", None)
    }

    #[must_use]
    pub const fn level(&self) -> Disclosure {
        self.level
    }

    /// Whether names and ids are shown as they are.
    #[must_use]
    pub fn shows_names(&self) -> bool {
        self.level == Disclosure::Names
    }

    /// Whether single users may appear at all.
    #[must_use]
    pub fn shows_users(&self) -> bool {
        self.level > Disclosure::Counts
    }

    /// Returns the name of a user, as it may be shown.
    #[must_use]
    pub fn user<'a>(&self, name: &'a Untrusted, id: UserId) -> Cow<'a, Untrusted> {
        match self.level {
            Disclosure::Names => Cow::Borrowed(name),
            Disclosure::Pseudonyms | Disclosure::Counts => Cow::Owned(self.id(id).into()),
        }
    }

    /// Returns the object id of a user, as it may be shown.
    #[must_use]
    pub fn id(&self, id: UserId) -> String {
        match self.level {
            Disclosure::Names => id.to_string(),
            Disclosure::Pseudonyms => self.pseudonym(&id.to_string()),
            Disclosure::Counts => HIDDEN.to_owned(),
        }
    }

    fn pseudonym(&self, text: &str) -> String {
        let tag = hmac::sign(&self.key, text.to_lowercase().as_bytes());
        let bytes = tag.as_ref().iter().take(PSEUDONYM);
        bytes.fold("u-".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Returns a number of users, as it may be shown.
    #[must_use]
    pub const fn count(&self, number: usize) -> UserCount {
        let is_small = matches!(self.level, Disclosure::Counts) && number > 0 && number < FEWEST;
        if is_small { UserCount::Few } else { UserCount::Exactly(number) }
    }

    /// Returns the message of a finding, as it may be shown.
    #[must_use]
    pub fn message<'a>(&self, finding: &'a Finding) -> Cow<'a, str> {
        self.said(&finding.message, finding.code.about(), finding.users.len())
    }

    /// Returns the finding, as it may be shown.
    #[must_use]
    pub fn finding<'a>(&self, finding: &'a Finding) -> Cow<'a, Finding> {
        if self.shows_names() {
            return Cow::Borrowed(finding);
        }
        let message = self.message(finding).into_owned();
        let help = finding.help.as_ref().map(|help| self.text(help).into_owned());
        Cow::Owned(Finding { message, help, ..finding.clone() })
    }

    /// Returns the message of a finding. Where only numbers are shown, it becomes the general sentence `about`
    /// and the number of users, because a message can quote names and small numbers.
    #[must_use]
    pub fn said<'a>(&self, message: &'a str, about: &'a str, users: usize) -> Cow<'a, str> {
        match (self.level, users) {
            (Disclosure::Names | Disclosure::Pseudonyms, _) => self.text(message),
            (Disclosure::Counts, 0) => Cow::Borrowed(about),
            (Disclosure::Counts, 1..) => {
                Cow::Owned(format!("{about} ({} users)", self.count(users)))
            }
        }
    }

    /// Returns a message about the files. It becomes the general sentence `about` if it names a user and only
    /// numbers are shown.
    #[must_use]
    pub fn of_files<'a>(&self, message: &'a str, about: &'a str) -> Cow<'a, str> {
        match (self.level, self.text(message)) {
            (Disclosure::Counts, Cow::Owned(_)) => Cow::Borrowed(about),
            (_, shown) => shown,
        }
    }

    /// Returns the text with a pseudonym, or a mark, for each principal name and object id.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.shows_names() || !may_name_users(text) {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        let mut is_same = true;
        while let Some(begin) = rest.find(|letter| !is_between(letter)) {
            let (before, after) = rest.split_at_checked(begin).unwrap_or((rest, ""));
            shown.push_str(before);
            let end = after.find(is_between).unwrap_or(after.len());
            let (word, after) = after.split_at_checked(end).unwrap_or((after, ""));
            let hidden = self.word(word, &shown);
            is_same &= hidden.is_none();
            shown.push_str(hidden.as_deref().unwrap_or(word));
            rest = after;
        }
        shown.push_str(rest);
        if is_same { Cow::Borrowed(text) } else { Cow::Owned(shown) }
    }

    /// Returns what is shown for a word that may name a user; `None` if it does not.
    fn word(&self, word: &str, before: &str) -> Option<String> {
        let bare = word.trim_matches(['.', ':', '\'', '!']);
        if let Ok(id) = Uuid::try_parse(bare) {
            let is_shown = Some(id) == self.tenant || is_request(before) || bare.len() != 36;
            return (!is_shown).then(|| word.replace(bare, &self.hidden(bare)));
        }
        is_name(bare).then(|| word.replace(bare, &self.hidden(bare)))
    }

    fn hidden(&self, word: &str) -> String {
        match self.level {
            Disclosure::Names => word.to_owned(),
            Disclosure::Pseudonyms => match self.known.get(&word.to_lowercase()) {
                Some(id) => self.id(*id),
                None => self.pseudonym(word),
            },
            Disclosure::Counts => HIDDEN.to_owned(),
        }
    }
}

impl fmt::Debug for Discloser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Discloser({})", self.level.as_str())
    }
}

/// A number of users. A small one is not shown where it could identify users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCount {
    Exactly(usize),
    /// From 1 to 4.
    Few,
}

impl fmt::Display for UserCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(number) => number.fmt(f),
            Self::Few => f.write_str("<5"),
        }
    }
}

/// A quick test that no text with a name or an id fails.
fn may_name_users(text: &str) -> bool {
    text.contains('@')
        || text.contains("%40")
        || text.contains('…')
        || text.matches('-').count() >= 4
}

/// Whether a character ends a word. Characters of principal names, and of their escaped forms, do not.
fn is_between(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '`' | '"' | '(' | ')' | '<' | '>' | ',' | ';' | '=' | '?' | '/' | '[' | ']'
        )
}

/// Whether a word is a principal name, or one that was cut in the middle.
fn is_name(word: &str) -> bool {
    let is_whole = |at: &str| {
        word.split_once(at).is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
    };
    is_whole("@") || is_whole("%40") || (word.contains('…') && word.chars().count() >= 50)
}

/// Whether the text before an id says that it is the id of a request.
fn is_request(before: &str) -> bool {
    let before = before.trim_end_matches(['=', ':', ' ', '"', '`']);
    ["request-id", "request_id", "request id"].iter().any(|label| before.ends_with(label))
}

static OF_PROCESS: OnceLock<Discloser> = OnceLock::new();

/// Sets the level of the process, before it reads users. A second call changes nothing.
pub fn begin(discloser: &Discloser) {
    _ = OF_PROCESS.set(discloser.clone());
}

/// Returns the discloser of the process: one that shows everything before [`begin`].
#[must_use]
pub fn of_process() -> Discloser {
    OF_PROCESS.get().cloned().unwrap_or_else(Discloser::of_names)
}

/// Hides what the level of the process hides, in a text that is already built.
#[must_use]
pub fn outgoing(text: &str) -> Cow<'_, str> {
    OF_PROCESS.get().map_or(Cow::Borrowed(text), |discloser| discloser.text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "e1c80000-0000-4000-8000-000000000001";
    const USER: &str = "6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61";

    fn at(level: Disclosure) -> Discloser {
        Discloser::new(level, TENANT, None)
    }

    #[test]
    fn lower_level_wins_and_ci_counts() {
        use Disclosure::{Counts, Names, Pseudonyms};
        for (asked, file, ci, level) in [
            (None, None, false, Names),
            (None, None, true, Counts),
            (Some(Names), None, true, Names),
            (None, Some(Names), true, Names),
            (Some(Names), Some(Counts), false, Counts),
            (Some(Pseudonyms), Some(Names), true, Pseudonyms),
        ] {
            assert_eq!(Disclosure::choose(asked, file, ci), level);
        }
        assert!(is_ci(Some("true")) && is_ci(Some("1")));
        assert!(!is_ci(None) && !is_ci(Some("")) && !is_ci(Some("false")));
    }

    #[test]
    fn text_hides_names_and_ids() {
        let text = format!(
            "`j.brown@a.nl`, o'brien_x#EXT#@a.nl: /users/{USER}/x ('{USER}') /users/j%40a.nl tenant {TENANT} (request-id {USER})"
        );
        let shown = at(Disclosure::Counts).text(&text).into_owned();
        assert_eq!(
            shown,
            format!("`…`, …: /users/…/x ('…') /users/… tenant {TENANT} (request-id {USER})")
        );
        let shown = at(Disclosure::Pseudonyms).text(&text).into_owned();
        let pseudonym = at(Disclosure::Pseudonyms).id(USER.parse().unwrap());
        assert!(pseudonym.starts_with("u-") && pseudonym.len() == 12, "{pseudonym}");
        assert_eq!(shown.matches(&pseudonym).count(), 2, "{shown}");
        assert!(!shown.contains("a.nl"), "{shown}");
        assert_eq!(at(Disclosure::Names).text(&text), text);
        assert_eq!(at(Disclosure::Counts).text("a ~ b @ c 1-2-3-4-5"), "a ~ b @ c 1-2-3-4-5");
    }

    #[test]
    fn small_numbers_are_hidden_among_counts_only() {
        let counts = at(Disclosure::Counts);
        let shown = [0, 1, 4, 5, 39].map(|number| counts.count(number).to_string());
        assert_eq!(shown, ["0", "<5", "<5", "5", "39"]);
        assert_eq!(at(Disclosure::Names).count(1).to_string(), "1");
    }

    #[test]
    fn key_changes_pseudonyms() {
        let id: UserId = USER.parse().unwrap();
        let keyed = Discloser::new(Disclosure::Pseudonyms, TENANT, Some("secret"));
        assert_ne!(keyed.id(id), at(Disclosure::Pseudonyms).id(id));
        assert_eq!(format!("{keyed:?}"), "Discloser(pseudonyms)");
    }
}
