//! `$search`: one clause, such as `"displayName:ann"`, that finds words by their beginning.
//!
//! Not here: `$filter` (`filter`).

use serde_json::Value;

use crate::graph::problem::Problem;
use crate::graph::schema::{EntityType, Kind};
use crate::records::Document;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    name: &'static str,
    text: String,
}

impl Search {
    pub(crate) fn parse(value: &str, entity: &'static EntityType) -> Result<Self, Problem> {
        let clause = value
            .trim()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .filter(|inner| !inner.contains('"'))
            .and_then(|inner| inner.split_once(':'));
        let Some((name, text)) = clause else {
            return Err(Problem::bad_query(format!(
                "Syntax error in '$search={value}': one clause \"property:text\" expected."
            )));
        };
        let property = entity
            .property(name)
            .filter(|property| property.filterable && property.kind == Kind::Text)
            .ok_or_else(|| {
                Problem::unsupported_query(format!(
                    "Search not supported for property '{name}' of resource '{}'.",
                    entity.noun
                ))
            })?;
        Ok(Self { name: property.name, text: text.to_lowercase() })
    }

    pub(crate) fn matches(&self, document: &Document) -> bool {
        let value = document.get(self.name).and_then(Value::as_str);
        value.is_some_and(|value| {
            let value = value.to_lowercase();
            value.starts_with(&self.text)
                || value
                    .split(|letter: char| !letter.is_alphanumeric())
                    .any(|word| word.starts_with(&self.text))
        })
    }
}
