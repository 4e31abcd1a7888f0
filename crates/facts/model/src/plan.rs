//! Requests to the planner, and the plans that it returns. The crate `plan` makes them.

mod backup;
mod rename;
mod request;
mod restore;
mod shown;
mod step;

pub use backup::{BackupPlan, BackupRequest, Compatibility, PlannedNode, UnreachableAgent};
pub use rename::Rename;
pub use request::{Completeness, NodeKeys, Rates, RequestedMode, RestoreOptions, RestoreRequest};
pub use restore::{
    KeyspaceCoverage, NodePlan, RestoreMode, RestorePlan, SchemaChange, SchemaRewrite, TableAction,
    TablePlan, TrialTable,
};
pub use shown::{ShownNode, ShownPlan, ShownStep, ShownTable};
pub use step::{PlanStep, StepKind, UnknownStepKind};
