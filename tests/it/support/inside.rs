//! The steps of the program one by one, inside the test, over real HTTP to a tenant of the test:
//! for properties, which need many runs. The steps are those of `run`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use mfactl::apply::context::RunContext;
use mfactl::apply::own_writes::OwnWrites;
use mfactl::apply::resume::{self, Unfinished};
use mfactl::apply::rule_watch::RuleWatch;
use mfactl::apply::run;
use mfactl::apply::verify::hold;
use mfactl::finding::Finding;
use mfactl::graph::{Client, Pace};
use mfactl::id::{TenantId, UserId};
use mfactl::journal::{ChainEnd, Journal, TenantRuns};
use mfactl::moment::Moment;
use mfactl::observed::Observed;
use mfactl::plan::Plan;
use mfactl::plan::pipeline;
use mfactl::policy::{PolicySet, UserRef};
use mfactl::render::plan::json;
use mfactl::render::plan::text;
use mfactl::report;
use mfactl::results::ApplyReport;
use mfactl::run::events::{Event, Frontend, RunOutput};
use mfactl::run::fault::RunFault;
use mfactl::run::observe::{self, ObservedForTwo};
use mfactl::run::plan::PlanPart;
use mfactl::run::session::Session;
use mfactl::run::snapshot::{self, TakeRequest};
use mfactl::run::write::PlanWriter;
use mfactl::snapshot::RecordedGroups;
use mfactl::snapshot::pseudonym::{PersonSalt, RecordingKey};
use mfactl::tenant::directory::Identity;
use mfactl::tenant::facts::Read;
use mfactl::tenant::membership::Guarding;
use mfactl::tenant::roles::Roles;
use mfactl_sandbox::Server;
use uuid::Uuid;

use crate::support::journal_files::{JournalFiles, wait};
use crate::support::tenant_builder::{TenantBuilder, client_of};
use crate::support::world::runtime;

/// A tenant in this process, reached by a client that waits for nothing.
pub(crate) struct Inside {
    pub(crate) server: Server,
    tenant: Session,
}

impl TenantBuilder {
    pub(crate) fn inside(self) -> Inside {
        let soon = Duration::from_millis(1);
        self.paced(Pace { base: soon, longest: soon, tries: 3, ..Pace::default() })
    }

    /// The same, with a client that waits as `pace` says.
    pub(crate) fn paced(self, pace: Pace) -> Inside {
        let server = self.server();
        let client = client_of(&server, pace);
        let id = TenantId::from_uuid(server.tenant_id());
        let identity = Identity { id, domain: "exchangelabs.nl".into() };
        let today = server.store().today();
        let mut tenant = Session::new(client, identity);
        tenant.day = Some(today);
        Inside { server, tenant }
    }
}

impl Inside {
    fn client(&self) -> &Client {
        self.tenant.client().expect("a client")
    }

    /// Everything a plan is made of, or the findings that stop it.
    pub(crate) fn observe(&self, set: &PolicySet) -> Result<Observed, Vec<Finding>> {
        match runtime().block_on(observe::for_policies(&self.tenant, set)) {
            Ok(observed) => Ok(observed),
            Err(RunFault::Policies { findings, .. }) => Err(findings),
            Err(fault) => panic!("{fault}"),
        }
    }

    /// The tenant, read once for two policy sets; nothing if it does not fit the head.
    pub(crate) fn observe_two(&self, base: &PolicySet, head: &PolicySet) -> Option<ObservedForTwo> {
        match runtime().block_on(observe::for_two(&self.tenant, base, head)) {
            Ok(observed) => Some(observed),
            Err(RunFault::Policies { .. }) => None,
            Err(fault) => panic!("{fault}"),
        }
    }

