//! What the system says to a run that writes: a request to stop ends it between two pieces of work,
//! and a file that may not grow is an error like any other.

use crate::apply::stop::Stop;
use crate::terminal::say;

const STOPPING: &str = "stopping: what is under way is finished, nothing more is begun";

/// Listens for as long as the runtime lives. Called when the writing begins: until then a signal
/// ends the program as it always does.
#[cfg(unix)]
pub(super) fn listen(stop: &Stop) {
    use tokio::signal::unix::{SignalKind, signal};

    /// Sent where a file grows over the limit that is set for it; the same on Linux and macOS.
    const SIGXFSZ: i32 = 25;

    for (kind, name) in [(SignalKind::interrupt(), "SIGINT"), (SignalKind::terminate(), "SIGTERM")]
    {
        let Ok(mut signals) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                stop.ask(name);
                say(STOPPING);
            }
        });
    }
    // With somebody to hear it, the write fails instead of ending the program.
    let _ = signal(SignalKind::from_raw(SIGXFSZ));
}

#[cfg(not(unix))]
pub(super) fn listen(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            stop.ask("Ctrl-C");
            say(STOPPING);
        }
    });
}
