//! Signals to a run that writes. The first request to stop ends the run after the work in progress, and
//! the second one ends the program at once. A file that exceeds its size limit is an ordinary error.
//!
//! A separate thread receives the signals, so that a second signal ends the run even while it is busy or
//! waits for the disk. Not here: what a stopped run still does (`apply::stop`).

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::apply::stop::{RunProgress, Stop};
use crate::exit::Exit;
use crate::render::plan::text::count;
use crate::terminal::say;

const STOPPING: &str =
    "stopping: work in progress is finished, no new work starts; a second signal stops at once";

/// The longest time for the last message: standard error can be a pipe that no program reads.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Listens until the program ends. Called when the writing begins: before that, a signal ends the
/// program in the usual way.
pub(super) fn listen(stop: &Stop) {
    let stop = stop.clone();
    let (ready, is_ready) = mpsc::channel::<()>();
    let listening = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(receive(&stop, ready));
        }
    };
    if thread::Builder::new().name("signals".to_owned()).spawn(listening).is_ok() {
        // An error means that no signal can be received, and signals end the program in the usual way.
        _ = is_ready.recv();
    }
}

#[cfg(unix)]
async fn receive(stop: &Stop, ready: mpsc::Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};

    /// Sent when a file exceeds its size limit; the same number on Linux and macOS.
    const SIGXFSZ: i32 = 25;

    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    // With a handler, the write fails instead of ending the program.
    let _file_limit = signal(SignalKind::from_raw(SIGXFSZ));
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else { return };
    drop(ready);
    loop {
        tokio::select! {
            Some(()) = interrupt.recv() => asked(stop, "SIGINT"),
            Some(()) = terminate.recv() => asked(stop, "SIGTERM"),
            else => return,
        }
    }
}

#[cfg(not(unix))]
async fn receive(stop: &Stop, ready: mpsc::Sender<()>) {
    drop(ready);
    while tokio::signal::ctrl_c().await.is_ok() {
        asked(stop, "Ctrl-C");
    }
}

fn asked(stop: &Stop, signal: &str) {
    match stop.ask(signal) {
        RunProgress::Writing => say(STOPPING),
        RunProgress::Stopping => end_at_once(in_doubt(stop.in_doubt())),
        RunProgress::Written => end_at_once(
            "stopped at once: all writes are in the journal, and the remaining changes were not planned"
                .to_owned(),
        ),
    }
}

/// Returns the message about writes in doubt when the run stops at once.
fn in_doubt(writes: usize) -> String {
    let writes = match writes {
        0 => "no write is in doubt".to_owned(),
        writes => {
            format!("the outcome of {} is unknown", count(writes, "write", "writes"))
        }
    };
    format!(
        "stopped at once: {writes}; the next `mfactl apply` checks, and continues from the state it finds"
    )
}

/// Ends the program. The journal gets no end line, and the system releases the lock.
#[expect(clippy::exit, reason = "must not wait for Graph or the disk")]
fn end_at_once(words: String) {
    let (done, is_done) = mpsc::channel::<()>();
    let talk = move || {
        say(&words);
        drop(done);
    };
    if thread::Builder::new().spawn(talk).is_ok() {
        _ = is_done.recv_timeout(LAST_WORDS);
    }
    std::process::exit(i32::from(Exit::Partly as u8));
}
