//! What the planner is asked, and the plans that it returns. How plans are made is the business of the crate `plan`.

mod backup;
mod request;
mod restore;

pub use backup::{BackupPlan, BackupRequest, Compatibility, UnreachableAgent};
pub use request::{Completeness, NodeKeys, Rates, RequestedMode, RestoreRequest};
pub use restore::{
    KeyspaceCoverage, NodePlan, PlanStep, RestoreMode, RestorePlan, SchemaChange, SchemaRewrite,
    StepKind, TableAction, TablePlan, UnknownStepKind,
};
