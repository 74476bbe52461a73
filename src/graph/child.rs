//! Runs a test once more in a process of its own, with an environment of its own.
//!
//! What a library reads from the environment cannot be tested otherwise: to set a variable of a
//! process with threads is not safe.

use std::process::Command;

const MARK: &str = "MFACTL_TEST_CHILD";

/// `None` in the child, which is to do the test's work. In the parent the variables the child has
/// beside the mark, and `PATH` unless it is given; it panics where the child fails.
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
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}");
    Some(())
}
