//! The objects of the tenant that the files manage, and what they want of each.
//!
//! Not here: the objects themselves (`resources`), or the settings of users (`PolicyRules`).

use std::collections::BTreeMap;

use crate::resources::{ObjectKind, ObjectValue};
use crate::settings::Management;
use crate::source::Origin;

/// The objects that the files mention, each with its wanted value and its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRules(BTreeMap<ObjectKind, (Management<ObjectValue>, Origin)>);

impl ObjectRules {
    /// Adds an object. Returns the place of an earlier entry for the same object, which stays.
    ///
    /// # Errors
    /// There is an earlier entry.
    pub fn add(
        &mut self,
        object: ObjectKind,
        wanted: Management<ObjectValue>,
        origin: Origin,
    ) -> Result<(), Origin> {
        match self.0.get(&object) {
            Some((_, first)) => Err(*first),
            None => {
                self.0.insert(object, (wanted, origin));
                Ok(())
            }
        }
    }

    /// Every object that the files mention, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectKind, Management<ObjectValue>)> {
        self.0.iter().map(|(object, (wanted, _))| (*object, *wanted))
    }

    /// The place of the object in the files, managed or not.
    #[must_use]
    pub fn place(&self, object: ObjectKind) -> Option<Origin> {
        self.0.get(&object).map(|(_, origin)| *origin)
    }

    /// The managed objects, each with its wanted value and its place.
    pub fn managed(&self) -> impl Iterator<Item = (ObjectKind, ObjectValue, Origin)> {
        self.0.iter().filter_map(|(object, (wanted, origin))| match wanted {
            Management::Managed(value) => Some((*object, *value, *origin)),
            Management::Unmanaged => None,
        })
    }
}
