//! How the sandbox answers reads that are not documented.
//!
//! Not here: the answers (`undocumented`).

/// The answer to a read that is not documented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answering {
    #[default]
    Refuse,
    Allow,
    /// Answers as if no user had registered a method and MFA were required of no user.
    Wrong,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Undocumented {
    /// `GET /beta/users/{id}/authentication?$select=requirements,signInPreferences&$expand=methods`
    pub one_request_read: Answering,
    /// `GET /users?$select=perUserMfaState`
    pub bulk_state: Answering,
}
