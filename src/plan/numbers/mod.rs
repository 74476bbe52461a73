//! Phone numbers that concern more than one user: `owners` counts the users that have each number,
//! `conflicts` refuses numbers of other users, and `order` orders users that release and reuse a number.
//!
//! Not here: reading or masking a number (`number`).

pub mod conflicts;
pub mod order;
pub mod owners;
