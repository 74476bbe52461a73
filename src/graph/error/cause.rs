//! Finds why a connection failed, and what helps.
//!
//! Not here: the error that shows the reason (`error`).

/// Help if no server answers.
pub(in crate::graph) const NO_CONNECTION: &str =
    "check the network, and `HTTPS_PROXY` if there is a proxy";

/// Help if a server answers with a certificate that this machine does not trust.
const NOT_TRUSTED: &str = "if a proxy decrypts the traffic, pass its certificate authority with \
                           `--ca-file`, add it to the system's authorities, or list all authorities \
                           in `SSL_CERT_FILE` (not on macOS and Windows)";

/// Returns the help for the reason that the TLS library or the system gave.
pub(in crate::graph) fn help_without_connection(why: &str) -> &'static str {
    if is_about_trust(why) { NOT_TRUSTED } else { NO_CONNECTION }
}

/// Returns whether a certificate is the reason. Another try would get the same certificate.
pub(in crate::graph) fn is_about_trust(why: &str) -> bool {
    why.contains("certificate")
}

/// Returns the innermost cause: it says what happened. The outer causes only say that something failed.
pub(in crate::graph) fn deepest(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
