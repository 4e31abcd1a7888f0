//! The nouns that all crates share: ids, ring, schema, manifests, findings, tasks.
//!
//! Plain data with its rules, no async, no I/O, no wire. The bodies of the bucket's documents are in [`manifest`];
//! docs/format.md is their specification.

pub mod bucket;
pub mod cluster;
pub mod cql;
pub mod finding;
pub mod ids;
pub mod manifest;
pub mod node;
pub mod plan;
pub mod ring;
pub mod schema;
pub mod selection;
pub mod share;
pub mod task;
pub mod verify;

pub use bucket::{BackupState, BackupSummary, StoreStatus};
pub use cluster::{Cluster, ClusterState};
pub use finding::{Finding, Severity, When};
pub use ids::{BackupName, BackupRef, ClusterName, HostId, NameError, TableId, TaskId};
pub use node::{DataDirectory, NodeDescription, NodeFeatures, TableDescription};
pub use ring::RingMember;
pub use schema::{Schema, SchemaEntry, SchemaKind};
pub use selection::{Selection, TRIAL_KEYSPACE_PREFIX, TableRef};
pub use share::{RangeText, SourceShare, TableTarget};
pub use verify::{Damage, VerifyLevel, VerifyReport};
