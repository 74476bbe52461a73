//! The two output streams of a command: data goes to standard output, messages go to standard error.
//! Only a terminal gets colours. A reader that closes the stream early is no error.
//!
//! Not here: which characters and phone numbers are never printed (`untrusted`); every page passes
//! through it once more.

use std::io::{self, Write as _};

use crate::disclose::outgoing;
use crate::untrusted::page;

/// Writes data to standard output.
///
/// # Errors
/// The write failed, and not because the reader closed the stream (`plan | head`).
pub fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    heard(out.write_all(page(&outgoing(text)).as_bytes()).and_then(|()| out.flush()))
}

/// Writes data to standard output unchanged. Only for text without foreign words.
///
/// # Errors
/// As [`print()`].
pub fn print_own(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    heard(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes a message for the user to standard error.
pub fn say(text: &str) {
    let mut err = anstream::stderr().lock();
    // There is no other place to report this failure.
    _ = writeln!(err, "{}", page(&outgoing(text)));
}

/// Treats a stream that the reader closed as written.
///
/// # Errors
/// Any other failure to write.
pub fn heard(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
