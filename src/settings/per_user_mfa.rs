//! The per-user MFA state.

/// The three states that Entra knows (contract of `perUserMfaState`, beta).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Disabled,
    Enabled,
    Enforced,
}

/// `perUserMfa`, checked: the state wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(pub State);
