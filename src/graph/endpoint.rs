//! Endpoints: the hosts that requests are sent to.
//!
//! A person who may change a file in the repository may change an address in it, and a client secret is
//! sent to that address. So only two kinds of hosts are accepted: this machine, and the hosts of
//! Microsoft's clouds. Not here: the proxy between (`http`).

use url::{Host, Url};

use super::cloud::Cloud;
use crate::transport::{is_loopback, same_origin};

/// The addresses of Microsoft Graph and of the sign-in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    graph: Url,
    login: Url,
    /// The cloud of Graph, or the cloud that a Graph on this machine simulates.
    cloud: Cloud,
}

/// The reason why an address is not accepted as an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("`{0}` is not an address such as `https://graph.microsoft.com`")]
    NotAnAddress(String),
    #[error("`{0}` uses plain http, but its host is not this machine")]
    HostIsNotLoopback(String),
    #[error("the address at `{0}` has more than a scheme, a host and a port")]
    NotAHost(String),
    #[error("`{0}` is neither this machine nor a Microsoft host: no secret is sent there")]
    ForeignHost(String),
    #[error("`{0}` and `{1}` belong to different clouds")]
    MixedClouds(String, String),
}

impl EndpointError {
    /// Returns what the user can do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NotAnAddress(_) | Self::NotAHost(_) => "give only a scheme, a host and a port",
            Self::HostIsNotLoopback(_) => "use https",
            Self::ForeignHost(_) => {
                "remove `endpoints`, and set `cloud` to `global`, `usGov`, `usGovDod` or `china`"
            }
            Self::MixedClouds(..) => "use two addresses of the same cloud",
        }
    }
}

impl Endpoints {
    /// Returns the endpoints of Microsoft's worldwide cloud.
    pub fn global() -> Result<Self, EndpointError> {
        Self::of(Cloud::Global)
    }

    /// Returns the endpoints of a cloud.
    pub fn of(cloud: Cloud) -> Result<Self, EndpointError> {
        // Two clouds share a sign-in service, so the address of Graph decides.
        Self::parse(cloud.graph(), cloud.login())
    }

    /// Parses the addresses: of a cloud, or of this machine with http or https.
    pub fn parse(graph: &str, login: &str) -> Result<Self, EndpointError> {
        let url =
            |text: &str| Url::parse(text).map_err(|_| EndpointError::NotAnAddress(text.to_owned()));
        Self::new(url(graph)?, url(login)?)
    }

    /// The same as [`Self::parse`], for addresses that are already parsed.
    pub fn new(graph: Url, login: Url) -> Result<Self, EndpointError> {
        let graphs = clouds_of(&graph, |cloud, origin| origin == cloud.graph())?;
        let logins = clouds_of(&login, |cloud, origin| {
            origin == cloud.login() || cloud.second_login() == Some(origin)
        })?;
        let common = graphs.into_iter().find(|cloud| logins.contains(cloud));
        match common {
            Some(cloud) => Ok(Self { graph, login, cloud }),
            None => Err(EndpointError::MixedClouds(shown(&graph), shown(&login))),
        }
    }

    #[must_use]
    pub const fn graph(&self) -> &Url {
        &self.graph
    }

    #[must_use]
    pub const fn login(&self) -> &Url {
        &self.login
    }

    #[must_use]
    pub const fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// Returns whether all requests stay on this machine, in plain http.
    #[must_use]
    pub fn are_local(&self) -> bool {
        [&self.graph, &self.login].iter().all(|url| url.scheme() == "http")
    }

    /// Returns whether Graph or the sign-in service is a test server on this machine.
    pub(super) fn is_stand_in(&self) -> bool {
        is_loopback(&self.graph) || is_loopback(&self.login)
    }

    /// Returns whether a service on this machine is reached over TLS.
    pub(super) fn has_local_tls(&self) -> bool {
        [&self.graph, &self.login].iter().any(|url| url.scheme() == "https" && is_loopback(url))
    }

    /// Returns the scope that means all permissions granted at Graph. For a local Graph it is the scope of
    /// the simulated cloud.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.cloud.graph())
    }

    /// Returns whether a token for Graph may be sent to this address: the same scheme, host and port.
    pub(super) fn is_graph(&self, url: &Url) -> bool {
        same_origin(url, &self.graph)
    }
}

/// Returns the clouds that an address can belong to. An address of this machine can belong to any.
fn clouds_of(url: &Url, is_of: impl Fn(Cloud, &str) -> bool) -> Result<Vec<Cloud>, EndpointError> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err(EndpointError::HostIsNotLoopback(shown(url))),
        _ => return Err(EndpointError::NotAnAddress(url.scheme().to_owned())),
    }
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare {
        return Err(EndpointError::NotAHost(shown(url)));
    }
    if is_loopback(url) {
        return Ok(Cloud::ALL.to_vec());
    }
    let origin = shown(url);
    let clouds: Vec<_> = Cloud::ALL.into_iter().filter(|cloud| is_of(*cloud, &origin)).collect();
    if clouds.is_empty() { Err(EndpointError::ForeignHost(origin)) } else { Ok(clouds) }
}

