//! `$filter`: the conditions, and whether a document meets them.
//!
//! Not here: parsing a filter (`parse`).

use serde_json::Value;

use crate::records::Document;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Test(Field, Test),
}

/// A property, or a property inside one: `onPremisesExtensionAttributes/extensionAttribute1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) inner: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Is(Order, Value),
    In(Vec<Value>),
    StartsWith(String),
    EndsWith(String),
    /// `groupTypes/any(t:t eq 'Unified')`
    AnyIs(String),
    AnyStartsWith(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Order {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
        }
    }
}

impl Filter {
    pub(crate) fn matches(&self, document: &Document) -> bool {
        match self {
            Self::And(left, right) => left.matches(document) && right.matches(document),
            Self::Or(left, right) => left.matches(document) || right.matches(document),
            Self::Not(inner) => !inner.matches(document),
            Self::Test(field, test) => test.holds(field.of(document)),
        }
    }

    /// Graph documentation (advanced query capabilities): these forms are answered only from an
    /// index.
    pub(crate) fn is_advanced(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.is_advanced() || right.is_advanced()
            }
            Self::Not(_) => true,
            Self::Test(_, test) => {
                matches!(test, Test::Is(Order::Ne, _) | Test::EndsWith(_))
            }
        }
    }

    /// The only values of the text property `name` for which this filter can hold; `None` if the
    /// filter allows others. With it, a request for one user does not read a million users.
    pub(crate) fn pinned(&self, name: &str) -> Option<Vec<&str>> {
        match self {
            Self::And(left, right) => left.pinned(name).or_else(|| right.pinned(name)),
            Self::Or(left, right) => {
                let mut values = left.pinned(name)?;
                values.extend(right.pinned(name)?);
                Some(values)
            }
            Self::Test(field, Test::Is(Order::Eq, value)) if field.is(name) => {
                value.as_str().map(|value| vec![value])
            }
            Self::Test(field, Test::In(values)) if field.is(name) => {
                values.iter().map(Value::as_str).collect()
            }
            Self::Not(_) | Self::Test(..) => None,
        }
    }
}

impl Field {
    fn of<'d>(&self, document: &'d Document) -> &'d Value {
        let value = document.get(self.name);
        let value = match &self.inner {
            Some(inner) => value.and_then(|value| value.get(inner)),
            None => value,
        };
        value.unwrap_or(&Value::Null)
    }

    fn is(&self, name: &str) -> bool {
        self.name == name && self.inner.is_none()
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Is(order, wanted) => compares(*order, value, wanted),
            Self::In(wanted) => wanted.iter().any(|wanted| compares(Order::Eq, value, wanted)),
            Self::StartsWith(prefix) => folded(value).is_some_and(|text| text.starts_with(prefix)),
            Self::EndsWith(suffix) => folded(value).is_some_and(|text| text.ends_with(suffix)),
            Self::AnyIs(wanted) => elements(value).any(|text| text == *wanted),
            Self::AnyStartsWith(prefix) => elements(value).any(|text| text.starts_with(prefix)),
        }
    }
}

/// Compares as the directory does: without regard to case. No value is less or greater than null.
fn compares(order: Order, value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Null, _) | (_, Value::Null) => match order {
            Order::Eq => value == wanted,
            Order::Ne => value != wanted,
            _ => false,
        },
        (Value::String(value), Value::String(wanted)) => {
            order.holds(value.to_lowercase().cmp(&wanted.to_lowercase()))
        }
        _ => match order {
            Order::Eq => value == wanted,
            Order::Ne => value != wanted,
            _ => false,
        },
    }
}

fn folded(value: &Value) -> Option<String> {
    value.as_str().map(str::to_lowercase)
}

