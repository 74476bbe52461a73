//! Simulated services, and runs of the governor against them on a simulated clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::governor::{Admission, Governor, Observation, Quota, Waits};

/// A service with a bucket that refills, or with time windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    /// The rates in units a second, each with the second from which it holds.
    pub(super) rates: &'static [(f64, f64)],
    pub(super) refill: f64,
    pub(super) latency: f64,
    /// Whether answers say how full the quota is, from 0.8 on.
    pub(super) tells: bool,
    pub(super) retry_after: Option<f64>,
    /// Whether the whole quota returns at the end of each window, and not little by little.
    pub(super) windows: bool,
    /// Only one answer in this number says how full the quota is.
    pub(super) tells_one_in: u32,
    /// Whether only refusals say how full the quota is.
    pub(super) tells_late: bool,
    pub(super) asked: u32,
    /// The seed of the jitter in the latency.
    pub(super) seed: u32,
    pub(super) level: f64,
    pub(super) at: f64,
    /// The units in a second that the service can answer, whatever the quota allows.
    pub(super) capacity: f64,
    /// The time at which it will have answered everything so far.
    pub(super) busy_until: f64,
    /// Another program empties the bucket each time this number of seconds has passed.
    pub(super) emptied_each: f64,
    /// The number of seconds by which timers of this program are late.
    pub(super) timers_late: f64,
}

impl Service {
    pub(super) fn of(rates: &'static [(f64, f64)]) -> Self {
        let full = rates[0].1 * 10.0;
        Self {
            rates,
            refill: 10.0,
            latency: 0.3,
            tells: false,
            retry_after: Some(1.0),
            windows: false,
            tells_one_in: 1,
            tells_late: false,
            asked: 0,
            seed: 1,
            level: full,
            at: 0.0,
            capacity: f64::INFINITY,
            busy_until: 0.0,
            emptied_each: f64::INFINITY,
            timers_late: 0.0,
        }
    }

    /// Returns the same service with a bucket that refills this many times faster.
    pub(super) fn faster(self, times: f64) -> Self {
        Self { refill: self.refill / times, level: self.level / times, ..self }
    }

    /// Returns the time at which a batch that arrives now is answered.
    fn answered_at(&mut self, now: f64, parts: f64) -> f64 {
        self.busy_until = self.busy_until.max(now) + parts / self.capacity;
        self.busy_until
    }

    fn rate(&self, now: f64) -> f64 {
        self.rates.iter().rev().find(|(from, _)| now >= *from).unwrap().1
    }

    /// Takes parts. Returns how many were done, and how full the quota is afterwards.
    fn take(&mut self, now: f64, parts: f64) -> (f64, Option<f64>) {
        let rate = self.rate(now);
        let full = rate * self.refill;
        if !self.windows {
            self.level = (self.level + (now - self.at) * rate).min(full);
        } else if (now / self.refill).floor() > (self.at / self.refill).floor() {
            self.level = full;
        }
        if (now / self.emptied_each).floor() > (self.at / self.emptied_each).floor() {
            self.level = 0.0;
        }
        self.at = now;
        let done = parts.min(self.level.floor());
        self.level -= done;
        let used = 1.0 - self.level / full;
        self.asked += 1;
        let says = self.tells && self.asked.is_multiple_of(self.tells_one_in) && used > 0.8;
        let says = says && (done < parts || !self.tells_late);
        (done, says.then_some((used * 10.0).round() / 10.0))
    }
}

pub(super) fn fresh(quota: Quota, share: f64) -> Governor {
    Governor::new(quota, share, Waits { untold: 0.5, longest: 300.0 })
}

/// The time that a run took, the share of its parts that were refused, and the slowest answer in seconds.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) seconds: f64,
    pub(super) refused: f64,
    pub(super) slowest: f64,
}

