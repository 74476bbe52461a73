//! The properties of users and groups: their names and kinds, and whether they can be filtered and
//! written. A property that is not in these tables does not exist in this tenant.
//!
//! Graph documentation (user and group resource types, properties). `perUserMfaState` is in the table
//! of users although the metadata of neither version has it; `undocumented` decides whether it can be
//! selected.
//!
//! Not here: reading a query (`odata`).

mod documents;

pub(crate) use documents::*;

/// The type of a property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Time,
    Texts,
    Object,
    Objects,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) filterable: bool,
    pub(crate) writable: bool,
}

impl Property {
    const fn unfiltered(self) -> Self {
        Self { filterable: false, ..self }
    }

    const fn writable(self) -> Self {
        Self { writable: true, ..self }
    }
}

const fn property(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, filterable: true, writable: false }
}

const fn text(name: &'static str) -> Property {
    property(name, Kind::Text)
}

const fn boolean(name: &'static str) -> Property {
    property(name, Kind::Bool)
}

const fn time(name: &'static str) -> Property {
    property(name, Kind::Time)
}

const fn texts(name: &'static str) -> Property {
    property(name, Kind::Texts)
}

/// A number, which can be shown but not filtered.
const fn number(name: &'static str) -> Property {
    property(name, Kind::Object).unfiltered()
}

const fn object(name: &'static str) -> Property {
    property(name, Kind::Object).unfiltered()
}

const fn objects(name: &'static str) -> Property {
    property(name, Kind::Objects).unfiltered()
}

/// A type of directory object.
#[derive(Debug)]
pub(crate) struct EntityType {
    /// The name in `@odata.type`, without the number sign.
    pub(crate) name: &'static str,
    /// The name in error messages.
    pub(crate) noun: &'static str,
    /// The collection, as in `@odata.context`.
    pub(crate) set: &'static str,
    pub(crate) properties: &'static [Property],
    /// The properties that are sent without `$select`.
    pub(crate) default: &'static [&'static str],
}

impl EntityType {
    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// Graph's message about an unknown property.
    pub(crate) fn unknown(&self, name: &str) -> String {
        format!("Could not find a property named '{name}' on type '{}'.", self.name)
    }
}

pub(crate) static USER: EntityType = EntityType {
    name: "microsoft.graph.user",
    noun: "User",
    set: "users",
    properties: &[
        text("id"),
        text("userPrincipalName").writable(),
        text("displayName").writable(),
        text("givenName").writable(),
        text("surname").writable(),
        text("mail").writable(),
        text("mailNickname").writable(),
        boolean("accountEnabled").writable(),
        text("userType").writable(),
        text("mobilePhone").writable(),
        texts("businessPhones").writable(),
        text("jobTitle").writable(),
        text("department").writable(),
        text("companyName").writable(),
        text("officeLocation").writable(),
        text("employeeId").writable(),
        text("employeeType").writable(),
        time("employeeHireDate").writable(),
        time("employeeLeaveDateTime").writable(),
        object("employeeOrgData").writable(),
        text("usageLocation").writable(),
        text("preferredLanguage").writable(),
        text("preferredDataLocation").writable(),
        text("streetAddress").writable(),
        text("postalCode").writable(),
        text("city").writable(),
        text("state").writable(),
        text("country").writable(),
        text("faxNumber").writable(),
        texts("otherMails").writable(),
        texts("proxyAddresses"),
        texts("imAddresses"),
        text("ageGroup").writable(),
        text("consentProvidedForMinor").writable(),
        text("legalAgeGroupClassification"),
        text("creationType"),
        time("createdDateTime"),
        time("deletedDateTime"),
        text("externalUserState"),
        time("externalUserStateChangeDateTime"),
        time("lastPasswordChangeDateTime").unfiltered(),
        time("signInSessionsValidFromDateTime").unfiltered(),
        boolean("isResourceAccount"),
        boolean("isManagementRestricted").unfiltered(),
        boolean("showInAddressList").unfiltered().writable(),
        text("securityIdentifier"),
        text("passwordPolicies").unfiltered().writable(),
        object("passwordProfile").writable(),
        text("perUserMfaState").unfiltered(),
        object("signInActivity"),
        object("customSecurityAttributes"),
        objects("identities"),
        objects("assignedLicenses"),
        objects("assignedPlans"),
        objects("provisionedPlans"),
        objects("licenseAssignmentStates"),
        objects("serviceProvisioningErrors"),
        boolean("onPremisesSyncEnabled"),
        text("onPremisesDistinguishedName").unfiltered(),
        text("onPremisesDomainName").unfiltered(),
        object("onPremisesExtensionAttributes").writable(),
        text("onPremisesImmutableId").writable(),
        time("onPremisesLastSyncDateTime"),
        objects("onPremisesProvisioningErrors"),
        text("onPremisesSamAccountName"),
        text("onPremisesSecurityIdentifier"),
        text("onPremisesUserPrincipalName").unfiltered(),
    ],
    default: &[
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ],
};

pub(crate) static GROUP: EntityType = EntityType {
    name: "microsoft.graph.group",
    noun: "Group",
    set: "groups",
    properties: &[
        text("id"),
        text("displayName").writable(),
        text("description").writable(),
        text("uniqueName").writable(),
        texts("groupTypes").writable(),
        text("membershipRule").writable(),
        text("membershipRuleProcessingState").writable(),
        boolean("securityEnabled").writable(),
        boolean("mailEnabled").writable(),
        text("mail"),
        text("mailNickname").writable(),
        boolean("isAssignableToRole").writable(),
        text("visibility").unfiltered().writable(),
        text("classification").unfiltered().writable(),
        text("theme").unfiltered().writable(),
        text("preferredDataLocation").writable(),
        text("preferredLanguage").writable(),
        text("securityIdentifier"),
        boolean("isManagementRestricted").unfiltered(),
        boolean("hasMembersWithLicenseErrors").unfiltered(),
        texts("proxyAddresses"),
        texts("creationOptions").unfiltered(),
        texts("resourceBehaviorOptions").unfiltered(),
        texts("resourceProvisioningOptions"),
        time("createdDateTime"),
        time("deletedDateTime"),
        time("renewedDateTime"),
        time("expirationDateTime"),
        objects("assignedLabels"),
        objects("assignedLicenses"),
        object("licenseProcessingState"),
        objects("serviceProvisioningErrors"),
        boolean("onPremisesSyncEnabled"),
        text("onPremisesDomainName").unfiltered(),
        time("onPremisesLastSyncDateTime"),
        text("onPremisesNetBiosName").unfiltered(),
        objects("onPremisesProvisioningErrors"),
        text("onPremisesSamAccountName"),
        text("onPremisesSecurityIdentifier"),
    ],
    default: &[
        "id",
        "deletedDateTime",
        "classification",
        "createdDateTime",
        "creationOptions",
        "description",
        "displayName",
        "expirationDateTime",
        "groupTypes",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "membershipRuleProcessingState",
        "onPremisesDomainName",
        "onPremisesLastSyncDateTime",
        "onPremisesNetBiosName",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "preferredDataLocation",
        "preferredLanguage",
        "proxyAddresses",
        "renewedDateTime",
        "resourceBehaviorOptions",
        "resourceProvisioningOptions",
        "securityEnabled",
        "securityIdentifier",
        "theme",
        "uniqueName",
        "visibility",
    ],
};
