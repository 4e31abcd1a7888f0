//! Accepts connections: counts them, and does the handshakes beside each other, so that a slow one holds up nobody.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use super::TLS_HANDSHAKE_TIMEOUT;
use super::peer::Peer;
use crate::certificate::Holder;
use crate::tls::Acceptor;

/// Pause after an accept that failed, for example because file descriptors have run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Connections at a time that are coming up. They are counted apart, so that those of strangers take no place of a client.
pub(super) const HANDSHAKES_MAX: usize = 128;
/// How many bytes every HTTP/2 connection begins with.
const PREFACE_BYTES: usize = 24;

/// Accepts until the shutdown or until nobody takes connections any more.
pub(super) struct Incoming {
    pub listener: TcpListener,
    pub tls: Option<Acceptor>,
    /// One for each connection that has come up.
    pub permits: Arc<Semaphore>,
    /// One for each connection that is coming up.
    pub handshakes: Arc<Semaphore>,
    pub shutdown: CancellationToken,
}

impl Incoming {
    /// After the shutdown the stream of connections stays open, without new ones, until the server drops it: a server whose
    /// stream ends before it has seen its own signal to end would not tell the watchers of its health.
    pub async fn accept(self, accepted: mpsc::Sender<io::Result<Accepted>>) {
        self.accept_until_shutdown(&accepted).await;
        accepted.closed().await;
    }

    /// Drops the listener and the pending handshakes at its end.
    async fn accept_until_shutdown(self, accepted: &mpsc::Sender<io::Result<Accepted>>) {
        let mut handshakes = JoinSet::new();
        loop {
            let stream = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                () = accepted.closed() => return,
                Some(_) = handshakes.join_next() => continue,
                stream = self.listener.accept() => stream,
            };
            match stream {
                Ok((stream, _)) => match self.handshakes.clone().try_acquire_owned() {
                    Ok(handshake) => {
                        let (tls, permits) = (self.tls.clone(), self.permits.clone());
                        let accepted = accepted.clone();
                        handshakes.spawn(shake_hands(stream, tls, handshake, permits, accepted));
                    }
                    Err(_) => refused("too many connections are coming up"),
                },
                Err(error) => {
                    warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    tls: Option<Acceptor>,
    handshake: OwnedSemaphorePermit,
    permits: Arc<Semaphore>,
    accepted: mpsc::Sender<io::Result<Accepted>>,
) {
    let remote = stream.peer_addr().ok();
    let up = Up::over(stream, tls).await;
    drop(handshake);
    let up = match up {
        Ok(up) => up,
        Err(error) => {
            debug!(%error, ?remote, "a connection did not come up");
            return;
        }
    };
    match permits.try_acquire_owned() {
        // It fails if the server is ending.
        Ok(permit) => drop(accepted.send(Ok(up.with(permit))).await),
        Err(_) => refused("`server.connections_max` are open"),
    }
}

fn refused(why: &'static str) {
    metrics::counter!("ringkeep_grpc_connections_refused_total").increment(1);
    debug!(why, "a connection was refused");
}

/// A connection that has come up.
struct Up {
    stream: Stream,
    peer: Peer,
    preface: [u8; PREFACE_BYTES],
}

/// A connection that has come up and is counted.
pub(super) struct Accepted {
    up: Up,
    /// How much of the preface is read again.
    replayed: usize,
    _permit: OwnedSemaphorePermit,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Up {
    /// The preface is awaited here, because the server itself would wait for ever for one that does not come.
    async fn over(stream: TcpStream, tls: Option<Acceptor>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let mut peer = Peer {
            remote: stream.peer_addr().ok(),
            local: stream.local_addr().ok(),
            holder: None,
        };
        let mut stream = match tls {
            Some(tls) => {
                let stream = tls.accept(stream).await?;
                let certificate = certificate(&stream);
                peer.holder = certificate.map(|certificate| Arc::new(Holder::of(certificate)));
                Stream::Tls(Box::new(stream))
            }
            None => Stream::Plain(stream),
        };
        let mut preface = [0; PREFACE_BYTES];
        let reading = stream.read_exact(&mut preface);
        match tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, reading).await {
            Ok(read) => read?,
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        Ok(Self {
            stream,
            peer,
            preface,
        })
    }

    fn with(self, permit: OwnedSemaphorePermit) -> Accepted {
        Accepted {
            up: self,
            replayed: 0,
            _permit: permit,
        }
    }
}

/// The client's own certificate, which is the first of its chain.
fn certificate(stream: &TlsStream<TcpStream>) -> Option<&CertificateDer<'static>> {
    stream.get_ref().1.peer_certificates()?.first()
}

impl Connected for Accepted {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.up.peer.clone()
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let replay = &self.up.preface[self.replayed..];
        if !replay.is_empty() {
            let bytes = replay.len().min(buffer.remaining());
            buffer.put_slice(&replay[..bytes]);
            self.replayed += bytes;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.up.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.up.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.up.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.up.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
