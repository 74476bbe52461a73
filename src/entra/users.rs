//! Users of the directory: `/users` (Graph documentation of user, v1.0, checked 2026-11).

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::id::UserId;
use crate::number::{RawNumber, Region};
use crate::tenant::directory::{Account, Attribute, User};

/// A user as Graph shows one, for the properties of [`select`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
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
    mobile_phone: Option<Box<str>>,
    #[serde(default)]
    business_phones: Option<Vec<Box<str>>>,
    #[serde(default)]
    on_premises_extension_attributes:
        Option<std::collections::BTreeMap<Box<str>, Option<Box<str>>>>,
}

/// The `$select` that reads a user and the attributes that the policies want.
pub(super) fn select(attributes: &BTreeSet<Attribute>) -> String {
    let mut properties = vec![
        "id",
        "userPrincipalName",
        "displayName",
        "accountEnabled",
        "userType",
        "onPremisesSyncEnabled",
        "usageLocation",
    ];
    let names = attributes.iter().map(|attribute| match attribute {
        Attribute::MobilePhone => "mobilePhone",
        Attribute::BusinessPhones => "businessPhones",
        Attribute::Extension(_) => "onPremisesExtensionAttributes",
    });
    properties.extend(names.collect::<BTreeSet<_>>());
    properties.join(",")
}

/// The accounts that Entra Connect and cloud sync make for themselves, by name: the one is called
/// `Sync_<server>_<hex>`, the other `ADToAADSyncServiceAccount` (Entra Connect documentation of its
/// accounts, checked 2026-11).
fn is_directory_sync(name: &str, display_name: &str) -> bool {
    let local = name.split('@').next().unwrap_or(name);
    let connect = local.starts_with("Sync_")
        && display_name == "On-Premises Directory Synchronization Service Account";
    connect || local.eq_ignore_ascii_case("ADToAADSyncServiceAccount")
}

impl Row {
    pub(super) fn into_user(mut self, attributes: &BTreeSet<Attribute>) -> User {
        // A member that the caller may not read comes with an id alone.
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
            attributes: held.collect(),
            name,
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
