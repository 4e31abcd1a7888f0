//! What an agent knows of a restore: the journal that staging, loading and swapping share, and its end.

mod compaction;
mod finish;
mod journal;

use model::{TableId, TableRef};
use serde::{Deserialize, Serialize};

pub use compaction::{left_off_by_others, restores, turn_on_all};
pub use finish::{FinishError, finish};
pub use journal::{Begun, LoadEvidence, Placement, RestoreRecord, RestoreState};

/// A table of a backup, and the id of the table on this node that receives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTarget {
    pub table: TableRef,
    /// Its name in the backup, if it gets another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TableRef>,
    pub source_id: TableId,
    pub target_id: TableId,
}

impl TableTarget {
    /// Its name in the backup.
    pub fn in_backup(&self) -> &TableRef {
        self.source.as_ref().unwrap_or(&self.table)
    }
}
