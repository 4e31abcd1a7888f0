//! Brings up real Cassandra, of any release line and any shape, a real object store and a real etcd, on loopback addresses.
//!
//! A lab fetches what it runs into a cache, fills clusters with tables that look like real life, digests
//! their content per partition, and leaves nothing behind. It is a tool for tests and demonstrations; it
//! knows nothing of what is tested with it.

mod addresses;
mod azurite;
mod builder;
mod cache;
mod cluster;
mod config;
mod debian;
pub mod digest;
pub mod disk;
mod doctor;
mod etcd;
mod fake_gcs;
mod fetch;
pub mod fixtures;
pub mod go_tools;
mod http;
mod java;
mod jdk;
mod jvm;
mod minio;
mod node;
pub mod ports;
mod process;
mod random;
mod release;
mod scripts;
mod server;
pub mod session;
mod tokens;
mod tools;
pub mod workload;

pub use azurite::{Azurite, AzuriteTls};
pub use builder::ClusterBuilder;
pub use cache::Cache;
pub use cluster::Cluster;
pub use doctor::{Check, examine};
pub use etcd::{Etcd, EtcdTls};
pub use fake_gcs::FakeGcs;
pub use fetch::{Part, fetch, fetchable, grpcurl};
pub use minio::Minio;
pub use node::Node;
pub use process::Process;
pub use random::Random;
pub use release::Release;
