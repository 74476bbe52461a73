//! Why there was no connection, and what to do then.

/// What to do where nobody answers.
pub(in crate::graph) const NO_CONNECTION: &str =
    "check the network, and `HTTPS_PROXY` where there is a proxy";

/// What to do where somebody answers whose certificate nobody here has vouched for.
const NOT_TRUSTED: &str = "where a proxy opens the traffic, name its authority by `--ca-file`, add \
                           it to the system's, or name all authorities in `SSL_CERT_FILE` (not on \
                           macOS and Windows)";

/// By the reason that the TLS library or the system gave.
pub(in crate::graph) fn help_without_connection(why: &str) -> &'static str {
    if is_about_trust(why) { NOT_TRUSTED } else { NO_CONNECTION }
}

/// Whether a certificate is the reason: the next one will be no other.
pub(in crate::graph) fn is_about_trust(why: &str) -> bool {
    why.contains("certificate")
}

/// The innermost cause says what happened; those around it say that something did.
pub(in crate::graph) fn deepest(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
