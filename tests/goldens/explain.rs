//! `tests/explain`: what `mfactl explain` says about users in every situation, as text and as JSON.
//!
//! Not here: that an explanation agrees with the plan (`cli::explain` in `tests/it`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libtest_mimic::Trial;
use mfactl::render::explain::json;
use mfactl_sandbox::{Fault, Faults};
use serde_json::Value;

use crate::support::golden::compare;
use crate::support::shown_numbers::{numbers, shows_none};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::trial;
use crate::support::world::{PROJECT, World};

/// Users, and the situation of each.
const PEOPLE: [(&str, &str); 11] = [
    ("j.brown", "open, and protected by the plan"),
    ("j.smith", "a smaller priority beats another"),
    ("p.visser", "withheld for want of a number"),
    ("m.bos", "an exception"),
    ("g.martens", "a guest, left out"),
    ("breakglass1", "a break-glass account"),
    ("svc.backup", "nobody names it"),
    ("b.devries", "two policies disagree"),
    ("m.dekoning", "a role, held through a group"),
    ("d.vanbeek", "a role that can be taken up"),
    ("h.peters", "only a policy in report mode would change it"),
];

pub(crate) fn trials() -> Vec<Trial> {
    // An explanation writes nothing, so all of them share one tenant.
    let world = Arc::new(LazyLock::new(|| world(exchangelabs())));
    let explained = PEOPLE.map(|(name, situation)| {
        let world = Arc::clone(&world);
        trial(format!("explain::{name}"), move || explained(&world, name, situation))
    });
    let unread = trial("explain::unread".to_owned(), refused_facts_are_unknown);
    explained.into_iter().chain([unread]).collect()
}

fn world(tenant: TenantBuilder) -> World {
    let world = tenant.served();
    let project = world.project(PROJECT);
    world.copy(Path::new("tests/explain/policies"), "policies").file("mfactl.yaml", project)
}

fn explained(world: &World, name: &str, situation: &str) -> String {
    let user = format!("{name}@exchangelabs.nl");
    let shown = world.run(&["explain", &user]).ends(0);
    let printed = world.run(&["explain", &user, "--format", "json"]).ends(0);
    let store = world.server().store();
    shows_none(&(shown.text() + &printed.text()), &numbers(&store));
    let explanation: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let validator = jsonschema::draft7::new(&json::schema().to_value()).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&explanation)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(store.writes().is_empty(), "an explanation writes nothing");
    let golden = |extension: &str| format!("tests/explain/{name}.{extension}");
    let text = format!("{situation}\n\n{}", shown.text());
    compare(Path::new(&golden("txt")), &text)
        + &compare(Path::new(&golden("json")), &printed.stdout)
}

/// What could not be read is reported where it was asked for, and unknown is never absent.
fn refused_facts_are_unknown() -> String {
    let faults = Faults::by(|part| {
        let refused = ["/authentication/methods", "/conditionalAccess/policies"];
        match refused.iter().any(|path| part.path.ends_with(path)) {
            true => Fault::Status { status: 403, code: "Forbidden".to_owned(), retry_after: None },
            false => Fault::None,
        }
    });
    let world = world(exchangelabs().faults(faults));
    let run = world.run(&["explain", "p.visser@exchangelabs.nl"]).ends(0);
    let text = format!("methods and Conditional Access refused\n\n{}", run.text());
    compare(Path::new("tests/explain/unread.txt"), &text)
}
