//! The two streams of a command: data to standard output, talk to standard error. Colour goes to a
//! terminal only, a reader that went away is no error, and every page is looked at once more for what
//! nobody may print (`untrusted`).

use std::io::{self, Write as _};

use crate::untrusted::page;

/// Writes data to standard output.
///
/// # Errors
/// What the other end says, unless it simply had enough (`plan | head`).
pub fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    heard(out.write_all(page(text).as_bytes()).and_then(|()| out.flush()))
}

/// Writes data to standard output as it is: only what holds no word of anybody else.
///
/// # Errors
/// As [`print`].
pub fn print_own(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    heard(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Talks to the person, on standard error.
pub fn say(text: &str) {
    let mut err = anstream::stderr().lock();
    // Nobody is left to be told that the talk could not be heard.
    _ = writeln!(err, "{}", page(text));
}

/// What was written, or that the reader had enough, which is as good.
///
/// # Errors
/// Any other failure to write.
pub fn heard(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
