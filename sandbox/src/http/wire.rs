//! Connections that the server can cut at any byte, so that a client gets no answer or a part of one.
//!
//! Not here: when a connection is cut (`faults`, `delivery`), or https (`tls`).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;

use crate::http::tls::{Socket, Tls};

/// The handle of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// The number of bytes that may still be sent.
    left: Arc<AtomicU64>,
}

impl Default for Wire {
    fn default() -> Self {
        Self { left: Arc::new(AtomicU64::new(u64::MAX)) }
    }
}

impl Wire {
    /// Cuts the connection now: no more bytes are read or sent.
    pub(crate) fn cut(&self) {
        self.cut_after(0);
    }

    /// Cuts the connection after this many more bytes have been sent.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<u64> {
        match self.left.load(Ordering::SeqCst) {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            left => Ok(left),
        }
    }

    fn count_sent(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let less = |left: u64| (left != u64::MAX).then(|| left.saturating_sub(bytes));
        let _ = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    }
}

impl Connected<IncomingStream<'_, Wires>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Wires>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A listener that gives each connection its handle in place of an address.
#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) listener: TcpListener,
    /// `Some` for https.
    pub(crate) tls: Option<Tls>,
}

impl Listener for Wires {
    type Io = Stream;
    type Addr = Wire;

    async fn accept(&mut self) -> (Stream, Wire) {
        loop {
            match poll_fn(|context| self.listener.poll_accept(context)).await {
                Ok((tcp, _)) => {
                    // An answer is one small write, so waiting for more data only costs time.
                    let _ = tcp.set_nodelay(true);
                    let wire = Wire::default();
                    let socket = Socket::new(tcp, self.tls.as_ref());
                    let stream = Stream { socket, wire: wire.clone() };
                    return (stream, wire);
                }
                // Too many open files, or the connection was closed again: try again later.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Wire> {
        Ok(Wire::default())
    }
}

#[derive(Debug)]
pub(crate) struct Stream {
    socket: Socket,
    wire: Wire,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.wire.check()?;
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = usize::try_from(self.wire.check()?).unwrap_or(usize::MAX);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.wire.count_sent(*count);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.check()?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.wire.check()? == u64::MAX {
            return Pin::new(&mut self.socket).poll_write_vectored(context, bytes);
        }
        let first = bytes.iter().find(|part| !part.is_empty());
        let first = first.map_or(&[][..], |part| part);
        self.poll_write(context, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
