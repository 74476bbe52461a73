//! Checks the names and ids of users, groups, roles and policies in the files.
//!
//! Not here: whether users, groups and roles exist (`scope`).

use uuid::Uuid;

use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, RoleId, UserId};
use crate::policy::file::GroupEntry;
use crate::policy::{GroupRef, RoleRef, UserRef};
use crate::source::{FileId, Located, Origin};
use crate::untrusted::{hides, is_mark};

/// The most characters of a policy name: it appears in lines, tables, addresses and commands.
pub(super) const LONGEST_POLICY_NAME: usize = 64;

/// Whether the name is a valid policy name. Letters of any language are valid: a German company can name a
/// policy `Geschäftsführung`.
pub(super) fn is_policy_name(name: &str) -> bool {
    let fits = |letter: char| {
        (letter.is_alphanumeric() || is_mark(letter) || "-_. ".contains(letter)) && !hides(letter)
    };
    name.trim() == name
        && !name.starts_with(is_mark)
        && (1..=LONGEST_POLICY_NAME).contains(&name.chars().count())
        && name.chars().all(fits)
}

/// Reads a group: by name, by id, or by both.
///
/// # Errors
/// The name is blank, or the id is not valid.
pub fn group(entry: Located<GroupEntry>, file: FileId) -> Result<GroupRef, Finding> {
    let origin = entry.origin(file);
    match entry.value {
        GroupEntry::Word(word) if word.trim().is_empty() => {
            Err(blank("a group has no name", origin))
        }
        GroupEntry::Word(word) => match id(&word) {
            Some(id) => Ok(GroupRef::Id(GroupId::from_uuid(id))),
            None if looks_like_id(&word) => Err(invalid_id(&word, origin)),
            None => Ok(GroupRef::Name(word)),
        },
        GroupEntry::Both(both) if both.name.value.trim().is_empty() => {
            Err(blank("a group has no name", both.name.origin(file)))
        }
        GroupEntry::Both(both) => {
            let id = object_id(&both.id, file)?;
            Ok(GroupRef::Both { id: GroupId::from_uuid(id), name: both.name.value })
        }
    }
}

/// Reads a directory role: by display name or by template id.
///
/// # Errors
/// The name is blank, or the id is not valid.
pub fn role(word: &str, origin: Origin) -> Result<RoleRef, Finding> {
    match id(word) {
        _ if word.trim().is_empty() => Err(blank("a role has no name", origin)),
        Some(id) => Ok(RoleRef::Id(RoleId::from_uuid(id))),
        None if looks_like_id(word) => Err(invalid_id(word, origin)),
        None => Ok(RoleRef::Name(word.to_owned())),
    }
}

/// Reads a user: by principal name or by id.
///
/// # Errors
/// It is neither of both.
pub fn user(word: &str, origin: Origin) -> Result<UserRef, Finding> {
    if word.trim().is_empty() {
        return Err(blank("a user has no name", origin));
    }
    if let Some(id) = id(word) {
        return Ok(UserRef::Id(UserId::from_uuid(id)));
    }
    let parts: Vec<&str> = word.split('@').collect();
    match parts.as_slice() {
        [name, domain]
            if !name.is_empty() && !domain.is_empty() && !word.contains(char::is_whitespace) =>
        {
            Ok(UserRef::PrincipalName(word.to_owned()))
        }
        _ => Err(Finding::new(
            Code::InvalidId,
            format!("{} is neither a user principal name nor an object id", quoted(word)),
        )
        .at(origin, "not a user")
        .help("write it as `name@domain`, or give the user's object id")),
    }
}

/// Reads the id of an entry that must have one.
///
/// # Errors
/// It is not an id.
pub fn object_id(text: &Located<String>, file: FileId) -> Result<Uuid, Finding> {
    id(&text.value).ok_or_else(|| invalid_id(&text.value, text.origin(file)))
}

