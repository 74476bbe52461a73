//! Reads a user's registered methods, per-user MFA state and preferences (Graph documentation of
//! authentication/methods, authentication/requirements and authentication/signInPreferences, checked
//! 2026-11). The last two are in beta only, so all are requested there, in one batch.
//!
//! Not here: which requests are made for which of many users (`read_strategy`), or what counts in the list of
//! methods (`methods`).

use std::pin::pin;

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use super::methods::{self, BorrowedWord, Method, methods_of};
use crate::graph::{BatchPart, Client, Error, Page};
use crate::id::UserId;
use crate::tenant::facts::{Facts, Methods, MfaState, Read, UnknownReason};
use crate::tenant::lookup::{Extra, UserFact};
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::preferences::DefaultMethod;

/// Reads methods and state of each user, and the extra facts, with the documented requests and in the
/// order given. What cannot be read of one user is unknown and stops no other user. The policy separates
/// the external methods that the tenant still has from those that it had once.
///
/// # Errors
/// Graph could not be asked at all: no token, or no connection.
pub async fn read(
    client: &Client,
    users: &[UserId],
    policy: &MethodPolicy,
    extra: Extra,
) -> Result<Vec<Facts>, Error> {
    let aspects: Vec<Aspect> = Aspect::documented(extra).collect();
    let wanted = FactsRequest { policy, extra };
    let mut all = vec![Facts::NOT_READ; users.len()];
    let (mut failed, mut unfinished) = (None, Vec::new());
    let parts = users.iter().flat_map(|user| aspects.iter().map(|one| one.part(*user, extra)));
    let of = |place: usize| aspects.get(place % aspects.len()).copied().unwrap_or(Aspect::METHODS);
    client
        .read_each_as(
            parts,
            |place, text| of(place).piece(text, wanted),
            |place, answer| match (answer, all.get_mut(place / aspects.len())) {
                (Err(error), _) if error.concerns_all() => _ = failed.get_or_insert(error),
                (Err(error), Some(facts)) => of(place).unknown(why(&error)).put(facts),
                (Ok(Piece::PartOfMethods), Some(_)) => unfinished.push(place / aspects.len()),
                (Ok(piece), Some(facts)) => piece.put(facts),
                (_, None) => {}
            },
        )
        .await;
    if let Some(error) = failed {
        return Err(error);
    }
    let lists = stream::iter(unfinished).map(async |place| {
        let user = users.get(place)?;
        Some((place, whole_list(client, *user, policy).await))
    });
    let mut lists = pin!(lists.buffer_unordered(LISTS));
    while let Some((place, piece)) = lists.next().await.flatten() {
        let piece = piece?;
        all.get_mut(place).into_iter().for_each(|facts| piece.put(facts));
    }
    Ok(all)
}

/// Number of lists of methods that are read to their end at a time, each by its own requests.
const LISTS: usize = 8;

/// Reads the methods of a user whose list was not complete in a batch.
///
/// # Errors
/// Graph could not be asked at all: no token, or no connection.
pub(super) async fn whole_list(
    client: &Client,
    user: UserId,
    policy: &MethodPolicy,
) -> Result<Piece, Error> {
    match methods::read_whole(client, user, policy).await {
        Ok(methods) => Ok(Piece::Methods(methods)),
        Err(error) if error.concerns_all() => Err(error),
        Err(error) => Ok(Aspect::METHODS.unknown(why(&error))),
    }
}

/// What is wanted of every user.
#[derive(Debug, Clone, Copy)]
pub(super) struct FactsRequest<'a> {
    pub(super) policy: &'a MethodPolicy,
    pub(super) extra: Extra,
}

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Fact(UserFact),
    /// All facts of a user at once.
    Whole,
}

/// What an answer says about a user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Piece {
    Methods(Read<Methods>),
    /// A part of the methods: the list continues, and nothing is known until it is read to its end.
    PartOfMethods,
    State(Read<MfaState>),
    Preferences(Read<Option<DefaultMethod>>, Read<bool>),
    /// `None` if the answer does not contain everything that is wanted.
    Whole(Option<Facts>),
}

