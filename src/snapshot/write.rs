//! Writes a snapshot: JSON lines, compressed with gzip, one user or one part of a group at a time. Ids, names and
//! numbers are replaced on the way.
//!
//! Not here: how they are replaced (`pseudonym`), or the target of the file (`commands`).

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use super::pseudonym::Digests;
use super::rows::{
    AboutGroup, CountryRow, GroupRow, GroupsOf, HeadRow, MembersRow, MethodsRow, PhoneRow,
    ReadNumber, ReadingRow, RulesRow, SnapshotRow, UserRow,
};
use super::{FORMAT, Recording};
use crate::id::{GroupId, UserId};
use crate::number::{RawNumber, RecordedNumber, RecordedText, Region};
use crate::tenant::directory::{Country, Group, User, UserIndex};
use crate::tenant::facts::{Methods, Phone, Read, UnknownReason};
use crate::tenant::membership::Guarding;

/// The number of members in one line.
const MEMBERS_A_LINE: usize = 10_000;

/// The words in place of a country: the text has a country code, so that it is the same in every country; or it
/// was read without one.
pub(super) const EVERY: &str = "*";
pub(super) const NO_COUNTRY: &str = "-";

/// The comment in the head of the compressed file, which shows what it is.
const COMMENT: &str = "mfactl snapshot";
/// Where the comment is (RFC 1952).
const COMMENT_AT: usize = 10;

/// Whether a file that begins with these bytes contains a snapshot of any format.
#[must_use]
pub fn begins_as_one(bytes: &[u8]) -> bool {
    let comment = bytes.get(COMMENT_AT..).unwrap_or_default();
    bytes.starts_with(&[0x1f, 0x8b]) && comment.starts_with(COMMENT.as_bytes())
}

/// Writes the snapshot.
///
/// # Errors
/// If the file cannot be written.
pub fn write(recording: &Recording<'_>, out: &mut impl Write) -> io::Result<()> {
    let lines = GzBuilder::new().comment(COMMENT).write(out, Compression::new(6));
    let mut lines = Lines { out: BufWriter::new(lines), digest: Sha256::new() };
    lines.add(&SnapshotRow::Snapshot(Box::new(recording.head())))?;
    lines.add(&SnapshotRow::Rules(Box::new(recording.rules())))?;
    let roles = recording.roles.clone();
    let roles = roles.map(|roles| roles.with_users(|user| recording.key.id(user)));
    lines.add(&SnapshotRow::Roles(Box::new(roles)))?;
    let order = WrittenOrder::of(recording);
    for user in order.users.iter().filter_map(|index| recording.directory.user(*index)) {
        lines.add(&SnapshotRow::User(Box::new(recording.user(user))))?;
    }
    recording.write_groups(&order, &mut lines)?;
    recording.write_rule_groups(&order, &mut lines)?;
    lines.finish()
}

/// The order of users in the file: that of the names that they have there. The order of their real names would
/// tell a reader who is who.
struct WrittenOrder {
    users: Vec<UserIndex>,
    /// Where each user of the directory is.
    places: Vec<UserIndex>,
}

impl WrittenOrder {
    fn of(recording: &Recording<'_>) -> Self {
        let Recording { directory, key, .. } = recording;
        let mut named: Vec<(Option<String>, UserIndex)> = directory
            .users()
            .map(|(index, user)| {
                let id = key.id(user.id);
                // Names that are kept are in the right order already.
                let name = (!recording.about.names).then(|| key.name(&user.name).of(id));
                (name.map(|name| name.raw().to_owned()), index)
            })
            .collect();
        named.sort_unstable();
        let users: Vec<UserIndex> = named.into_iter().map(|(_, index)| index).collect();
        let mut places = vec![UserIndex::new(0); users.len()];
        for (place, index) in users.iter().enumerate() {
            if let Some(slot) = places.get_mut(index.place()) {
                *slot = UserIndex::new(place);
            }
        }
        Self { users, places }
    }

    /// Returns the sorted places of these users in the file.
    fn places(&self, users: impl Iterator<Item = UserIndex>) -> Vec<UserIndex> {
        let places = users.filter_map(|user| self.places.get(user.place()).copied());
        let mut places: Vec<UserIndex> = places.collect();
        places.sort_unstable();
        places
    }
}

/// Writes lines, and digests them.
struct Lines<W: Write> {
    out: BufWriter<GzEncoder<W>>,
    digest: Sha256,
}

impl<W: Write> Lines<W> {
    fn add(&mut self, row: &SnapshotRow) -> io::Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        self.digest.update(&line);
        self.out.write_all(&line)
    }

    fn finish(mut self) -> io::Result<()> {
        let digest = self.digest.clone().finalize();
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(&SnapshotRow::Digest(digest))?;
        let Self { out, .. } = self;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        Ok(())
    }

    fn members(&mut self, places: &[UserIndex], disputed: bool) -> io::Result<()> {
        for part in places.chunks(MEMBERS_A_LINE) {
            let mut before = 0;
            let distances = part.iter().map(|user| {
                let place = user.place();
                let distance = place.saturating_sub(before);
                before = place;
                u32::try_from(distance).unwrap_or(u32::MAX)
            });
            self.add(&SnapshotRow::Members(MembersRow { users: distances.collect(), disputed }))?;
        }
        Ok(())
    }
}

