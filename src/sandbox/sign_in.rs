//! The judge of sign-ins.

use std::collections::BTreeSet;

use jiff::civil::Date;
use uuid::Uuid;

use super::records::{TenantDocuments, UserRecord};

#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub record: &'a UserRecord,
    pub groups: &'a BTreeSet<Uuid>,
    pub tenant: &'a TenantDocuments,
    pub on: Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    MustRegister,
    Blocked,
    PasswordOnly,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::MustRegister => "mustRegister",
            Self::Blocked => "blocked",
            Self::PasswordOnly => "passwordOnly",
        }
    }
}

pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let _ = evidence;
    Verdict::PasswordOnly
}
