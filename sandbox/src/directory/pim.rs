//! Lists about roles that are computed from other lists: assignments as schedule instances, and the
//! assignments that one principal has through groups.
//!
//! Graph documentation (unifiedRoleAssignmentScheduleInstance, transitiveRoleAssignments), checked
//! 2026-11. Not here: the lists that are stored as they are shown (`documents`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::graph::call::{Call, Outcome, read};
use crate::graph::odata::page::page;
use crate::graph::odata::{Query, Takes};
use crate::graph::problem::Problem;
use crate::graph::schema::ROLE_ASSIGNMENT;
use crate::records::Document;
use crate::state::store::{Store, id_of};

/// Returns each assignment as an instance of a schedule. In this tenant no role is activated for a
/// limited time.
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

/// `GET /roleManagement/directory/transitiveRoleAssignments`, in beta. A row names the group through
/// which the principal has the role.
///
/// Without `ConsistencyLevel: eventual` the answer is 404. The filter must name a principal.
pub(crate) fn transitive(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    if !call.eventual {
        return Err(Problem::not_found("transitiveRoleAssignments"));
    }
    let takes = [Takes::Select, Takes::Filter, Takes::Top, Takes::Count];
    let query = Query::parse(call, &ROLE_ASSIGNMENT, &[], &takes)?;
    let principals = query.filter.as_ref().and_then(|filter| filter.pinned("principalId"));
    let Some(principals) = principals.filter(|_| query.count) else {
        return Err(Problem::bad_request(
            "A filter by principalId and $count=true are required for transitive role assignments.",
        ));
    };
    let holders: BTreeSet<_> =
        principals.into_iter().flat_map(|key| with_groups(store, key)).collect();
    let rows: Vec<&Document> = store
        .tenant()
        .role_assignments
        .iter()
        .filter(|row| principal(row).is_some_and(|id| holders.contains(&id)))
        .collect();
    // The filter is already applied. It would drop the rows that name a group of the principal.
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

/// Returns the id of a principal and of every group that it is in.
fn with_groups(store: &Store, key: &str) -> Vec<Uuid> {
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
