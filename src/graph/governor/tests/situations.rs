//! The governor in single situations, each with the number that decides in it.

use super::simulation::fresh;
use crate::graph::governor::*;

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
        let (mut now, mut sent, mut woken) = (0.0, 0, 0);
        while now < 100.0 {
            woken += 1;
            assert!(woken < 1_000, "{pressure:?} at {now} s");
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

/// Returns the governor of reads that knows a rate, and was told how full the quota is, if at all.
fn reading_at(rate: f64, pressure: Option<f64>) -> Governor {
    let mut governor = fresh(Quota::READS, 1.0);
    assert_eq!(governor.admit(0.0, 20.0), Admission::Now);
    let seen = Observation { accepted: 20.0, pressure, ..Observation::default() };
    governor.observe(0.1, Observation { sent_at: 0.0, ..seen });
    governor.rate = Some(rate);
    governor
}

/// Returns the units that are sent at one moment, in batches, if each batch is forgotten at once.
fn sent_at_once(governor: &mut Governor, now: f64, batch: f64) -> f64 {
    let mut sent = 0.0;
    while governor.admit(now, batch) == Admission::Now {
        governor.forget(batch);
        sent += batch;
        assert!(sent < 1e6, "nothing limits the speed");
    }
    sent
}

#[test]
fn largest_batch_is_admitted_at_the_lowest_speed() {
    let mut governor = reading_at(22.0, Some(1.0));
    assert_eq!(sent_at_once(&mut governor, 60.0, 80.0), 80.0);
    assert_eq!(sent_at_once(&mut governor, 120.0, 20.0), 80.0);
}

#[test]
fn wait_of_no_length_is_never_asked_for() {
    let mut governor = reading_at(800.0, Some(0.9));
    governor.level = 20.0 - 1e-9;
    governor.level_at = 0.2;
    let Admission::In(seconds) = governor.admit(0.2, 20.0) else { panic!("no wait") };
    assert!((0.000_5..=0.002).contains(&seconds), "{seconds}");
}

#[test]
fn unused_rate_is_not_used_later() {
    let mut governor = reading_at(800.0, Some(0.9));
    let sent = sent_at_once(&mut governor, 60.0, 20.0);
    assert!((160.0..=320.0).contains(&sent), "{sent}");
}

#[test]
fn program_that_uses_little_does_not_raise_its_rate() {
    for second_units in [20.0, 200.0] {
        let mut governor = reading_at(800.0, None);
        for second in 1..600 {
            let now = f64::from(second);
            assert_eq!(governor.admit(now, second_units), Admission::Now);
            let seen = Observation { sent_at: now, accepted: second_units, ..Default::default() };
            governor.observe(now + 0.1, seen);
        }
        let rate = governor.rate.unwrap();
        assert!(rate < 840.0, "{rate} with {second_units} units a second");
    }
}

#[test]
fn quota_with_a_known_rate_sends_one_request_after_a_refusal() {
    let mut governor = fresh(Quota::CONDITIONAL_ACCESS.with_burst(5.0), 1.0);
    assert_eq!(sent_at_once(&mut governor, 0.0, 1.0), 5.0);
    governor.observe(0.1, Observation { refused: 1.0, ..Observation::default() });
    assert_eq!(sent_at_once(&mut governor, 60.0, 1.0), 1.0);
}

#[test]
fn wait_in_vain_is_never_longer_than_the_longest() {
    let mut governor = fresh(Quota::READS, 1.0);
    let mut now = 0.0;
    for _ in 0..2_000 {
        assert_eq!(governor.admit(now, 20.0), Admission::Now);
        let refused = Observation { sent_at: now, refused: 20.0, ..Observation::default() };
        governor.observe(now, refused);
        let Admission::In(seconds) = governor.admit(now, 20.0) else { panic!("no wait") };
        assert!(seconds <= 300.0, "{seconds}");
        // The rate is low by then, so that one more batch takes a second.
        now += seconds + 1.0;
    }
}

#[test]
fn rate_never_falls_to_zero() {
    let mut governor = reading_at(350.0, None);
    for nth in 1..100 {
        let sent_at = f64::from(nth) * 100.0;
        governor.observe(sent_at, Observation { sent_at, refused: 20.0, ..Default::default() });
    }
    let rate = governor.rate.unwrap();
    assert!((20.0..25.0).contains(&rate), "{rate}");
}

/// Returns the rate that is learnt from a refusal, if these units were accepted at these times before.
fn learnt_from(accepted: &[(f64, f64)], refused_at: f64) -> f64 {
    let mut governor = fresh(Quota::READS, 1.0);
    for (sent_at, units) in accepted.iter().copied() {
        assert_eq!(governor.admit(sent_at, units), Admission::Now);
        let seen = Observation { sent_at, accepted: units, ..Observation::default() };
        governor.observe(sent_at + 0.1, seen);
    }
    assert_eq!(governor.admit(refused_at, 20.0), Admission::Now);
    let seen = Observation { sent_at: refused_at, refused: 20.0, ..Observation::default() };
    governor.observe(refused_at + 0.1, seen);
    governor.rate.unwrap()
}

#[test]
fn count_begins_again_when_the_bucket_must_be_full() {
    let without_a_pause = learnt_from(&[(0.0, 8_000.0), (5.0, 4_000.0)], 5.0);
    assert!((760.0..820.0).contains(&without_a_pause), "{without_a_pause}");
    let with_a_pause = learnt_from(&[(0.0, 8_000.0), (600.0, 8_000.0)], 600.2);
    assert!((760.0..820.0).contains(&with_a_pause), "{with_a_pause}");
}

#[test]
fn one_surprise_is_no_reason_for_distrust() {
    let mut governor = reading_at(800.0, Some(0.8));
    for (nth, is_telling) in [(1, true), (2, false)] {
        let now = f64::from(nth) * 100.0;
        let silent = Observation { sent_at: now, accepted: 20.0, ..Observation::default() };
        governor.observe(now + 0.1, silent);
        governor.observe(now + 0.3, Observation { accepted: 0.0, refused: 20.0, ..silent });
        assert_eq!(governor.fullness.is_telling(), is_telling, "{nth}");
    }
}

/// Graph says up to 1.8 if the quota is used beyond its limit.
#[test]
fn quota_that_is_used_beyond_its_limit_is_used_at_half_the_rate() {
    for (pressure, speed) in [(0.8, 1_280.0), (1.04, 744.0), (1.06, 400.0), (1.8, 400.0)] {
        let known = reading_at(800.0, Some(pressure)).speed().unwrap();
        assert!((known - speed).abs() < 30.0, "{known} at {pressure}");
    }
}

#[test]
fn two_moments_at_the_same_time_measure_no_rate() {
    let mut fullness = Fullness::default();
    let mut hear = |pressure, now, out| fullness.hear(pressure, now, now, out);
    assert_eq!(hear(Some(0.9), 1.0, 1_000.0), None);
    assert_eq!(hear(None, 1.0, 2_000.0), None);
    assert_eq!(hear(Some(0.9), 1.0, 3_000.0), None);
    assert_eq!(hear(None, 5.0, 4_000.0), None);
    assert_eq!(hear(Some(0.9), 6.0, 6_000.0), Some(1_000.0));
}

/// Returns whether the last of these answers counts as slow. Each latency is for a number of answers.
fn is_slow_after(answers: &[(usize, f64)]) -> bool {
    let mut latency = Latency::default();
    for (count, seconds) in answers.iter().copied() {
        (0..count).for_each(|_| latency.take(seconds));
    }
    latency.is_slowing()
}

#[test]
fn one_slow_answer_is_no_sign_of_an_overload() {
    assert!(!is_slow_after(&[(100, 0.1), (1, 1.0)]));
    assert!(is_slow_after(&[(100, 0.1), (2, 1.0)]));
}

#[test]
fn jitter_is_no_sign_of_an_overload() {
    for (short, long) in [(0.001, 0.015), (0.2, 0.4)] {
        let jitter: Vec<(usize, f64)> = [(1, short), (1, long)].repeat(50);
        assert!(!is_slow_after(&jitter), "{short} and {long}");
    }
}

#[test]
fn longer_route_is_used_at_full_speed_in_the_end() {
    assert!(is_slow_after(&[(100, 0.1), (500, 0.3)]));
    assert!(!is_slow_after(&[(100, 0.1), (3_000, 0.3)]));
}

/// Near a documented rate, the quota is as large as documented. Otherwise it counts as the smallest one.
#[test]
fn bucket_of_a_documented_limit_is_known() {
    for (rate, waiting, fits) in
        [(740.0, 320.0, true), (740.0, 321.0, false), (650.0, 140.0, true), (650.0, 141.0, false)]
    {
        let mut governor = reading_at(rate, Some(0.9));
        governor.wait_more(waiting);
        assert_eq!(governor.fits(), fits, "{waiting} at {rate}");
    }
}
