//! The nouns that all crates share: ids, ring, schema, manifests, findings, tasks.
//!
//! Plain data with its rules, no async, no I/O, no wire. The bodies of the bucket's documents are in [`manifest`];
//! docs/format.md is their specification.

pub mod ages;
pub mod bucket;
pub mod cluster;
pub mod cql;
pub mod finding;
pub mod ids;
pub mod leftover;
pub mod maintenance;
pub mod manifest;
pub mod nearest;
pub mod node;
pub mod plan;
pub mod ring;
pub mod schema;
pub mod selection;
pub mod setup;
pub mod share;
pub mod task;
pub mod verify;
pub mod zone;

pub use bucket::{
    BackupPin, BackupState, BackupSummary, CollectionPlan, Coverage, Covers, Garbage, GarbageKind,
    ShownBackup, ShownBackupNode, StoreStatus,
};
pub use cluster::{Cluster, ClusterNode, ClusterState, ShownRecognition};
pub use finding::{Finding, Severity, When};
pub use ids::{BackupName, BackupRef, ClusterName, HostId, NameError, TableId, TaskId};
pub use maintenance::{MaintenanceArgs, MaintenanceCommand, MaintenanceJob, UnknownCommand};
pub use nearest::nearest;
pub use node::{
    DataDirectory, MemberVersion, NodeDescription, NodeFeatures, PeerView, TableDescription,
};
pub use ring::RingMember;
pub use schema::{Schema, SchemaEntry, SchemaKind};
pub use selection::{Selection, TRIAL_KEYSPACE_PREFIX, TableRef};
pub use setup::{AgentRole, Grant, NodeSetup};
pub use share::{RangeText, SourceShare, TableTarget};
pub use verify::{
    Damage, InvalidSample, NotChecked, Sample, SampleParts, SampleProgress, SampleRead,
    VerifyLevel, VerifyReport,
};
pub use zone::{Zone, ZoneError};
