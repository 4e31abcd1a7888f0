//! Plans as data, and the pure functions that make and print them.
//!
//! A plan says all that stands against it at once, as findings. Everything that a plan depends on is handed in: nothing
//! here reads a clock, a file or a network. docs/findings.md is made from the table in [`codes`].

mod apart;
pub mod backup;
mod cluster;
pub mod codes;
pub mod compatibility;
mod cql;
mod findings;
mod maintenance;
pub mod render;
mod replicas;
pub mod restore;
mod steps;
pub mod text_table;
mod verdict;
pub mod wording;

pub use apart::snapshots_apart;
pub use backup::{
    backup_steps, collection_steps, delete_steps, plan_backup, retention_steps, verify_steps,
};
pub use cluster::agree_on_schema;
pub use codes::Code;
pub use compatibility::check_compatibility;
// What the functions here take and return.
pub use maintenance::{maintenance_step_id, maintenance_steps};
pub use model::plan::{
    BackupPlan, BackupRequest, Compatibility, PlannedNode, ShownPlan, UnreachableAgent,
};
pub use restore::steps::{accept_steps, rollback_steps};
pub use restore::{
    Completeness, KeyspaceCoverage, NodeKeys, NodePlan, PlanStep, Rates, RequestedMode,
    RestoreMode, RestoreOptions, RestorePlan, RestoreRequest, SchemaChange, SchemaRewrite,
    StepKind, TableAction, TablePlan, plan_restore,
};
pub use text_table::TextTable;
