//! A page of a list: rows, and whether more rows follow.
//!
//! OData lets a service end any list early and give a link to the rest, also for a list inside another
//! answer or in a part of a batch (OData JSON format 4.01, "Control Information: nextLink"; Graph
//! documentation, "Paging Microsoft Graph data", checked 2026-11). So a caller cannot get the rows without
//! deciding what happens if more rows follow. Not here: following a link (`paging`).

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Some or all rows of a list. An answer is not a page if `value` is missing or is not a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T> {
    #[serde(deserialize_with = "rows")]
    value: Vec<T>,
    #[serde(rename = "@odata.count")]
    count: Option<usize>,
    #[serde(rename = "@odata.nextLink", alias = "@nextLink", alias = "odata.nextLink")]
    next: Option<NextLink>,
}

/// The link to the next page of a list: opaque and absolute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct NextLink(String);

impl NextLink {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T> Page<T> {
    /// Returns the rows, if these are all rows of the list.
    ///
    /// # Errors
    /// If the list continues.
    pub fn whole(self) -> Result<Vec<T>, NextLink> {
        match self.next {
            None => Ok(self.value),
            Some(next) => Err(next),
        }
    }

    /// Returns the number of rows in the whole list, if the request asked for it.
    #[must_use]
    pub const fn count(&self) -> Option<usize> {
        self.count
    }

    /// Returns these rows, and the link to the next page.
    pub fn parts(self) -> (Vec<T>, Option<NextLink>) {
        (self.value, self.next)
    }
}

/// The largest number of rows in a page. A page of Graph has at most 999 rows, a page of its logs a
/// thousand, and the groups of a user are one page of at most 11,000 (Graph documentation of paging and of
/// getMemberGroups, checked 2026-11). Without this limit, rows of two bytes each would take much more
/// memory than the answer that was sent.
const MOST_ROWS: usize = 20_000;

fn rows<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Rows<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST_ROWS} rows")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut rows = Vec::new();
            while let Some(row) = list.next_element()? {
                if rows.len() >= MOST_ROWS {
                    return Err(de::Error::invalid_length(rows.len() + 1, &self));
                }
                rows.push(row);
            }
            Ok(rows)
        }
    }

    deserializer.deserialize_seq(Rows(PhantomData))
}

/// The names of the lists inside an object that continue on another page. It is a field of the object, with
/// `#[serde(flatten)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Continued(Vec<String>);

impl Continued {
    /// Returns whether this list is incomplete.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one == name)
    }

    /// Returns whether any list is incomplete.
    #[must_use]
    pub const fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns the name of the list that this property continues, if the property is a next link.
    #[must_use]
    pub fn list_of(property: &str) -> Option<&str> {
        let name = property.strip_suffix("nextLink")?;
        let name = name.strip_suffix("odata.").unwrap_or(name);
        name.strip_suffix('@').filter(|name| !name.is_empty())
    }
}

impl<'de> Deserialize<'de> for Continued {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Continued;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Continued, A::Error> {
                let mut continued = Continued::default();
                while let Some(property) = map.next_key::<String>()? {
                    let link = map.next_value::<Option<IgnoredAny>>()?;
                    if let (Some(name), Some(_)) = (Continued::list_of(&property), link) {
                        continued.0.push(name.to_owned());
                    }
                }
                Ok(continued)
            }
        }

        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str) -> Result<Page<u32>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn page_is_whole_only_without_a_next_link() {
        assert_eq!(page(r#"{"value":[1,2]}"#).unwrap().whole().unwrap(), [1, 2]);
        assert_eq!(
            page(r#"{"value":[],"@odata.nextLink":null}"#).unwrap().whole().unwrap(),
            [0; 0]
        );
        for name in ["@odata.nextLink", "@nextLink", "odata.nextLink"] {
            let cut = page(&format!(r#"{{"{name}":"https://g/x","value":[1]}}"#)).unwrap();
            assert_eq!(cut.whole().unwrap_err().as_str(), "https://g/x", "{name}");
        }
    }

    #[test]
    fn answer_without_a_list_is_not_a_page() {
        for json in [
            "{}",
            "[]",
            "null",
            r#"{"value":null}"#,
            r#"{"value":{}}"#,
            r#"{"value":"1"}"#,
            r#"{"Value":[1]}"#,
            r#"{"value":[1],"@odata.nextLink":7}"#,
            r#"{"value":[1],"@odata.nextLink":{"url":"x"}}"#,
        ] {
            assert!(page(json).is_err(), "{json}");
        }
    }

    #[test]
    fn page_with_too_many_rows_is_refused() {
        let of = |rows: usize| format!(r#"{{"value":[{}0]}}"#, "0,".repeat(rows - 1));
        assert_eq!(page(&of(MOST_ROWS)).unwrap().whole().unwrap().len(), MOST_ROWS);
        assert!(page(&of(MOST_ROWS + 1)).is_err());
    }

    #[test]
    fn next_link_of_an_inner_list_marks_it_as_incomplete() {
        #[derive(Deserialize)]
        struct Object {
            #[serde(flatten)]
            continued: Continued,
        }
        let object = |json| serde_json::from_str::<Object>(json).unwrap().continued;
        let one = object(r#"{"a":[1],"a@odata.nextLink":"x","b@odata.nextLink":null,"c":{}}"#);
        assert!(one.has("a") && one.any() && !one.has("b") && !one.has("c"));
        assert!(object(r#"{"a@nextLink":7}"#).has("a"));
        assert!(!object(r#"{"a@odata.context":"x","@odata.nextLink":"x","nextLink":"x"}"#).any());
    }
}
