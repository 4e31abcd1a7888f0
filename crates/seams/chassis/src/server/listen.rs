//! Binding, serving, draining.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::service::Routes;
use tracing::{info, warn};

use super::connection::Cuttable;
use super::health::Health;
use super::incoming::{HANDSHAKES_MAX, Incoming};
use super::services::Services;
use super::{Access, Limits, ServerConfig, layered};
use crate::prometheus::MetricsPage;
use crate::tls::{Acceptor, TlsError};

/// How long connections may take to notice that they are cut.
const CUT_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections that have come up and wait to be served.
const CONNECTIONS_WAITING_MAX: usize = 16;

/// Why a server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("could not listen on {address}, the address in `{setting}`")]
    Bind {
        setting: &'static str,
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "{address} is not a loopback address, and callers there would need no certificate: set `client_ca` in \
         [server.tls], or `allow_unauthenticated = true` in [server] if everyone who can reach the port may do everything"
    )]
    Unauthenticated { address: SocketAddr },
    #[error("the settings in `server.tls` do not work")]
    TlsFiles(#[from] TlsError),
    #[error("the descriptors for reflection do not work")]
    Reflection(#[source] Box<tonic_reflection::server::Error>),
    #[error("the server failed")]
    Serve(#[source] tonic::transport::Error),
}

impl ServeError {
    /// Whether the settings are wrong in themselves, so that starting again cannot help.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unauthenticated { .. })
    }

    pub(super) fn reflection(error: tonic_reflection::server::Error) -> Self {
        Self::Reflection(Box::new(error))
    }
}

/// A server that has its addresses and its certificates, and does not serve yet.
pub struct BoundServer {
    listener: TcpListener,
    address: SocketAddr,
    metrics: Option<MetricsPage>,
    tls: Option<Acceptor>,
    limits: Limits,
    grace: Duration,
}

/// Takes the addresses of a server, so that what cannot work fails before anything is announced.
pub async fn bind(config: &ServerConfig) -> Result<BoundServer, ServeError> {
    crate::tls::install_crypto();
    check_callers(config)?;
    let tls = match &config.tls {
        Some(tls) => Some(Acceptor::open(tls)?),
        None => None,
    };
    let fail = |setting, address| {
        move |source| ServeError::Bind {
            setting,
            address,
            source,
        }
    };
    let metrics = match config.metrics_listen {
        Some(address) => Some(
            MetricsPage::bind(address)
                .await
                .map_err(fail("server.metrics_listen", address))?,
        ),
        None => None,
    };
    let refused = fail("server.listen", config.listen);
    let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
    let address = listener
        .local_addr()
        .map_err(fail("server.listen", config.listen))?;
    Ok(BoundServer {
        listener,
        address,
        metrics,
        tls,
        limits: config.limits(),
        grace: config.shutdown_grace(),
    })
}

/// Checks what can be checked without taking an address: who may call, and the files of TLS.
pub fn check(config: &ServerConfig) -> Result<(), ServeError> {
    check_callers(config)?;
    if let Some(tls) = &config.tls {
        tls.check()?;
    }
    Ok(())
}

/// Without client certificates any caller may do everything: that is for this host alone, unless it is what was asked for.
fn check_callers(config: &ServerConfig) -> Result<(), ServeError> {
    let is_mutual = config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_ca.is_some());
    let address = config.listen;
    if address.ip().is_loopback() || is_mutual {
        return Ok(());
    }
    if !config.allow_unauthenticated {
        return Err(ServeError::Unauthenticated { address });
    }
    warn!(%address, "callers need no certificate, as `server.allow_unauthenticated` says");
    Ok(())
}

/// Serves until `shutdown` fires, then drains: no new calls, running ones go on up to the grace and are then cut.
///
/// `services` are what health checks and reflection report. The address is sent through `bound` once it is taken.
pub async fn serve(
    config: ServerConfig,
    routes: Routes,
    services: &Services,
    shutdown: CancellationToken,
    bound: oneshot::Sender<SocketAddr>,
) -> Result<(), ServeError> {
    let server = bind(&config).await?;
    // The receiver may be gone: then the address is of no interest.
    let _ = bound.send(server.address());
    server.serve(routes, services, shutdown).await
}

impl BoundServer {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsPage::address)
    }

    /// See [`serve`].
    pub async fn serve(
        self,
        routes: Routes,
        services: &Services,
        shutdown: CancellationToken,
    ) -> Result<(), ServeError> {
        let health = Health::serving(services).await;
        let routes = health.add_to(routes, services)?;
        let encrypted = self.tls.is_some();
        let by_role = self.tls.as_ref().is_some_and(|tls| tls.is_mutual);
        let access = if by_role {
            Access::ByRole
        } else {
            Access::Open
        };
        let mut server = layered(access, self.limits);
        if let Some(page) = &self.metrics {
            info!(address = %page.address(), "metrics are listening");
        }
        let _metrics = self
            .metrics
            .map(|page| AbortOnDropHandle::new(tokio::spawn(page.serve())));

        let cut = CancellationToken::new();
        let cut_connections = cut.clone();
        let incoming = Incoming {
            listener: self.listener,
            tls: self.tls,
            permits: Arc::new(Semaphore::new(self.limits.connections)),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES_MAX)),
            shutdown: shutdown.clone(),
        };
        let (accepted, connections) = mpsc::channel(CONNECTIONS_WAITING_MAX);
        let _accepting = AbortOnDropHandle::new(tokio::spawn(incoming.accept(accepted)));
        let incoming = ReceiverStream::new(connections)
            .map(move |stream| stream.map(|stream| Cuttable::new(stream, cut.clone())));
        info!(
            address = %self.address, tls = encrypted, by_role, services = ?services.names(),
            "listening"
        );
        let draining = shutdown.clone();
        let serving =
            server
                .add_routes(routes)
                .serve_with_incoming_shutdown(incoming, async move {
                    draining.cancelled().await;
                    health.stop().await;
                });
        let mut serving = std::pin::pin!(serving);

        let grace = self.grace;
        let overdue = async {
            shutdown.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            served = &mut serving => return served.map_err(ServeError::Serve),
            () = overdue => {}
        }
        let grace_seconds = grace.as_secs();
        warn!(grace_seconds, "calls that outlasted the grace are cut");
        cut_connections.cancel();
        // What does not end now ends with the process.
        let _ = tokio::time::timeout(CUT_TIMEOUT, serving).await;
        Ok(())
    }
}
