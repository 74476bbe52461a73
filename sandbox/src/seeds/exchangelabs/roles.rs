//! Directory roles: their definitions, the active assignments, and the eligible users.
//!
//! Not here: the people (`people/administrators`).

use serde_json::json;
use uuid::{Uuid, uuid};

use super::super::ids::{BREAK_GLASS_1, BREAK_GLASS_2, id_of};
use super::groups::TIER_0;
use super::people::{SYNC_ACCOUNT, staff_id};
use crate::records::{Document, document};

const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");
const HELPDESK_ADMINISTRATOR: Uuid = uuid!("729827e3-9c14-49f7-bb1b-9608f156bbb8");
const DIRECTORY_SYNCHRONIZATION_ACCOUNTS: Uuid = uuid!("d29b2b05-8046-44ba-8758-1e26182fcf32");

pub(super) fn definitions() -> Vec<Document> {
    [
        (GLOBAL_ADMINISTRATOR, "Global Administrator", true),
        (uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814"), "Privileged Role Administrator", true),
        (
            uuid!("7be44c8a-adaf-4e2a-84d6-ab2649e08a13"),
            "Privileged Authentication Administrator",
            true,
        ),
        (uuid!("c4e39bd9-1100-46d3-8c65-fb160da0071f"), "Authentication Administrator", true),
        (
            uuid!("0526716b-113d-4c15-b2c8-68e3c22b9f80"),
            "Authentication Policy Administrator",
            false,
        ),
        (uuid!("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"), "Conditional Access Administrator", true),
        (uuid!("194ae4cb-b126-40b2-bd5b-6091b380977d"), "Security Administrator", true),
        (uuid!("fe930be7-5e62-47db-91af-98c3a49a38b1"), "User Administrator", true),
        (HELPDESK_ADMINISTRATOR, "Helpdesk Administrator", true),
        (uuid!("f2ef992c-3afb-46b9-b7cf-a126ee74c451"), "Global Reader", true),
        (DIRECTORY_SYNCHRONIZATION_ACCOUNTS, "Directory Synchronization Accounts", true),
    ]
    .into_iter()
    .map(|(id, name, privileged)| {
        document(json!({
            "id": id,
            "templateId": id,
            "displayName": name,
            "description": null,
            "isBuiltIn": true,
            "isEnabled": true,
            "isPrivileged": privileged
        }))
    })
    .collect()
}

pub(super) fn break_glass_assignments() -> Vec<Document> {
    [BREAK_GLASS_1, BREAK_GLASS_2].map(|one| assignment(one, GLOBAL_ADMINISTRATOR)).into()
}

pub(super) fn assignments() -> Vec<Document> {
    let mut all = break_glass_assignments();
    all.extend([
        assignment(staff_id("a.vermeulen"), GLOBAL_ADMINISTRATOR),
        assignment(staff_id("r.jacobs"), GLOBAL_ADMINISTRATOR),
        assignment(TIER_0, GLOBAL_ADMINISTRATOR),
        assignment(staff_id("f.bosman"), HELPDESK_ADMINISTRATOR),
        assignment(id_of(SYNC_ACCOUNT), DIRECTORY_SYNCHRONIZATION_ACCOUNTS),
    ]);
    all
}

fn assignment(principal: Uuid, role: Uuid) -> Document {
    document(json!({
        // Entra's ids of assignments are opaque words, not GUIDs.
        "id": format!("{}-1", id_of(&format!("{role}/{principal}")).simple()),
        "principalId": principal,
        "roleDefinitionId": role,
        "directoryScopeId": "/",
        "appScopeId": null,
        "condition": null
    }))
}

pub(super) fn eligibility() -> Vec<Document> {
    let principal = staff_id("d.vanbeek");
    let schedule = id_of("eligible/d.vanbeek");
    vec![document(json!({
        "id": format!("{}-1-e", schedule.simple()),
        "principalId": principal,
        "roleDefinitionId": GLOBAL_ADMINISTRATOR,
        "directoryScopeId": "/",
        "appScopeId": null,
        "startDateTime": "2026-01-12T09:00:00Z",
        "endDateTime": null,
        "memberType": "Direct",
        "roleEligibilityScheduleId": schedule
    }))]
}
