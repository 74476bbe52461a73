//! A share of all answers that goes wrong by chance, the same chance at each run.
//!
//! What befalls a request is a function of the seed, its method and path, and how often it was
//! asked: the order in which requests of one run arrive changes nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::words::{Details, Word};
use super::{Fault, PartInfo};

/// So many of a hundred answers go wrong.
#[derive(Debug)]
pub struct Share {
    percent: u8,
    seed: u64,
    of: Vec<Word>,
    asked: Mutex<HashMap<String, u64>>,
}

impl Share {
    /// Of the faults that pass on their own.
    pub fn new(percent: u8, seed: u64) -> Self {
        Self::of(percent, seed, Word::BY_CHANCE.to_vec())
    }

    pub fn of(percent: u8, seed: u64, of: Vec<Word>) -> Self {
        Self { percent, seed, of, asked: Mutex::default() }
    }

    /// What goes wrong with this request, if anything does.
    pub fn at(&self, part: &PartInfo) -> Fault {
        // What the sandbox is asked about itself is not part of the tenant.
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

    /// A number for this request, this often asked.
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
    fn about_as_many_as_asked_for_and_the_same_each_time() {
        let faults = run(7);
        let wrong = faults.iter().filter(|fault| **fault != Fault::None).count();
        assert!((250..350).contains(&wrong), "{wrong}");
        assert_eq!(faults, run(7));
        assert_ne!(faults, run(8));
    }

    #[test]
    fn parts_of_a_batch_cut_no_connection() {
        let share = Share::new(100, 1);
        for number in 0..100 {
            let part =
                PartInfo { batch_part: Some("1".to_owned()), ..ask(format!("/beta/{number}")) };
            assert!(!matches!(share.at(&part), Fault::CloseBefore | Fault::CutBody | Fault::None));
        }
    }
}
