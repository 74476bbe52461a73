//! `--allow BRAKE=N`: a brake lifted for one plan, by repeating that plan's own number.

use std::fmt;
use std::str::FromStr;

use crate::plan::brakes::{Brake, Name};

/// One `BRAKE=N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    name: Name,
    number: usize,
}

/// Why a brake refuses a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tripped {
    brake: Brake,
    /// The number that was said, where it is not the plan's.
    said: Option<usize>,
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Name::ALL.map(Name::as_str).join(", ");
        let (name, number) =
            text.split_once('=').ok_or_else(|| format!("write BRAKE=N, with BRAKE of {names}"))?;
        let name = Name::ALL.into_iter().find(|known| known.as_str() == name);
        let name = name.ok_or_else(|| format!("the brakes are {names}"))?;
        let number = number.parse().map_err(|_| "N is the plan's own number".to_owned())?;
        Ok(Self { name, number })
    }
}

/// The brakes that refuse the plan all the same.
pub(super) fn tripped(brakes: &[Brake], allowed: &[Allowance]) -> Vec<Tripped> {
    let said = |brake: &Brake| {
        allowed.iter().rev().find(|one| one.name == brake.name).map(|one| one.number)
    };
    let refuses = |brake: &&Brake| brake.tripped() && said(brake) != Some(brake.actual);
    brakes
        .iter()
        .filter(refuses)
        .map(|brake| Tripped { brake: *brake, said: said(brake) })
        .collect()
}

impl Tripped {
    /// How it is lifted.
    pub(super) fn allow(&self) -> String {
        format!("--allow {}={}", self.brake.name.as_str(), self.brake.actual)
    }
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Brake { name, actual, of, limit } = self.brake;
        write!(
            f,
            "brake `{}`: {actual} of {of} users in scope, and the limit is {limit}",
            name.as_str()
        )?;
        match self.said {
            Some(said) => write!(f, " (`--allow` says {said}, which is not the plan's number)"),
            None => Ok(()),
        }
    }
}
