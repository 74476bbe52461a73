//! The handlers of what a user has registered: methods, phones, preferences, and the report of them.
//!
//! Not here: the user (`directory`), or what the methods mean at a sign-in (`sign_in`).

pub(crate) mod methods;
pub(crate) mod phones;
pub(crate) mod preferences;
pub(crate) mod reports;
pub(crate) mod sms_sign_in;
pub(crate) mod undocumented;
