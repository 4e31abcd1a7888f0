//! Accepts connections: counts them, and does the handshakes beside each other, so that a slow one holds up nobody.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use super::peer::Peer;
use crate::certificate::Holder;
use crate::tls::Acceptor;

/// Pause after an accept that failed, for example because file descriptors have run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// Accepts until the shutdown or until nobody takes connections any more.
pub(super) struct Incoming {
    pub listener: TcpListener,
    pub tls: Option<Acceptor>,
    /// One for each connection.
    pub permits: Arc<Semaphore>,
    pub shutdown: CancellationToken,
}

impl Incoming {
    pub async fn accept(self, accepted: mpsc::Sender<io::Result<Accepted>>) {
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
                Ok((stream, _)) => match self.permits.clone().try_acquire_owned() {
                    Ok(permit) => {
                        let (tls, accepted) = (self.tls.clone(), accepted.clone());
                        handshakes.spawn(shake_hands(stream, tls, permit, accepted));
                    }
                    Err(_) => {
                        metrics::counter!("ringkeep_grpc_connections_refused_total").increment(1);
                        debug!(
                            "a connection was refused, because `server.connections_max` are open"
                        );
                    }
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
    permit: OwnedSemaphorePermit,
    accepted: mpsc::Sender<io::Result<Accepted>>,
) {
    let remote = stream.peer_addr().ok();
    match Accepted::over(stream, tls, permit).await {
        // It fails if the server is ending.
        Ok(connection) => drop(accepted.send(Ok(connection)).await),
        Err(error) => debug!(%error, ?remote, "a connection did not come up"),
    }
}

/// A connection that has come up.
pub(super) struct Accepted {
    stream: Stream,
    peer: Peer,
    _permit: OwnedSemaphorePermit,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Accepted {
    async fn over(
        stream: TcpStream,
        tls: Option<Acceptor>,
        permit: OwnedSemaphorePermit,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let mut peer = Peer {
            remote: stream.peer_addr().ok(),
            local: stream.local_addr().ok(),
            holder: None,
        };
        let stream = match tls {
            Some(tls) => {
                let stream = tls.accept(stream).await?;
                let certificate = certificate(&stream);
                peer.holder = certificate.map(|certificate| Arc::new(Holder::of(certificate)));
                Stream::Tls(Box::new(stream))
            }
            None => Stream::Plain(stream),
        };
        Ok(Self {
            stream,
            peer,
            _permit: permit,
        })
    }
}

/// The client's own certificate, which is the first of its chain.
fn certificate(stream: &TlsStream<TcpStream>) -> Option<&CertificateDer<'static>> {
    stream.get_ref().1.peer_certificates()?.first()
}

impl Connected for Accepted {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
