//! Which authentication methods the tenant allows, as far as it can be said for everybody at once.
//!
//! Not here: targets by group. A configuration that is for some people only is `Unsaid`, which
//! every guard takes as the side that hurts.

/// Whether a method is allowed for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Allowed {
    Yes,
    No,
    /// For some and not for others, or still ruled by settings that Graph does not show.
    #[default]
    Unsaid,
}

/// The tenant's authentication methods policy (Graph documentation of
/// authenticationMethodsPolicy, v1.0, checked 2026-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MethodPolicy {
    pub sms: Allowed,
    pub voice: Allowed,
    /// Calls to office phones have a switch of their own.
    pub office_voice: Allowed,
    pub authenticator: Allowed,
    pub software_oath: Allowed,
    pub hardware_oath: Allowed,
    pub passkey: Allowed,
    pub certificate: Allowed,
    pub external: Allowed,
}
