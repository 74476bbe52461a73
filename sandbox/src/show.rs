//! An overview of the tenant for `sandbox show`: counts, and one line per user with every number
//! masked.
//!
//! Not here: the layout of the command's output (`commands/sandbox`).

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::records::{Document, UserRecord};
use super::sign_in::Verdict;
use crate::state::store::Store;

/// The names and counts of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub seed: String,
    pub tenant_id: Uuid,
    pub display_name: String,
    /// The default domain.
    pub domain: String,
    pub users: u64,
    pub groups: usize,
    /// The number of writes since the seed.
    pub writes: usize,
}

impl Summary {
    pub fn of(store: &Store) -> Self {
        let tenant = store.tenant();
        Self {
            seed: store.seed().name.clone(),
            tenant_id: tenant.id,
            display_name: tenant.display_name.clone(),
            domain: tenant.domain_names().next().unwrap_or_default().to_owned(),
            users: store.user_count(),
            groups: store.group_count(),
            writes: store.writes().len(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} ({})", self.display_name, self.domain)?;
        writeln!(out, "tenant {}   seed {}", self.tenant_id, self.seed)?;
        write!(
            out,
            "{} users   {} groups   {} writes since the seed",
            self.users, self.groups, self.writes
        )
    }
}

/// One user, for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLine {
    pub user_principal_name: String,
    /// The per-user MFA state.
    pub state: String,
    /// The kinds of the registered methods; phones with their masked numbers.
    pub methods: Vec<String>,
    pub sign_in: Verdict,
}

impl fmt::Display for UserLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = match self.methods.as_slice() {
            [] => "-".to_owned(),
            methods => methods.join(", "),
        };
        write!(
            out,
            "{:<44} {:<9} {:<13} {methods}",
            self.user_principal_name,
            self.state,
            self.sign_in.as_str()
        )
    }
}

/// One line for each user, in the order of Graph's lists.
pub fn user_lines(store: &Store) -> impl Iterator<Item = UserLine> + '_ {
    store.users().filter_map(|record: Cow<'_, UserRecord>| line(store, &record))
}

fn line(store: &Store, record: &UserRecord) -> Option<UserLine> {
    let name = text(&record.user, "userPrincipalName");
    Some(UserLine {
        user_principal_name: name.to_owned(),
        state: text(&record.requirements, "perUserMfaState").to_owned(),
        methods: record.methods.iter().filter_map(method).collect(),
        sign_in: store.judge(text(&record.user, "id"))?,
    })
}

/// Returns the text for a method; `None` for the password, because every user has one.
fn method(method: &Document) -> Option<String> {
    let kind = text(method, "@odata.type")
        .trim_start_matches("#microsoft.graph.")
        .trim_end_matches("AuthenticationMethod");
    match kind {
        "password" => None,
        "phone" => {
            Some(format!("{} {}", text(method, "phoneType"), masked(text(method, "phoneNumber"))))
        }
        kind => Some(kind.to_owned()),
    }
}

fn text<'d>(document: &'d Document, name: &str) -> &'d str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Shows the country code and the last two digits; of a number in another form only the last two
/// digits. An extension does not identify a phone and is not shown.
fn masked(number: &str) -> String {
    let number = number.split('x').next().unwrap_or_default();
    let (code, rest) = number.split_once(' ').unwrap_or(("", number));
    let digits: Vec<char> = rest.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits.iter().rev().take(2).rev().collect();
    format!("{code} ••••••{last}").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_number_shows_the_country_code_and_two_digits() {
        assert_eq!(masked("+31 612345678"), "+31 ••••••78");
        assert_eq!(masked("+1 5555551234x99"), "+1 ••••••34");
        assert_eq!(masked("0612345678"), "••••••78");
    }
}