/// Reads an object id as Entra shows it. Other spellings of the same number are refused, so that a search
/// for the id finds it.
#[must_use]
pub fn id(text: &str) -> Option<Uuid> {
    const LENGTH: usize = 36;
    (text.len() == LENGTH).then(|| Uuid::try_parse(text).ok())?
}

/// Whether the word is probably an id with a typing error: it has only hexadecimal digits and four hyphens.
/// A group or a role is hardly ever named so.
fn looks_like_id(word: &str) -> bool {
    word.matches('-').count() == 4 && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn invalid_id(text: &str, origin: Origin) -> Finding {
    Finding::new(Code::InvalidId, format!("{} is not an object id", quoted(text)))
        .at(origin, "not an object id")
        .help(
            "copy the object id from the Entra admin center: 32 hexadecimal digits in five groups",
        )
}

/// The finding for an entry without letters.
#[must_use]
pub fn blank(message: &str, origin: Origin) -> Finding {
    Finding::new(Code::EmptyKey, message).at(origin, "empty").help("fill it in, or remove it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Sources, Span};

    const ID: &str = "0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10";

    #[test]
    fn group_is_a_name_or_an_id() {
        let file = Sources::default().add("a.yaml", "");
        for (word, expected) in [
            ("All Staff", Some("name")),
            ("2024", Some("name")),
            ("Team A-B-C-D-E", Some("name")),
            (ID, Some("id")),
            ("0B7D2C55-8A41-4C7E-B1C6-2E9F4D6A7C10", Some("id")),
            ("0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c1", None),
            ("0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c100", None),
            (" ", None),
        ] {
            let entry = Located { value: GroupEntry::Word(word.to_owned()), span: Span::default() };
            let kind = group(entry, file).ok().map(|group| match group {
                GroupRef::Name(_) => "name",
                GroupRef::Id(_) => "id",
                GroupRef::Both { .. } => "both",
            });
            assert_eq!(kind, expected, "{word}");
        }
    }

    #[test]
    fn policy_name_has_letters_digits_and_inner_blanks() {
        let (long, longer) = ("x".repeat(64), "x".repeat(65));
        for (name, holds) in [
            ("staff", true),
            ("Global administrators 2.1_b-c", true),
            ("Geschäftsführung", true),
            ("Geschäft e\u{301}", true),
            ("日本", true),
            (long.as_str(), true),
            (longer.as_str(), false),
            ("", false),
            (" a", false),
            ("a ", false),
            ("a\u{a0}b", false),
            ("a\nb", false),
            ("a\u{202e}b", false),
            ("\u{3164}", false),
            ("\u{301}a", false),
            ("::error::", false),
            ("a/b", false),
            ("evil|`<b>@octocat", false),
            ("=1", false),
        ] {
            assert_eq!(is_policy_name(name), holds, "{name:?}");
        }
    }

    #[test]
    fn user_is_a_principal_name_or_an_id() {
        let origin = Origin { file: Sources::default().add("a.yaml", ""), span: Span::default() };
        for (word, holds) in [
            ("j.brown@exchangelabs.nl", true),
            ("guest_contoso.com#EXT#@exchangelabs.nl", true),
            (ID, true),
            ("j.brown", false),
            ("@exchangelabs.nl", false),
            ("j.brown@", false),
            ("j@brown@exchangelabs.nl", false),
            ("j brown@exchangelabs.nl", false),
            ("", false),
        ] {
            assert_eq!(user(word, origin).is_ok(), holds, "{word}");
        }
    }

    #[test]
    fn object_id_has_the_spelling_of_entra() {
        for (text, holds) in [
            (ID, true),
            ("{0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10}", false),
            ("0b7d2c558a414c7eb1c62e9f4d6a7c10", false),
            ("urn:uuid:0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10", false),
            ("0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c1g", false),
        ] {
            assert_eq!(id(text).is_some(), holds, "{text}");
        }
    }
}
