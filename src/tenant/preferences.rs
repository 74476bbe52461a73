//! The default methods that a user can choose, and which one is stronger than another.
//!
//! Not here: whether the user has the method (`posture`), or what a policy asks for (`settings`).

use std::fmt;

use super::facts::MethodKind;

/// A second factor that can be the default: `userPreferredMethodForSecondaryAuthentication` (Graph
/// documentation of signInPreferences, beta, checked 2026-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefaultMethod {
    Push,
    Oath,
    VoiceMobile,
    VoiceAlternateMobile,
    VoiceOffice,
    Sms,
}

impl DefaultMethod {
    pub const ALL: [Self; 6] = [
        Self::Push,
        Self::Oath,
        Self::VoiceMobile,
        Self::VoiceAlternateMobile,
        Self::VoiceOffice,
        Self::Sms,
    ];

    /// The words in Graph and in policies, in the order of [`Self::ALL`].
    pub const WORDS: &[&str] =
        &["push", "oath", "voiceMobile", "voiceAlternateMobile", "voiceOffice", "sms"];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Oath => "oath",
            Self::VoiceMobile => "voiceMobile",
            Self::VoiceAlternateMobile => "voiceAlternateMobile",
            Self::VoiceOffice => "voiceOffice",
            Self::Sms => "sms",
        }
    }

    /// The method with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }

    /// The phone that the method uses, if it uses one.
    #[must_use]
    pub const fn phone(self) -> Option<MethodKind> {
        match self {
            Self::Sms | Self::VoiceMobile => Some(MethodKind::MobilePhone),
            Self::VoiceAlternateMobile => Some(MethodKind::AlternateMobilePhone),
            Self::VoiceOffice => Some(MethodKind::OfficePhone),
            Self::Push | Self::Oath => None,
        }
    }

    /// Whether this method is harder to defeat than the other. A notification is stronger than a code, and
    /// both are stronger than a text or a call (Entra documentation of system-preferred MFA, checked
    /// 2026-11).
    #[must_use]
    pub const fn is_stronger_than(self, other: Self) -> bool {
        self.rank() > other.rank()
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Push => 2,
            Self::Oath => 1,
            Self::VoiceMobile | Self::VoiceAlternateMobile | Self::VoiceOffice | Self::Sms => 0,
        }
    }
}

impl fmt::Display for DefaultMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for (method, word) in DefaultMethod::ALL.into_iter().zip(DefaultMethod::WORDS) {
            assert_eq!((method.as_str(), DefaultMethod::from_word(word)), (*word, Some(method)));
        }
        assert_eq!(DefaultMethod::from_word("none"), None);
    }
}
