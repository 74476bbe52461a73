//! What the system says to a run that writes: a first request to stop ends it between two pieces of
//! work, a second one ends the program at once, and a file that may not grow is an error like any
//! other.
//!
//! Signals are heard on a thread of their own. The run can wait for its disk or be busy, and a second
//! signal ends it all the same.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::apply::stop::{Phase, Stop};
use crate::exit::Exit;
use crate::render::text::count;
use crate::terminal::say;

const STOPPING: &str = "stopping: what is under way is finished, nothing more is begun; a second signal ends it at once";

/// How long the last words may take: standard error can be a pipe that nobody reads.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Listens for as long as the program lives. Called when the writing begins: until then a signal ends
/// the program as it always does.
pub(super) fn listen(stop: &Stop) {
    let stop = stop.clone();
    let (ready, is_ready) = mpsc::channel::<()>();
    let listening = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(hear(&stop, ready));
        }
    };
    if thread::Builder::new().name("signals".to_owned()).spawn(listening).is_ok() {
        // An error means that nothing can be heard, and signals end the program as they always do.
        _ = is_ready.recv();
    }
}

#[cfg(unix)]
async fn hear(stop: &Stop, ready: mpsc::Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};

    /// Sent where a file grows over the limit that is set for it; the same on Linux and macOS.
    const SIGXFSZ: i32 = 25;

    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    // With somebody to hear it, the write fails instead of ending the program.
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
async fn hear(stop: &Stop, ready: mpsc::Sender<()>) {
    drop(ready);
    while tokio::signal::ctrl_c().await.is_ok() {
        asked(stop, "Ctrl-C");
    }
}

fn asked(stop: &Stop, signal: &str) {
    match stop.ask(signal) {
        Phase::Writing => say(STOPPING),
        Phase::Stopping => end_at_once(in_doubt(stop.in_doubt())),
        Phase::Written => end_at_once(
            "ended at once: what was written is in the journal, and what is left was not planned"
                .to_owned(),
        ),
    }
}

/// What is said of writes that nobody knows of when the run ends at once.
fn in_doubt(writes: usize) -> String {
    let writes = match writes {
        0 => "no write is in doubt".to_owned(),
        writes => {
            format!("{} not known to be done or not", count(writes, "write is", "writes are"))
        }
    };
    format!(
        "ended at once: {writes}; the next `mfactl apply` looks, and goes on from what is there"
    )
}

/// Ends the program. The journal keeps no end, and the system lets go of the lock.
#[expect(clippy::exit, reason = "nothing may be waited for, neither Graph nor the disk")]
fn end_at_once(words: String) {
    let (told, is_told) = mpsc::channel::<()>();
    let talk = move || {
        say(&words);
        drop(told);
    };
    if thread::Builder::new().spawn(talk).is_ok() {
        _ = is_told.recv_timeout(LAST_WORDS);
    }
    std::process::exit(i32::from(Exit::Partly as u8));
}
