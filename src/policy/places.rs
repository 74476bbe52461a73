//! The places of keys of `mfactl.yaml`, for reviews of a change.
//!
//! Not here: the places of break-glass accounts (`BreakGlass`) and of policies (`Policy`), or the meaning of
//! the keys (`Project`).

use crate::source::Origin;

/// The places of the keys that the file mentions. They are no part of what the file asks for.
#[derive(Debug, Clone, Default)]
pub struct KeyPlaces {
    pub tenant: Option<Origin>,
    pub cloud: Option<Origin>,
    pub credential: Option<Origin>,
    pub policies_outside: Option<Origin>,
    pub minimum: Option<Origin>,
    pub brakes: Option<Origin>,
    pub changed_users: Option<Origin>,
    pub weakened_users: Option<Origin>,
    pub replaced_numbers: Option<Origin>,
    pub delivery: Option<Origin>,
    pub keep_numbers: Option<Origin>,
    pub run_store: Option<Origin>,
    pub keep_for: Option<Origin>,
    pub compare_with: Option<Origin>,
    pub quota_share: Option<Origin>,
    pub endpoints: Option<Origin>,
    pub disclose: Option<Origin>,
}

impl KeyPlaces {
    /// Returns the places that can be maps, which the file names by their keys.
    pub(super) fn maps_mut(&mut self) -> impl Iterator<Item = &mut Origin> {
        let Self { brakes, changed_users, weakened_users, replaced_numbers, delivery, .. } = self;
        [brakes, changed_users, weakened_users, replaced_numbers, delivery].into_iter().flatten()
    }
}
