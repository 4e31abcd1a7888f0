//! An etcd, and stores on it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use lab::Etcd;
use state_store::{EtcdConfig, EtcdStore};
use tempfile::TempDir;

pub struct Server {
    pub etcd: Etcd,
    prefixes: AtomicU64,
    _dir: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        let dir = folder();
        let etcd = Etcd::start(dir.path().join("etcd")).await;
        Self {
            etcd: etcd.expect("etcd starts"),
            prefixes: AtomicU64::new(0),
            _dir: dir,
        }
    }

    /// Settings with a prefix of their own.
    pub fn config(&self) -> EtcdConfig {
        let number = self.prefixes.fetch_add(1, Ordering::SeqCst);
        EtcdConfig {
            endpoints: vec![self.etcd.endpoint()],
            prefix: format!("fleets/{number}"),
            request_timeout_seconds: 20,
            ..EtcdConfig::default()
        }
    }

    /// An empty state.
    pub async fn fresh_store(&self) -> EtcdStore {
        EtcdStore::open(&self.config()).await.expect("open")
    }

    pub fn address(&self) -> SocketAddr {
        let endpoint = self.etcd.endpoint();
        let address = endpoint.trim_start_matches("http://");
        address.parse().expect("an address")
    }
}

pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}
