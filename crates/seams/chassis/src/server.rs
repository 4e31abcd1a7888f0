//! A gRPC server: one way to serve, over TCP, TLS or a pipe in memory.
//!
//! Every server has health checks and reflection, allows callers what their roles may do, counts, traces and limits its
//! calls, enforces deadlines, survives a handler's panic, and drains when it is asked to end. Services set their own limit for messages
//! ([`api::client::MESSAGE_BYTES_MAX`]), because tonic keeps it in the generated server.

mod access;
pub(crate) mod audit;
mod connection;
mod deadline;
mod health;
mod incoming;
mod listen;
mod memory;
mod observe;
mod peer;
mod services;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::Semaphore;
use tonic::transport::Server;
use tower::layer::util::{Identity, Stack};

use crate::tls::ServerTls;

pub use access::CallerRoles;
pub use audit::note_own_change;
pub use listen::{BoundServer, ServeError, bind, check, serve};
pub use memory::in_memory;
pub use services::Services;

/// A silent connection is pinged after the interval, and closed if no reply comes within the timeout.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at a time, if the settings do not say.
const CONNECTIONS_MAX: usize = 256;
/// Calls at a time, if the settings do not say.
const CALLS_MAX: usize = 512;
/// Calls of one connection at a time, if the settings do not say; more wait.
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
    /// Listen beyond loopback although callers need no certificate.
    pub allow_unauthenticated: bool,
    /// The page is plain HTTP, for anyone who can reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// More connections are refused.
    pub connections_max: usize,
    /// More calls are refused, on whatever connection.
    pub calls_max: usize,
    /// More calls of one connection wait.
    pub calls_per_connection_max: u32,
    /// How long running calls may go on after the process was asked to end.
    pub shutdown_grace_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ServerTls>,
}

impl ServerConfig {
    /// The defaults: this port of the loopback address, no TLS, no metrics page.
    pub fn on_port(port: u16) -> Self {
        let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Given::default().or_listen(loopback)
    }

    fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }

    fn limits(&self) -> Limits {
        Limits {
            connections: self.connections_max.min(Semaphore::MAX_PERMITS),
            calls: self.calls_max.min(Semaphore::MAX_PERMITS),
            calls_per_connection: self.calls_per_connection_max,
        }
    }
}

/// Reads a `[server]` section whose `listen`, if absent, is this port of the loopback address.
pub fn on_port<'de, const PORT: u16, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ServerConfig, D::Error> {
    let given = Given::deserialize(deserializer)?;
    Ok(given.or_listen(ServerConfig::on_port(PORT).listen))
}

/// The section as it may be given; see [`on_port`].
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    listen: Option<SocketAddr>,
    allow_unauthenticated: bool,
    metrics_listen: Option<SocketAddr>,
    #[serde(deserialize_with = "at_least_one")]
    connections_max: usize,
    #[serde(deserialize_with = "at_least_one")]
    calls_max: usize,
    #[serde(deserialize_with = "at_least_one")]
    calls_per_connection_max: u32,
    shutdown_grace_seconds: u64,
    tls: Option<ServerTls>,
}

/// With a limit of 0 a service would start and serve no one.
fn at_least_one<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default + PartialEq,
{
    let limit = T::deserialize(deserializer)?;
    if limit == T::default() {
        return Err(serde::de::Error::custom("it must be at least 1"));
    }
    Ok(limit)
}

impl Default for Given {
    fn default() -> Self {
        Self {
            listen: None,
            allow_unauthenticated: false,
            metrics_listen: None,
            connections_max: CONNECTIONS_MAX,
            calls_max: CALLS_MAX,
            calls_per_connection_max: CALLS_PER_CONNECTION_MAX,
            shutdown_grace_seconds: SHUTDOWN_GRACE_SECONDS,
            tls: None,
        }
    }
}

impl Given {
    fn or_listen(self, listen: SocketAddr) -> ServerConfig {
        ServerConfig {
            listen: self.listen.unwrap_or(listen),
            allow_unauthenticated: self.allow_unauthenticated,
            metrics_listen: self.metrics_listen,
            connections_max: self.connections_max,
            calls_max: self.calls_max,
            calls_per_connection_max: self.calls_per_connection_max,
            shutdown_grace_seconds: self.shutdown_grace_seconds,
            tls: self.tls,
        }
    }
}

/// Without [`on_port`] there is no port to fall back to, so a section in part must have `listen`.
impl<'de> Deserialize<'de> for ServerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Given::deserialize(deserializer)?;
        let listen = given.listen;
        let listen = listen.ok_or_else(|| serde::de::Error::missing_field("listen"))?;
        Ok(given.or_listen(listen))
    }
}

/// How much a server takes on at a time.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connections: usize,
    calls: usize,
    calls_per_connection: u32,
}

impl Limits {
    /// The caller is this process, which limits itself.
    const IN_PROCESS: Self = Self {
        connections: Semaphore::MAX_PERMITS,
        calls: Semaphore::MAX_PERMITS,
        calls_per_connection: CALLS_PER_CONNECTION_MAX,
    };
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Whose certificate has a role for it.
    ByRole,
    /// Everyone who has a connection.
    Open,
}

type Layers = Stack<
    access::AccessLayer,
    Stack<deadline::DeadlineLayer, Stack<observe::ObserveLayer, Identity>>,
>;

/// The server that TCP and memory share.
fn layered(access: Access, limits: Limits) -> Server<Layers> {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(limits.calls_per_connection)
        .concurrency_limit_per_connection(limits.calls_per_connection as usize)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .layer(observe::ObserveLayer {
            calls: Arc::new(Semaphore::new(limits.calls)),
        })
        .layer(deadline::DeadlineLayer)
        .layer(access::AccessLayer {
            by_role: access == Access::ByRole,
        })
}
