//! A store in the object storage of a cloud: Azure Blob Storage, S3, or Google Cloud Storage. All three create
//! an object only if it does not exist, and replace one only if it is still the one that was read.
//!
//! Not here: addresses (`address`), or where a token of Microsoft comes from (`graph`).

use std::iter::successors;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::azure::{AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{
    ClientConfigKey, CredentialProvider, HttpClient, HttpConnector, HttpError,
};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    RetryConfig, UpdateVersion,
};
use url::Url;

use super::address::{AzureAddress, BucketAddress, StoreAddress};
use super::{Creation, ObjectVersion, Objects, StoreAct, StoreFault, Swap};
use crate::transport::{client_builder, is_loopback};
use crate::untrusted::printable;

/// How long a request may take.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// How long a request may take with all its repetitions. A list of many pages can take longer.
pub const LONGEST_WITH_RETRIES: Duration = Duration::from_secs(20);

/// The waits before a request is repeated: the first, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

const LATE: &str = "it did not answer within 20 seconds";

/// The longest text of a service that is shown.
const LONGEST_REASON: usize = 300;

/// Where the tokens for Azure Blob Storage come from.
#[async_trait]
pub trait StorageTokens: std::fmt::Debug + Send + Sync {
    /// Returns a token that is valid now.
    async fn storage_token(&self) -> Result<String, String>;
}

/// The environment of the process, as far as a store may read it.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

#[derive(Debug)]
pub(super) struct CloudStore {
    store: Box<dyn ObjectStore>,
    address: StoreAddress,
    prefix: String,
}

impl CloudStore {
    /// Opens a store. Nothing is sent.
    pub(super) fn open(
        address: &StoreAddress,
        tokens: Option<Arc<dyn StorageTokens>>,
        variable: Variable<'_>,
    ) -> Result<Self, StoreFault> {
        let opened = match address {
            StoreAddress::Azure(at) => azure(at, tokens, variable),
            StoreAddress::S3(at) => s3(at, variable),
            StoreAddress::Google(at) => google(at),
            StoreAddress::Folder(_) => Err("it is a folder".to_owned()),
        };
        let prefix = match address {
            StoreAddress::Azure(at) => &at.prefix,
            StoreAddress::S3(at) | StoreAddress::Google(at) => &at.prefix,
            StoreAddress::Folder(_) => "",
        };
        match opened {
            Ok(store) => Ok(Self { store, address: address.clone(), prefix: prefix.to_owned() }),
            Err(why) => Err(StoreFault {
                act: StoreAct::Opened,
                place: address.to_string(),
                why: short(&why),
                may_pass: false,
            }),
        }
    }

