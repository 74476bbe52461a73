//! The addresses of stores, as a person writes them in `mfactl.yaml`.
//!
//! Not here: opening a store (`cloud`, `folder`), or where an address is written (`policy`).

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::transport::is_loopback;

/// The ending of the host names of Azure Blob Storage, in every cloud of Microsoft (Azure documentation, "Azure
/// Storage endpoints", checked 2026-11).
const AZURE_HOSTS: [&str; 3] =
    [".blob.core.windows.net", ".blob.core.usgovcloudapi.net", ".blob.core.chinacloudapi.cn"];

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// A folder of this machine, relative to the folder of `mfactl.yaml`.
    Folder(PathBuf),
    Azure(AzureAddress),
    S3(BucketAddress),
    Google(BucketAddress),
}

/// A container of Azure Blob Storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureAddress {
    /// The address of the account, without the container.
    pub endpoint: String,
    pub account: String,
    pub container: String,
    pub prefix: String,
    /// The emulator on this machine.
    pub is_loopback: bool,
}

/// A bucket of S3 or Google Cloud Storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    pub bucket: String,
    pub prefix: String,
}

/// Reason why a text is no address of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnAddress(&'static str);

impl NotAnAddress {
    /// Returns what is wrong.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.0
    }
}

impl StoreAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        if text.trim().is_empty() || text.trim() != text {
            return Err(NotAnAddress("it is empty, or has spaces around it"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        match scheme {
            "s3" => bucket(rest).map(Self::S3),
            "gs" => bucket(rest).map(Self::Google),
            "https" | "http" => azure(text).map(Self::Azure),
            _ => Err(NotAnAddress("its scheme is none of `https`, `s3` and `gs`")),
        }
    }
}

impl StoreAddress {
    /// Returns the least privileged role that reads a container, or that reads and writes it (documentation of
    /// Azure, "Azure built-in roles for Storage", of AWS, "Actions, resources, and condition keys for Amazon
    /// S3", and of Google Cloud, "IAM roles for Cloud Storage", checked 2026-11).
    #[must_use]
    pub const fn role(&self, writes: bool) -> &'static str {
        match (self, writes) {
            (Self::Folder(_), false) => "read the folder",
            (Self::Folder(_), true) => "write to the folder",
            (Self::Azure(_), false) => "Storage Blob Data Reader",
            (Self::Azure(_), true) => "Storage Blob Data Contributor",
            (Self::S3(_), false) => "s3:ListBucket, s3:GetObject",
            (Self::S3(_), true) => "s3:ListBucket, s3:GetObject, s3:PutObject",
            (Self::Google(_), false) => "roles/storage.objectViewer",
            (Self::Google(_), true) => "roles/storage.objectUser",
        }
    }

    /// Returns what a role is given for: the address without its folder. `None` for a folder of this machine.
    #[must_use]
    pub fn container(&self) -> Option<(&str, &str)> {
        match self {
            Self::Folder(_) => None,
            Self::Azure(at) => Some((&at.endpoint, &at.container)),
            Self::S3(at) => Some(("s3", &at.bucket)),
            Self::Google(at) => Some(("gs", &at.bucket)),
        }
    }
}

fn bucket(rest: &str) -> Result<BucketAddress, NotAnAddress> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if bucket.is_empty() || !bucket.chars().all(plain) {
        return Err(NotAnAddress("it names no valid bucket"));
    }
    Ok(BucketAddress { bucket: bucket.to_owned(), prefix: folder(prefix)? })
}

fn azure(text: &str) -> Result<AzureAddress, NotAnAddress> {
    let url = Url::parse(text).map_err(|_| NotAnAddress("it is no URL"))?;
    if !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return Err(NotAnAddress(
            "it has a user name, `?…` or `#…`; a signature (SAS) is a secret",
        ));
    }
    let mut parts = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty());
    let host = url.host_str().unwrap_or_default();
    let of_host = AZURE_HOSTS.iter().find_map(|end| host.strip_suffix(end));
    let (account, endpoint, is_loopback) = match of_host {
        Some(account) if url.scheme() == "https" && url.port().is_none() => {
            (account.to_owned(), format!("https://{host}"), false)
        }
        // The emulator has the account in the path.
        None if is_loopback(&url) => {
            let account = parts.next().unwrap_or_default().to_owned();
            (account.clone(), format!("{}/{account}", url.origin().ascii_serialization()), true)
        }
        _ => {
            return Err(NotAnAddress(
                "it is not `https://ACCOUNT.blob.core.windows.net/CONTAINER`",
            ));
        }
    };
    let container = parts.next().unwrap_or_default().to_owned();
    let name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !name(&account) || !name(&container) {
        return Err(NotAnAddress("it names no valid account or container"));
    }
    let prefix = folder(&parts.collect::<Vec<_>>().join("/"))?;
    Ok(AzureAddress { endpoint, account, container, prefix, is_loopback })
}

/// Reads the part of an address after the container or bucket.
fn folder(text: &str) -> Result<String, NotAnAddress> {
    let text = text.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(plain) && !part.chars().all(|c| c == '.');
    match text.is_empty() || text.split('/').all(is_part) {
        true => Ok(text.to_owned()),
        false => {
            Err(NotAnAddress("its folder has other characters than letters, digits, `-._` and `/`"))
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bucket = |f: &mut fmt::Formatter<'_>, scheme: &str, at: &BucketAddress| {
            write!(f, "{scheme}://{}", at.bucket)?;
            if at.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", at.prefix) }
        };
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Azure(at) => {
                write!(f, "{}/{}", at.endpoint, at.container)?;
                if at.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", at.prefix) }
            }
            Self::S3(at) => bucket(f, "s3", at),
            Self::Google(at) => bucket(f, "gs", at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in [
            ".mfactl",
            "../runs",
            "https://contoso.blob.core.windows.net/mfactl-runs",
            "https://contoso.blob.core.windows.net/mfactl-runs/a/b",
            "https://contoso.blob.core.usgovcloudapi.net/runs",
            "http://127.0.0.1:10000/devstoreaccount1/runs/a",
            "s3://mfactl-runs",
            "s3://mfactl.runs/europe/a",
            "gs://mfactl_runs/a",
        ] {
            assert_eq!(StoreAddress::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_addresses() {
        for text in [
            "",
            " .mfactl",
            "ftp://contoso/runs",
            "http://contoso.blob.core.windows.net/runs",
            "https://contoso.blob.core.windows.net:444/runs",
            "https://contoso.blob.core.windows.net",
            "https://contoso.blob.core.windows.net.evil.com/runs",
            "https://user@contoso.blob.core.windows.net/runs",
            "https://contoso.blob.core.windows.net/runs?sv=2024&sig=x",
            "https://contoso.blob.core.windows.net/runs/%2e%2e",
            "https://storage.example.com/runs",
            "s3://",
            "s3:///a",
            "s3://runs/../a",
            "s3://runs//a",
            "gs://Runs",
        ] {
            assert!(StoreAddress::parse(text).is_err(), "{text}");
        }
    }
}
