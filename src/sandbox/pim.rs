//! Lists about roles that are worked out of others: assignments as schedule instances, and the
//! assignments that reach one principal through groups.
//!
//! Graph documentation (unifiedRoleAssignmentScheduleInstance, transitiveRoleAssignments), checked
//! 2026-11. Not here: the lists that are stored as they are shown (`documents`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Outcome, read};
use super::odata::page::page;
use super::odata::{Query, Takes};
use super::problem::Problem;
use super::records::Document;
use super::schema::ROLE_ASSIGNMENT;
use super::store::{Store, id_of};

/// Each assignment as an instance of a schedule: nobody here is activated for a time.
pub(crate) fn assignment_instances(assignments: &[Document]) -> Vec<Document> {
    assignments.iter().map(instance).collect()
}

fn instance(assignment: &Document) -> Document {
    let mut instance = assignment.clone();
    instance.remove("condition");
    let id = assignment.get("id").cloned().unwrap_or(Value::Null);
    instance.extend([
        ("startDateTime".to_owned(), json!("2026-01-12T09:00:00Z")),
        ("endDateTime".to_owned(), Value::Null),
        ("assignmentType".to_owned(), json!("Assigned")),
        ("memberType".to_owned(), json!("Direct")),
        ("roleAssignmentOriginId".to_owned(), id.clone()),
        ("roleAssignmentScheduleId".to_owned(), id),
    ]);
    instance
}

/// `GET /roleManagement/directory/transitiveRoleAssignments`, in beta: the rows name the group
/// that the principal has a role by.
///
/// Without `ConsistencyLevel: eventual` there is no such thing (404), and somebody has to be named.
pub(crate) fn transitive(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    if !call.eventual {
        return Err(Problem::not_found("transitiveRoleAssignments"));
    }
    let takes = [Takes::Select, Takes::Filter, Takes::Top, Takes::Count];
    let query = Query::parse(call, &ROLE_ASSIGNMENT, &[], &takes)?;
    let named = query.filter.as_ref().and_then(|filter| filter.pinned("principalId"));
    let Some(named) = named.filter(|_| query.count) else {
        return Err(Problem::bad_request(
            "A filter by principalId and $count=true are required for transitive role assignments.",
        ));
    };
    let reached = named.into_iter().flat_map(|key| principals(store, key)).collect::<BTreeSet<_>>();
    let rows: Vec<&Document> = store
        .tenant()
        .role_assignments
        .iter()
        .filter(|row| principal(row).is_some_and(|id| reached.contains(&id)))
        .collect();
    // The filter has had its say: a row may name a group in place of the principal.
    let unfiltered = Query { filter: None, ..Query::parse(call, &ROLE_ASSIGNMENT, &[], &takes)? };
    let start = unfiltered.start();
    let items = (0..)
        .zip(&rows)
        .filter(|(position, _)| *position >= start)
        .map(|(position, row)| (position, Cow::Borrowed(*row)));
    let page = page(&unfiltered, items, |_, row| match &unfiltered.select {
        None => row.clone(),
        Some(names) => {
            let value = |name: &String| row.get(name).cloned().unwrap_or(Value::Null);
            names.iter().map(|name| (name.clone(), value(name))).collect()
        }
    });
    let context = format!("roleManagement/directory/roleAssignments{}", unfiltered.projection());
    let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    read(page.answer(call, &unfiltered, &context, || count))
}

fn principal(row: &Document) -> Option<Uuid> {
    row.get("principalId").and_then(Value::as_str)?.parse().ok()
}

/// Whoever is named, and every group that they are in.
fn principals(store: &Store, key: &str) -> Vec<Uuid> {
    let Some(position) = key.parse().ok().and_then(|id| store.position(id)) else {
        return Vec::new();
    };
    let groups = store.groups_of(position).map(|(_, group)| group.id);
    let own = match store.group_at(position) {
        Some(group) => Some(group.id),
        None => store.user_at(position).and_then(|record| id_of(&record.user)),
    };
    own.into_iter().chain(groups).collect()
}