fn elements(value: &Value) -> impl Iterator<Item = String> {
    value.as_array().into_iter().flatten().filter_map(folded)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::problem::Problem;
    use crate::graph::schema::{GROUP, USER};

    fn matching(filter: &str) -> Vec<&'static str> {
        let filter = Filter::parse(filter, &USER).unwrap();
        people()
            .into_iter()
            .filter(|(_, document)| filter.matches(document))
            .map(|(name, _)| name)
            .collect()
    }

    fn people() -> Vec<(&'static str, Document)> {
        let document = |value: Value| value.as_object().unwrap().clone();
        vec![
            (
                "ann",
                document(json!({
                    "id": "1", "userPrincipalName": "Ann@x.nl", "displayName": "Ann O'Neil",
                    "accountEnabled": true, "userType": "Member", "mail": null,
                    "onPremisesExtensionAttributes": {"extensionAttribute3": "mfa"},
                    "createdDateTime": "2026-01-01T00:00:00Z",
                })),
            ),
            (
                "bob",
                document(json!({
                    "id": "2", "userPrincipalName": "bob@x.nl", "displayName": "Bob",
                    "accountEnabled": false, "userType": "Guest", "mail": "bob@y.nl",
                    "businessPhones": ["+31 70"], "createdDateTime": "2026-06-01T00:00:00Z",
                })),
            ),
        ]
    }

    fn refusal(filter: &str) -> Problem {
        Filter::parse(filter, &USER).unwrap_err()
    }

    #[test]
    fn supported_forms_match_the_right_users() {
        assert_eq!(matching("userPrincipalName eq 'ann@X.nl'"), ["ann"]);
        assert_eq!(matching("displayName eq 'Ann O''Neil'"), ["ann"]);
        assert_eq!(matching("id in ('1', '2')"), ["ann", "bob"]);
        assert_eq!(matching("accountEnabled eq true"), ["ann"]);
        assert_eq!(matching("mail eq null"), ["ann"]);
        assert_eq!(matching("startswith(userPrincipalName,'BO')"), ["bob"]);
        assert_eq!(matching("endsWith(mail,'@Y.nl')"), ["bob"]);
        assert_eq!(matching("businessPhones/any(p:startswith(p,'+31'))"), ["bob"]);
        assert_eq!(matching("onPremisesExtensionAttributes/extensionAttribute3 eq 'MFA'"), ["ann"]);
        assert_eq!(matching("createdDateTime ge 2026-05-01T00:00:00Z"), ["bob"]);
    }

    #[test]
    fn parentheses_bind_tighter_than_and_which_binds_tighter_than_or() {
        let both = ["ann", "bob"];
        assert_eq!(matching("id eq '1' or id eq '2' and accountEnabled eq false"), both);
        assert_eq!(matching("(id eq '1' or id eq '2') and accountEnabled eq false"), ["bob"]);
        assert_eq!(matching("not (userType eq 'Guest')"), ["ann"]);
        assert_eq!(matching("userType ne 'Guest' and not(id eq '7')"), ["ann"]);
    }

    #[test]
    fn unknown_forms_are_refused() {
        assert!(refusal("shoeSize eq 44").message.contains("'shoeSize'"));
        assert_eq!(refusal("assignedPlans eq null").code, "Request_UnsupportedQuery");
        assert_eq!(refusal("accountEnabled eq 'true'").code, "BadRequest");
        assert_eq!(refusal("accountEnabled gt true").status, 400);
        for broken in [
            "",
            "id",
            "id eq",
            "id eq '1' and",
            "(id eq '1'",
            "id eq '1')",
            "id like '1'",
            "id eq 'x",
            "contains(displayName,'x')",
            "startswith(accountEnabled,'t')",
            "onPremisesExtensionAttributes/extensionAttribute16 eq 'x'",
            "perUserMfaState eq 'enabled'",
        ] {
            assert_eq!(refusal(broken).status, 400, "{broken}");
        }
    }

    #[test]
    fn in_with_too_many_values_is_refused() {
        let values = vec!["'1'"; 16].join(",");
        assert_eq!(refusal(&format!("id in ({values})")).code, "Request_UnsupportedQuery");
    }

    #[test]
    fn ne_not_and_endswith_are_advanced() {
        let advanced = |text| Filter::parse(text, &USER).unwrap().is_advanced();
        assert!(advanced("id eq '1' and userType ne 'Guest'"));
        assert!(advanced("not(id eq '1')"));
        assert!(advanced("endswith(mail,'x')"));
        assert!(!advanced("startswith(mail,'x') or id in ('1')"));
    }

    #[test]
    fn pinned_returns_the_only_ids_that_can_match() {
        let filter = |text| Filter::parse(text, &GROUP).unwrap();
        assert_eq!(
            filter("mailEnabled eq false and (id eq '1' or id in ('2','3'))").pinned("id"),
            Some(vec!["1", "2", "3"])
        );
        assert_eq!(filter("id eq '1' or mailEnabled eq true").pinned("id"), None);
    }
}
