//! Runs that are recorded in the object storage of a cloud: what a user sees is the same as with a folder, and
//! two applies never both write. The stores are those that `.ci/stores` installs.

mod faults;
mod paused;
mod racing;
mod same_as_folder;

use mfactl_sandbox::Faults;

use crate::apply::killed::STAFF;
use crate::support::store_servers::StoreServer;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

/// Number of writes of an apply in [`world`].
const WRITES: usize = 68;

/// A world whose runs are in a store, which it reaches at this address.
fn world(server: &StoreServer, url: &str, faults: Faults) -> World {
    let world = exchangelabs().faults(faults).world().file("policies/staff.yaml", STAFF);
    let project = world.project(&format!("{PROJECT}{}", server.block(url)));
    server.for_world(world.file("mfactl.yaml", project), url)
}
