//! A share of all answers that goes wrong by chance. With the same seed, every run is the same.
//!
//! The fault of a request is a function of the seed, its method and path, and how often it was sent
//! before. The order in which different requests arrive changes nothing.
//!
//! Not here: faults for chosen requests (`script`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::fault::{Fault, PartInfo};
use super::words::{Details, Word};

/// The percentage of answers that go wrong, and the faults to choose from.
#[derive(Debug)]
pub struct Share {
    percent: u8,
    seed: u64,
    of: Vec<Word>,
    asked: Mutex<HashMap<String, u64>>,
}

impl Share {
    /// A share of all answers, with the faults that a retry gets past.
    pub fn new(percent: u8, seed: u64) -> Self {
        Self::of(percent, seed, Word::BY_CHANCE.to_vec())
    }

    pub fn of(percent: u8, seed: u64, of: Vec<Word>) -> Self {
        Self { percent, seed, of, asked: Mutex::default() }
    }

    /// Returns the fault of this request, or `Fault::None`.
    pub fn at(&self, part: &PartInfo) -> Fault {
        // The sandbox's own paths are not part of the tenant.
        if part.path.starts_with("/sandbox/signIn") || part.path.starts_with("/sandbox/writes") {
            return Fault::None;
        }
        let of: Vec<Word> = match part.batch_part {
            Some(_) => self.of.iter().copied().filter(|word| word.befalls_parts()).collect(),
            None => self.of.clone(),
        };
        let mut chance = fastrand::Rng::with_seed(self.draw(part));
        if chance.u8(0..100) >= self.percent {
            return Fault::None;
        }
        let details = Details { retry_after: Some(1), ..Details::default() };
        chance.choice(of).map_or(Fault::None, |word| word.fault(&details))
    }

    /// A number that depends on this request and how often it was sent before.
    fn draw(&self, part: &PartInfo) -> u64 {
        let key = format!("{} {}", part.method, part.path);
        let hash = key.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(key).or_default();
        *times += 1;
        hash.wrapping_add(times.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: String) -> PartInfo {
        PartInfo {
            method: "GET".to_owned(),
            path,
            version: None,
            write: None,
            writes: false,
            batch_part: None,
            continued: false,
        }
    }

    fn run(seed: u64) -> Vec<Fault> {
        let share = Share::new(30, seed);
        (0..1000).map(|number| share.at(&ask(format!("/v1.0/users/{}", number % 100)))).collect()
    }

    #[test]
    fn share_is_about_the_percentage_and_the_same_in_every_run() {
        let faults = run(7);
        let wrong = faults.iter().filter(|fault| **fault != Fault::None).count();
        assert!((250..350).contains(&wrong), "{wrong}");
        assert_eq!(faults, run(7));
        assert_ne!(faults, run(8));
    }

    #[test]
    fn faults_in_parts_of_a_batch_cut_no_connection() {
        let share = Share::new(100, 1);
        for number in 0..100 {
            let part =
                PartInfo { batch_part: Some("1".to_owned()), ..ask(format!("/beta/{number}")) };
            assert!(!matches!(share.at(&part), Fault::CloseBefore | Fault::CutBody | Fault::None));
        }
    }
}
