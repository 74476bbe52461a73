//! The way to make a tenant for a test: a seed, what the test changes in it, how it is served, and the form in
//! which the test uses it.
//!
//! Not here: the program and its folder (`world`), the steps of the program inside the test (`inside`), invented
//! tenants (`invented`), or facts that no server has (`tiny_tenant`).

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::time::Duration;

use mfactl::graph::{Client, Credential, Endpoints, Pace};
use mfactl_sandbox::records::{Document, GroupRecord, Seed, UserRecord};
use mfactl_sandbox::{
    Clock, Fault, Faults, Lateness, Options, Server, Tls, Undocumented, seeds, start,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{JAMES_AND_JANE, PROJECT, World, runtime};

/// A tenant that is not served yet.
#[derive(Debug, Clone)]
pub(crate) struct TenantBuilder {
    options: Options,
}

/// The tenant of most tests.
pub(crate) fn exchangelabs() -> TenantBuilder {
    TenantBuilder::of(seeds::exchangelabs())
}

/// The types of phone, with their ids and one number each.
pub(crate) const PHONES: [(&str, &str, &str); 3] = [
    ("mobile", "3179e48a-750b-4051-897c-87b9720928f7", "+31 612345671"),
    ("alternateMobile", "b6332ec1-7057-4abe-9331-3d72feddfe41", "+31 612345672"),
    ("office", "e37fc753-ff3b-4958-9484-eaa9425c82bc", "+31 201234567"),
];

/// The start: a seed.
impl TenantBuilder {
    pub(crate) fn of(seed: Seed) -> Self {
        Self { options: Options::in_memory(seed) }
    }

    pub(crate) fn named(seed: &str) -> Self {
        Self::of(seeds::by_name(seed).expect("a seed of that name"))
    }

    /// A tenant of so many generated users.
    pub(crate) fn generated(users: u32) -> Self {
        Self::of(seeds::generated(users))
    }
}

/// What is in the tenant.
impl TenantBuilder {
    /// Makes any change that has no method of its own.
    pub(crate) fn changed(mut self, change: impl FnOnce(&mut Seed)) -> Self {
        change(&mut self.options.seed);
        self
    }

    pub(crate) fn user(self, name: &str, change: impl FnOnce(&mut UserRecord)) -> Self {
        self.changed(|seed| {
            let mut users = seed.users.iter_mut();
            change(users.find(|one| name_of(one) == name).expect("a user of that name"));
        })
    }

    pub(crate) fn each_user(self, change: impl FnMut(&mut UserRecord)) -> Self {
        self.changed(|seed| seed.users.iter_mut().for_each(change))
    }

    /// Sets a property of a user, such as `mobilePhone`.
    pub(crate) fn property(self, name: &str, key: &str, value: impl Into<Value>) -> Self {
        self.user(name, |user| _ = user.user.insert(key.to_owned(), value.into()))
    }

    pub(crate) fn mfa_state(self, name: &str, state: &str) -> Self {
        self.user(name, |user| set_mfa_state(user, state))
    }

    pub(crate) fn mfa_state_of_each(self, state: &str) -> Self {
        self.each_user(|user| set_mfa_state(user, state))
    }

    /// Gives a user these of [`PHONES`], no other method, no preference, and that state of per-user MFA.
    pub(crate) fn phones(self, name: &str, kinds: &[&str], state: &str) -> Self {
        let own = PHONES.into_iter().filter(|(kind, ..)| kinds.contains(kind));
        self.user(name, |user| {
            user.methods = own.map(|(kind, id, number)| phone(kind, id, number)).collect();
            let preferred = "userPreferredMethodForSecondaryAuthentication".to_owned();
            user.sign_in_preferences.insert(preferred, Value::Null);
        })
        .mfa_state(name, state)
    }

    pub(crate) fn group(self, id: Uuid, change: impl FnOnce(&mut GroupRecord)) -> Self {
        self.changed(|seed| {
            let id = Value::from(id.to_string());
            let mut groups = seed.groups.iter_mut();
            let found = groups.find(|one| one.group.get("id") == Some(&id));
            change(found.expect("a group with that id"));
        })
    }

    pub(crate) fn member(self, group: Uuid, member: Uuid) -> Self {
        self.group(group, |group| group.members.push(member))
    }

    /// Adds a group like the first one of the seed.
    pub(crate) fn with_group(self, id: Uuid, name: &str, members: Vec<Uuid>) -> Self {
        self.changed(|seed| {
            let template = seed.groups.first().expect("a group").clone();
            let mut group = template.group.clone();
            group.insert("id".to_owned(), id.to_string().into());
            group.insert("displayName".to_owned(), name.into());
            seed.groups.push(GroupRecord { group, members, ..template });
        })
    }
}

/// The switches of the whole tenant.
impl TenantBuilder {
    pub(crate) fn security_defaults(self, on: bool) -> Self {
        self.changed(|seed| {
            seed.tenant.security_defaults.insert("isEnabled".to_owned(), on.into());
        })
    }

    pub(crate) fn conditional_access(self, policies: Vec<Document>) -> Self {
        self.changed(|seed| seed.tenant.conditional_access = policies)
    }

    /// Changes the configuration of a method, such as `Sms`, in the method policy.
    pub(crate) fn method(self, id: &str, change: impl FnOnce(&mut Value)) -> Self {
        self.changed(|seed| {
            let policy = &mut seed.tenant.authentication_methods_policy;
            let all = policy.get_mut("authenticationMethodConfigurations");
            let all = all.and_then(Value::as_array_mut).expect("configurations");
            let found = all.iter_mut().find(|one| one.get("id").is_some_and(|is| is == id));
            change(found.expect("a configuration with that id"));
        })
    }

    /// No user may use this method.
    pub(crate) fn without_method(self, id: &str) -> Self {
        self.method(id, |one| {
            let state = one.get_mut("state").expect("a state");
            *state = json!("disabled");
        })
    }

    /// A domain whose provider does this with MFA.
    pub(crate) fn federated(self, domain: &str, behaviour: &str) -> Self {
        self.changed(|seed| seed.tenant.federate(domain, Some(behaviour)))
    }
}

/// The way it is served.
impl TenantBuilder {
    pub(crate) fn faults(mut self, faults: Faults) -> Self {
        self.options.faults = faults;
        self
    }

    /// Refuses every request whose path contains the words.
    pub(crate) fn refusing(self, words: &'static str, status: u16, code: &'static str) -> Self {
        self.faults(Faults::by(move |part| match part.path.contains(words) {
            true => Fault::Status { status, code: code.to_owned(), retry_after: None },
            false => Fault::None,
        }))
    }

    pub(crate) fn lateness(mut self, lateness: Lateness) -> Self {
        self.options.lateness = lateness;
        self
    }

    /// Lists of methods show a write after this time.
    pub(crate) fn methods_late(mut self, after: Duration) -> Self {
        self.options.lateness.methods = after;
        self
    }

    /// Indexed queries of groups show a write after this time.
    pub(crate) fn index_late(mut self, after: Duration) -> Self {
        self.options.lateness.index = after;
        self
    }

    pub(crate) fn latency(mut self, latency: Duration) -> Self {
        self.options.latency = latency;
        self
    }

    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    /// Accepts this secret only.
    /// Only the permissions of its application permit a request. Each application has these.
    pub(crate) fn applications(mut self, apps: &[(&str, &[&str])]) -> Self {
        let owned = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
        self.options.access.by_roles = true;
        self.options.grants.everyone = Some(Vec::new());
        self.options.grants.apps =
            apps.iter().map(|(app, roles)| ((*app).to_owned(), owned(roles))).collect();
        self
    }

    pub(crate) fn client_secret(mut self, secret: &str) -> Self {
        self.options.client_secret = Some(secret.to_owned());
        self
    }

    pub(crate) fn undocumented(mut self, undocumented: Undocumented) -> Self {
        self.options.undocumented = undocumented;
        self
    }

    pub(crate) fn tls(mut self, tls: Option<Tls>) -> Self {
        self.options.tls = tls;
        self
    }
}

/// The end: the form in which a test uses the tenant. `inside` is another one.
impl TenantBuilder {
    /// The tenant before the first write.
    pub(crate) fn seed(self) -> Seed {
        self.options.seed
    }

    pub(crate) fn server(self) -> Server {
        runtime().block_on(start(self.options)).expect("a tenant")
    }

    /// A server and a client of it, which gives up at once: for reading without the program.
    pub(crate) async fn serve(self) -> (Server, Client) {
        let server = start(self.options).await.expect("a tenant");
        let soon = Duration::from_millis(1);
        let pace = Pace { base: soon, longest: 2 * soon, tries: 2, ..Pace::default() };
        let client = client_of(&server, pace);
        (server, client)
    }

    /// The program with the environment to reach the tenant, and no files.
    pub(crate) fn served(self) -> World {
        World::around(self.server())
    }

    /// The program and a `mfactl.yaml` that points at the tenant.
    pub(crate) fn world(self) -> World {
        let world = self.served();
        let project = world.project(PROJECT);
        world.file("mfactl.yaml", project)
    }

    /// The same, with a policy for two of its users.
    pub(crate) fn james_and_jane(self) -> World {
        self.world().file("policies/staff.yaml", JAMES_AND_JANE)
    }
}

/// A client of the program for a server.
pub(crate) fn client_of(server: &Server, pace: Pace) -> Client {
    let endpoints = Endpoints::parse(server.url(), server.url()).expect("endpoints");
    let credential = Credential::client_secret("sandbox", "mfactl", "sandbox");
    Client::builder(endpoints).pace(pace).build(credential).expect("a client")
}

/// The members of a literal object.
pub(crate) fn document(literal: Value) -> Document {
    match literal {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

/// A registered phone.
pub(crate) fn phone(kind: &str, id: &str, number: &str) -> Document {
    let sms = if kind == "mobile" { "notAllowedByPolicy" } else { "notSupported" };
    document(json!({
        "@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": id,
        "phoneType": kind, "phoneNumber": number, "smsSignInState": sms,
    }))
}

/// The name that a user signs in with.
pub(crate) fn name_of(user: &UserRecord) -> &str {
    user.user.get("userPrincipalName").and_then(Value::as_str).expect("a name")
}

fn set_mfa_state(user: &mut UserRecord, state: &str) {
    user.requirements.insert("perUserMfaState".to_owned(), state.into());
}
