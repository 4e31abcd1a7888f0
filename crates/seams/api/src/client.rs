//! Clients of the four services over any channel: TCP, TLS, or an in-memory connection.
//!
//! Standalone and tests hand in a channel over an in-memory pipe; all others connect by address. Callers see
//! no difference. Every call passes [`Outgoing`], which puts the caller's trace context, its level of the agents'
//! calls and its fences into its metadata.

use std::sync::OnceLock;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use crate::fence::{FENCE_HEADER, Fences};
use crate::{level, pb};

pub use tonic::transport::Channel;

/// What every client calls over: a channel, with what [`Outgoing`] puts into each call.
pub type Transport = InterceptedService<Channel, Outgoing>;

pub type NodeAgentClient = pb::node_agent::node_agent_client::NodeAgentClient<Transport>;
pub type StorageCatalogClient =
    pb::storage_catalog::storage_catalog_client::StorageCatalogClient<Transport>;
pub type PlannerClient = pb::planner::planner_client::PlannerClient<Transport>;
pub type TaskRunnerClient = pb::task_runner::task_runner_client::TaskRunnerClient<Transport>;

/// The largest message that a client accepts. Plans and schemas of big clusters are the largest that there are; file
/// lists never travel by message.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// The largest request to the planner: a million SSTables, at a hundred bytes each, and what goes with them.
pub const PLAN_MESSAGE_BYTES_MAX: usize = 512 << 20;
/// The largest request to the task-runner: a cluster of thousands of agents, or a selection of thousands of tables.
pub const TASK_REQUEST_BYTES_MAX: usize = 8 << 20;
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A dead peer is noticed after one interval and one timeout.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// PEM texts for TLS from this side; a client certificate makes it mutual.
#[derive(Clone, Default)]
pub struct ClientTls {
    /// Roots to trust; the system's if absent.
    pub ca_pem: Option<String>,
    /// Certificate chain and key of this client.
    pub identity_pem: Option<(String, String)>,
    /// The name expected in the server's certificate, if it is not the host's.
    pub server_name: Option<String>,
}

/// Why no channel could be made to an address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("`{address}` is not an address; write it like 127.0.0.1:7400 or https://host:7400")]
    Address { address: String },
    #[error(
        "`{address}` asks for a connection without TLS, but TLS is set for this client; write it with https://"
    )]
    Plaintext { address: String },
    #[error("the TLS settings for `{address}` do not work")]
    Tls {
        address: String,
        #[source]
        source: tonic::transport::Error,
    },
}

/// An address as people write it, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    pub is_tls: bool,
    /// host:port.
    pub authority: &'a str,
}

impl<'a> Address<'a> {
    /// Reads `host:port`, with `http://` or `https://` before it. Without either, `is_tls` decides.
    pub fn parse(address: &'a str, is_tls: bool) -> Result<Self, ConnectError> {
        let (is_tls, authority) = match address.split_once("://") {
            Some(("http", authority)) => (false, authority),
            Some(("https", authority)) => (true, authority),
            Some(_) => return Err(invalid(address)),
            None => (is_tls, address),
        };
        if !authority.contains(':') {
            return Err(invalid(address));
        }
        Ok(Self { is_tls, authority })
    }

    /// What every connection to it has: limits of time and keepalive, but no TLS.
    pub fn endpoint(&self) -> Result<Endpoint, ConnectError> {
        let scheme = if self.is_tls { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{}", self.authority))
            .map_err(|_| invalid(self.authority))?;
        Ok(endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true))
    }
}

fn invalid(address: &str) -> ConnectError {
    ConnectError::Address {
        address: address.to_owned(),
    }
}

/// A channel to an address that connects when first used, and again whenever the connection broke. Refuses `http://`
/// if TLS is given: TLS that is set would protect nothing.
pub fn channel(address: &str, tls: Option<&ClientTls>) -> Result<Channel, ConnectError> {
    let parsed = Address::parse(address, tls.is_some())?;
    let endpoint = parsed.endpoint()?;
    if !parsed.is_tls {
        return match tls {
            Some(_) => Err(ConnectError::Plaintext {
                address: address.to_owned(),
            }),
            None => Ok(endpoint.connect_lazy()),
        };
    }
    let config = client_tls(tls.cloned().unwrap_or_default());
    let endpoint = endpoint
        .tls_config(config)
        .map_err(|source| ConnectError::Tls {
            address: address.to_owned(),
            source,
        })?;
    Ok(endpoint.connect_lazy())
}

fn client_tls(tls: ClientTls) -> ClientTlsConfig {
    let mut config = ClientTlsConfig::new();
    config = match tls.ca_pem {
        Some(pem) => config.ca_certificate(Certificate::from_pem(pem)),
        None => config.with_native_roots(),
    };
    if let Some((certificate, key)) = tls.identity_pem {
        config = config.identity(Identity::from_pem(certificate, key));
    }
    if let Some(name) = tls.server_name {
        config = config.domain_name(name);
    }
    config
}

/// Writes the caller's trace context into the metadata of a call.
pub type TraceInjector = fn(&mut MetadataMap);

/// Set by the process's telemetry, so that this crate need not know OpenTelemetry.
static TRACE_INJECTOR: OnceLock<TraceInjector> = OnceLock::new();

/// Sets what writes the trace context into outgoing calls; the first one of a process stays.
pub fn set_trace_injector(injector: TraceInjector) {
    TRACE_INJECTOR.get_or_init(|| injector);
}

/// Prepares every outgoing call.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// The caller's [`Fences`].
    fence: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Outgoing {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(inject) = TRACE_INJECTOR.get() {
            inject(request.metadata_mut());
        }
        level::send(request.metadata_mut());
        if let Some(fence) = &self.fence {
            request.metadata_mut().insert(FENCE_HEADER, fence.clone());
        }
        Ok(request)
    }
}

fn transport(channel: Channel) -> Transport {
    InterceptedService::new(channel, Outgoing::default())
}

pub fn node_agent(channel: Channel) -> NodeAgentClient {
    node_agent_under(channel, &Fences::default())
}

/// A client whose calls carry these fences.
pub fn node_agent_under(channel: Channel, fences: &Fences) -> NodeAgentClient {
    let outgoing = Outgoing {
        fence: fences.value(),
    };
    let transport = InterceptedService::new(channel, outgoing);
    NodeAgentClient::new(transport).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

pub fn storage_catalog(channel: Channel) -> StorageCatalogClient {
    StorageCatalogClient::new(transport(channel)).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

pub fn planner(channel: Channel) -> PlannerClient {
    PlannerClient::new(transport(channel))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(PLAN_MESSAGE_BYTES_MAX)
}

pub fn task_runner(channel: Channel) -> TaskRunnerClient {
    TaskRunnerClient::new(transport(channel)).max_decoding_message_size(MESSAGE_BYTES_MAX)
}