    /// The same with one user more, and with the roles there are.
    pub(crate) fn observe_with(&self, set: &PolicySet, name: &str) -> (Observed, Read<Roles>) {
        let user = UserRef::PrincipalName(name.to_owned());
        let seen = runtime().block_on(observe::for_policies_and_user(&self.tenant, set, &user));
        let seen = seen.expect("somebody of that name");
        (seen.observed, seen.roles)
    }

    /// The report on everybody, as of some day.
    pub(crate) fn report(&mut self, set: &PolicySet, on: Date) -> report::PostureReport {
        let today = self.server.store().today();
        self.tenant.day = Some(on);
        let seen = runtime().block_on(observe::for_everybody(&self.tenant, set));
        let (observed, roles) = seen.expect("everybody");
        report::report(set, observed, &roles, today)
    }

    /// Everything a plan that undoes is made of.
    pub(crate) fn observe_these(&self, set: &PolicySet, users: &[UserId]) -> Observed {
        let these = observe::these_users_and_scope(&self.tenant, set, users);
        runtime().block_on(these).expect("these people")
    }

    /// The tenant as a snapshot has it, which was written to a file and read again.
    pub(crate) fn recorded(&self, set: &PolicySet, key: &RecordingKey) -> Session {
        let request = TakeRequest {
            groups: RecordedGroups::Named,
            key: key.clone(),
            salt: PersonSalt(Uuid::from_u128(7)),
        };
        let taken = runtime().block_on(snapshot::take(&self.tenant, set, request));
        let taken = taken.expect("a snapshot");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let written = taken.record(&self.tenant, |recording| {
            mfactl::snapshot::write(recording, &mut file.as_file())
        });
        written.expect("a disk");
        Session::of_snapshot(mfactl::snapshot::read(file.path()).expect("a snapshot"))
    }

    /// The plan as it is shown, where one can be made.
    pub(crate) fn shown_plan(&self, set: &PolicySet) -> Option<Plan> {
        shown_plan(&self.tenant, set)
    }

    /// The plan, where one can be made.
    pub(crate) fn plan(&self, set: &PolicySet) -> Option<Plan> {
        Some(pipeline::plan(set, self.observe(set).ok()?))
    }

    /// Carries a plan out. Where `crashed` comes first, the run ends there, as a killed program's.
    pub(crate) fn apply(
        &self,
        plan: &Plan,
        crashed: impl Future<Output = ()>,
    ) -> Option<ApplyReport> {
        let held = hold(plan, self.tenant.identity.id, &plan.basis).expect("the same basis");
        let mut conduct = RunContext::new(RuleWatch::new(
            Moment::now(),
            Duration::MAX,
            Duration::MAX,
            async || Ok(()),
        ));
        let wait = Duration::from_millis;
        (conduct.second_look, conduct.resend_after) = (wait(1), wait(1));
        conduct.listed_after = [wait(0), wait(25), wait(100), wait(250)];
        conduct.put_back_after = [wait(0), wait(1), wait(5), wait(25)];
        runtime().block_on(async {
            tokio::select! {
                biased;
                () = crashed => None,
                report = run::run(held, self.client(), conduct, |_, _| {}) => Some(report),
            }
        })
    }
}

impl Inside {
    /// Carries a plan out, asking before every stage whether it still holds.
    pub(crate) fn apply_watched(
        &self,
        plan: &Plan,
        recheck: impl AsyncFnMut() -> Result<(), String>,
    ) -> ApplyReport {
        let watch = RuleWatch::new(Moment::now(), Duration::MAX, Duration::ZERO, recheck);
        self.conducted(plan, RunContext::new(watch))
    }

    /// Carries a plan out as `apply` does after the answer: it looks again, and before every stage
    /// once more. Nothing comes back where the first look refuses the plan.
    pub(crate) fn carried_out(&self, set: &PolicySet, plan: &Plan) -> Option<ApplyReport> {
        let mut writer = PlanWriter::new(&self.tenant, set, plan, &Silent);
        (writer.check_every, writer.check_valid_for) = (Duration::MAX, Duration::ZERO);
        runtime().block_on(async {
            let now = match writer.read_again().await {
                Ok(now) => now,
                Err(RunFault::Policies { .. }) => return None,
                Err(fault) => panic!("{fault}"),
            };
            let verified = now.verified(plan, &self.tenant).ok()?;
            writer.write(verified, &now, OwnWrites::default(), None).await.ok()
        })
    }

