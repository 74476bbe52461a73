//! The governor with simulated services, on a simulated clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

/// A service with a bucket that refills, or with time windows.
#[derive(Debug, Clone, Copy)]
struct Service {
    /// The rates in units a second, each with the second from which it holds.
    rates: &'static [(f64, f64)],
    refill: f64,
    latency: f64,
    /// Whether answers say how full the quota is, from 0.8 on.
    tells: bool,
    retry_after: Option<f64>,
    /// Whether the whole quota returns at the end of each window, and not little by little.
    windows: bool,
    /// Only one answer in this number says how full the quota is.
    tells_one_in: u32,
    /// Whether only refusals say how full the quota is.
    tells_late: bool,
    asked: u32,
    /// The seed of the jitter in the latency.
    seed: u32,
    level: f64,
    at: f64,
}

impl Service {
    fn of(rates: &'static [(f64, f64)]) -> Self {
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
        }
    }

    /// Returns the same service with a bucket that refills this many times faster.
    fn faster(self, times: f64) -> Self {
        Self { refill: self.refill / times, level: self.level / times, ..self }
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

fn fresh(quota: Quota, share: f64) -> Governor {
    Governor::new(quota, share, Waits { untold: 0.5, longest: 300.0 })
}

/// The time that a run took, and the share of its parts that were refused.
#[derive(Debug, Default)]
struct Ran {
    seconds: f64,
    refused: f64,
}

/// Reads this number of parts in batches of twenty. Refused parts are sent again.
fn run(mut governor: Governor, mut service: Service, parts: u32) -> Ran {
    let (mut left, mut refused, mut now) = (f64::from(parts), 0.0, 0.0);
    // The time in microseconds at which a batch reaches the service, or is back.
    let mut events: BinaryHeap<Reverse<(u64, u32, bool)>> = BinaryHeap::new();
    let mut sent: Vec<(f64, f64, Observation)> = Vec::new();
    let micros = |seconds: f64| (seconds * 1e6) as u64;
    let mut jitter = service.seed;
    let mut in_flight = 0;
    loop {
        let mut next = None;
        // All remaining parts wait, because the users to read are known.
        governor.waiting = left;
        governor.end(true);
        while left > 0.0 {
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
                    next = Some(now + seconds);
                    break;
                }
                Admission::WhenAnswered => break,
            }
        }
        if left <= 0.0 && in_flight == 0 {
            return Ran { seconds: now, refused: refused / f64::from(parts) };
        }
        let first = events.peek().map(|Reverse((at, ..))| *at as f64 / 1e6);
        match (first, next) {
            (Some(event), Some(wait)) if wait < event => {
                now = wait;
                continue;
            }
            (None, Some(wait)) => {
                now = wait;
                continue;
            }
            _ => {}
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
            events.push(Reverse((micros(now + *back), id, false)));
        } else {
            in_flight -= 1;
            refused += seen.refused;
            left += seen.refused;
            governor.observe(now, *seen);
        }
    }
}

fn reads(service: Service, parts: u32) -> Ran {
    run(fresh(Quota::READS, 1.0), service, parts)
}

/// Returns the seconds that the quota alone takes.
fn floor(service: &Service, parts: u32) -> f64 {
    let (mut now, mut left) = (0.0, f64::from(parts) - service.level);
    while left > 0.0 {
        left -= service.rate(now) * 0.01;
        now += 0.01;
    }
    now
}

