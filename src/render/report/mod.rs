//! A report on everybody: for a terminal (`text`), for programs (`json`), for a spreadsheet
//! (`csv`). A phone number is in the first two only, masked.
//!
//! Not here: what is in a report (`report`).

pub mod csv;
pub mod json;
pub mod text;
