//! One integration binary: the program, and what it reads and writes, as a user meets them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where by panicking"
)]

mod again;
mod ages;
mod anothers;
mod applied_again;
mod approval;
mod breaks;
mod cases;
mod contradicting;
mod damaged;
mod delivery;
mod demand;
mod docs;
mod doctor;
mod documents;
mod explain;
mod faults;
mod foreseen;
mod front;
mod golden;
mod guard_groups;
mod guard_lost;
mod guarded;
mod hostile;
mod identity;
mod ignored;
mod imports;
mod inside;
mod invented;
mod journals;
mod kept;
mod killed;
mod lateness;
mod links;
mod live;
mod loading;
mod meaning;
mod meddling;
mod names;
mod narrowing;
mod not_known;
mod not_known_promises;
mod numbers;
mod pages;
mod parts;
mod posture;
mod precedence;
mod privacy;
mod program;
mod promises;
mod providers;
mod reach;
mod refused;
mod report;
mod roles;
mod samples;
mod saved;
mod sdks;
mod selectors;
mod served;
mod sizes;
mod small;
mod soak;
mod speed;
mod spelled;
mod standing;
mod undo_promises;
mod undone;
mod waves;
mod ways;
mod weather;
mod words;
mod world;
mod writers;