#[track_caller]
fn holds(name: &str, service: Service, parts: u32, over: f64, most_refused: f64) {
    let floor = floor(&service, parts);
    let mut ran = Ran::default();
    for seed in 1..=2 {
        let Ran { seconds, refused } = reads(Service { seed, ..service }, parts);
        ran = Ran { seconds: ran.seconds.max(seconds), refused: ran.refused.max(refused) };
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

#[test]
fn service_with_a_faster_clock_is_followed() {
    for (rate, times) in [
        (&[(0.0, 3_500.0)], 10.0),
        (&[(0.0, 8_000.0)], 10.0),
        (&[(0.0, 16_000.0)], 20.0),
        (&[(0.0, 40_000.0)], 50.0),
    ] {
        for (parts, latency) in [(200_000, 0.05), (200_000, 0.3), (2_000_000, 0.2)] {
            let latency = latency / times;
            let service = Service { tells: true, latency, ..Service::of(rate).faster(times) };
            let name = format!("{rate:?} {parts} {latency} x{times}");
            holds(&name, service, parts, 1.05, 0.0005);
        }
    }
}

#[test]
fn slow_answers_do_not_limit_the_rate() {
    for rate in [&[(0.0, 350.0)], &[(0.0, 800.0)]] {
        let service = Service { tells: true, latency: 1.0, ..Service::of(rate) };
        holds(&format!("{rate:?} in a second"), service, 100_000, 1.05, 0.002);
    }
}

/// If the service says how full the quota is, nearly nothing is refused. Otherwise only refusals show the
/// limit.
#[test]
fn partly_used_quota_is_approached_with_care() {
    for (parts, tells, most_refused) in [
        (20_000, true, 0.005),
        (100_000, true, 0.001),
        (20_000, false, 0.04),
        (100_000, false, 0.009),
    ] {
        for rate in [&[(0.0, 350.0)], &[(0.0, 800.0)]] {
            for left in [0.0, 0.1, 0.4] {
                let service = Service { tells, latency: 0.2, ..Service::of(rate) };
                let service = Service { level: service.level * left, ..service };
                let name = format!("{rate:?} {tells} {left} {parts}");
                holds(&name, service, parts, 1.05, most_refused);
            }
        }
    }
}

#[test]
fn service_that_rarely_says_how_full_it_is_is_not_trusted() {
    for tells_one_in in [10, 50, 1_000] {
        for rate in [&[(0.0, 350.0)], &[(0.0, 800.0)]] {
            let service = Service { tells: true, tells_one_in, ..Service::of(rate) };
            holds(&format!("{rate:?} one in {tells_one_in}"), service, 300_000, 1.05, 0.007);
            let service = Service { tells_late: true, ..service };
            holds(&format!("{rate:?} late, {tells_one_in}"), service, 300_000, 1.05, 0.01);
        }
    }
}

#[test]
fn every_size_of_tenant_is_found_from_the_start() {
    for tells in [true, false] {
        for rate in [&[(0.0, 350.0)], &[(0.0, 500.0)], &[(0.0, 800.0)]] {
            for (parts, latency) in [
                (20_000, 0.1),
                (30_000, 0.1),
                (30_000, 0.3),
                (100_000, 0.1),
                (100_000, 0.6),
                (300_000, 0.6),
            ] {
                let service = Service { tells, latency, ..Service::of(rate) };
                let name = format!("{rate:?} {parts} {latency} {tells}");
                holds(&name, service, parts, 1.05, if tells { 0.0005 } else { 0.009 });
            }
        }
    }
}

#[test]
fn undocumented_limit_is_found() {
    for tells in [true, false] {
        for rate in [&[(0.0, 120.0)], &[(0.0, 410.0)], &[(0.0, 1_700.0)]] {
            let service = Service { tells, ..Service::of(rate) };
            holds(&format!("{rate:?} {tells}"), service, 300_000, 1.05, 0.006);
        }
    }
}

#[test]
fn limit_that_halves_or_doubles_is_followed() {
    for tells in [true, false] {
        for rate in [&[(0.0, 800.0), (60.0, 400.0)], &[(0.0, 400.0), (60.0, 800.0)]] {
            let service = Service { tells, ..Service::of(rate) };
            holds(&format!("{rate:?} {tells}"), service, 400_000, 1.05, 0.007);
        }
    }
    for rate in [&[(0.0, 8_000.0), (6.0, 4_000.0)], &[(0.0, 8_000.0), (6.0, 16_000.0)]] {
        let service = Service { tells: true, latency: 0.02, ..Service::of(rate).faster(10.0) };
        holds(&format!("{rate:?} x10"), service, 200_000, 1.05, 0.002);
    }
}

#[test]
fn no_retry_after_is_needed() {
    for rate in [&[(0.0, 350.0)], &[(0.0, 800.0)]] {
        for retry_after in [None, Some(10.0)] {
            let service = Service { retry_after, ..Service::of(rate) };
            holds(&format!("{rate:?} {retry_after:?}"), service, 300_000, 1.05, 0.005);
        }
    }
}

/// No documentation describes such a service. The governor must work with it, but not well.
#[test]
fn windows_instead_of_a_bucket_are_tolerated() {
    for (rate, tells) in [(&[(0.0, 350.0)], false), (&[(0.0, 800.0)], false)] {
        let service = Service { windows: true, tells, ..Service::of(rate) };
        holds(&format!("{rate:?} {tells}"), service, 300_000, 1.1, 0.07);
    }
}

#[test]
fn writes_start_at_the_documented_rate_and_find_another() {
    for (rate, most_refused) in
        [(&[(0.0, 20.0)], 0.005), (&[(0.0, 5.0)], 0.005), (&[(0.0, 60.0)], 0.025)]
    {
        for tells in [true, false] {
            let full = rate[0].1 * 150.0;
            let service = Service { refill: 150.0, tells, level: full, ..Service::of(rate) };
            let ran = run(fresh(Quota::WRITES, 1.0), service, 200_000);
            let floor = floor(&service, 200_000);
            assert!(ran.seconds <= floor * 1.05, "{rate:?} {tells}: {ran:?} of {floor}");
            assert!(ran.refused <= most_refused, "{rate:?} {tells}: {ran:?}");
        }
    }
}

#[test]
fn share_leaves_the_rest_to_other_programs() {
    for (rate, users) in [(&[(0.0, 350.0)], 1), (&[(0.0, 800.0)], 501)] {
        let mut governor = fresh(Quota::READS, 0.5);
        governor.tenant_has(users);
        let ran = run(governor, Service::of(rate), 200_000);
        let speed = 200_000.0 / ran.seconds / rate[0].1;
        assert!((0.47..=0.53).contains(&speed) && ran.refused <= 0.0, "{speed}: {ran:?}");
    }
}

#[test]
fn refusal_pauses_and_counts_once() {
    let mut governor = fresh(Quota::READS, 1.0);
    for _ in 0..3 {
        assert_eq!(governor.admit(0.0, 20.0), Admission::Now);
    }
    let refused = Observation { refused: 20.0, retry_after: Some(7.0), ..Observation::default() };
    governor.observe(1.0, Observation { accepted: 20.0, ..Observation::default() });
    governor.observe(1.0, refused);
    let rate = governor.rate;
    governor.observe(1.1, refused);
    assert_eq!(governor.rate, rate);
    assert_eq!(governor.admit(2.0, 20.0), Admission::In(8.1 - 2.0));
}

#[test]
fn wait_doubles_without_retry_after() {
    let mut governor = fresh(Quota::CONDITIONAL_ACCESS, 1.0);
    let mut now = 0.0;
    for wait in [1.0, 2.0, 4.0] {
        while let Admission::In(seconds) = governor.admit(now, 1.0) {
            now += seconds;
        }
        governor.observe(now, Observation { sent_at: now, refused: 1.0, ..Observation::default() });
        let Admission::In(seconds) = governor.admit(now, 1.0) else { panic!("no wait") };
        assert!((seconds - wait).abs() < 1e-6, "{seconds} for {wait}");
        now += seconds;
    }
}

#[test]
fn small_share_of_a_small_quota_does_not_wake_up_too_often() {
    for quota in [Quota::CONDITIONAL_ACCESS, Quota::REPORTS] {
        for share in [0.01, 0.1, 0.5, 1.0] {
            let mut governor = fresh(quota, share);
            let (mut now, mut woken, mut through) = (0.0, 0, 0);
            while through < 10 {
                match governor.admit(now, 1.0) {
                    Admission::Now => {
                        let done =
                            Observation { sent_at: now, accepted: 1.0, ..Observation::default() };
                        governor.observe(now, done);
                        through += 1;
                    }
                    Admission::In(seconds) => {
                        (now, woken) = (now + seconds, woken + 1);
                        assert!(woken < 50, "{quota:?} {share}");
                    }
                    Admission::WhenAnswered => panic!("nothing is in flight"),
                }
            }
        }
    }
}

/// When all remaining requests are known, nothing else needs the rest of the quota.
#[test]
fn last_reads_use_what_is_left_of_the_quota() {
    for (pressure, is_ending, is_let_through) in
        [(0.9, true, true), (0.9, false, false), (1.0, true, false)]
    {
        let mut governor = fresh(Quota::READS, 1.0);
        assert_eq!(governor.admit(0.0, 20.0), Admission::Now);
        let seen = Observation { accepted: 8_000.0, ..Observation::default() };
        governor.observe(0.2, Observation { pressure: Some(pressure), ..seen });
        governor.wait_more(60.0);
        governor.end(is_ending);
        let all = [0.0; 3].map(|_| governor.admit(0.2, 20.0));
        assert_eq!(all == [Admission::Now; 3], is_let_through, "{pressure} {is_ending}: {all:?}");
    }
}

/// A quota of five in ten seconds is used at that rate, even if Graph says that it is full.
#[test]
fn quota_with_a_known_rate_is_used_at_that_rate() {
    for pressure in [None, Some(0.8), Some(0.9), Some(1.0)] {
        let mut governor = fresh(Quota::REPORTS, 1.0);
        let (mut now, mut sent) = (0.0, 0);
        while now < 100.0 {
            match governor.admit(now, 1.0) {
                Admission::Now => {
                    sent += 1;
                    let seen = Observation { sent_at: now, accepted: 1.0, ..Default::default() };
                    governor.observe(now + 0.01, Observation { pressure, ..seen });
                }
                Admission::In(seconds) => now += seconds,
                Admission::WhenAnswered => panic!("nothing is in flight"),
            }
        }
        assert!((54..=55).contains(&sent), "{sent} with {pressure:?}");
    }
}
