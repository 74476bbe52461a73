//! Finds out what this identity is allowed to do: everything that has to be read is read once, as little
//! of it as possible, and the permissions for writing are looked up in the token.
//!
//! The token alone does not decide: a person needs a directory role as well, so the answer of the
//! endpoint is what counts. Not here: which permission is for what (`permissions`).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::permissions::{Need, wants_licence};
use super::{conditional_access, domains, groups, method_policy, path_of_fact, roles, strengths};
use crate::graph::{Client, Consistency, Error, Identified, Page, Token, identity_of};
use crate::id::{GroupId, UserId};
use crate::settings::Setting;
use crate::tenant::access::{Access, AccessPurpose, AccessVerdict, Check};
use crate::tenant::lookup::{Extra, UserFact};

/// A user, groups and a domain to try requests with.
#[derive(Default)]
struct Samples {
    user: Option<UserId>,
    group: Option<GroupId>,
    /// A group that holds a role.
    role_group: Option<GroupId>,
    /// The path of the federation of a domain.
    federation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// A GUID for an object; any text for an assignment.
    #[serde(default)]
    id: String,
    #[serde(default)]
    principal: Option<Principal>,
}

impl Identified for Row {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

#[derive(Deserialize)]
struct Principal {
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
    id: Uuid,
}

/// The settings that the policies manage.
#[derive(Debug, Clone, Default)]
pub struct Managed {
    pub settings: Vec<Setting>,
    /// What their rules need to read of each user.
    pub extra: Extra,
}

/// Finds out which of the managed settings this identity may read and write, for a purpose. Apply needs
/// everything that plan needs.
///
/// # Errors
/// There is no token, or Graph does not answer at all.
pub async fn read(
    client: &Client,
    managed: &Managed,
    purpose: AccessPurpose,
) -> Result<Access, Error> {
    let token = client.token().await?;
    let mut samples = Samples::default();
    let mut checks = Vec::new();
    let facts = UserFact::ALL.into_iter().filter(|fact| managed.extra.wants(*fact));
    let also_read = facts.map(Need::to_read).filter(|need| !Need::OF_EVERY_PLAN.contains(need));
    for need in Need::OF_EVERY_PLAN.into_iter().chain(also_read) {
        if let Some(verdict) = tried(client, need, &token, &mut samples).await? {
            checks.push(check(AccessPurpose::Plan, need, verdict));
        }
    }
    if purpose == AccessPurpose::Apply {
        let settings = managed.settings.iter();
        let writes: BTreeSet<Need> =
            settings.flat_map(|setting| Need::to_write(*setting)).copied().collect();
        let verdicts = writes
            .into_iter()
            .map(|need| check(AccessPurpose::Apply, need, by_token(need, &token)));
        checks.extend(verdicts);
    }
    let writes = granted(&token).filter(|name| name.contains("Write")).cloned().collect();
    Ok(Access { checks, is_person: is_person(&token), writes })
}

const fn check(purpose: AccessPurpose, need: Need, verdict: AccessVerdict) -> Check {
    Check {
        purpose,
        what: need.what(),
        permission: match need.permissions() {
            [least, ..] => least,
            [] => "",
        },
        role: need.role(),
        licence: need.licence(),
        verdict,
    }
}

fn granted(token: &Token) -> impl Iterator<Item = &String> {
    token.roles.iter().chain(&token.scopes)
}

fn is_person(token: &Token) -> bool {
    !token.scopes.is_empty()
}

/// Returns whether the token grants the need. An application without any permission has a token too.
fn has(need: Need, token: &Token) -> bool {
    granted(token).any(|name| need.permissions().contains(&name.as_str()))
}

/// Judges by the token alone.
fn by_token(need: Need, token: &Token) -> AccessVerdict {
    if has(need, token) { AccessVerdict::Fine } else { AccessVerdict::NoPermission }
}

/// Judges by a request; `None` if the need does not apply to this tenant.
async fn tried(
    client: &Client,
    need: Need,
    token: &Token,
    samples: &mut Samples,
) -> Result<Option<AccessVerdict>, Error> {
    let answer = match need {
        Need::Users => some(client, "/v1.0/users?$top=1&$select=id").await.map(|rows| {
            samples.user = first_id(&rows).map(UserId::from_uuid);
        }),
        Need::Groups => of_groups(client, samples).await,
        Need::Domains => client
            .list::<domains::GraphDomain>(domains::PATH, Consistency::Default)
            .await
            .map(|rows| {
                let federated = rows.iter().find(|row| row.is_federated());
                samples.federation = federated.map(domains::GraphDomain::federation);
            }),
        // Only the whole list shows whether a group holds a role.
        Need::Roles => {
            client.list::<Row>(roles::ASSIGNMENTS, Consistency::Default).await.map(|rows| {
                let mut principals = rows.into_iter().filter_map(|row| row.principal);
                let group =
                    principals.find(|one| one.kind.as_deref() == Some("#microsoft.graph.group"));
                samples.role_group = group.map(|group| GroupId::from_uuid(group.id));
            })
        }
        need => match path(need, samples) {
            Ok(path) => client.get::<IgnoredAny>(&path, Consistency::Default).await.map(|_| ()),
            Err(Untried::NotNeeded) => return Ok(None),
            Err(Untried::NoSample) => return Ok(Some(untried(need, token))),
        },
    };
    match answer {
        Ok(()) => Ok(Some(AccessVerdict::Fine)),
        Err(error) if error.concerns_all() => Err(error),
        Err(error) => Ok(Some(refused(need, token, &error))),
    }
}

/// Reason why a request is not tried.
enum Untried {
    NotNeeded,
    NoSample,
}

/// Returns the path of a request for the need.
fn path(need: Need, samples: &Samples) -> Result<String, Untried> {
    if let Some(fact) = UserFact::ALL.into_iter().find(|fact| Need::to_read(*fact) == need) {
        return samples.user.map(|user| path_of_fact(fact, user)).ok_or(Untried::NoSample);
    }
    match need {
        Need::MethodPolicy => Ok(method_policy::PATH.to_owned()),
        Need::ConditionalAccess => Ok(conditional_access::POLICIES.to_owned()),
        Need::Strengths => Ok(strengths::PATH.to_owned()),
        Need::SecurityDefaults => Ok(conditional_access::SECURITY_DEFAULTS.to_owned()),
        Need::Eligibility => Ok(roles::ELIGIBILITY.to_owned()),
        Need::GroupEligibility => {
            samples.role_group.map(roles::group_eligibility).ok_or(Untried::NotNeeded)
        }
        Need::Federation => samples.federation.clone().ok_or(Untried::NotNeeded),
        // A request of the caller, or a write.
        _ => Err(Untried::NotNeeded),
    }
}

async fn of_groups(client: &Client, samples: &mut Samples) -> Result<(), Error> {
    let found = some(client, "/v1.0/groups?$top=1&$select=id").await?;
    samples.group = first_id(&found).map(GroupId::from_uuid);
    let Some(group) = samples.group else { return Ok(()) };
    let first = groups::members(group, "id").replace("$top=999", "$top=1");
    client.get::<IgnoredAny>(&first, Consistency::Eventual).await.map(|_| ())
}

fn first_id(rows: &[Row]) -> Option<Uuid> {
    rows.first().and_then(|row| row.id.parse().ok())
}

/// Reads the beginning of a list, to try with.
async fn some(client: &Client, path: &str) -> Result<Vec<Row>, Error> {
    let page: Page<Row> = client.get(path, Consistency::Default).await?;
    Ok(page.parts().0)
}

/// Judges a need for which there is no user or group to try with: only a "no" of the token is certain.
fn untried(need: Need, token: &Token) -> AccessVerdict {
    match by_token(need, token) {
        AccessVerdict::Fine => AccessVerdict::NotKnown,
        verdict => verdict,
    }
}

fn refused(need: Need, token: &Token, error: &Error) -> AccessVerdict {
    match error.status() {
        Some(400 | 403) if wants_licence(error) => AccessVerdict::NoLicence,
        Some(403) if has(need, token) => AccessVerdict::Refused,
        Some(403) => AccessVerdict::NoPermission,
        Some(400 | 404 | 405 | 501) => AccessVerdict::NotThere,
        _ => AccessVerdict::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a path, `doctor` would be silent about a permission.
    #[test]
    fn every_need_of_a_plan_is_tried() {
        let samples = Samples {
            user: Some(UserId::from_uuid(Uuid::nil())),
            group: Some(GroupId::from_uuid(Uuid::nil())),
            role_group: Some(GroupId::from_uuid(Uuid::nil())),
            federation: Some("/v1.0/domains/exchangelabs.nl/federationConfiguration".to_owned()),
        };
        // These are requested before, because the others need a user, a group or a domain.
        let requested = [Need::Users, Need::Groups, Need::Domains, Need::Roles];
        let facts = UserFact::ALL.map(Need::to_read);
        for need in Need::OF_EVERY_PLAN.into_iter().chain(facts) {
            assert_ne!(path(need, &samples).is_ok(), requested.contains(&need), "{need:?}");
        }
    }
}
