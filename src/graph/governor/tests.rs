//! The governor with simulated services, on a simulated clock (`simulation`), and in single situations
//! (`situations`).

use super::*;
use simulation::{Service, floor, fresh, holds, reads, run};

mod simulation;
mod situations;

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

/// Graph says how full the quota is, and it is smaller than documented for any tenant.
#[test]
fn undocumented_limit_below_the_documented_ones_is_found() {
    let service = Service { tells: true, retry_after: Some(5.0), ..Service::of(&[(0.0, 105.0)]) };
    holds("105 a second", service, 200_000, 1.02, 0.01);
    let service = Service { latency: 0.76, ..Service::of(&[(0.0, 324.0)]) };
    let service = Service { tells: true, retry_after: Some(5.0), seed: 644_387, ..service };
    let ran = reads(service, 144_114);
    assert!(ran.seconds <= floor(&service, 144_114) * 1.02, "{ran:?}");
}

/// Another program empties the bucket at times that have nothing to do with this program.
#[test]
fn another_program_that_empties_the_bucket_costs_little() {
    for (tells, over) in [(true, 1.05), (false, 1.1)] {
        let mut seconds = 0.0;
        for emptied_each in [23.0, 31.0, 37.0, 43.0, 59.0, 73.0, 97.0, 113.0] {
            let service = Service { tells, emptied_each, ..Service::of(&[(0.0, 800.0)]) };
            seconds += reads(service, 200_000).seconds / 8.0;
        }
        let floor = floor(&Service::of(&[(0.0, 800.0)]), 200_000);
        assert!(seconds <= floor * over, "{tells}: {seconds} of {floor}");
    }
}

/// The quota allows more than the service can answer, so each unit in flight only waits longer there.
#[test]
fn overloaded_service_is_spared() {
    for (capacity, rate, slowest) in [(400.0, &[(0.0, 800.0)], 2.5), (100.0, &[(0.0, 350.0)], 3.5)]
    {
        let service = Service { tells: true, capacity, ..Service::of(rate) };
        let ran = reads(service, 20_000);
        assert!(ran.slowest <= slowest, "{capacity}: {ran:?}");
        assert!(ran.seconds <= 20_000.0 / capacity * 1.02, "{capacity}: {ran:?}");
    }
}

/// A busy machine wakes the program up late, so that it cannot use all of its rate at once.
#[test]
fn late_timers_do_not_hide_a_higher_limit() {
    for tells in [true, false] {
        let service =
            Service { tells, timers_late: 0.15, ..Service::of(&[(0.0, 400.0), (60.0, 800.0)]) };
        holds(&format!("late timers, {tells}"), service, 200_000, 1.05, 0.007);
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