/// Returns the scheme, host and port: an address can contain credentials, which must not be shown.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Returns whether the host is this machine, or a service that Azure puts next to it at an address that no
/// router forwards (RFC 3927).
pub(super) fn is_beside(url: &Url) -> bool {
    is_loopback(url) || matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "https://login.microsoftonline.com";

    #[test]
    fn this_machine_is_accepted_with_http_and_https() {
        let graphs = [
            "https://127.0.0.1:8443",
            "https://localhost",
            "http://127.0.0.1:8080",
            "http://localhost:8080/",
            "http://[::1]:8080",
        ];
        for graph in graphs {
            Endpoints::parse(graph, LOGIN).unwrap_or_else(|error| panic!("{graph}: {error}"));
        }
    }

    #[test]
    fn http_to_another_machine_is_refused() {
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
    fn address_with_more_than_a_host_is_refused_without_showing_its_secret() {
        let error =
            Endpoints::parse("https://user:secret@graph.microsoft.com/", LOGIN).unwrap_err();
        let expected = "the address at `https://graph.microsoft.com` has more than a scheme, a host \
                        and a port";
        assert_eq!(error.to_string(), expected);
        for graph in ["graph.microsoft.com", "ftp://127.0.0.1", "file:///etc", "", "https://x/v1.0"]
        {
            assert!(Endpoints::parse(graph, LOGIN).is_err(), "{graph}");
        }
    }

    #[test]
    fn token_is_sent_to_the_same_scheme_host_and_port_only() {
        let endpoints = Endpoints::parse("http://127.0.0.1:8080", LOGIN).unwrap();
        let is_graph = |text: &str| endpoints.is_graph(&Url::parse(text).unwrap());
        assert!(is_graph("http://127.0.0.1:8080/v1.0/users?$skiptoken=x"));
        assert!(!is_graph("https://127.0.0.1:8080/"));
        assert!(!is_graph("http://127.0.0.1:8081/"));
        assert!(!is_graph("http://127.0.0.1/"));
        assert!(!is_graph("http://127.0.0.1:8080@example.com/"));
        assert!(!is_graph("data:text/plain,x"));
    }

    #[test]
    fn each_cloud_has_its_hosts_and_its_scope() {
        for cloud in Cloud::ALL {
            let endpoints = Endpoints::of(cloud).unwrap();
            assert_eq!(endpoints.cloud(), cloud);
            assert_eq!(endpoints.scope(), format!("{}/.default", cloud.graph()));
            assert_eq!(endpoints.graph().scheme(), "https");
        }
        let second = "https://login.partner.microsoftonline.cn";
        let china = Endpoints::parse(Cloud::China.graph(), second).unwrap();
        assert_eq!(china.cloud(), Cloud::China);
        let local = Endpoints::parse("http://127.0.0.1:1", "https://localhost:2").unwrap();
        assert_eq!(local.scope(), "https://graph.microsoft.com/.default");
        let gov = Endpoints::parse("http://127.0.0.1:1", Cloud::UsGov.login()).unwrap();
        assert_eq!(gov.scope(), "https://graph.microsoft.us/.default");
    }

    #[test]
    fn foreign_sign_in_hosts_are_refused() {
        let elsewhere = [
            "https://example.com",
            "https://login.microsoftonline.com.example.com",
            "https://xlogin.microsoftonline.com",
            "https://login.microsoftonline.com:8443",
            "https://login.microsoftonline.com.",
            "https://169.254.169.254",
            // Graph is a Microsoft host, but not a sign-in service.
            "https://graph.microsoft.com",
        ];
        for login in elsewhere {
            for graph in ["https://graph.microsoft.com", "http://127.0.0.1:8080"] {
                let error = Endpoints::parse(graph, login).unwrap_err();
                assert!(matches!(error, EndpointError::ForeignHost(_)), "{login}: {error}");
            }
            if login != "https://graph.microsoft.com" {
                let error = Endpoints::parse(login, LOGIN).unwrap_err();
                assert!(matches!(error, EndpointError::ForeignHost(_)), "{login}: {error}");
            }
        }
    }

    #[test]
    fn clouds_are_not_mixed() {
        let error = Endpoints::parse(Cloud::UsGov.graph(), Cloud::Global.login()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`https://graph.microsoft.us` and `https://login.microsoftonline.com` belong to \
             different clouds"
        );
        assert!(Endpoints::parse(Cloud::UsGovDod.graph(), Cloud::UsGov.login()).is_ok());
    }
}
