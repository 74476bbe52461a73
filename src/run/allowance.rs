//! `--allow BRAKE=N`: lifts a brake for one plan. N repeats the number of that plan.
//!
//! Not here: when a brake refuses a plan (`plan::brakes`).

use std::str::FromStr;

use crate::plan::brakes::{Brake, BrakeName};

/// One `BRAKE=N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    name: BrakeName,
    number: usize,
}

/// A brake that refuses a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tripped {
    pub(crate) brake: Brake,
    /// The number on the command line, if it is not the number of the plan.
    pub(crate) given: Option<usize>,
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = BrakeName::ALL.map(BrakeName::as_str).join(", ");
        let (name, number) = text
            .split_once('=')
            .ok_or_else(|| format!("write BRAKE=N, where BRAKE is one of {names}"))?;
        let name = BrakeName::ALL.into_iter().find(|known| known.as_str() == name);
        let name = name.ok_or_else(|| format!("the brakes are {names}"))?;
        let number =
            number.parse().map_err(|_| "N must be the number that the plan shows".to_owned())?;
        Ok(Self { name, number })
    }
}

/// Returns the brakes that refuse the plan and are not lifted.
pub(crate) fn tripped(brakes: &[Brake], allowed: &[Allowance]) -> Vec<Tripped> {
    let given = |brake: &Brake| {
        allowed.iter().rev().find(|one| one.name == brake.name).map(|one| one.number)
    };
    let refuses = |brake: &&Brake| brake.tripped() && given(brake) != Some(brake.actual);
    brakes
        .iter()
        .filter(refuses)
        .map(|brake| Tripped { brake: *brake, given: given(brake) })
        .collect()
}
