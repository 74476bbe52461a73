//! The row of a saved plan for the change of an object of the tenant. Users are named by id, because
//! the numbers of users hold in one directory only.
//!
//! Not here: the other rows of a saved plan (the module above).

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::plan::objects::{AffectedUser, ObjectChange};
use crate::plan::{FilePlace, Plan};
use crate::posture::Posture;
use crate::resources::{ObjectKind, ObjectValue};
use crate::tenant::directory::Directory;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectRow {
    object: ObjectKind,
    before: ObjectValue,
    after: ObjectValue,
    origin: FilePlace,
    affected: Vec<AffectedRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AffectedRow {
    user: UserId,
    before: Posture,
    after: Posture,
}

impl ObjectRow {
    pub(super) fn of(plan: &Plan, change: &ObjectChange) -> Self {
        let row = |one: &AffectedUser| {
            let user = plan.directory.user(one.user)?.id;
            Some(AffectedRow { user, before: one.before, after: one.after })
        };
        Self {
            object: change.object,
            before: change.before,
            after: change.after,
            origin: change.origin.clone(),
            affected: change.affected.iter().filter_map(row).collect(),
        }
    }

    /// Returns the change; `None` if a user has no row of its own.
    pub(super) fn change(self, directory: &Directory) -> Option<ObjectChange> {
        let affected = self.affected.into_iter().map(|row| {
            let user = directory.find(row.user)?;
            Some(AffectedUser { user, before: row.before, after: row.after })
        });
        Some(ObjectChange {
            object: self.object,
            before: self.before,
            after: self.after,
            origin: self.origin,
            affected: affected.collect::<Option<_>>()?,
        })
    }
}
