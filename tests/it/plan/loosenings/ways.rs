//! The two ways to compare two folders: with the program, and with its steps inside the test, which cost a
//! hundredth of it.
//!
//! Not here: what is compared (`rows`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use mfactl::plan::loosening::{Loosening, LooseningPlace, Side, Sides, loosenings};
use mfactl::policy::PolicySet;
use serde_json::Value;

use super::{Files, described, loosenings as printed, warnings};
use crate::support::inside::load;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::World;

/// A way to compare two folders.
pub(super) trait Way {
    /// Writes the files into a folder.
    fn write(self, files: &Files, folder: &str, is_offline: bool) -> Self;

    /// Returns the loosenings with a tenant, each with its code, its place and its users.
    fn with_tenant(&self, base: &str, head: &str) -> Vec<String>;

    /// Returns the code of each loosening without a tenant, and the line in the head.
    fn offline(&self, base: &str, head: &str) -> Vec<(String, Option<u64>)>;
}

/// The program in a world.
impl Way for World {
    fn write(self, files: &Files, folder: &str, is_offline: bool) -> Self {
        files.write(self, folder, is_offline)
    }

    fn with_tenant(&self, base: &str, head: &str) -> Vec<String> {
        printed(self, base, head).iter().map(described).collect()
    }

    fn offline(&self, base: &str, head: &str) -> Vec<(String, Option<u64>)> {
        let found = warnings(self, base, head);
        let of_one = |one: &Value| {
            (one["code"].as_str().unwrap_or("?").to_owned(), one["place"]["line"].as_u64())
        };
        found.iter().map(of_one).collect()
    }
}

/// The steps of the program inside the test, and its files.
pub(super) struct Steps(World);

impl Steps {
    pub(super) fn new() -> Self {
        Self(exchangelabs().served())
    }

    fn policies(&self, folder: &str) -> PolicySet {
        load(&self.0.path(folder)).expect("files without a fault")
    }
}

impl Way for Steps {
    fn write(self, files: &Files, folder: &str, is_offline: bool) -> Self {
        Self(files.write(self.0, folder, is_offline))
    }

    fn with_tenant(&self, base: &str, head: &str) -> Vec<String> {
        let (base, head) = (self.policies(base), self.policies(head));
        // A client that reads many times waits for its quota, so each comparison has its own.
        let inside = exchangelabs().inside();
        let seen = inside.observe_two(&base, &head).expect("the head fits the tenant");
        let of_base = seen.base.expect("the base fits the tenant");
        let sides = Sides {
            base: Side { policies: &base, observed: Some(&of_base) },
            head: Side { policies: &head, observed: Some(&seen.head) },
        };
        loosenings(sides).iter().map(with_place_and_users).collect()
    }

    fn offline(&self, base: &str, head: &str) -> Vec<(String, Option<u64>)> {
        let (base, head) = (self.policies(base), self.policies(head));
        let side = |policies| Side { policies, observed: None };
        let found = loosenings(Sides { base: side(&base), head: side(&head) });
        let line = |one: &Loosening| match &one.place {
            Some(LooseningPlace::Head(place)) => Some(place.line.into()),
            _ => None,
        };
        found.iter().map(|one| (one.code.as_str().to_owned(), line(one))).collect()
    }
}

/// Returns the words that `described` has for the same loosening in a document.
fn with_place_and_users(one: &Loosening) -> String {
    let side = match &one.place {
        Some(LooseningPlace::Head(_)) => "head",
        Some(LooseningPlace::Base(_)) => "base",
        None => "?",
    };
    let place = one.place.as_ref().map(LooseningPlace::file_place);
    let (file, line) =
        place.map_or(("?".to_owned(), 0), |place| (place.file.to_string(), place.line));
    let concerned = one.concerned.as_ref().map(|one| (one.users.len(), one.administrators));
    format!("{} {side} {file}:{line} {concerned:?}", one.code.as_str())
}