impl Aspect {
    pub(super) const METHODS: Self = Self::Fact(UserFact::Methods);
    pub(super) const STATE: Self = Self::Fact(UserFact::State);

    /// Returns the documented requests: one for each fact.
    pub(super) fn documented(extra: Extra) -> impl Iterator<Item = Self> {
        let wanted = UserFact::ALL.into_iter().filter(move |fact| extra.wants(*fact));
        wanted.map(Self::Fact)
    }

    /// Returns the request.
    pub(super) fn part(self, user: UserId, extra: Extra) -> BatchPart {
        BatchPart::get(match self {
            Self::Fact(fact) => fact_url(fact, user),
            Self::Whole => whole_url(user, extra),
        })
    }

    /// Parses the text of an answer. An answer of another shape is an error and says nothing.
    pub(super) fn piece(self, text: &str, wanted: FactsRequest<'_>) -> serde_json::Result<Piece> {
        Ok(match self {
            Self::Fact(UserFact::Methods) => {
                let page: Page<Method<'_>> = serde_json::from_str(text)?;
                match page.whole() {
                    Ok(list) => Piece::Methods(Read::Known(methods_of(&list, wanted.policy))),
                    Err(_) => Piece::PartOfMethods,
                }
            }
            Self::Fact(UserFact::State) => {
                let answer: Requirements<'_> = serde_json::from_str(text)?;
                Piece::State(known(answer.state()))
            }
            Self::Fact(UserFact::Preferences) => {
                let answer: Preferences<'_> = serde_json::from_str(text)?;
                answer.piece()
            }
            Self::Whole => {
                let answer: Whole<'_> = serde_json::from_str(text)?;
                Piece::Whole(answer.facts(wanted))
            }
        })
    }

    /// Returns the piece for an answer that could not be read.
    pub(super) const fn unknown(self, why: UnknownReason) -> Piece {
        match self {
            Self::Fact(UserFact::Methods) => Piece::Methods(Read::Unknown(why)),
            Self::Fact(UserFact::State) => Piece::State(Read::Unknown(why)),
            Self::Fact(UserFact::Preferences) => {
                Piece::Preferences(Read::Unknown(why), Read::Unknown(why))
            }
            Self::Whole => Piece::Whole(None),
        }
    }
}

impl Piece {
    /// Stores the piece in the facts.
    pub(super) fn put(self, facts: &mut Facts) {
        match self {
            Self::Methods(methods) => facts.methods = methods,
            Self::PartOfMethods => facts.methods = Read::Unknown(UnknownReason::Failed),
            Self::State(state) => facts.state = state,
            Self::Preferences(default_method, system_preferred) => {
                (facts.default_method, facts.system_preferred) = (default_method, system_preferred);
            }
            Self::Whole(whole) => *facts = whole.unwrap_or(*facts),
        }
    }
}

pub(super) fn why(error: &Error) -> UnknownReason {
    if error.status() == Some(403) { UnknownReason::Forbidden } else { UnknownReason::Failed }
}

fn known<T>(value: Option<T>) -> Read<T> {
    value.map_or(Read::Unknown(UnknownReason::Failed), Read::Known)
}

/// Returns the URL of the documented request for the fact.
pub(super) fn fact_url(fact: UserFact, user: UserId) -> String {
    match fact {
        UserFact::Methods => methods_url(user),
        UserFact::State => state_url(user),
        UserFact::Preferences => preferences_url(user),
    }
}

pub(super) fn preferences_url(user: UserId) -> String {
    format!("/users/{user}/authentication/signInPreferences")
}

pub(super) fn methods_url(user: UserId) -> String {
    format!("/users/{user}/authentication/methods")
}

pub(super) fn state_url(user: UserId) -> String {
    format!("/users/{user}/authentication/requirements")
}