impl Recording<'_> {
    fn head(&self) -> HeadRow {
        let mut digests = Digests::new(self.salt);
        let people = self.named.people.iter().map(|word| {
            let named = || self.directory.user(self.directory.find_by_name(word)?);
            // A former break-glass account may be gone, and its pseudonym is still that of its id.
            let id = word.parse().ok().or_else(|| named().map(|user| user.id));
            (digests.of(word), id.map(|id| self.key.id(id)))
        });
        let mut people: Vec<_> = match self.about.names {
            true => Vec::new(),
            false => people.collect(),
        };
        // The order of the names would tell which digest belongs to which name.
        people.sort_unstable();
        let guarded = self.guarded.0.iter();
        let guarded = guarded
            .map(|(group, users)| (*group, users.iter().map(|user| self.key.id(*user)).collect()));
        HeadRow {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            about: self.about.clone(),
            salt: self.salt,
            named: self.named.clone(),
            people,
            guarded: Guarding(guarded.collect()),
        }
    }

    fn rules(&self) -> RulesRow {
        let id = |user| self.key.id(user);
        RulesRow {
            rules: self.rules.rules.clone().with_users(id),
            settings: self.rules.settings.clone().map(|settings| settings.with_users(id)),
        }
    }

    fn user(&self, user: &User) -> UserRow {
        let facts = (self.facts)(user);
        let numbers = user
            .attributes
            .iter()
            .map(|(attribute, raw)| (attribute.to_string(), self.readings(user, raw)));
        UserRow {
            id: self.key.id(user.id),
            name: self.key.name(&user.name),
            account: user.account,
            location: user.usage_location,
            country: match user.country {
                Country::None => None,
                Country::Known(region) => Some(CountryRow::Known(region)),
                Country::Unread => Some(CountryRow::Unread),
            },
            department: user.department.as_deref().map(str::to_owned),
            numbers: numbers.collect(),
            methods: facts.methods.map(|methods| self.methods(methods)),
            state: facts.state,
            default: facts.default_method.map(|one| one.map(|one| one.as_str().to_owned())),
            system_preferred: facts.system_preferred,
        }
    }

    /// Reads the text by every country that a policy can choose for this user.
    fn readings(&self, user: &User, raw: &RawNumber) -> Vec<ReadingRow> {
        let own = user.usage_location.into_iter().chain(user.country.known());
        let mut regions: Vec<Region> = own.chain(self.about.regions.iter().copied()).collect();
        regions.sort_unstable();
        regions.dedup();
        let text = RecordedText::of(raw, regions, |number| self.key.class(number));
        let every = text.has_country_code;
        let rows = text.readings.iter().map(|reading| {
            let (alone, extended) =
                (ReadNumber::of(reading.alone), ReadNumber::of(reading.extended));
            let region = match reading.region {
                Some(region) => region.to_string(),
                None if every => EVERY.to_owned(),
                None => NO_COUNTRY.to_owned(),
            };
            ReadingRow { region, alone, extended: (extended != alone).then_some(extended) }
        });
        rows.collect()
    }

    fn methods(&self, methods: Methods) -> MethodsRow {
        let phone = |phone| {
            PhoneRow::of(match phone {
                Phone::Number(number) => {
                    Phone::Number(RecordedNumber::of(number, |text| self.key.class(text)).number())
                }
                other => other,
            })
        };
        let Methods { mobile, alternate_mobile, office, kinds, sms_sign_in } = methods;
        let [mobile, alternate_mobile, office] = [mobile, alternate_mobile, office].map(phone);
        MethodsRow { kinds, mobile, alternate_mobile, office, sms_sign_in }
    }

    fn write_groups<W: Write>(&self, order: &WrittenOrder, lines: &mut Lines<W>) -> io::Result<()> {
        let directory = self.directory;
        let gaps = directory.unreadable_groups().filter(|(id, _)| directory.group(*id).is_none());
        for (id, why) in gaps {
            lines.group(GroupsOf::Directory, id, None, Some(why))?;
        }
        for group in directory.groups() {
            let why = directory.unreadable(group.id);
            lines.group(GroupsOf::Directory, group.id, Some(group), why)?;
            let members = directory.members(group.id).into_iter().flat_map(|set| set.ones());
            lines.members(&order.places(members.map(UserIndex::new)), false)?;
            lines.members(&order.places(directory.disputed(group.id)), true)?;
        }
        Ok(())
    }

    fn write_rule_groups<W: Write>(
        &self,
        order: &WrittenOrder,
        lines: &mut Lines<W>,
    ) -> io::Result<()> {
        // A user who was deleted meanwhile has no place.
        let places = |users: &BTreeSet<UserId>| {
            order.places(users.iter().filter_map(|id| self.directory.find(*id)))
        };
        for (id, members) in &self.rules.groups {
            lines.group(GroupsOf::Rules, *id, None, members.unknown())?;
            if let Read::Known(members) = members {
                lines.members(&places(members.agreed()), false)?;
                lines.members(&places(members.disputed()), true)?;
            }
        }
        Ok(())
    }
}

impl<W: Write> Lines<W> {
    fn group(
        &mut self,
        of: GroupsOf,
        id: GroupId,
        group: Option<&Group>,
        unreadable: Option<UnknownReason>,
    ) -> io::Result<()> {
        let about = group.map(AboutGroup::of);
        self.add(&SnapshotRow::Group(Box::new(GroupRow { of, id, about, unreadable })))
    }
}
