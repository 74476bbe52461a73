//! A page of a list: rows, and whether more of them follow.
//!
//! OData lets a service end any list early, also one inside another answer or in a part of a batch,
//! and say where it goes on (OData JSON format 4.01, "Control Information: nextLink"; Graph
//! documentation, "Paging Microsoft Graph data", checked 2026-11). So rows cannot be had without
//! saying what happens where more follow. Not here: following a link (`paging`).

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Rows that may not be all there are. An answer without `value`, or with something else there than a
/// list, is no page.
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

/// Where a list goes on: opaque, and absolute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct NextLink(String);

impl NextLink {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T> Page<T> {
    /// All rows, where these are all.
    ///
    /// # Errors
    /// Where the list goes on.
    pub fn whole(self) -> Result<Vec<T>, NextLink> {
        match self.next {
            None => Ok(self.value),
            Some(next) => Err(next),
        }
    }

    /// How many there are in all, where that was asked for.
    #[must_use]
    pub const fn count(&self) -> Option<usize> {
        self.count
    }

    /// These rows, and where the list goes on.
    pub fn parts(self) -> (Vec<T>, Option<NextLink>) {
        (self.value, self.next)
    }
}

/// No page has more rows: Graph's have 999 at most, its logs' a thousand, and the groups of a user
/// come in one page of 11,000 at most (Graph documentation of paging and of getMemberGroups, checked
/// 2026-11). Rows of two bytes would otherwise become far more than was sent.
const MOST_ROWS: usize = 20_000;

fn rows<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Rows<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of {MOST_ROWS} rows at most")
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

/// The lists inside an object that go on elsewhere, by their names. It is one of the object's fields,
/// with `#[serde(flatten)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Continued(Vec<String>);

impl Continued {
    /// Whether this list is not all there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one == name)
    }

    /// Whether any list is not all there.
    #[must_use]
    pub const fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// The list of which this property says that it goes on.
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
    fn rows_are_all_only_where_nothing_follows() {
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
    fn what_is_no_list_is_no_page() {
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
    fn a_page_has_no_more_rows_than_any_of_graphs() {
        let of = |rows: usize| format!(r#"{{"value":[{}0]}}"#, "0,".repeat(rows - 1));
        assert_eq!(page(&of(MOST_ROWS)).unwrap().whole().unwrap().len(), MOST_ROWS);
        assert!(page(&of(MOST_ROWS + 1)).is_err());
    }

    #[test]
    fn a_list_inside_says_that_it_goes_on() {
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
