//! Which hosts are spoken to.
//!
//! Plain http is taken for this machine only: a token sent over it can be read on the way.

use std::net::Ipv6Addr;

use url::{Host, Origin, Url};

/// Where Microsoft Graph answers and where tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    graph: Url,
    login: Url,
}

/// Why an address is not taken as an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("`{0}` is no address such as `https://graph.microsoft.com`")]
    NotAnAddress(String),
    #[error("`{0}` is plain http and its host is not this machine")]
    HostIsNotLoopback(String),
    #[error("`{0}` has more than a host and a port")]
    NotAHost(String),
}

impl Endpoints {
    /// Microsoft's worldwide cloud.
    pub fn global() -> Result<Self, EndpointError> {
        Self::parse("https://graph.microsoft.com", "https://login.microsoftonline.com")
    }

    /// Hosts by their addresses: https, or http on a loopback host.
    pub fn parse(graph: &str, login: &str) -> Result<Self, EndpointError> {
        let url =
            |text: &str| Url::parse(text).map_err(|_| EndpointError::NotAnAddress(text.to_owned()));
        Self::new(url(graph)?, url(login)?)
    }

    /// As [`Self::parse`], of addresses that were parsed already.
    pub fn new(graph: Url, login: Url) -> Result<Self, EndpointError> {
        check(&graph)?;
        check(&login)?;
        Ok(Self { graph, login })
    }

    #[must_use]
    pub const fn graph(&self) -> &Url {
        &self.graph
    }

    #[must_use]
    pub const fn login(&self) -> &Url {
        &self.login
    }

    /// Whether everything stays on this machine, in plain http.
    #[must_use]
    pub fn are_local(&self) -> bool {
        [&self.graph, &self.login].iter().all(|url| url.scheme() == "http")
    }

    /// The scope that stands for all permissions granted at Graph. A local Graph plays the
    /// worldwide one.
    pub(super) fn scope(&self) -> String {
        if self.graph.scheme() == "http" {
            return "https://graph.microsoft.com/.default".to_owned();
        }
        format!("{}/.default", self.graph.origin().ascii_serialization())
    }

    /// Whether a token for Graph may go there: same scheme, host and port.
    pub(super) fn is_graph(&self, url: &Url) -> bool {
        let origin = url.origin();
        matches!(origin, Origin::Tuple(..)) && origin == self.graph.origin()
    }
}

fn check(url: &Url) -> Result<(), EndpointError> {
    // Credentials in an address would end up in messages: the host is all that is shown.
    let shown = || url.origin().ascii_serialization();
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err(EndpointError::HostIsNotLoopback(shown())),
        _ => return Err(EndpointError::NotAnAddress(url.scheme().to_owned())),
    }
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if bare { Ok(()) } else { Err(EndpointError::NotAHost(shown())) }
}

/// By address, or by the one name that never leaves this machine (RFC 6761).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "https://login.microsoftonline.com";

    #[test]
    fn https_anywhere_and_http_on_this_machine_are_taken() {
        let graphs = [
            "https://graph.microsoft.us",
            "http://127.0.0.1:8080",
            "http://localhost:8080/",
            "http://[::1]:8080",
        ];
        for graph in graphs {
            Endpoints::parse(graph, LOGIN).unwrap_or_else(|error| panic!("{graph}: {error}"));
        }
    }

    #[test]
    fn http_elsewhere_is_refused() {
        let graphs = [
            "http://graph.microsoft.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://0.0.0.0:80",
            "http://192.168.1.1",
        ];
        for graph in graphs {
            let error = Endpoints::parse(graph, LOGIN).unwrap_err();
            assert!(matches!(error, EndpointError::HostIsNotLoopback(_)), "{graph}: {error}");
            let error = Endpoints::parse("https://graph.microsoft.com", graph).unwrap_err();
            assert!(matches!(error, EndpointError::HostIsNotLoopback(_)), "{graph}: {error}");
        }
    }

    #[test]
    fn what_is_no_bare_host_is_refused_without_being_repeated() {
        let error = Endpoints::parse("https://user:secret@example.com/", LOGIN).unwrap_err();
        assert_eq!(error.to_string(), "`https://example.com` has more than a host and a port");
        for graph in ["graph.microsoft.com", "ftp://127.0.0.1", "file:///etc", "", "https://x/v1.0"]
        {
            assert!(Endpoints::parse(graph, LOGIN).is_err(), "{graph}");
        }
    }

    #[test]
    fn a_token_goes_to_the_same_scheme_host_and_port_only() {
        let endpoints = Endpoints::parse("http://127.0.0.1:8080", LOGIN).unwrap();
        let is_graph = |text: &str| endpoints.is_graph(&Url::parse(text).unwrap());
        assert!(is_graph("http://127.0.0.1:8080/v1.0/users?$skiptoken=x"));
        assert!(!is_graph("https://127.0.0.1:8080/"));
        assert!(!is_graph("http://127.0.0.1:8081/"));
        assert!(!is_graph("http://127.0.0.1/"));
        assert!(!is_graph("http://127.0.0.1:8080@example.com/"));
        assert!(!is_graph("data:text/plain,x"));
    }
}
