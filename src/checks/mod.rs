//! Checks of the policies with invented people: what becomes of them, by which policy, and what always holds.
//! The evaluation is that of a plan, with an observed state that is invented. It reads nothing and writes
//! nothing.
//!
//! - `file` and `expected` are the shapes of a file, `words` and `becomes` its words; `read` and
//!   `person_faults` report what is wrong in it.
//! - `people` makes users, `catalogue` groups and roles, and `invent` the tenant.
//! - `run` plans and compares, with `compare` for one person and `always` for all; `selection` finds the
//!   people of an entry of `always`, and `reason` says why a result is as it is.
//! - `as_test` writes a file from a real user.
//! - `sign_in` is what a second judge needs of the people.
//!
//! Not here: reading files (`policy::beside`), or how a failure is shown (`render::diagnostic`).

mod always;
mod as_test;
mod becomes;
mod catalogue;
mod compare;
mod expected;
mod file;
mod invent;
mod people;
mod person_faults;
mod read;
mod reason;
mod run;
pub mod schema;
mod selection;
mod sign_in;
mod words;

pub use as_test::{CheckFromUser, as_test};
pub use becomes::word_of;
pub use file::ChecksFile;
pub use read::{ReadChecks, read};
pub use run::{FileResult, PersonOutcome, always_in_tenant, outcomes, run};
pub use sign_in::{ExpectedSignIn, ExpectedSignIns};
