//! `federationConfiguration`: where the users of a domain sign in.
//!
//! `documents` answers the list of domains, like other lists. Not here: the documents (`records`),
//! or what a federated domain means for a sign-in (`sign_in`).

use serde_json::{Map, json};

use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, read};
use crate::graph::odata::Query;
use crate::graph::problem::Problem;
use crate::records::TenantDocuments;

/// Graph documentation (List internalDomainFederations), checked 2026-11: no query options, one
/// object in a collection, and 404 if the domain has none.
pub(crate) fn federation(
    call: &Call,
    tenant: &TenantDocuments,
    domain: &str,
) -> Result<Outcome, Problem> {
    Query::none(call)?;
    if !tenant.domain_names().any(|name| name.eq_ignore_ascii_case(domain)) {
        return Err(Problem::not_found(domain));
    }
    let found = tenant
        .federation
        .get(&domain.to_lowercase())
        .ok_or_else(|| Problem::not_found("federationConfiguration"))?;
    let context = call.context(&format!("domains('{domain}')/federationConfiguration"));
    read(Answer::json(
        200,
        Map::from_iter([
            ("@odata.context".to_owned(), json!(context)),
            ("value".to_owned(), json!([found])),
        ]),
    ))
}
