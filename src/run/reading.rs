//! Reads the directory and the rules of a tenant. What the requests return is not judged here.
//!
//! Not here: single requests (`entra`), or the checks (`checking`).

use std::collections::BTreeSet;

use futures_util::future::try_join;
use tokio::sync::oneshot;

use super::extent::ReadExtent;
use super::fault::RunFault;
use super::session::Session;
use crate::entra::tenant_rules::{self, ConfiguredRules, refusable};
use crate::entra::{directory, roles};
use crate::policy::{CloudName, PolicySet};
use crate::scope;
use crate::tenant::directory::Directory;
use crate::tenant::facts::Read;
use crate::tenant::lookup::{News, OnNews};
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::roles::Roles;

/// The users and groups that were asked for, and the holders of each role.
pub(super) type DirectoryAndRoles = (Directory, Read<Roles>);

/// Reads the users and groups that the policies name, the extra users, and the holders of each role.
pub(super) async fn read_directory(
    session: &Session,
    policies: &PolicySet,
    extent: ReadExtent<'_>,
    on_news: &OnNews<'_>,
) -> Result<DirectoryAndRoles, RunFault> {
    let mut lookup = extent.lookup(policies);
    // A user that left a break-glass group is reported by name.
    lookup.user_ids.extend(session.guarded.0.values().flatten());
    let (send_holders, holders) = oneshot::channel();
    let roles = async {
        let roles = refusable(roles::read(&session.client).await)?;
        let known = roles.known();
        known.into_iter().for_each(|roles| on_news(News::Roles(roles)));
        let holders = known.map(|roles| scope::holders(policies, roles)).unwrap_or_default();
        _ = send_holders.send(holders);
        Ok(roles)
    };
    let holders = async {
        match lookup.roles {
            true => Ok(holders.await.unwrap_or_default()),
            false => Ok(BTreeSet::new()),
        }
    };
    let directory = directory::read(&session.client, &lookup, holders, on_news);
    Ok(try_join(directory, roles).await?)
}

/// Reads the rules of the tenant. `on_policy` receives the method policy as soon as it is known.
pub(super) async fn read_rules(
    session: &Session,
    policies: &PolicySet,
    on_policy: impl FnOnce(MethodPolicy),
) -> Result<ConfiguredRules, RunFault> {
    let public_cloud = policies.project.cloud == CloudName::Global;
    Ok(tenant_rules::read(&session.client, public_cloud, on_policy).await?)
}
