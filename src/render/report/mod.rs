//! A report on all accounts: for a terminal (`plan::text`), for programs (`plan::json`), for a spreadsheet
//! (`csv`). Only the first two contain phone numbers, and they are masked.
//!
//! Not here: the content of a report (`report`).

pub mod csv;
pub mod json;
pub mod text;
