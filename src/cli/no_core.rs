//! No copy of this program's memory on a disk: it holds tokens, secrets and phone numbers.
//!
//! A limit of zero keeps the system from writing a core file where the program is killed by a signal
//! (POSIX, `setrlimit` and `RLIMIT_CORE`). A collector to which the kernel pipes cores (Linux,
//! core(5): `core_pattern` with a pipe) is not bound by the limit, but told of it; systemd's keeps to
//! it.

/// Sets the limit, for this process and those that it starts.
#[cfg(unix)]
pub(super) fn ensure() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // To lower a limit is always allowed; where it is not, nothing else is worse than before.
    _ = setrlimit(Resource::Core, none);
}

/// There are no core files here.
#[cfg(not(unix))]
pub(super) const fn ensure() {}
