//! The tenants that the sandbox can be.

use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::records::{Document, Seed, TenantDocuments, UserRecord};

/// Users who are a function of seed and index.
#[derive(Debug, Clone)]
pub struct Generated {
    count: u32,
}

const BASE: u128 = 0x9000_0000_0000_4000_8000_0000_0000_0000;

impl Generated {
    pub fn len(&self) -> u32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn user(&self, index: u32) -> UserRecord {
        person(self.id(index), &format!("user{index}@exchangelabs.nl"))
    }

    pub fn id(&self, index: u32) -> Uuid {
        Uuid::from_u128(BASE + u128::from(index))
    }

    pub fn index_of(&self, id: Uuid) -> Option<u32> {
        let index = u32::try_from(id.as_u128().checked_sub(BASE)?).ok()?;
        (index < self.count).then_some(index)
    }

    pub fn index_of_name(&self, upn: &str) -> Option<u32> {
        let index = upn
            .strip_suffix("@exchangelabs.nl")?
            .strip_prefix("user")?
            .parse()
            .ok()?;
        (index < self.count).then_some(index)
    }
}

fn document(value: Value) -> Document {
    match value {
        Value::Object(object) => object,
        _ => Document::new(),
    }
}

fn person(id: Uuid, upn: &str) -> UserRecord {
    UserRecord {
        user: document(
            json!({"id": id, "userPrincipalName": upn, "displayName": upn,
            "accountEnabled": true, "mobilePhone": "+31612345678"}),
        ),
        methods: Vec::new(),
        requirements: document(json!({"perUserMfaState": "disabled"})),
        sign_in_preferences: document(json!({"isSystemPreferredAuthenticationMethodEnabled": true,
            "userPreferredMethodForSecondaryAuthentication": null})),
    }
}

pub fn exchangelabs() -> Seed {
    Seed {
        name: "exchangelabs".to_owned(),
        today: date(2026, 11, 22),
        tenant: TenantDocuments {
            id: Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111),
            display_name: "Exchange Labs".to_owned(),
            domains: vec!["exchangelabs.nl".to_owned()],
            authentication_methods_policy: Document::new(),
            conditional_access: Vec::new(),
            authentication_strengths: Vec::new(),
            security_defaults: Document::new(),
            role_definitions: Vec::new(),
            role_assignments: Vec::new(),
            role_eligibility: Vec::new(),
        },
        users: Vec::new(),
        groups: Vec::new(),
        generated: None,
    }
}

pub fn generated(users: u32) -> Seed {
    Seed {
        name: format!("generated-{users}"),
        generated: Some(Generated { count: users }),
        ..exchangelabs()
    }
}

pub fn by_name(name: &str) -> Option<Seed> {
    match name.strip_prefix("generated-") {
        Some(users) => users.parse().ok().map(generated),
        None => (name == "exchangelabs").then(exchangelabs),
    }
}
