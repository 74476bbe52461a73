//! Reads a snapshot line by line, and refuses it unless it is whole: every line is known, users are sorted and come
//! before groups, members come after their group, and the digest at the end fits.
//!
//! Not here: the age of a snapshot, or whether it is of the tenant of the files (`run::recorded`).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::pseudonym::NameRecord;
use super::rows::{
    CountryRow, GroupRow, GroupsOf, HeadRow, MembersRow, MethodsRow, PhoneRow, ReadingRow,
    RulesRow, SnapshotRow, UserRow,
};
use super::write::{EVERY, NO_COUNTRY};
use super::{FORMAT, GroupRecord, Snapshot};
use crate::entra::tenant_rules::ConfiguredRules;
use crate::files;
use crate::id::{GroupId, UserId};
use crate::number::{RawNumber, RecordedReading, RecordedText};
use crate::tenant::by_id::ById;
use crate::tenant::directory::{Attribute, Country, User, UserIndex};
use crate::tenant::facts::{Facts, Methods, Read};
use crate::tenant::membership::Membership;
use crate::tenant::preferences::DefaultMethod;
use crate::tenant::roles::Roles;

/// The largest file that is read, compressed. A million users take less than a tenth of it.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;
/// The largest snapshot that is read, in bytes of its lines.
const MOST_TEXT: u64 = 8 * MOST_BYTES;
/// The most users that are read.
const MOST_USERS: usize = 10_000_000;
/// The longest line. A line of members has at most 10,000 users, but one with roles can name many.
const MOST_LINE: u64 = 64 * 1024 * 1024;

/// Why a file is not accepted as a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFault {
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a snapshot")]
    NotOne,
    #[error("it has format {0}, but this program reads format {FORMAT}")]
    OtherFormat(u64),
    #[error("it is damaged or incomplete, in line {0}")]
    Damaged(usize),
}

/// Reads a snapshot.
///
/// # Errors
/// The file cannot be read, is no snapshot, or is damaged.
pub fn read(path: &Path) -> Result<Snapshot, SnapshotFault> {
    let file = files::open_given(path)?.take(MOST_BYTES);
    let mut lines = Lines {
        text: BufReader::new(GzDecoder::new(BufReader::new(file)).take(MOST_TEXT)),
        line: Vec::new(),
        number: 0,
        digest: Sha256::new(),
    };
    let head = lines.head()?;
    let mut building = Building::new(head);
    loop {
        match lines.next()? {
            SnapshotRow::Digest(digest) => {
                lines.ends(&digest)?;
                let number = lines.number;
                let mut rest = lines.text.into_inner().into_inner().into_inner();
                // Nothing follows the compressed text.
                let is_end = matches!(rest.read(&mut [0]), Ok(0));
                let snapshot = building.finish().filter(|_| is_end);
                return snapshot.ok_or(SnapshotFault::Damaged(number));
            }
            row => building.add(row).ok_or_else(|| lines.damaged())?,
        }
    }
}

/// Reads lines, and digests them.
struct Lines<R> {
    text: R,
    line: Vec<u8>,
    number: usize,
    digest: Sha256,
}

impl<R: io::BufRead> Lines<R> {
    const fn damaged(&self) -> SnapshotFault {
        SnapshotFault::Damaged(self.number)
    }

    /// Reads the first line. A file that is no snapshot is not called a damaged one.
    fn head(&mut self) -> Result<HeadRow, SnapshotFault> {
        #[derive(serde::Deserialize)]
        struct Probe {
            snapshot: FormatProbe,
        }
        #[derive(serde::Deserialize)]
        struct FormatProbe {
            format: u64,
        }
        self.advance().map_err(|fault| match fault {
            SnapshotFault::Io(error) if !is_of_content(&error) => SnapshotFault::Io(error),
            _ => SnapshotFault::NotOne,
        })?;
        let probe: Probe = serde_json::from_slice(&self.line).map_err(|_| SnapshotFault::NotOne)?;
        if probe.snapshot.format != u64::from(FORMAT) {
            return Err(SnapshotFault::OtherFormat(probe.snapshot.format));
        }
        match self.parse()? {
            SnapshotRow::Snapshot(head) => Ok(*head),
            _ => Err(self.damaged()),
        }
    }

