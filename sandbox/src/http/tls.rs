//! https for the sandbox: a certificate and its key, and connections that do the TLS handshake at
//! the first read or write.
//!
//! It uses rustls and ring, like the client's side; OpenSSL is used nowhere.
//!
//! Not here: cutting connections (`wire`).

use std::future::Future as _;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use mfactl_files::read;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The largest file of a key or a chain of certificates, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The certificate and key of a server.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Tls")
    }
}

/// Why a certificate and a key cannot be used for https.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("the certificate file contains no certificate in PEM")]
    NoCertificate,
    #[error("the key file contains no private key in PEM")]
    NoKey,
    #[error("{0}")]
    Unfit(#[from] rustls::Error),
}

impl Tls {
    /// Reads two files in PEM: the certificate with its intermediate certificates, and its key.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Self::from_pem(&read(certificate, LARGEST_FILE)?, &read(key, LARGEST_FILE)?)
    }

    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or(TlsError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }
}

/// A connection, encrypted or not.
pub(crate) enum Socket {
    Plain(TcpStream),
    /// The handshake is not finished.
    Handshake(Box<Accept<TcpStream>>),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Socket")
    }
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream, tls: Option<&Tls>) -> Self {
        match tls {
            None => Self::Plain(tcp),
            Some(tls) => {
                let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
                Self::Handshake(Box::new(acceptor.accept(tcp)))
            }
        }
    }

    /// Finishes the handshake, so that the stream can be read and written.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Self::Handshake(accept) = self {
            match Pin::new(accept.as_mut()).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(stream)) => *self = Self::Encrypted(Box::new(stream)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Waits for the handshake, then runs the same expression on either kind of stream.
macro_rules! on_stream {
    ($socket:expr, $context:expr, $stream:ident => $work:expr) => {{
        let socket = $socket.get_mut();
        match socket.poll_ready($context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {}
        }
        match socket {
            Self::Plain(tcp) => {
                let $stream = Pin::new(tcp);
                $work
            }
            Self::Encrypted(tls) => {
                let $stream = Pin::new(tls.as_mut());
                $work
            }
            Self::Handshake(_) => Poll::Pending,
        }
    }};
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_stream!(self, context, stream => stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, context, stream => stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, context, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, context, stream => stream.poll_shutdown(context))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, context, stream => stream.poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Encrypted(_) | Self::Handshake(_) => false,
        }
    }
}
