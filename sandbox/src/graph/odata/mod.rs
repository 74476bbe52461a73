//! The query options of a collection or an entity: `$select`, `$filter`, `$top`, `$count`,
//! `$orderby`, `$search`, `$expand`, and the mark in a nextLink.
//!
//! Graph documentation (advanced query capabilities): some queries are answered only from an index,
//! and need `ConsistencyLevel: eventual` and `$count=true`. Without them they are refused.
//!
//! Not here: the objects of a collection, which its handler passes to `page`.

pub(crate) mod filter;
mod lexer;
pub(crate) mod page;
mod parse;
mod search;

use self::filter::Filter;
use self::page::Mark;
use self::search::Search;
use crate::graph::call::{Call, Paging};
use crate::graph::problem::Problem;
use crate::graph::schema::{EntityType, Kind};
use crate::records::Document;
use crate::registration::undocumented::{BULK_STATE, may_select_state};

/// The default page size.
const DEFAULT_TOP: usize = 100;
const MOST_TOP: usize = 999;

/// A query option that a path can support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Select,
    Filter,
    Top,
    Count,
    OrderBy,
    Search,
    Expand,
}

/// The options that a collection of directory objects supports.
pub(crate) const COLLECTION: &[Takes] =
    &[Takes::Select, Takes::Filter, Takes::Top, Takes::Count, Takes::OrderBy, Takes::Search];

/// The checked options of a request.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) filter: Option<Filter>,
    pub(crate) search: Option<Search>,
    pub(crate) order: Option<OrderBy>,
    pub(crate) expand: Option<String>,
    pub(crate) top: usize,
    pub(crate) count: bool,
    pub(crate) mark: Option<Mark>,
    pub(crate) paging: Paging,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderBy {
    pub(crate) name: &'static str,
    pub(crate) descending: bool,
}

