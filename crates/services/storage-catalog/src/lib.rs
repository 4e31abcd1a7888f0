//! The storage catalog: what is in the bucket.
//!
//! The only piece that commits backups and the only one that deletes remote objects. It keeps no state: whatever it
//! knows it reads from the bucket, whose form docs/format.md specifies. Handlers are in `grpc`; each rpc's rules are
//! in the module of its name.

mod abandon;
mod begin;
mod beside;
mod cache;
mod catalog;
mod commit;
mod copy_source;
mod delete;
mod dependents;
mod documents;
mod error;
mod find;
mod garbage;
mod grpc;
mod list;
mod numbered;
mod pins;
mod probe;
mod recall;
mod samples;
#[cfg(test)]
mod simulation;
mod sstables;
mod verifications;
mod verify;

use std::sync::Arc;

use api::client::MESSAGE_BYTES_MAX;
use api::pb::storage_catalog::storage_catalog_server::StorageCatalogServer;
use blob_store::{Store, StoreConfig, StoreError};
use chassis::{ProcessConfig, ServerConfig, TelemetryConfig};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::CatalogError;
pub use grpc::StorageCatalogGrpc;

/// The port on which the service listens unless another is configured.
pub const PORT: u16 = 7402;

/// The clock. Passed in, because times are written into documents.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// The settings of the service as a process of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(
        default = "default_server",
        deserialize_with = "chassis::server::on_port::<PORT, _>"
    )]
    pub server: ServerConfig,
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    pub store: StoreConfig,
}

fn default_server() -> ServerConfig {
    ServerConfig::on_port(PORT)
}

impl ProcessConfig for Config {
    fn server(&self) -> &ServerConfig {
        &self.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

/// Opens the configured store and builds the service on it.
pub async fn build(
    config: &StoreConfig,
    clock: Clock,
) -> Result<StorageCatalogServer<StorageCatalogGrpc>, StoreError> {
    Ok(service(blob_store::open(config).await?, clock))
}

/// Builds the service on a store that is open already.
pub fn service(store: Store, clock: Clock) -> StorageCatalogServer<StorageCatalogGrpc> {
    let catalog = Arc::new(catalog::Catalog::new(store, clock));
    StorageCatalogServer::new(StorageCatalogGrpc::new(catalog))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}