    /// Carries a plan out, accompanied by that.
    pub(crate) fn conducted(
        &self,
        plan: &Plan,
        conduct: RunContext<'_, impl AsyncFnMut() -> Result<(), String>>,
    ) -> ApplyReport {
        let held = hold(plan, self.tenant.identity.id, &plan.basis).expect("the same basis");
        runtime().block_on(run::run(held, self.client(), conduct, |_, _| {}))
    }

    /// The journals of this tenant in a folder.
    pub(crate) fn journals(&self, folder: &Path) -> JournalFiles {
        JournalFiles::new(folder, self.tenant.identity.id)
    }

    /// Carries a plan out and keeps a journal of it.
    pub(crate) fn apply_noted(&self, plan: &Plan, runs: &TenantRuns) -> ApplyReport {
        let end = wait(ChainEnd::read(runs)).expect("a folder");
        let journal =
            wait(Journal::begin((runs, &end), plan, Guarding::default(), Timestamp::now(), 1));
        let journal = journal.expect("a journal");
        let watch = RuleWatch::new(Moment::now(), Duration::MAX, Duration::MAX, async || Ok(()));
        let mut conduct = RunContext::new(watch);
        conduct.listed_after = [Duration::ZERO; 4];
        conduct.second_look = Duration::from_millis(1);
        conduct.journal = Some(&journal);
        let report = self.conducted(plan, conduct);
        wait(journal.close(&report)).expect("a disk");
        report
    }

    /// Looks after runs that are not settled.
    pub(crate) fn settle_earlier(&self, runs: &TenantRuns) -> Vec<Unfinished> {
        let soon = Duration::from_millis(1);
        let end = wait(ChainEnd::read(runs)).expect("a folder");
        let looked = resume::settle_earlier_within((runs, &end), self.client(), soon);
        runtime().block_on(looked).expect("a look").unfinished
    }
}

/// A program that shows nothing and approves everything.
struct Silent;

impl Frontend for Silent {
    fn tell(&self, _: Event<'_>) {}

    fn show(&self, _: RunOutput<'_>) -> io::Result<()> {
        Ok(())
    }

    async fn approves(&self, _: &Plan) -> Result<bool, RunFault> {
        Ok(true)
    }

    async fn accompany<T>(&self, _: &Client, work: impl Future<Output = T>) -> T {
        work.await
    }

    fn describe(&self, fault: &RunFault) -> String {
        fault.to_string()
    }
}

/// Everything that is ever printed of a plan.
pub(crate) fn printed(plan: &Plan) -> String {
    let view = |all| text::TextView { all, sandbox: true, part: false };
    text::plan(plan, view(true)) + &text::plan(plan, view(false)) + &as_json(plan)
}

/// The plan as it is shown, where one can be made.
pub(crate) fn shown_plan(tenant: &Session, set: &PolicySet) -> Option<Plan> {
    let whole = PlanPart::default();
    let planning = mfactl::run::plan::plan(tenant, set, &whole);
    match runtime().block_on(planning) {
        Ok(plan) => Some(plan),
        Err(RunFault::Policies { .. }) => None,
        Err(fault) => panic!("{fault}"),
    }
}

pub(crate) fn as_json(plan: &Plan) -> String {
    let mut bytes = Vec::new();
    json::plan(plan, &mut bytes).expect("memory");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Loads the project in a folder, where it has no fault.
pub(crate) fn load(folder: &Path) -> Option<PolicySet> {
    mfactl::policy::load(&folder.join("mfactl.yaml")).ok()
}
