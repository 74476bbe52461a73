//! What the HTTP clients of the program share: which hosts are this machine, the proxy and redirect rules of a
//! client, and the wait that a server asks for.
//!
//! Not here: requests to Graph (`graph`) or to the host of a repository (`review_host`).

use std::net::Ipv6Addr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::ClientBuilder;
use reqwest::redirect::Policy;
use url::{Host, Origin, Url};

/// Returns the beginning of every client. It follows no redirect, because a redirect would send a token to an
/// unchecked host. `is_beside` says that it is for this machine or for a service next to it, which is never
/// behind a proxy.
pub fn client_builder(is_beside: bool) -> ClientBuilder {
    // An error means that a provider is already installed. There can be only one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("mfactl/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none());
    if is_beside { builder.no_proxy() } else { builder }
}

/// Returns whether two addresses have the same scheme, host and port.
#[must_use]
pub fn same_origin(one: &Url, other: &Url) -> bool {
    let origin = one.origin();
    matches!(origin, Origin::Tuple(..)) && origin == other.origin()
}

/// Returns whether the host is this machine, by its address or by the one name that never leaves this
/// machine (RFC 6761).
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// Parses a `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). A date is compared with the
/// answer's own `Date`, because both come from the same clock. The clock of this machine may be wrong.
#[must_use]
pub fn retry_after(value: &str, answered: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = http_date(value)?;
    let now = answered.and_then(http_date).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

fn http_date(value: &str) -> Option<Timestamp> {
    static HTTP_DATE: DateTimeParser = DateTimeParser::new();
    HTTP_DATE.parse_timestamp(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date() {
        let of = |value: &str| retry_after(value, Some("Sun, 22 Nov 2026 10:00:00 GMT"));
        assert_eq!(of("17"), Some(Duration::from_secs(17)));
        assert_eq!(of(" 0 "), Some(Duration::ZERO));
        assert_eq!(of("Sun, 22 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(of("Sun, 22 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        for none in ["", "soon", "-5", "1.5"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn retry_date_without_a_date_header_is_compared_with_the_local_clock() {
        for answered in [None, Some("today")] {
            assert_eq!(
                retry_after("Sun, 22 Nov 2015 10:00:30 GMT", answered),
                Some(Duration::ZERO)
            );
            let far = retry_after("Fri, 22 Nov 2199 10:00:30 GMT", answered);
            assert!(far > Some(Duration::from_secs(86_400)), "{far:?}");
        }
    }
}
