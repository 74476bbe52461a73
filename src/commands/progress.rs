//! The progress of a run, on one line of the terminal that is removed afterwards.
//!
//! It is shown only if standard error is a terminal, and only for work that takes longer than a second.
//! Not here: counting the progress (`graph`).

use std::io::{IsTerminal as _, Write as _, stderr};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::graph::{Client, Doing};

/// The interval between updates of the line.
const EVERY: Duration = Duration::from_millis(200);
/// Shorter work is not shown.
const WORTH_IT: Duration = Duration::from_secs(1);

/// Does the work, and shows its progress.
pub(super) async fn shown<T>(client: Option<&Client>, work: impl Future<Output = T>) -> T {
    let Some(client) = client else { return work.await };
    if !stderr().is_terminal() || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return work.await;
    }
    let mut work = pin!(work);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut line = Line::default();
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => line.show(client.doing()),
        }
    }
}

/// The line; true while it is visible.
#[derive(Default)]
struct Line(bool);

impl Line {
    fn show(&mut self, doing: Option<Doing>) {
        match doing.filter(|doing| doing.since >= WORTH_IT) {
            Some(doing) => {
                self.0 = true;
                write(&format!("\r\x1b[2K{}", in_words(&doing)));
            }
            None => self.clear(),
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.0) {
            write("\r\x1b[2K");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

fn write(text: &str) {
    let mut err = stderr().lock();
    // There is no other place to report this failure.
    _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// `methods and states: 12340 of 100000 users, 800 a second, 1m 49s left`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an approximate rate is enough"
)]
fn in_words(doing: &Doing) -> String {
    let Doing { what, done, of, since } = doing;
    let rate = *done as f64 / since.as_secs_f64().max(0.001);
    let mut text = match of {
        Some(of) => format!("{what}: {done} of {of}"),
        None => format!("{what}: {done}"),
    };
    if rate >= 1.0 {
        text += &format!(", {rate:.0} a second");
        if let Some(of) = of {
            text += &format!(", {} left", time(((of - done.min(of)) as f64 / rate) as u64));
        }
    }
    text
}

fn time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_shows_count_rate_and_time_left() {
        let doing = |done, of, seconds| {
            let since = Duration::from_secs(seconds);
            in_words(&Doing { what: "users", done, of, since })
        };
        assert_eq!(doing(800, Some(2000), 2), "users: 800 of 2000, 400 a second, 3s left");
        assert_eq!(doing(800, None, 2), "users: 800, 400 a second");
        assert_eq!(doing(0, Some(5), 2), "users: 0 of 5");
        assert_eq!(
            doing(100, Some(1_000_000), 1),
            "users: 100 of 1000000, 100 a second, 2h 46m left"
        );
        assert_eq!(time(109), "1m 49s");
    }
}
