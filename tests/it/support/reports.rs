//! Runs of `mfactl report`, with the policies of `tests/report`.
//!
//! Not here: what a report says (`cli::report`, `tests/goldens/report.rs`).

use std::path::Path;

use super::shown_numbers::{numbers, shows_none};
use super::tenant_builder::TenantBuilder;
use super::world::{Run, World};

/// A tenant with the policies of `tests/report`.
pub(crate) fn report_world(tenant: TenantBuilder) -> World {
    tenant.world().copy(Path::new("tests/report/policies"), "policies")
}

/// Runs `report`, whose output must not show a phone number.
#[track_caller]
pub(crate) fn report(world: &World, arguments: &[&str], code: i32) -> Run {
    let arguments = [&["report"], arguments].concat();
    let run = world.run(&arguments).ends(code);
    shows_none(&run.text(), &numbers(&world.server().store()));
    run
}
