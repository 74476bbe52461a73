//! The people, grouped by the case that they show.
//!
//! Not here: their groups (`groups`) and roles (`roles`).

mod accounts;
mod administrators;
mod numbers;
mod registered;

use uuid::Uuid;

use super::super::ids::{DOMAIN, id_of};
use super::super::person::Person;
use crate::records::UserRecord;

pub(super) use accounts::SYNC_ACCOUNT;

pub(super) fn all() -> Vec<UserRecord> {
    [numbers::people(), registered::people(), administrators::people(), accounts::people()]
        .into_iter()
        .flatten()
        .map(Person::record)
        .chain(break_glass())
        .collect()
}

/// The accounts that the sample policies name by id: the break-glass accounts, which every seed has,
/// and the service accounts. With them, the policies work in a generated tenant too.
pub(in crate::seeds) fn named_by_id() -> Vec<UserRecord> {
    let services = accounts::services().into_iter().map(Person::record);
    break_glass().into_iter().chain(services).collect()
}

fn break_glass() -> Vec<UserRecord> {
    administrators::break_glass().into_iter().map(Person::record).collect()
}

/// The id of a user at the default domain.
pub(super) fn staff_id(local: &str) -> Uuid {
    id_of(&format!("{local}@{DOMAIN}"))
}
