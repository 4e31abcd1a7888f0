//! Builds the services, joins them, and serves them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use blob_store::{Store, StoreConfig};
use chassis::server::{self, BoundServer};
use chassis::{App, in_memory};
use futures::future::join_all;
use state_store::{Clock, RedbStore};
use task_runner::{Dependencies, Runner};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tracing::warn;

use crate::agents::{Connector, LocalAgent};
use crate::data_dir::DataDir;
use crate::{Config, Error};

/// All services, built, with their addresses taken: connections are accepted from now on and answered by
/// [`serve`](Self::serve).
pub struct Standalone {
    bound: BoundServer,
    routes: Routes,
    services: Vec<&'static str>,
    agents: Vec<LocalAgent>,
    runner: Runner,
    shutdown: CancellationToken,
    grace: Duration,
    store: Store,
    /// Held until the last service has ended.
    _data_dir: DataDir,
}
