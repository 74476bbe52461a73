//! A tenant as it was recorded: everything that a plan needs to know of it, without numbers and, by default,
//! without names. A plan of it has the changes of a plan of the tenant at that time, if the files name nothing new.
//!
//! - `pseudonym` replaces ids and names, and numbers by classes.
//! - `rows` is the format of the lines, `write` and `read` are the file.
//! - `answer` answers what a run asks of the directory.
//! - `translate` gives policies the pseudonyms of the users that they name.
//!
//! Not here: reading the tenant (`run::snapshot`), or making a plan of a snapshot (`run::recorded`).

mod answer;
pub mod pseudonym;
mod read;
mod rows;
mod translate;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::entra::tenant_rules::ConfiguredRules;
use crate::id::GroupId;
use crate::number::Region;
use crate::tenant::by_id::ById;
use crate::tenant::directory::{Directory, Group, Identity, User, UserIndex};
use crate::tenant::facts::{Facts, Read, UnknownReason};
use crate::tenant::membership::Guarding;
use crate::tenant::roles::Roles;
use pseudonym::{PersonSalt, RecordingKey};

pub use read::{SnapshotFault, read};
pub use write::{begins_as_one, write};

/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// Which groups a snapshot has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordedGroups {
    /// Groups that the files name, and groups that can hold a role.
    Named,
    /// Every security group.
    All,
}

/// What a snapshot is of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AboutSnapshot {
    pub tenant: Identity,
    pub cloud: String,
    pub made: Timestamp,
    /// The day of a tenant that has a day of its own, such as the embedded one.
    pub day: Option<Date>,
    /// Whether it is the embedded tenant.
    pub sandbox: bool,
    pub groups: RecordedGroups,
    /// Whether ids and names of users are kept.
    pub names: bool,
    /// The countries by which every national number was read, in addition to those of its user.
    pub regions: BTreeSet<Region>,
}

/// What is recorded.
pub struct Recording<'a> {
    pub about: AboutSnapshot,
    pub directory: &'a Directory,
    /// The facts of a user of the directory.
    pub facts: &'a dyn Fn(&User) -> Facts,
    pub roles: &'a Read<Roles>,
    pub rules: &'a ConfiguredRules,
    /// The members of break-glass groups at the last apply.
    pub guarded: &'a Guarding,
    pub named: &'a NamedInFiles,
    pub key: &'a RecordingKey,
    pub salt: PersonSalt,
}

impl std::fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("about", &self.about).finish_non_exhaustive()
    }
}

/// What the files name of a tenant, so that a snapshot can say that it is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedInFiles {
    pub group_names: BTreeSet<String>,
    pub group_ids: BTreeSet<GroupId>,
    /// Names in lower case, and ids.
    #[serde(skip)]
    pub people: BTreeSet<String>,
}

/// A snapshot that was read from a file.
#[derive(Debug)]
pub struct Snapshot {
    pub about: AboutSnapshot,
    pub roles: Read<Roles>,
    pub rules: ConfiguredRules,
    pub guarded: Guarding,
    named: NamedInFiles,
    salt: PersonSalt,
    /// For each user that the files name, by digest: the id here, or `None` for a name that no user has.
    people: BTreeMap<pseudonym::PersonDigest, Option<crate::id::UserId>>,
    /// In the order of the names that they have here.
    users: Vec<(User, Facts)>,
    by_id: ById,
    groups: BTreeMap<GroupId, GroupRecord>,
}

/// A group, and its members as far as they were read.
#[derive(Debug, Clone, Default)]
struct GroupRecord {
    group: Option<Group>,
    unreadable: Option<UnknownReason>,
    /// Sorted.
    members: Vec<UserIndex>,
    /// Users that only one of two reads shows.
    disputed: Vec<UserIndex>,
}