/// Reads this number of parts in batches of twenty. Refused parts are sent again.
pub(super) fn run(mut governor: Governor, mut service: Service, parts: u32) -> Ran {
    let (mut left, mut refused, mut now) = (f64::from(parts), 0.0, 0.0);
    // The time in microseconds at which a batch reaches the service, or is back.
    let mut events: BinaryHeap<Reverse<(u64, u32, bool)>> = BinaryHeap::new();
    let mut sent: Vec<(f64, f64, Observation)> = Vec::new();
    let micros = |seconds: f64| (seconds * 1e6) as u64;
    let mut jitter = service.seed;
    let (mut in_flight, mut slowest, mut steps) = (0, 0.0_f64, 0);
    // The first batch in the queue sleeps, and an answer does not wake it up (`gate`).
    let mut asleep_until = 0.0;
    loop {
        steps += 1;
        assert!(steps < 100_000 + parts, "{steps} steps for {parts} parts at {now} s");
        // All remaining parts wait, because the users to read are known.
        governor.waiting = left;
        governor.end(true);
        while left > 0.0 && now >= asleep_until {
            let units = left.min(20.0);
            match governor.admit(now, units) {
                Admission::Now => {
                    left -= units;
                    governor.waiting = left;
                    jitter = jitter.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                    let there = service.latency * (0.4 + f64::from(jitter >> 16) / 327_680.0);
                    events.push(Reverse((micros(now + there), sent.len() as u32, true)));
                    sent.push((
                        units,
                        service.latency * 0.5,
                        Observation { sent_at: now, ..Observation::default() },
                    ));
                    in_flight += 1;
                }
                Admission::In(seconds) => {
                    assert!(seconds.is_finite(), "a wait without an end at {now} s");
                    asleep_until = now + seconds + service.timers_late;
                    break;
                }
                Admission::WhenAnswered => break,
            }
        }
        if left <= 0.0 && in_flight == 0 {
            return Ran { seconds: now, refused: refused / f64::from(parts), slowest };
        }
        let first = events.peek().map(|Reverse((at, ..))| *at as f64 / 1e6);
        if left > 0.0 && asleep_until > now && first.is_none_or(|at| asleep_until < at) {
            now = asleep_until;
            continue;
        }
        let Reverse((at, id, arriving)) = events.pop().expect("something is in flight");
        now = now.max(at as f64 / 1e6);
        let (units, back, seen) = &mut sent[id as usize];
        if arriving {
            let (done, pressure) = service.take(now, *units);
            seen.accepted = done;
            seen.refused = *units - done;
            seen.pressure = pressure;
            let wait = if service.windows {
                service.retry_after.map(|_| (10.0 - now % 10.0).ceil())
            } else {
                service.retry_after
            };
            seen.retry_after = (seen.refused > 0.0).then_some(wait).flatten();
            let answered = service.answered_at(now, *units) + *back;
            slowest = slowest.max(answered - seen.sent_at);
            events.push(Reverse((micros(answered), id, false)));
        } else {
            in_flight -= 1;
            refused += seen.refused;
            left += seen.refused;
            governor.observe(now, *seen);
        }
    }
}

pub(super) fn reads(service: Service, parts: u32) -> Ran {
    run(fresh(Quota::READS, 1.0), service, parts)
}

/// Returns the seconds that the quota alone takes.
pub(super) fn floor(service: &Service, parts: u32) -> f64 {
    let (mut now, mut left) = (0.0, f64::from(parts) - service.level);
    while left > 0.0 {
        left -= service.rate(now) * 0.01;
        now += 0.01;
    }
    now
}

#[track_caller]
pub(super) fn holds(name: &str, service: Service, parts: u32, over: f64, most_refused: f64) {
    let floor = floor(&service, parts);
    let mut ran = Ran::default();
    for seed in 1..=2 {
        let Ran { seconds, refused, .. } = reads(Service { seed, ..service }, parts);
        ran.seconds = ran.seconds.max(seconds);
        ran.refused = ran.refused.max(refused);
    }
    let result = format!(
        "{name}: {:.1} s of {floor:.1} s, {:+.2} %, {:.2} % refused",
        ran.seconds,
        (ran.seconds / floor - 1.0) * 100.0,
        ran.refused * 100.0
    );
    println!("{result}");
    assert!(ran.seconds <= floor * over && ran.refused <= most_refused, "{result}");
}
