//! Prevents core dumps: the memory of this program contains tokens, secrets and phone numbers.
//!
//! With a limit of zero, the system writes no core file when a signal kills the program (POSIX,
//! `setrlimit` and `RLIMIT_CORE`). The limit does not bind a collector to which the kernel pipes cores
//! (Linux, core(5): `core_pattern` with a pipe), but the kernel passes the limit on, and the collector
//! of systemd respects it.
//! Not here: anything else about signals (`commands::signals`).

/// Sets the limit for this process and the processes that it starts.
#[cfg(unix)]
pub(super) fn ensure() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Lowering a limit is always allowed. If it fails, nothing else is worse than before.
    _ = setrlimit(Resource::Core, none);
}

/// Does nothing: there are no core files on this system.
#[cfg(not(unix))]
pub(super) const fn ensure() {}