    #[cfg(test)]
    pub(super) fn in_memory() -> Self {
        let bucket = BucketAddress { bucket: "memory".to_owned(), prefix: String::new() };
        let store = Box::new(object_store::memory::InMemory::new());
        Self { store, address: StoreAddress::S3(bucket), prefix: String::new() }
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    fn fault(&self, act: StoreAct, name: &str) -> impl Fn(Error) -> StoreFault {
        let place = self.place(name);
        move |error| {
            let may_pass = may_pass(&error);
            StoreFault { act, place: place.clone(), why: reason(&error), may_pass }
        }
    }

    /// Writes an object. The library does not repeat a write under a condition whose answer was lost. Here it
    /// may be repeated: the caller compares an object that exists with its own.
    async fn put(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<ObjectVersion, Error> {
        within(self.put_again(name, bytes, mode)).await
    }

    async fn put_again(
        &self,
        name: &str,
        bytes: &[u8],
        mode: PutMode,
    ) -> Result<ObjectVersion, Error> {
        let (begun, mut wait) = (Instant::now(), FIRST_WAIT);
        loop {
            let options = PutOptions { mode: mode.clone(), ..PutOptions::default() };
            let put = self.store.put_opts(&self.path(name), bytes.to_vec().into(), options).await;
            match put {
                Ok(put) => return Ok(ObjectVersion { e_tag: put.e_tag, version: put.version }),
                Err(error) if may_pass(&error) && begun.elapsed() + wait < LONGEST_WITH_RETRIES => {
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2).min(LONGEST_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn listed(&self, folder: &str) -> Result<(Vec<String>, Vec<String>), StoreFault> {
        let path = self.path(folder);
        let all = self.store.list_with_delimiter(Some(&path)).await;
        let all = all.map_err(self.fault(StoreAct::Listed, folder))?;
        let last = |path: &Path| path.filename().unwrap_or_default().to_owned();
        let mut names: Vec<String> = all.objects.iter().map(|one| last(&one.location)).collect();
        let mut folders: Vec<String> = all.common_prefixes.iter().map(last).collect();
        names.sort();
        folders.sort();
        Ok((names, folders))
    }
}

#[async_trait]
impl Objects for CloudStore {
    async fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, StoreFault> {
        match self.put(name, bytes, PutMode::Create).await {
            Ok(_) => Ok(Creation::Created),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Creation::Exists),
            Err(error) => Err(self.fault(StoreAct::Written, name)(error)),
        }
    }

    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreFault> {
        let put = self.put(name, bytes, PutMode::Overwrite).await;
        put.map(|_| ()).map_err(self.fault(StoreAct::Written, name))
    }

    async fn swap(
        &self,
        name: &str,
        bytes: &[u8],
        seen: Option<&ObjectVersion>,
    ) -> Result<Swap, StoreFault> {
        let mode = match seen {
            None => PutMode::Create,
            Some(seen) => PutMode::Update(UpdateVersion {
                e_tag: seen.e_tag.clone(),
                version: seen.version.clone(),
            }),
        };
        match self.put(name, bytes, mode).await {
            Ok(version) => Ok(Swap::Done(version)),
            Err(Error::NotFound { .. }) if seen.is_some() => Ok(Swap::Changed),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                // The answer to an earlier request of the same content may be lost.
                match self.read_version(name).await? {
                    Some((there, version)) if there == bytes => Ok(Swap::Done(version)),
                    _ => Ok(Swap::Changed),
                }
            }
            Err(error) => Err(self.fault(StoreAct::Written, name)(error)),
        }
    }

    async fn read_version(
        &self,
        name: &str,
    ) -> Result<Option<(Vec<u8>, ObjectVersion)>, StoreFault> {
        let fault = self.fault(StoreAct::Read, name);
        let path = self.path(name);
        let got = match within(self.store.get(&path)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            got => got.map_err(&fault)?,
        };
        let version =
            ObjectVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        let bytes = got.bytes().await.map_err(&fault)?;
        Ok(Some((bytes.to_vec(), version)))
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.read_version(name).await?.map(|(bytes, _)| bytes))
    }

    async fn exists(&self, name: &str) -> Result<bool, StoreFault> {
        let path = self.path(name);
        match within(self.store.head(&path)).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.fault(StoreAct::Read, name)(error)),
        }
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFault> {
        Ok(self.listed(folder).await?.0)
    }

    async fn folders(&self, folder: &str) -> Result<Vec<String>, StoreFault> {
        Ok(self.listed(folder).await?.1)
    }

    async fn remove(&self, name: &str) -> Result<(), StoreFault> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.fault(StoreAct::Removed, name)(error)),
        }
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

/// Returns whether a later request may succeed: there was no connection or no answer in time, or the service was
/// not ready. The library has one error for these and for every other status, so its text decides.
fn may_pass(error: &Error) -> bool {
    if !matches!(error, Error::Generic { .. }) {
        return false;
    }
    let chain = || successors(Some(error as &dyn std::error::Error), |error| error.source());
    let text: Vec<String> = chain().map(ToString::to_string).collect();
    let status = text.iter().find_map(|text| {
        let (_, rest) = text.split_once("status code: ")?;
        rest.get(..3)?.parse::<u16>().ok()
    });
    match status {
        Some(status) => matches!(status, 408 | 429 | 500 | 502..=504),
        None => {
            chain().any(|error| error.is::<HttpError>()) || text.iter().any(|text| text == LATE)
        }
    }
}

/// Waits for a request no longer than [`LONGEST_WITH_RETRIES`].
async fn within<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = |_| Error::Generic { store: "store", source: LATE.into() };
    tokio::time::timeout(LONGEST_WITH_RETRIES, request).await.map_err(late)?
}

