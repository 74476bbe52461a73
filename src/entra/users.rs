//! Reads users of the directory: `/users` (Graph documentation of user, v1.0, checked 2026-11).
//!
//! Not here: which users are read (`directory`), or their methods (`facts`).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::graph::{Identified, identity_of};
use crate::id::UserId;
use crate::number::{RawNumber, Region};
use crate::tenant::directory::{Account, Attribute, Country, User};
use crate::tenant::lookup::Lookup;
use crate::untrusted::Untrusted;

/// A user as Graph shows it, with the properties of [`select`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphUser {
    id: UserId,
    #[serde(default)]
    user_principal_name: Option<Box<str>>,
    #[serde(default)]
    display_name: Option<Box<str>>,
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default)]
    user_type: Option<Box<str>>,
    #[serde(default)]
    on_premises_sync_enabled: Option<bool>,
    #[serde(default)]
    usage_location: Option<Box<str>>,
    #[serde(default)]
    country: Option<Box<str>>,
    #[serde(default)]
    department: Option<Box<str>>,
    #[serde(default)]
    mobile_phone: Option<Box<str>>,
    #[serde(default)]
    business_phones: Option<Vec<Box<str>>>,
    #[serde(default)]
    on_premises_extension_attributes: Option<BTreeMap<Box<str>, Option<Box<str>>>>,
}

impl Identified for GraphUser {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

/// Returns the `$select` for a user and for the properties that the policies need.
pub(super) fn select(lookup: &Lookup) -> String {
    let mut properties = vec![
        "id",
        "userPrincipalName",
        "displayName",
        "accountEnabled",
        "userType",
        "onPremisesSyncEnabled",
        "usageLocation",
    ];
    if lookup.department {
        properties.push("department");
    }
    if !lookup.attributes.is_empty() {
        // Both properties show the country of a national number.
        properties.push("country");
    }
    let names = lookup.attributes.iter().map(|attribute| match attribute {
        Attribute::MobilePhone => "mobilePhone",
        Attribute::BusinessPhones => "businessPhones",
        Attribute::Extension(_) => "onPremisesExtensionAttributes",
    });
    properties.extend(names.collect::<BTreeSet<_>>());
    properties.join(",")
}

/// Returns whether the account is one that Entra Connect or cloud sync creates for itself, by its name:
/// Entra Connect calls it `Sync_<server>_<hex>`, cloud sync `ADToAADSyncServiceAccount` (Entra Connect
/// documentation of its accounts, checked 2026-11).
fn is_directory_sync(name: &str, display_name: &str) -> bool {
    let local = name.split('@').next().unwrap_or(name);
    let connect = local.starts_with("Sync_")
        && display_name == "On-Premises Directory Synchronization Service Account";
    connect || local.eq_ignore_ascii_case("ADToAADSyncServiceAccount")
}

/// The departments seen so far: few departments for many users.
#[derive(Debug, Default)]
pub(super) struct Departments(HashSet<Arc<str>>);

impl Departments {
    /// Returns the department of that name, as one shared text for all its users; `None` if the name is
    /// blank.
    fn one(&mut self, name: &str) -> Option<Arc<str>> {
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        if let Some(known) = self.0.get(name) {
            return Some(Arc::clone(known));
        }
        let new: Arc<str> = name.into();
        self.0.insert(Arc::clone(&new));
        Some(new)
    }
}

impl GraphUser {
    pub(super) fn into_user(
        mut self,
        attributes: &BTreeSet<Attribute>,
        departments: &mut Departments,
    ) -> User {
        // Graph shows only the id of a member that the caller may not read.
        let name = self.user_principal_name.take().unwrap_or_else(|| self.id.to_string().into());
        let account = Account {
            enabled: self.account_enabled.unwrap_or(false),
            guest: self.user_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("guest")),
            homed_elsewhere: name.to_ascii_uppercase().contains("#EXT#"),
            directory_sync: is_directory_sync(
                &name,
                self.display_name.as_deref().unwrap_or_default(),
            ),
            synced: self.on_premises_sync_enabled.unwrap_or(false),
        };
        let held = attributes.iter().filter_map(|attribute| {
            Some((*attribute, RawNumber::new(self.attribute(*attribute)?)))
        });
        User {
            id: self.id,
            account,
            usage_location: self.usage_location.as_deref().and_then(Region::new),
            country: self.country.as_deref().map(Country::of).unwrap_or_default(),
            department: self.department.as_deref().and_then(|name| departments.one(name)),
            attributes: held.collect(),
            name: Untrusted::new(name),
        }
    }

    fn attribute(&self, attribute: Attribute) -> Option<Box<str>> {
        let text = match attribute {
            Attribute::MobilePhone => self.mobile_phone.clone(),
            Attribute::BusinessPhones => {
                self.business_phones.as_ref().and_then(|phones| phones.first().cloned())
            }
            Attribute::Extension(_) => {
                let values = self.on_premises_extension_attributes.as_ref()?;
                values.get(attribute.to_string().as_str()).cloned().flatten()
            }
        };
        text.filter(|text| !text.trim().is_empty())
    }
}
