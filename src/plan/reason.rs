//! Why a change is withheld, in words: the reason, what would change it, and the code it goes by.
//!
//! Not here: when it is (`guard`).

use super::Reason;
use crate::finding::Code;

impl Reason {
    /// The reason in a clause, without the name of a rival policy.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::WouldBeOpen => "the user would be open",
            Self::WouldBeStuck => "the user would be stuck",
            Self::CannotTell => "whether the user could answer is not known",
            Self::NotCoveredElsewhere => "nothing else provably demands MFA of the user",
            Self::SmsSignIn => "the tenant could let the user sign in by text with it",
            Self::SmsSignInNotAllowed => "the tenant does not surely let the user sign in by text",
            Self::SignInNumberTaken => "the number signs, or may sign, somebody else in",
            Self::NoMobilePhone => "the user has no mobile phone registered",
            Self::ReplacesAdministrators => {
                "the user holds, or may hold, an administrator's role that the policy does not name"
            }
            Self::HasStronger => "the user has, or may have, a stronger method than a phone",
            Self::NumberOfAnother => "the number is registered for somebody else, or would be",
            Self::LastMethod => "no method that answers would be left",
            Self::MaybeLastMethod => "whether a method that answers would be left is not known",
            Self::IsDefault => "it is the user's default method, and would be so still",
            Self::DefaultUnknown => "whether it is the user's default method is not known",
            Self::AlternateNeedsMobile => "the alternate mobile phone cannot be without it",
            Self::NoSuchMethod => "the user has none of these methods in usable form",
            Self::MaybeNoSuchMethod => {
                "whether the user has one of these methods in usable form is not known"
            }
            Self::AsksWeaker => "the user has more than a phone, and would be asked for less",
            Self::MayAskWeaker => "the user may have more than a phone, and be asked for less",
            Self::Conflict(_) => "another policy wants something else with the same priority",
        }
    }

    /// What would change it, where nothing about the user's own data is known to have led to it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::WouldBeOpen => {
                "have the user register a method, or put a number into the directory and let a policy register it"
            }
            Self::WouldBeStuck => "register another method for the user, or correct the number",
            Self::CannotTell
            | Self::MaybeLastMethod
            | Self::DefaultUnknown
            | Self::MaybeNoSuchMethod => {
                "see above what is not known; with the permission to read it, plan again"
            }
            Self::NotCoveredElsewhere => {
                "cover the user by a Conditional Access policy for all apps that nothing narrows"
            }
            Self::SmsSignIn => {
                "say `smsSignIn: off` or `on` under `phones.mobile`, or switch \"use for sign-in\" off for the user in the SMS method of the authentication methods policy"
            }
            Self::SmsSignInNotAllowed => {
                "switch \"use for sign-in\" on for the user in the SMS method of the authentication methods policy, or say `smsSignIn: off`"
            }
            Self::SignInNumberTaken => {
                "give the user a number of their own, or say `smsSignIn: off`"
            }
            Self::NoMobilePhone => "register a mobile phone for the user first",
            Self::ReplacesAdministrators => {
                "name the role in `appliesTo.roles` of the policy, once you trust who can edit the directory"
            }
            Self::HasStronger => {
                "leave the number to the user, or remove it with `absent` and let the stronger method do"
            }
            Self::NumberOfAnother => "find out whose it is, and correct the directory",
            Self::LastMethod => "have the user register another method first",
            Self::IsDefault => {
                "add `defaultMethod` with a method that the user has besides, and plan again"
            }
            Self::AlternateNeedsMobile => "say `alternateMobile: absent` as well",
            Self::NoSuchMethod => "have the user register one of them, or name one that they have",
            Self::AsksWeaker | Self::MayAskWeaker => {
                "write `{ exactly: false }` where that is meant"
            }
            Self::Conflict(_) => "give one of them a smaller `priority`",
        }
    }

    /// What helps where an undo withholds it: no policy can be written for that.
    #[must_use]
    pub const fn way_out(self) -> &'static str {
        match self {
            Self::LastMethod | Self::WouldBeOpen => {
                "MFA is, or may be, demanded of the user: have the user register another method, then undo again"
            }
            Self::WouldBeStuck => {
                "have the user register a method that answers what is demanded, then undo again"
            }
            Self::CannotTell | Self::MaybeLastMethod | Self::MaybeNoSuchMethod => {
                "see above what is not known; with the permission to read it, undo again"
            }
            Self::DefaultUnknown => "with the permission to read sign-in preferences, undo again",
            Self::IsDefault => {
                "Entra deletes no phone that is the default beside other methods: have the user choose another default, then undo again"
            }
            Self::NumberOfAnother | Self::SignInNumberTaken => {
                "find out whose number it is by now; register another one for the user by hand"
            }
            Self::SmsSignIn => {
                "whether the user signed in by text before the run is not known: register the number by hand"
            }
            Self::NoMobilePhone => "a mobile phone has to come back first: register it by hand",
            Self::AlternateNeedsMobile => {
                "the alternate mobile phone stays, and needs the mobile phone"
            }
            Self::NotCoveredElsewhere
            | Self::SmsSignInNotAllowed
            | Self::ReplacesAdministrators
            | Self::HasStronger
            | Self::NoSuchMethod
            | Self::AsksWeaker
            | Self::MayAskWeaker
            | Self::Conflict(_) => "put it back by hand, if it has to be",
        }
    }

    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::WouldBeOpen | Self::WouldBeStuck | Self::CannotTell => Code::MfaWithheld,
            Self::NotCoveredElsewhere => Code::MfaLoweredNotCovered,
            Self::SmsSignIn => Code::SmsSignInSideEffect,
            Self::SmsSignInNotAllowed | Self::SignInNumberTaken => Code::SmsSignInWithheld,
            Self::ReplacesAdministrators | Self::HasStronger | Self::NumberOfAnother => {
                Code::ReplaceWithheld
            }
            Self::LastMethod
            | Self::MaybeLastMethod
            | Self::IsDefault
            | Self::DefaultUnknown
            | Self::AlternateNeedsMobile => Code::RemovalWithheld,
            Self::NoMobilePhone => Code::PhoneWithheld,
            Self::NoSuchMethod
            | Self::MaybeNoSuchMethod
            | Self::AsksWeaker
            | Self::MayAskWeaker => Code::DefaultWithheld,
            Self::Conflict(_) => Code::PolicyConflict,
        }
    }
}
