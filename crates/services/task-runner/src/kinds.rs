//! The kinds of tasks: each whole in a folder of its own, behind the traits of the engine.
//!
//! A new kind is a folder here and a line in [`all`]; `docs/how-to/add-a-task-kind.md` goes through it.

pub(crate) mod accept;
pub(crate) mod backup;
pub(crate) mod collection;
pub(crate) mod delete;
pub(crate) mod maintenance;
pub(crate) mod restore;
pub(crate) mod retention;
pub(crate) mod rollback;
pub(crate) mod verify;

mod kept;
mod named;
mod undo;

use std::sync::Arc;

use model::task::TaskKind;

use crate::engine::{Kind, Kinds};

pub(crate) use kept::rollback_in_part;
pub(crate) use named::NamedBackup;

/// Every kind that this runner knows.
pub(crate) fn all() -> Kinds {
    let kinds: [(TaskKind, Arc<dyn Kind>); 9] = [
        (TaskKind::Backup, Arc::new(backup::BackupKind)),
        (TaskKind::Restore, Arc::new(restore::RestoreKind)),
        (TaskKind::Accept, Arc::new(accept::AcceptKind)),
        (TaskKind::Rollback, Arc::new(rollback::RollbackKind)),
        (TaskKind::Verify, Arc::new(verify::VerifyKind)),
        (TaskKind::Delete, Arc::new(delete::DeleteKind)),
        (TaskKind::Retention, Arc::new(retention::RetentionKind)),
        (TaskKind::Collection, Arc::new(collection::CollectionKind)),
        (
            TaskKind::Maintenance,
            Arc::new(maintenance::MaintenanceKind),
        ),
    ];
    kinds.into()
}
