//! A gRPC server: one way to serve, over TCP, TLS or a pipe in memory.
//!
//! Every server has health checks and reflection, counts and traces its calls, enforces deadlines, survives a
//! handler's panic, and drains when it is asked to end. Services set their own limit for messages
//! ([`api::client::MESSAGE_BYTES_MAX`]), because tonic keeps it in the generated server.

mod connection;
mod deadline;
mod health;
mod listen;
mod memory;
mod observe;
mod services;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use tonic::transport::Server;
use tower::layer::util::{Identity, Stack};

use crate::tls::ServerTls;

pub use listen::{BoundServer, ServeError, bind, serve};
pub use memory::in_memory;
pub use services::Services;

/// A silent connection is pinged after the interval, and closed if no reply comes within the timeout.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Calls of one connection at a time; more wait.
const CALLS_PER_CONNECTION_MAX: u32 = 256;
/// Metadata of one call.
const HEADER_BYTES_MAX: u32 = 32 << 10;
pub(crate) const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a drain may take if the settings do not say.
const SHUTDOWN_GRACE_SECONDS: u64 = 30;

/// The `[server]` section.
///
/// A service names its port beside the section, so that the section may be absent or be given in part:
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use chassis::server::{self, ServerConfig};
///
/// #[derive(Serialize, Deserialize)]
/// struct Config {
///     #[serde(default = "default_server", deserialize_with = "server::on_port::<7403, _>")]
///     server: ServerConfig,
/// }
///
/// fn default_server() -> ServerConfig {
///     ServerConfig::on_port(7403)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerConfig {
    pub listen: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// How long running calls may go on after the process was asked to end.
    pub shutdown_grace_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ServerTls>,
}

impl ServerConfig {
    /// The defaults: this port of the loopback address, no TLS, no metrics page.
    pub fn on_port(port: u16) -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            metrics_listen: None,
            shutdown_grace_seconds: SHUTDOWN_GRACE_SECONDS,
            tls: None,
        }
    }

    fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

/// Reads a `[server]` section whose `listen`, if absent, is this port of the loopback address.
pub fn on_port<'de, const PORT: u16, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ServerConfig, D::Error> {
    let given = Given::deserialize(deserializer)?;
    let defaults = ServerConfig::on_port(PORT);
    Ok(ServerConfig {
        listen: given.listen.unwrap_or(defaults.listen),
        metrics_listen: given.metrics_listen,
        shutdown_grace_seconds: given
            .shutdown_grace_seconds
            .unwrap_or(defaults.shutdown_grace_seconds),
        tls: given.tls,
    })
}

/// The section as it may be given; see [`on_port`].
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    listen: Option<SocketAddr>,
    metrics_listen: Option<SocketAddr>,
    shutdown_grace_seconds: Option<u64>,
    tls: Option<ServerTls>,
}

/// Without [`on_port`] there is no port to fall back to, so a section in part must have `listen`.
impl<'de> Deserialize<'de> for ServerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Given::deserialize(deserializer)?;
        let listen = given.listen;
        let listen = listen.ok_or_else(|| serde::de::Error::missing_field("listen"))?;
        Ok(Self {
            listen,
            metrics_listen: given.metrics_listen,
            shutdown_grace_seconds: given
                .shutdown_grace_seconds
                .unwrap_or(SHUTDOWN_GRACE_SECONDS),
            tls: given.tls,
        })
    }
}

type Layers = Stack<deadline::DeadlineLayer, Stack<observe::ObserveLayer, Identity>>;

/// The server that TCP and memory share.
fn layered() -> Server<Layers> {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
        .concurrency_limit_per_connection(CALLS_PER_CONNECTION_MAX as usize)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .layer(observe::ObserveLayer)
        .layer(deadline::DeadlineLayer)
}
