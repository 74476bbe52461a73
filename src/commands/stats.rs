//! `--stats`: the cost of a run. It goes to standard error, so that standard output is the same in every
//! run.
//!
//! Not here: counting requests (`graph`).

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::graph::{Client, Traffic};
use crate::terminal::say;

/// Whether to print the cost.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Stats {
    /// Print the cost of the run to standard error: time, requests, quota, processor, memory
    #[arg(long)]
    stats: bool,

    #[arg(skip = Instant::now())]
    begun: Instant,
}

/// The cost of a run. Processor time and memory are those of this process, including the embedded
/// tenant if it runs here. They are null if the machine does not report them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    seconds: f64,
    /// Seconds in which the next request waited for a quota.
    seconds_waiting_for_quota: f64,
    requests: u64,
    /// Requests by kind.
    batches: u64,
    single_reads: u64,
    /// Parts of batches by kind. A part counts each time it is sent.
    read_parts: u64,
    written_parts: u64,
    /// Answers with status 429, for whole requests and for parts.
    refused: u64,
    tried_again: u64,
    bytes_sent: u64,
    bytes_received: u64,
    processor_seconds: Option<f64>,
    /// Peak memory in bytes.
    peak_memory: Option<u64>,
    /// The read strategy for each kind of data.
    ways: BTreeMap<&'static str, String>,
}

impl Stats {
    /// Prints the cost so far if the user asked for it: as text, or as one line of JSON.
    pub(super) fn tell(self, client: Option<&Client>, json: bool) {
        if !self.stats {
            return;
        }
        let (traffic, ways) =
            client.map(|client| (client.traffic(), client.ways())).unwrap_or_default();
        let cost = Cost::new(self.begun.elapsed(), traffic, ways);
        match serde_json::to_string(&BTreeMap::from([("stats", &cost)])) {
            Ok(line) if json => say(&line),
            _ => say(&cost.in_words()),
        }
    }
}

impl Cost {
    fn new(time: Duration, traffic: Traffic, ways: BTreeMap<&'static str, String>) -> Self {
        Self {
            seconds: rounded(time),
            seconds_waiting_for_quota: rounded(traffic.waited),
            requests: traffic.requests,
            batches: traffic.batches,
            single_reads: traffic.requests.saturating_sub(traffic.batches),
            read_parts: traffic.parts.saturating_sub(traffic.writes),
            written_parts: traffic.writes,
            refused: traffic.throttled,
            tried_again: traffic.retries,
            bytes_sent: traffic.sent,
            bytes_received: traffic.received,
            processor_seconds: processor_seconds(),
            peak_memory: peak_memory(),
            ways,
        }
    }

    fn in_words(&self) -> String {
        let mut lines = vec![
            format!(
                "time       {:.1} s, {:.1} s of it waiting for quota",
                self.seconds, self.seconds_waiting_for_quota
            ),
            format!(
                "requests   {}: {} batches, {} single reads",
                self.requests, self.batches, self.single_reads
            ),
            format!("parts      {} read, {} written", self.read_parts, self.written_parts),
            format!("throttled  {} (429), {} retries", self.refused, self.tried_again),
            format!(
                "bodies     {} sent, {} received",
                megabytes(self.bytes_sent),
                megabytes(self.bytes_received)
            ),
        ];
        if let Some(seconds) = self.processor_seconds {
            lines.push(format!("processor  {seconds:.2} s"));
        }
        if let Some(bytes) = self.peak_memory {
            lines.push(format!("memory     {} at most", megabytes(bytes)));
        }
        lines.extend(self.ways.iter().map(|(what, way)| format!("{what:<10} {way}")));
        lines.join("\n")
    }
}

fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "only one decimal place is shown")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Returns user and system time of this process. For every program, Linux counts it in hundredths of a
/// second (proc(5), `/proc/pid/stat`).
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program name before the last `)` may contain any character.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(f64::from(user.saturating_add(system)) / 100.0)
}

fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_reports_processor_time_and_peak_memory() {
        assert!(processor_seconds().is_some());
        assert!(peak_memory().is_some_and(|bytes| bytes > 1_000_000));
    }
}