fn azure(
    at: &AzureAddress,
    tokens: Option<Arc<dyn StorageTokens>>,
    variable: Variable<'_>,
) -> Result<Box<dyn ObjectStore>, String> {
    let builder = MicrosoftAzureBuilder::new()
        .with_endpoint(at.endpoint.clone())
        .with_account(&at.account)
        .with_container_name(&at.container)
        .with_allow_http(at.is_loopback)
        .with_retry(retry())
        .with_http_connector(Connector);
    // The emulator knows no tokens. Elsewhere a key would be a secret that opens everything.
    let builder = match variable("AZURE_STORAGE_KEY").filter(|_| at.is_loopback) {
        Some(key) => builder.with_access_key(key),
        None => builder.with_credentials(Arc::new(Tokens(
            tokens.ok_or_else(|| "there is no credential for it".to_owned())?,
        ))),
    };
    builder.build().map(|store| Box::new(store) as Box<dyn ObjectStore>).map_err(said)
}

/// Reads the usual variables, such as `AWS_ACCESS_KEY_ID`, `AWS_REGION` and `AWS_ENDPOINT_URL`.
fn s3(at: &BucketAddress, variable: Variable<'_>) -> Result<Box<dyn ObjectStore>, String> {
    let is_local = variable("AWS_ENDPOINT_URL")
        .and_then(|url| Url::parse(&url).ok())
        .is_some_and(|url| is_loopback(&url));
    let builder = AmazonS3Builder::from_env()
        .with_config(AmazonS3ConfigKey::Bucket, &at.bucket)
        // A variable could switch it off, and the journal depends on it.
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_allow_http(is_local)
        .with_retry(retry())
        .with_http_connector(Connector);
    builder.build().map(|store| Box::new(store) as Box<dyn ObjectStore>).map_err(said)
}

/// Reads the usual variables, such as `GOOGLE_APPLICATION_CREDENTIALS`.
fn google(at: &BucketAddress) -> Result<Box<dyn ObjectStore>, String> {
    let builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(&at.bucket)
        // A variable could allow plain HTTP.
        .with_client_options(ClientOptions::new())
        .with_retry(retry())
        .with_http_connector(Connector);
    builder.build().map(|store| Box::new(store) as Box<dyn ObjectStore>).map_err(said)
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_WAIT, max_backoff: LONGEST_WAIT, base: 2.0 },
        max_retries: 6,
        retry_timeout: LONGEST_WITH_RETRIES,
    }
}

/// Makes the HTTP clients, by the rules of all clients of the program.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let may_be_plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        // Plain HTTP is for this machine, and for the service next to it that has its credentials.
        let is_near = may_be_plain.as_deref() == Some("true");
        let client = client_builder(is_near)
            .no_gzip()
            .https_only(!is_near)
            .connect_timeout(Duration::from_secs(5))
            .timeout(LONGEST_REQUEST)
            .build();
        client
            .map(HttpClient::new)
            .map_err(|error| Error::Generic { store: "HTTP client", source: Box::new(error) })
    }
}

#[derive(Debug)]
struct Tokens(Arc<dyn StorageTokens>);

#[async_trait]
impl CredentialProvider for Tokens {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        match self.0.storage_token().await {
            Ok(token) => Ok(Arc::new(AzureCredential::BearerToken(token))),
            Err(why) => Err(Error::Unauthenticated { path: String::new(), source: why.into() }),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` needs")]
fn said(error: Error) -> String {
    reason(&error)
}

/// Returns the innermost cause: it says what happened.
fn reason(error: &Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let what = match error {
        Error::PermissionDenied { .. } => "permission denied: ",
        Error::Unauthenticated { .. } => "not signed in: ",
        Error::NotFound { .. } => "not found: ",
        _ => "",
    };
    format!("{what}{}", short(&innermost.to_string()))
}

/// Returns the text in one short line. It comes from the service.
fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(LONGEST_REASON).collect();
    let more = if cut.len() < line.len() { "…" } else { "" };
    format!("{}{more}", printable(&cut))
}