/// Returns the URL of all facts at once. `authentication` is an entity with methods as a navigation
/// property and the rest as plain properties (metadata of beta, checked 2026-11), so it may answer all
/// at once.
fn whole_url(user: UserId, extra: Extra) -> String {
    let preferences = if extra.preferences { ",signInPreferences" } else { "" };
    format!("/users/{user}/authentication?$select=requirements{preferences}&$expand=methods")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Requirements<'a> {
    #[serde(borrow)]
    per_user_mfa_state: Option<BorrowedWord<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Preferences<'a> {
    #[serde(
        rename = "userPreferredMethodForSecondaryAuthentication",
        borrow,
        default,
        deserialize_with = "null_or_missing"
    )]
    default_method: Option<Option<BorrowedWord<'a>>>,
    #[serde(rename = "isSystemPreferredAuthenticationMethodEnabled")]
    system_preferred: Option<bool>,
}

/// All facts of a user in one answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(borrow)]
    methods: Option<Vec<Method<'a>>>,
    #[serde(rename = "methods@odata.nextLink", alias = "methods@nextLink")]
    more_methods: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    requirements: Option<Requirements<'a>>,
    #[serde(borrow)]
    sign_in_preferences: Option<Preferences<'a>>,
}

/// Distinguishes a property that is null, which is information, from a property that is missing, which
/// is none.
fn null_or_missing<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<BorrowedWord<'de>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Requirements<'_> {
    fn state(&self) -> Option<MfaState> {
        BorrowedWord::of(self.per_user_mfa_state.as_ref()).and_then(state_of)
    }
}

pub(super) fn state_of(word: &str) -> Option<MfaState> {
    match word {
        "disabled" => Some(MfaState::Disabled),
        "enabled" => Some(MfaState::Enabled),
        "enforced" => Some(MfaState::Enforced),
        _ => None,
    }
}

impl Preferences<'_> {
    fn piece(&self) -> Piece {
        Piece::Preferences(known(self.default_method()), known(self.system_preferred))
    }

    /// Returns the default method. "No default" is an answer; an unrecognised word is none.
    fn default_method(&self) -> Option<Option<DefaultMethod>> {
        match BorrowedWord::of(self.default_method.as_ref()?.as_ref()) {
            None | Some("none") => Some(None),
            Some(word) => DefaultMethod::from_word(word).map(Some),
        }
    }
}

