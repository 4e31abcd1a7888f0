//! A node of fakes, with folders on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{FakeControl, FakeCql, FakeProcess};
use crate::config::CassandraConfig;
use crate::node::CassandraNode;
use crate::yaml::CassandraYaml;

/// A node and the fakes that it is made of.
pub struct FakeCassandra {
    /// The node of these fakes.
    pub node: CassandraNode,
    /// Its CQL.
    pub cql: Arc<FakeCql>,
    /// Its control.
    pub control: Arc<FakeControl>,
    /// Its process, which cannot be started or stopped unless a test allows it.
    pub process: Arc<FakeProcess>,
}

impl FakeCassandra {
    /// The host id of the node.
    pub const HOST_ID: &str = "00000000-0000-0000-0000-000000000001";

    /// A node that is up, of this release, alone in its ring, with its folders below `root`: `data1`, `data2`…,
    /// `saved_caches` and `commitlog`.
    pub fn new(root: &Path, data_directories: usize, release: &str) -> Self {
        let data: Vec<PathBuf> = (1..=data_directories)
            .map(|number| root.join(format!("data{number}")))
            .collect();
        for folder in &data {
            fs::create_dir(folder).unwrap();
        }
        fs::create_dir(root.join("saved_caches")).unwrap();
        fs::create_dir(root.join("commitlog")).unwrap();
        let mut yaml =
            CassandraYaml::parse("cluster_name: c", Path::new("cassandra.yaml"), root).unwrap();
        yaml.data_directories = data.clone();
        let cql = Arc::new(system_tables(release));
        let control = Arc::new(FakeControl::new(data));
        let process = Arc::new(FakeProcess::new(cql.clone(), control.clone()));
        let node = CassandraNode {
            cql: cql.clone(),
            control: control.clone(),
            process: process.clone(),
            yaml,
            settings: CassandraConfig::default(),
            start_interval: Duration::from_millis(10),
        };
        Self {
            node,
            cql,
            control,
            process,
        }
    }
}

fn system_tables(release: &str) -> FakeCql {
    let local = json!([{
        "cluster_name": "c", "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "release_version": release, "schema_version": "v1", "bootstrapped": "COMPLETED",
        "host_id": FakeCassandra::HOST_ID, "broadcast_address": "127.0.0.2",
        "data_center": "dc1", "rack": "r1", "tokens": ["10"],
    }]);
    FakeCql::new().answer("SELECT * FROM system.local", local)
}