    fn next(&mut self) -> Result<SnapshotRow, SnapshotFault> {
        self.digest.update(&self.line);
        self.advance()?;
        self.parse()
    }

    fn parse(&self) -> Result<SnapshotRow, SnapshotFault> {
        serde_json::from_slice(&self.line).map_err(|_| self.damaged())
    }

    fn advance(&mut self) -> Result<(), SnapshotFault> {
        self.line.clear();
        self.number += 1;
        let read = (&mut self.text).take(MOST_LINE).read_until(b'\n', &mut self.line);
        match read {
            Ok(_) if self.line.ends_with(b"\n") => Ok(()),
            Ok(_) => Err(self.damaged()),
            Err(error) if is_of_content(&error) => Err(self.damaged()),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks the last line, and that nothing follows.
    fn ends(&mut self, written: &str) -> Result<(), SnapshotFault> {
        let digest = self.digest.clone().finalize();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut rest = [0];
        let is_end = matches!(self.text.read(&mut rest), Ok(0));
        if digest == written && is_end { Ok(()) } else { Err(self.damaged()) }
    }
}

/// Whether the error is about the bytes of the file and not about the machine.
fn is_of_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// What was read so far.
struct Building {
    head: HeadRow,
    rules: Option<RulesRow>,
    roles: Option<Read<Roles>>,
    users: Vec<(User, Facts)>,
    /// Few departments for many users.
    departments: HashSet<Arc<str>>,
    groups: BTreeMap<GroupId, GroupRecord>,
    of_rules: BTreeMap<GroupId, GroupRecord>,
    /// The group whose members follow.
    group: Option<(GroupsOf, GroupId)>,
}

impl Building {
    fn new(head: HeadRow) -> Self {
        Self {
            head,
            rules: None,
            roles: None,
            users: Vec::new(),
            departments: HashSet::new(),
            groups: BTreeMap::new(),
            of_rules: BTreeMap::new(),
            group: None,
        }
    }

    /// Adds a line. Returns `None` if it is in the wrong place or says something impossible.
    fn add(&mut self, row: SnapshotRow) -> Option<()> {
        match row {
            SnapshotRow::Rules(rules) if self.rules.is_none() => self.rules = Some(*rules),
            SnapshotRow::Roles(roles) if self.roles.is_none() => self.roles = Some(*roles),
            SnapshotRow::User(user) if self.group.is_none() && self.users.len() < MOST_USERS => {
                self.user(*user)?;
            }
            SnapshotRow::Group(row) => self.group(*row)?,
            SnapshotRow::Members(row) => self.members(&row)?,
            SnapshotRow::Snapshot(_)
            | SnapshotRow::Rules(_)
            | SnapshotRow::Roles(_)
            | SnapshotRow::User(_)
            | SnapshotRow::Digest(_) => {
                return None;
            }
        }
        Some(())
    }

    /// Adds a user. Without names, users are in the order of their pseudonyms, and no name is kept.
    fn user(&mut self, row: UserRow) -> Option<()> {
        let keeps_name = matches!(row.name, NameRecord::Kept(_));
        (keeps_name == self.head.about.names).then_some(())?;
        let (user, facts) = row.user(&mut self.departments)?;
        let last = self.users.last().map(|(user, _)| user.name.raw());
        (keeps_name || last.is_none_or(|last| last < user.name.raw())).then_some(())?;
        self.users.push((user, facts));
        Some(())
    }

    fn group(&mut self, row: GroupRow) -> Option<()> {
        let GroupRow { of, id, about, unreadable } = row;
        let record = GroupRecord {
            group: about.map(|about| about.group(id)),
            unreadable,
            ..GroupRecord::default()
        };
        self.group = Some((of, id));
        self.groups_of(of).insert(id, record).is_none().then_some(())
    }

    const fn groups_of(&mut self, of: GroupsOf) -> &mut BTreeMap<GroupId, GroupRecord> {
        match of {
            GroupsOf::Directory => &mut self.groups,
            GroupsOf::Rules => &mut self.of_rules,
        }
    }

    fn members(&mut self, row: &MembersRow) -> Option<()> {
        let (of, id) = self.group?;
        let users = self.users.len();
        let record = self.groups_of(of).get_mut(&id)?;
        let members = if row.disputed { &mut record.disputed } else { &mut record.members };
        let mut place = 0_usize;
        for distance in &row.users {
            place = place.checked_add(usize::try_from(*distance).ok()?)?;
            let user = UserIndex::new((place < users).then_some(place)?);
            // A user twice, or out of order, is no list that this program wrote.
            members.last().is_none_or(|last| *last < user).then_some(())?;
            members.push(user);
        }
        Some(())
    }

    fn finish(self) -> Option<Snapshot> {
        let Self { head, rules, roles, users, groups, of_rules, .. } = self;
        let RulesRow { rules, settings } = rules?;
        let ids: BTreeSet<UserId> = users.iter().map(|(user, _)| user.id).collect();
        (ids.len() == users.len()).then_some(())?;
        let by_id = ById::new(users.iter().map(|(user, _)| user.id));
        let ids = |places: &[UserIndex]| {
            let users = places.iter().filter_map(|one| users.get(one.place()));
            users.map(|(user, _)| user.id).collect()
        };
        let of_rules = of_rules.into_iter().map(|(id, record)| {
            let members = || Membership::from_parts(ids(&record.members), ids(&record.disputed));
            (id, record.unreadable.map_or_else(|| Read::Known(members()), Read::Unknown))
        });
        let rules = ConfiguredRules { rules, settings, groups: of_rules.collect() };
        let HeadRow { about, salt, named, people, guarded, .. } = head;
        let people = people.into_iter().collect();
        let roles = roles?;
        Some(Snapshot { about, roles, rules, guarded, named, salt, people, by_id, users, groups })
    }
}

impl UserRow {
    fn user(self, departments: &mut HashSet<Arc<str>>) -> Option<(User, Facts)> {
        let numbers = self.numbers.into_iter().map(|(attribute, readings)| {
            Some((Attribute::from_word(&attribute)?, RawNumber::recorded(text(readings)?)))
        });
        let default_method = match self.default {
            Read::Unknown(why) => Read::Unknown(why),
            Read::Known(None) => Read::Known(None),
            Read::Known(Some(word)) => Read::Known(Some(DefaultMethod::from_word(&word)?)),
        };
        let facts = Facts {
            methods: self.methods.map(MethodsRow::methods),
            state: self.state,
            default_method,
            system_preferred: self.system_preferred,
        };
        let user = User {
            id: self.id,
            name: self.name.of(self.id),
            account: self.account,
            usage_location: self.location,
            country: match self.country {
                None => Country::None,
                Some(CountryRow::Known(region)) => Country::Known(region),
                Some(CountryRow::Unread) => Country::Unread,
            },
            department: self.department.map(|name| shared(&name, departments)),
            attributes: numbers.collect::<Option<_>>()?,
        };
        Some((user, facts))
    }
}

/// Returns the text that all users of the department share.
fn shared(name: &str, departments: &mut HashSet<Arc<str>>) -> Arc<str> {
    if let Some(known) = departments.get(name) {
        return Arc::clone(known);
    }
    let new: Arc<str> = name.into();
    departments.insert(Arc::clone(&new));
    new
}

fn text(readings: Vec<ReadingRow>) -> Option<RecordedText> {
    let has_country_code = readings.first()?.region == EVERY;
    let readings = readings.into_iter().map(|row| {
        let region = match row.region.as_str() {
            EVERY | NO_COUNTRY => None,
            region => Some(region.parse().ok()?),
        };
        let extended = row.extended.unwrap_or(row.alone).read();
        Some(RecordedReading { region, alone: row.alone.read(), extended })
    });
    Some(RecordedText { has_country_code, readings: readings.collect::<Option<_>>()? })
}

impl MethodsRow {
    fn methods(self) -> Methods {
        let Self { kinds, mobile, alternate_mobile, office, sms_sign_in } = self;
        let [mobile, alternate_mobile, office] =
            [mobile, alternate_mobile, office].map(PhoneRow::phone);
        Methods { mobile, alternate_mobile, office, kinds, sms_sign_in }
    }
}

impl Snapshot {
    /// Finds the place of a user by the id that the snapshot has.
    pub(super) fn find(&self, id: UserId) -> Option<UserIndex> {
        self.by_id.find(id)
    }
}