impl Whole<'_> {
    /// An expansion shows at most this many items (Graph documentation, "Customize responses with query
    /// parameters", checked 2026-11).
    const MOST_EXPANDED: usize = 20;

    /// Returns the facts, if the answer contains everything that is wanted.
    fn facts(&self, FactsRequest { policy, extra }: FactsRequest<'_>) -> Option<Facts> {
        let methods = self.methods.as_deref()?;
        if self.more_methods.is_some() || methods.len() >= Self::MOST_EXPANDED {
            return None;
        }
        let state = self.requirements.as_ref()?.state()?;
        let mut facts = Facts {
            methods: Read::Known(methods_of(methods, policy)),
            state: Read::Known(state),
            ..Facts::NOT_READ
        };
        if extra.preferences {
            let preferences = self.sign_in_preferences.as_ref()?;
            facts.default_method = Read::Known(preferences.default_method()?);
            facts.system_preferred = Read::Known(preferences.system_preferred?);
        }
        // A fact that is not parsed here is read with its own request.
        let mut wanted = UserFact::ALL.into_iter().filter(|fact| extra.wants(*fact));
        wanted.all(|fact| fact.unknown_in(&facts).is_none()).then_some(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::facts::MethodKind;

    fn facts_in(json: &str, preferences: bool) -> Option<Facts> {
        let wanted = FactsRequest { policy: &MethodPolicy::UNREAD, extra: Extra { preferences } };
        match Aspect::Whole.piece(json, wanted).unwrap() {
            Piece::Whole(facts) => facts,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn incomplete_answer_for_all_facts_is_ignored() {
        let state = r#""requirements":{"perUserMfaState":"enforced"}"#;
        let methods = r##""methods":[{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","phoneType":"mobile","phoneNumber":"+31 612345678"}]"##;
        let preferences = r#""signInPreferences":{"userPreferredMethodForSecondaryAuthentication":"sms","isSystemPreferredAuthenticationMethodEnabled":true}"#;
        let facts = facts_in(&format!("{{{state},{methods}}}"), false).unwrap();
        assert_eq!(facts.state, Read::Known(MfaState::Enforced));
        assert!(facts.methods.known().unwrap().kinds.has(MethodKind::MobilePhone));
        assert_eq!(facts.default_method, Read::Unknown(UnknownReason::NotRead));
        let facts = facts_in(&format!("{{{state},{methods},{preferences}}}"), true).unwrap();
        assert_eq!(facts.default_method, Read::Known(Some(DefaultMethod::Sms)));
        for less in [
            format!("{{{state}}}"),
            format!("{{{methods}}}"),
            format!(r#"{{{state},"methods":null}}"#),
            format!(r#"{{"requirements":{{"perUserMfaState":"else"}},{methods}}}"#),
            format!(r#"{{{state},{methods},"methods@odata.nextLink":"x"}}"#),
            format!(r#"{{{state},"methods":[{}{{}}]}}"#, "{},".repeat(19)),
        ] {
            assert_eq!(facts_in(&less, false), None, "{less}");
        }
        assert_eq!(facts_in(&format!("{{{state},{methods}}}"), true), None);
    }

    #[test]
    fn missing_or_continued_list_leaves_methods_unknown() {
        let wanted = FactsRequest { policy: &MethodPolicy::UNREAD, extra: Extra::default() };
        for none in ["{}", "[]", "null", r#"{"value":null}"#, r#"{"value":{}}"#, r#"{"value":0}"#] {
            assert!(Aspect::METHODS.piece(none, wanted).is_err(), "{none}");
        }
        for name in ["@odata.nextLink", "@nextLink", "odata.nextLink"] {
            let part = format!(r#"{{"value":[],"{name}":"https://graph.microsoft.com/x"}}"#);
            assert_eq!(Aspect::METHODS.piece(&part, wanted).unwrap(), Piece::PartOfMethods);
        }
        let mut facts = Facts::NOT_READ;
        Piece::PartOfMethods.put(&mut facts);
        assert_eq!(facts.methods, Read::Unknown(UnknownReason::Failed));
    }

    #[test]
    fn escaped_words_are_read_and_missing_differs_from_null() {
        let wanted =
            FactsRequest { policy: &MethodPolicy::UNREAD, extra: Extra { preferences: true } };
        let read = |aspect: Aspect, json| aspect.piece(json, wanted).unwrap();
        let phone = r##"{"value":[{"@odata.type":"\u0023microsoft.graph.phoneAuthenticationMethod","phoneType":"mobile","phoneNumber":"\u002B31 612345678"}]}"##;
        let Piece::Methods(Read::Known(methods)) = read(Aspect::METHODS, phone) else { panic!() };
        assert!(matches!(methods.mobile, crate::tenant::facts::Phone::Number(_)));
        assert_eq!(read(Aspect::STATE, "{}"), Piece::State(Read::Unknown(UnknownReason::Failed)));
        let null = r#"{"userPreferredMethodForSecondaryAuthentication":null}"#;
        let none = Piece::Preferences(Read::Known(None), Read::Unknown(UnknownReason::Failed));
        assert_eq!(read(Aspect::Fact(UserFact::Preferences), null), none);
        let missing = Piece::Preferences(
            Read::Unknown(UnknownReason::Failed),
            Read::Unknown(UnknownReason::Failed),
        );
        assert_eq!(read(Aspect::Fact(UserFact::Preferences), "{}"), missing);
    }
}
