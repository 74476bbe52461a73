//! The words for a withheld change: the reason, what the user can do about it, and the finding code.
//!
//! Not here: when a change is withheld (`guard`).

use super::Reason;
use crate::finding::Code;

impl Reason {
    /// Returns the reason as a clause, without the name of a conflicting policy.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::WouldBeOpen => {
                "no method could answer the MFA prompt (the account would be open)"
            }
            Self::WouldBeStuck => {
                "no registered method could answer the MFA prompt (the account would be stuck)"
            }
            Self::CannotTell => "it is unknown whether the user could answer the MFA prompt",
            Self::DomainFederated => {
                "the user's domain is federated, so its identity provider decides about MFA"
            }
            Self::DomainUnknown => "it is unknown how the user's domain handles sign-in",
            Self::NotCoveredElsewhere => "nothing else is known to require MFA for the user",
            Self::SmsSignIn => "registering this number could switch on SMS sign-in",
            Self::SmsSignInNotAllowed => {
                "it is not certain that the tenant allows SMS sign-in for the user"
            }
            Self::SignInNumberTaken => "another user uses, or may use, this number for SMS sign-in",
            Self::NoMobilePhone => "the user has no mobile phone registered",
            Self::ReplacesAdministrators => {
                "the user has, or may have, an administrator role that the policy does not name"
            }
            Self::HasStronger => "the user has, or may have, a stronger method than a phone",
            Self::NumberOfAnother => {
                "the number is registered for another user, or would be after this plan"
            }
            Self::LastMethod => "no usable method would be left",
            Self::MaybeLastMethod => "it is unknown whether a usable method would be left",
            Self::IsDefault => "it is still the user's default method",
            Self::DefaultUnknown => "it is unknown whether this is the user's default method",
            Self::AlternateNeedsMobile => {
                "Entra requires a mobile phone while an alternate mobile phone exists"
            }
            Self::NoSuchMethod => "none of these methods is usable for the user",
            Self::MaybeNoSuchMethod => {
                "it is unknown whether one of these methods is usable for the user"
            }
            Self::AsksWeaker => {
                "the user has a stronger method than a phone, and Entra would ask for a weaker one"
            }
            Self::MayAskWeaker => {
                "the user may have a stronger method than a phone, and Entra may ask for a weaker one"
            }
            Self::Conflict(_) => "another policy of the same priority wants a different value",
        }
    }

    /// Returns what the user of mfactl can do, where no fact about the Entra user is the known cause.
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
                "see the findings for what is unknown; grant the permission to read it, then plan again"
            }
            Self::DomainFederated => {
                "require MFA at the identity provider, or let Entra do it: set `federatedIdpMfaBehavior: rejectMfaByFederatedIdp` in the federation settings of the domain"
            }
            Self::DomainUnknown => {
                "grant `Domain.Read.All` and `Domain-InternalFederation.Read.All`, and check that the tenant lists the domain"
            }
            Self::NotCoveredElsewhere => {
                "cover the user with a Conditional Access policy for all apps that has no further conditions"
            }
            Self::SmsSignIn => {
                "set `smsSignIn: off` or `on` under `phones.mobile`, or switch \"use for sign-in\" off for the user in the SMS method of the authentication methods policy"
            }
            Self::SmsSignInNotAllowed => {
                "switch \"use for sign-in\" on for the user in the SMS method of the authentication methods policy, or set `smsSignIn: off`"
            }
            Self::SignInNumberTaken => {
                "give the user a number of their own, or set `smsSignIn: off`"
            }
            Self::NoMobilePhone => "register a mobile phone for the user first",
            Self::ReplacesAdministrators => {
                "name the role in `appliesTo.roles` of the policy, once you trust everyone who can edit the directory"
            }
            Self::HasStronger => {
                "leave the number to the user, or remove it with `absent`: the stronger method is enough"
            }
            Self::NumberOfAnother => "find out whose number it is, and correct the directory",
            Self::LastMethod => "have the user register another method first",
            Self::IsDefault => {
                "set `defaultMethod` to another method that the user has, then plan again"
            }
            Self::AlternateNeedsMobile => "set `alternateMobile: absent` as well",
            Self::NoSuchMethod => {
                "have the user register one of these methods, or name a method that the user has"
            }
            Self::AsksWeaker | Self::MayAskWeaker => {
                "write `{ exactly: false }` if that is intended"
            }
            Self::Conflict(_) => "give one of the policies a smaller `priority`",
        }
    }

    /// Returns what helps when an undo withholds the change: a policy cannot help there.
    #[must_use]
    pub const fn way_out(self) -> &'static str {
        match self {
            Self::LastMethod | Self::WouldBeOpen => {
                "MFA is, or may be, required for the user: have the user register another method, then undo again"
            }
            Self::WouldBeStuck => {
                "have the user register a method that can answer the MFA prompt, then undo again"
            }
            Self::CannotTell
            | Self::MaybeLastMethod
            | Self::MaybeNoSuchMethod
            | Self::DomainFederated
            | Self::DomainUnknown => {
                "see the findings for what is unknown; grant the permission to read it, then undo again"
            }
            Self::DefaultUnknown => {
                "grant the permission to read sign-in preferences, then undo again"
            }
            Self::IsDefault => {
                "Entra does not delete the phone of the default method while other methods exist: have the user choose another default, then undo again"
            }
            Self::NumberOfAnother | Self::SignInNumberTaken => {
                "find out whose number it is now, and register another one for the user by hand"
            }
            Self::SmsSignIn => {
                "it is unknown whether SMS sign-in was on for the user before the run: register the number by hand"
            }
            Self::NoMobilePhone => "a mobile phone must be registered first: register it by hand",
            Self::AlternateNeedsMobile => {
                "the alternate mobile phone stays, and Entra requires the mobile phone for it"
            }
            Self::NotCoveredElsewhere
            | Self::SmsSignInNotAllowed
            | Self::ReplacesAdministrators
            | Self::HasStronger
            | Self::NoSuchMethod
            | Self::AsksWeaker
            | Self::MayAskWeaker
            | Self::Conflict(_) => "put it back by hand if necessary",
        }
    }

    /// Whether the change is withheld because something is unknown, so that it may be safe after all.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        match self {
            Self::CannotTell
            | Self::DomainUnknown
            | Self::MaybeLastMethod
            | Self::DefaultUnknown
            | Self::MaybeNoSuchMethod
            | Self::MayAskWeaker => true,
            Self::WouldBeOpen
            | Self::WouldBeStuck
            | Self::DomainFederated
            | Self::NotCoveredElsewhere
            | Self::SmsSignIn
            | Self::SmsSignInNotAllowed
            | Self::SignInNumberTaken
            | Self::ReplacesAdministrators
            | Self::HasStronger
            | Self::NumberOfAnother
            | Self::LastMethod
            | Self::IsDefault
            | Self::AlternateNeedsMobile
            | Self::NoMobilePhone
            | Self::NoSuchMethod
            | Self::AsksWeaker
            | Self::Conflict(_) => false,
        }
    }

    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::WouldBeOpen
            | Self::WouldBeStuck
            | Self::CannotTell
            | Self::DomainFederated
            | Self::DomainUnknown => Code::MfaWithheld,
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
