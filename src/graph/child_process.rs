//! Runs a test again in a child process with its own environment.
//!
//! What a library reads from the environment cannot be tested otherwise: setting a variable in a process
//! with threads is not safe.

use std::process::Command;

const MARK: &str = "MFACTL_TEST_CHILD";

/// Returns `None` in the child, which must do the work of the test. In the parent, runs the child with
/// these variables, the mark, and `PATH` unless it is given; panics if the child fails.
pub(super) fn with(test: &str, variables: &[(&str, &str)]) -> Option<()> {
    if std::env::var(MARK).as_deref() == Ok(test) {
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env(MARK, test)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("1 passed"), "{stdout}");
    Some(())
}