impl Query {
    /// Reads the options of a call on objects of type `entity`. Refuses every option that the path
    /// does not support. In a mixed collection, `$select` may also name properties of the `others`.
    pub(crate) fn parse(
        call: &Call,
        entity: &'static EntityType,
        others: &[&'static EntityType],
        takes: &[Takes],
    ) -> Result<Self, Problem> {
        let mut query = Self {
            select: None,
            filter: None,
            search: None,
            order: None,
            expand: None,
            top: DEFAULT_TOP,
            count: false,
            mark: None,
            paging: call.paging,
        };
        for (name, value) in &call.query {
            query.read(call, name, value, entity, others, takes)?;
        }
        query.check_advanced(call)?;
        Ok(query)
    }

    /// Refuses every option, for paths that support none.
    pub(crate) fn none(call: &Call) -> Result<(), Problem> {
        match call.query.first() {
            None => Ok(()),
            Some((name, _)) => Err(not_taken(name)),
        }
    }

    fn read(
        &mut self,
        call: &Call,
        name: &str,
        value: &str,
        entity: &'static EntityType,
        others: &[&'static EntityType],
        takes: &[Takes],
    ) -> Result<(), Problem> {
        let option = match name.strip_prefix('$').unwrap_or(name) {
            "select" => Takes::Select,
            "filter" => Takes::Filter,
            "top" => Takes::Top,
            "count" => Takes::Count,
            "orderby" => Takes::OrderBy,
            "search" => Takes::Search,
            "expand" => Takes::Expand,
            "skiptoken" if takes.contains(&Takes::Top) => {
                self.mark = Mark::read(value)?;
                return Ok(());
            }
            _ => return Err(not_taken(name)),
        };
        if !takes.contains(&option) {
            return Err(not_taken(name));
        }
        match option {
            Takes::Select => self.select = select(call, value, entity, others)?,
            Takes::Filter => self.filter = Some(Filter::parse(value, entity)?),
            Takes::Top => self.top = top(value)?,
            Takes::Count => self.count = count(value)?,
            Takes::OrderBy => self.order = Some(order(value, entity)?),
            Takes::Search => self.search = Some(Search::parse(value, entity)?),
            Takes::Expand => self.expand = Some(value.to_owned()),
        }
        Ok(())
    }

    fn check_advanced(&self, call: &Call) -> Result<(), Problem> {
        if self.search.is_some() && !call.eventual {
            return Err(Problem::bad_request(
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        let filtered = self.filter.as_ref();
        let advanced = self.count
            || filtered.is_some_and(Filter::is_advanced)
            || (filtered.is_some() && self.order.is_some());
        if advanced {
            self.require_advanced(call)?;
        }
        Ok(())
    }

    /// Checks the header and `$count` of a query that only the index answers.
    pub(crate) fn require_advanced(&self, call: &Call) -> Result<(), Problem> {
        if call.eventual && self.count {
            return Ok(());
        }
        Err(Problem::unsupported_query(
            "Unsupported Query: this is an advanced query, which needs the header 'ConsistencyLevel: eventual' and $count=true.",
        ))
    }

    pub(crate) fn lets_pass(&self, document: &Document) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(document))
            && self.search.as_ref().is_none_or(|search| search.matches(document))
    }

    /// Whether the query returns all objects.
    pub(crate) fn takes_all(&self) -> bool {
        self.filter.is_none() && self.search.is_none()
    }

    /// The first position to read. A sorted list must be sorted whole for each page, so it starts at 0.
    pub(crate) fn start(&self) -> u64 {
        match (&self.mark, self.order) {
            (Some(mark), None) => mark.after.saturating_add(1),
            _ => 0,
        }
    }

    /// The part of `@odata.context` that lists the selected properties.
    pub(crate) fn projection(&self) -> String {
        match &self.select {
            Some(names) => format!("({})", names.join(",")),
            None => String::new(),
        }
    }
}

fn not_taken(name: &str) -> Problem {
    match name.strip_prefix('$').unwrap_or(name) {
        "skip" => Problem::bad_query("'$skip' is not supported by the service."),
        _ => Problem::bad_query(format!("The query parameter '{name}' is not supported.")),
    }
}

fn select(
    call: &Call,
    value: &str,
    entity: &'static EntityType,
    others: &[&'static EntityType],
) -> Result<Option<Vec<String>>, Problem> {
    let mut names: Vec<String> = Vec::new();
    for name in value.split(',').map(str::trim) {
        if name == "*" {
            return Ok(None);
        }
        let known = entity.property(name).is_some()
            || others.iter().any(|other| other.property(name).is_some());
        let known = known && (name != BULK_STATE || may_select_state(call));
        if !known {
            return Err(Problem::bad_query(format!(
                "Parsing OData Select and Expand failed: {}",
                entity.unknown(name)
            )));
        }
        if !names.iter().any(|taken| taken == name) {
            names.push(name.to_owned());
        }
    }
    Ok(Some(names))
}

fn top(value: &str) -> Result<usize, Problem> {
    match value.parse::<usize>() {
        Ok(top) if (1..=MOST_TOP).contains(&top) => Ok(top),
        Ok(top) => Err(Problem::bad_request(format!(
            "Invalid page size specified: '{top}'. Must be between 1 and {MOST_TOP} inclusive."
        ))),
        Err(_) => {
            Err(Problem::bad_query(format!("Invalid value '{value}' for $top query option found.")))
        }
    }
}

fn count(value: &str) -> Result<bool, Problem> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::bad_query(format!(
            "Invalid value '{value}' for $count query option found."
        ))),
    }
}

fn order(value: &str, entity: &'static EntityType) -> Result<OrderBy, Problem> {
    let (name, direction) = value.trim().split_once(' ').unwrap_or((value.trim(), "asc"));
    let descending = match direction.trim() {
        "asc" => false,
        "desc" => true,
        other => {
            return Err(Problem::bad_query(format!("Syntax error at '{other}' in '$orderby'.")));
        }
    };
    let property = entity.property(name).ok_or_else(|| Problem::bad_query(entity.unknown(name)))?;
    if !property.filterable || !matches!(property.kind, Kind::Text | Kind::Time) {
        return Err(Problem::unsupported_query(format!(
            "Sorting not supported for property '{name}' of resource '{}'.",
            entity.noun
        )));
    }
    Ok(OrderBy { name: property.name, descending })
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;
    use crate::graph::call::Version;
    use crate::graph::schema::USER;

    fn asked(query: &str, eventual: bool) -> Result<Query, Problem> {
        let mut call = Call::new("http://x", Version::V1, Method::GET, &format!("/users?{query}"));
        call.eventual = eventual;
        Query::parse(&call, &USER, &[], COLLECTION)
    }

    fn code(query: &str, eventual: bool) -> String {
        asked(query, eventual).unwrap_err().code
    }

    #[test]
    fn page_size_is_100_by_default_and_at_most_999() {
        assert_eq!(asked("", false).unwrap().top, 100);
        assert_eq!(asked("$top=999", false).unwrap().top, 999);
        assert_eq!(code("$top=1000", false), "Request_BadRequest");
        assert_eq!(code("$top=0", false), "Request_BadRequest");
        assert_eq!(code("$top=many", false), "BadRequest");
    }

    #[test]
    fn unknown_options_and_properties_are_refused() {
        assert_eq!(code("$skip=5", false), "BadRequest");
        assert_eq!(code("$apply=x", false), "BadRequest");
        assert_eq!(code("$expand=manager", false), "BadRequest");
        let problem = asked("$select=id,perUserMfaState", false).unwrap_err();
        assert_eq!(
            problem.message,
            "Parsing OData Select and Expand failed: Could not find a property named 'perUserMfaState' on type 'microsoft.graph.user'."
        );
    }

    #[test]
    fn advanced_queries_need_the_header_and_the_count() {
        for query in [
            "$filter=userType ne 'Guest'",
            "$filter=endswith(mail,'x')",
            "$filter=mail eq null&$orderby=displayName",
        ] {
            assert_eq!(code(query, true), "Request_UnsupportedQuery", "{query}");
            let counted = format!("{query}&$count=true");
            assert_eq!(code(&counted, false), "Request_UnsupportedQuery");
            assert!(asked(&counted, true).is_ok());
        }
        assert!(asked("$orderby=displayName", false).is_ok());
        assert_eq!(code("$search=\"displayName:x\"", false), "Request_BadRequest");
        assert!(asked("$search=\"displayName:x\"", true).is_ok());
    }
}
